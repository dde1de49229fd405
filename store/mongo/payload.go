package mongo

import (
	"bytes"
	"math"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"go.mongodb.org/mongo-driver/v2/bson"
)

// maxDepth is how deep a readable copy goes; what is deeper stays JSON text.
// MongoDB refuses documents of more than a hundred levels.
const maxDepth = 50

// readable gives the copies of payload and reason that people can read in the
// database. Bytes that are no event have none.
func readable(event []byte) (payload any, reason string) {
	var e struct {
		Payload jsontext.Value `json:"payload"`
		Reason  string         `json:"reason"`
	}
	if json.Unmarshal(event, &e) != nil || len(e.Payload) == 0 {
		return nil, ""
	}
	return copyOf(e.Payload, 0), e.Reason
}

// copyOf turns JSON into what is the same in BSON.
func copyOf(v jsontext.Value, depth int) any {
	if depth > maxDepth {
		return string(v)
	}
	d := jsontext.NewDecoder(bytes.NewReader(v))
	switch v.Kind() {
	case '{':
		return objectOf(d, depth)
	case '[':
		return arrayOf(d, depth)
	}
	token, err := d.ReadToken()
	if err != nil {
		return string(v) // cannot be: v was decoded before
	}
	switch token.Kind() {
	case 't', 'f':
		return token.Bool()
	case '"':
		return token.String()
	case '0':
		return numberOf(string(v))
	default:
		return nil
	}
}

func objectOf(d *jsontext.Decoder, depth int) any {
	fields := bson.D{}
	if _, err := d.ReadToken(); err != nil {
		return fields
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return fields
		}
		key := escaped(name.String())
		value, err := d.ReadValue()
		if err != nil {
			return fields
		}
		fields = append(fields, bson.E{Key: key, Value: copyOf(value, depth+1)})
	}
	return fields
}

func arrayOf(d *jsontext.Decoder, depth int) any {
	values := bson.A{}
	if _, err := d.ReadToken(); err != nil {
		return values
	}
	for kind := d.PeekKind(); kind != ']' && kind != 0; kind = d.PeekKind() {
		value, err := d.ReadValue()
		if err != nil {
			return values
		}
		values = append(values, copyOf(value, depth+1))
	}
	return values
}

// numberOf takes the smallest type that holds the number.
func numberOf(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n >= math.MinInt32 && n <= math.MaxInt32 {
			return int32(n)
		}
		return n
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return s
	}
	return f
}

var escapes = strings.NewReplacer("%", "%25", "$", "%24", ".", "%2E", "\x00", "%00")

// escaped writes a key so that every server takes it and every query language
// can name it: a dollar begins an operator, a dot a path, and a NUL ends a
// key. The empty key is a single percent sign, which no other key gives.
func escaped(key string) string {
	if key == "" {
		return "%"
	}
	return escapes.Replace(key)
}
