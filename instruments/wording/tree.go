package wording

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// node is a JSON value as it was written, so that every fault of a file can be
// told at once: members in their order, and repeated ones too.
type node struct {
	kind    jsontext.Kind
	text    string // of a string or number
	members []member
	elems   []*node
}

type member struct {
	name  string
	value *node
}

// maxDepth is deeper than a pack is; what lies below is skipped.
const maxDepth = 4

// tree reads the only JSON value in the text, or says where it breaks.
func tree(text []byte) (*node, *Fault) {
	if bytes.HasPrefix(text, []byte("\xef\xbb\xbf")) {
		return nil, &Fault{"line 1", "the file begins with a byte order mark; save it as UTF-8 without one"}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true))
	n, err := value(dec, 0)
	if err == nil {
		if _, more := dec.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the value")
		}
	}
	if err == nil {
		return n, nil
	}
	offset := dec.InputOffset()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		offset = syntax.ByteOffset
	}
	line := bytes.Count(text[:min(int(offset), len(text))], []byte("\n")) + 1
	return nil, &Fault{fmt.Sprintf("line %d", line), "the JSON is broken at or near this line; check quotes, commas and brackets, and save the file as UTF-8"}
}

func value(dec *jsontext.Decoder, depth int) (*node, error) {
	n := &node{kind: dec.PeekKind()}
	if depth == maxDepth {
		return n, dec.SkipValue()
	}
	token, err := dec.ReadToken()
	if err != nil {
		return nil, err
	}
	switch n.kind {
	case '{':
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return nil, err
			}
			key := name.String()
			v, err := value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			n.members = append(n.members, member{key, v})
		}
	case '[':
		for dec.PeekKind() != ']' {
			v, err := value(dec, depth+1)
			if err != nil {
				return nil, err
			}
			n.elems = append(n.elems, v)
		}
	default:
		n.text = token.String()
		return n, nil
	}
	_, err = dec.ReadToken()
	return n, err
}
