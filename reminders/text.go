package reminders

import "strings"

// text is what a phone shows: on a locked screen, to whoever holds it. It names
// no illness, no study, no place and no person.
type text struct{ title, body string }

var texts = map[string]text{
	"en": {"Something is waiting for you", "Open the app when you have a quiet moment."},
	"zh": {"您有一项待办事项", "请在方便的时候打开应用查看。"},
}

// TextFor is the title and body in the language, or in the nearest one that we
// have, or in English.
func TextFor(lang string) (title, body string) {
	for tag := lang; tag != ""; tag = tag[:max(strings.LastIndexByte(tag, '-'), 0)] {
		if t, ok := texts[tag]; ok {
			return t.title, t.body
		}
	}
	t := texts["en"]
	return t.title, t.body
}
