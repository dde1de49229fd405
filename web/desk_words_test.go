package web_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"epro/study"
)

// docs/desk.md says what each form writes; it knows every event and no other.
func TestTheHandbookNamesEveryEventAndNoOther(t *testing.T) {
	text, err := os.ReadFile("../docs/desk.md")
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(text), "## What each form writes")
	if !found {
		t.Fatal("the table is gone")
	}
	var named []study.EventType
	for _, m := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(part, -1) {
		named = append(named, study.EventType(m[1]))
	}
	for _, e := range study.EventTypes() {
		if !slices.Contains(named, e) {
			t.Errorf("%s is not in it", e)
		}
	}
	for _, e := range named {
		if !slices.Contains(study.EventTypes(), e) {
			t.Errorf("there is no event %s", e)
		}
	}
}
