package mongo

import (
	"fmt"
	"time"
	"unicode/utf8"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/study"
)

// instant is an instant that is always there. The zero time is the first
// instant of 1970, as in an event's canonical bytes.
func instant(t time.Time) bson.DateTime { return bson.DateTime(study.InstantOf(t)) }

// optional is null for no instant, so that nobody who looks into the database
// takes the first instant of 1970 for one.
func optional(t time.Time) *bson.DateTime {
	at := instant(t)
	if at == 0 {
		return nil
	}
	return &at
}

func timeOf(at *bson.DateTime) time.Time {
	if at == nil {
		return time.Time{}
	}
	return study.Instant(*at).Time()
}

// text is bytes that are JSON text in practice: a string, so that a person can
// read it, unless a string could not give the bytes back.
type text []byte

// MarshalBSONValue encodes the text.
func (t text) MarshalBSONValue() (byte, []byte, error) {
	var value any = string(t)
	if !utf8.Valid(t) {
		value = []byte(t)
	}
	kind, data, err := bson.MarshalValue(value)
	return byte(kind), data, err
}

// UnmarshalBSONValue decodes either form.
func (t *text) UnmarshalBSONValue(kind byte, data []byte) error {
	raw := bson.RawValue{Type: bson.Type(kind), Value: data}
	if s, ok := raw.StringValueOK(); ok {
		*t = text(s)
		return nil
	}
	if _, b, ok := raw.BinaryOK(); ok {
		*t = append(text{}, b...) // b is the cursor's
		return nil
	}
	return fmt.Errorf("neither text nor bytes but %s", bson.Type(kind))
}

// hexHash is a hash in hexadecimal, as the events' bytes have it.
type hexHash study.Hash

// MarshalBSONValue encodes the hash.
func (h hexHash) MarshalBSONValue() (byte, []byte, error) {
	kind, data, err := bson.MarshalValue(study.Hash(h).String())
	return byte(kind), data, err
}

// UnmarshalBSONValue decodes the hash.
func (h *hexHash) UnmarshalBSONValue(kind byte, data []byte) error {
	s, ok := bson.RawValue{Type: bson.Type(kind), Value: data}.StringValueOK()
	if !ok {
		return fmt.Errorf("a hash is text, not %s", bson.Type(kind))
	}
	return (*study.Hash)(h).UnmarshalText([]byte(s))
}
