package api

import (
	"encoding/base64"
	"slices"

	"github.com/go-json-experiment/json"

	"epro/study"
)

// list is a page of items and the cursor of the next one.
type list[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next" doc:"Give it as cursor to get the next page; null on the last."`
}

type listOutput[T any] struct{ Body list[T] }

// Paged is what the lists take that are short, and read whole.
type Paged struct {
	Cursor string `query:"cursor" maxLength:"400"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"200"`
}

// personList is a list of one participant's.
type personList struct {
	PersonPath
	Paged
}

// pageOf is the asked page of a list. The cursor names the last item of the
// page before, so that one which joins the list in between moves nothing.
func pageOf[T any, K ~string](in Paged, items []T, key func(T) K) (*listOutput[T], error) {
	if in.Cursor != "" {
		var last K
		if err := readCursor(in.Cursor, &last); err != nil {
			return nil, err
		}
		at := slices.IndexFunc(items, func(x T) bool { return key(x) == last })
		if at < 0 {
			return nil, errCursor()
		}
		items = items[at+1:]
	}
	out := &listOutput[T]{list[T]{Items: items}}
	if in.Limit > 0 && len(items) > in.Limit {
		next, err := writeCursor(key(items[in.Limit-1]))
		if err != nil {
			return nil, err
		}
		out.Body = list[T]{Items: items[:in.Limit], Next: next}
	}
	return out, nil
}

// readCursor reads what writeCursor wrote; a cursor is opaque to clients.
func readCursor(text string, into any) error {
	if text == "" {
		return nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, into, json.RejectUnknownMembers(true))
	}
	if err != nil {
		return errCursor()
	}
	return nil
}

func errCursor() error {
	return study.Fail(study.Invalid, "The cursor is not one of this list.",
		study.Field{Name: "cursor", Reason: "give back the next of the page before, or leave it out"})
}

func writeCursor(place any) (*string, error) {
	raw, err := json.Marshal(place)
	text := base64.RawURLEncoding.EncodeToString(raw)
	return &text, err
}
