package reminders

// What the tests outside the package need to see of its inside.
var (
	Leaves   = leaves
	SpreadOf = spreadOf
	Wanted   = wanted
)

// CursorKind is the kind of the cursors' records.
const CursorKind = recordCursor

// Texts are the languages that there are texts in.
func Texts() []string {
	var out []string
	for lang := range texts {
		out = append(out, lang)
	}
	return out
}
