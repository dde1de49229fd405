package analysis

import (
	"strings"

	"epro/study"
)

// invalidChoice is the error of a name that is not one of a closed list.
func invalidChoice[T ~string](field string, choices []T) error {
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	return study.Fail(study.Invalid, "That is not one of the choices for "+field+".",
		study.Field{Name: field, Reason: "use one of: " + strings.Join(words, ", ")})
}
