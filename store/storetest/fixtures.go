package storetest

import (
	"fmt"
	"reflect"
	"time"

	"epro/study"
)

// start is the instant that fixtures count from.
var start = time.UnixMilli(1_700_000_000_123).UTC()

// filled gives a T in which every field has a value that is not zero and that
// no other field has, also not in a fixture of another series. A field that a
// backend forgets or mistakes for another cannot come back right.
func filled[T any](series int) T {
	var value T
	n := series * 1000
	fill(reflect.ValueOf(&value).Elem(), &n)
	return value
}

var timeType = reflect.TypeFor[time.Time]()

func fill(v reflect.Value, n *int) {
	*n++
	switch {
	case v.Type() == timeType:
		v.Set(reflect.ValueOf(start.Add(time.Duration(*n) * time.Hour)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case v.Kind() == reflect.String:
		v.SetString(fmt.Sprintf("text-%d", *n))
	case v.CanUint():
		v.SetUint(uint64(*n))
	case v.CanInt():
		v.SetInt(int64(*n))
	case v.Kind() == reflect.Array && v.Type().Elem().Kind() == reflect.Uint8:
		copy(v.Slice(0, v.Len()).Bytes(), fmt.Sprintf("array-%026d", *n))
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		v.SetBytes(fmt.Appendf(nil, `{"bytes":%d}`, *n))
	default:
		panic(fmt.Sprintf("storetest: fixtures do not know what to put into a %s", v.Type()))
	}
	if v.IsZero() {
		panic(fmt.Sprintf("storetest: the fixture left a %s zero", v.Type()))
	}
}

// difference names the first field in which two values differ, or is empty.
// Instants are equal when they are the same moment, and both in UTC.
func difference(want, got any) string {
	return differ(reflect.TypeOf(want).Name(), reflect.ValueOf(want), reflect.ValueOf(got))
}

func differ(name string, want, got reflect.Value) string {
	if want.Type() == timeType {
		a, _ := want.Interface().(time.Time)
		b, _ := got.Interface().(time.Time)
		if a.Equal(b) && b.Location() == time.UTC {
			return ""
		}
	} else if want.Kind() == reflect.Struct {
		for i := range want.NumField() {
			field := name + "." + want.Type().Field(i).Name
			if d := differ(field, want.Field(i), got.Field(i)); d != "" {
				return d
			}
		}
		return ""
	} else if want.Kind() == reflect.Slice && want.Type().Elem().Kind() == reflect.Uint8 {
		if string(want.Bytes()) == string(got.Bytes()) {
			return ""
		}
	} else if reflect.DeepEqual(want.Interface(), got.Interface()) {
		return ""
	}
	return fmt.Sprintf("%s is %.80v, not %.80v", name, got, want)
}

// entry is an entry at a place, with an id of its own.
func entry(stream study.StreamID, seq uint64) study.Entry {
	e := filled[study.Entry](int(seq))
	e.Stream, e.Seq = stream, seq
	e.ID = study.EventID(fmt.Sprintf("event of %s at %d", stream, seq))
	e.At = start.Add(time.Duration(seq) * time.Second)
	e.Bytes = fmt.Appendf(nil, `{"stream":%q,"seq":%d}`, stream, seq)
	return e
}

// snapshot is a snapshot of a stream at a sequence.
func snapshot(stream study.StreamID, seq uint64) study.Snapshot {
	s := filled[study.Snapshot](int(seq))
	s.Stream, s.Seq = stream, seq
	return s
}

// record is a record of a kind that never expires.
func record(kind study.RecordKind, key string) study.Record {
	r := filled[study.Record](1)
	r.Kind, r.Key, r.ExpiresAt = kind, key, time.Time{}
	return r
}
