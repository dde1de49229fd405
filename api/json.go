package api

import (
	"errors"
	"io"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// jsonFormat reads and writes JSON strictly: a repeated or unknown member, bad
// UTF-8 and anything behind the value are errors, where encoding/json would let
// the last of two answers win.
var jsonFormat = huma.Format{
	Marshal: func(w io.Writer, v any) error { return json.MarshalWrite(w, v) },
	Unmarshal: func(data []byte, v any) error {
		return place(json.Unmarshal(data, v, json.RejectUnknownMembers(true)))
	},
}

func encode(v any) ([]byte, error) { return json.Marshal(v) }

// placeError is a decoding error as a person may see it: where and what, but
// neither the value nor the name of a Go type.
type placeError struct{ name, reason string }

func (e *placeError) Error() string { return e.name + ": " + e.reason }

// place turns a decoder's error into a placeError.
func place(err error) error {
	if err == nil {
		return nil
	}
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		reason := "is not valid JSON"
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			reason = "is given twice"
		case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
			reason = "ends in the middle of the JSON"
		}
		return &placeError{pointer(syntax.JSONPointer), reason}
	}
	var semantic *json.SemanticError
	if errors.As(err, &semantic) {
		reason := "has the wrong type"
		switch {
		case errors.Is(err, json.ErrUnknownName):
			reason = "is not a member that this route knows"
		case semantic.Err != nil && semantic.JSONKind == '"':
			reason = plain(semantic.Err)
		}
		return &placeError{pointer(semantic.JSONPointer), reason}
	}
	return &placeError{"body", "is not valid JSON"}
}

// plain keeps the sentences of our own text types, which say what to write.
func plain(err error) string {
	if text := err.Error(); strings.Contains(text, "write it as") {
		_, advice, _ := strings.Cut(text, "write it as")
		return "write it as" + advice
	}
	return "has the wrong form"
}

// pointer writes a JSON pointer as people write paths, cut where somebody sent
// a name of absurd length.
func pointer(p jsontext.Pointer) string {
	name := strings.Trim(strings.ReplaceAll(string(p), "/", "."), ".")
	if name == "" {
		return "body"
	}
	if len(name) > 80 {
		name = strings.ToValidUTF8(name[:80], "") + "…"
	}
	return name
}
