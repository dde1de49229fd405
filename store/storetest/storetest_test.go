package storetest

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"epro/store/sqlite"
	"epro/study"
)

func openSQLite(t *testing.T, dir string) study.Store {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(dir, "epro.db"))
	must(t, err)
	return db
}

func TestTheCallsAreAllMethodsOfAStore(t *testing.T) {
	methods := reflect.TypeFor[study.Store]()
	for i := range methods.NumMethod() {
		name := methods.Method(i).Name
		if _, known := calls[name]; !known && name != "Close" {
			t.Errorf("the calls lack %s", name)
		}
	}
	if len(calls) != methods.NumMethod()-1 {
		t.Errorf("there are %d calls and %d methods besides Close", len(calls), methods.NumMethod()-1)
	}
}

func TestBrokenFailsInEveryCall(t *testing.T) {
	for name, call := range calls {
		if wrong := unavailable(call(t.Context(), Broken())); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
	if wrong := unavailable(Broken().Close()); wrong != "" {
		t.Errorf("Close: %s", wrong)
	}
}

func TestFaultyLosesTheEntryOrTheAnswer(t *testing.T) {
	s := Faulty(openSQLite(t, t.TempDir()))
	defer s.Close()
	append3 := func(seq uint64) error { return s.Append(t.Context(), entry("site/S01", seq), nil) }
	must(t, append3(1))
	s.FailNext(true)
	s.FailNext(false)
	for _, seq := range []uint64{2, 3} {
		if wrong := unavailable(append3(seq)); wrong != "" {
			t.Errorf("append %d: %s", seq, wrong)
		}
	}
	must(t, append3(4))
	mustBe(t, append3(3), study.ErrExists)
	must(t, append3(2))

	s.FailNext(false) // no answer is lost that says something else
	mustBe(t, append3(1), study.ErrExists)
	must(t, append3(5))
}

func TestAFixtureLeavesNothingZero(t *testing.T) {
	for _, v := range []any{filled[study.Entry](1), filled[study.Snapshot](1), filled[study.Record](1), filled[study.Head](1)} {
		for i := range reflect.ValueOf(v).NumField() {
			if reflect.ValueOf(v).Field(i).IsZero() {
				t.Errorf("%T has a zero %s", v, reflect.TypeOf(v).Field(i).Name)
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a field of an unknown type is passed over")
		}
	}()
	filled[struct{ New map[string]int }](1)
}

func TestADifferenceIsSeenInEveryField(t *testing.T) {
	everyField[study.Entry](t)
	everyField[study.Snapshot](t)
	everyField[study.Record](t)
	everyField[study.Head](t)
	type at struct{ At time.Time }
	if difference(at{start}, at{start.In(time.FixedZone("", 60))}) == "" {
		t.Error("another zone than UTC is not seen")
	}
}

func everyField[T any](t *testing.T) {
	t.Helper()
	if d := difference(filled[T](1), filled[T](1)); d != "" {
		t.Error(d)
	}
	for i := range reflect.TypeFor[T]().NumField() {
		for _, from := range []T{*new(T), filled[T](2)} {
			other := filled[T](1)
			reflect.ValueOf(&other).Elem().Field(i).Set(reflect.ValueOf(from).Field(i))
			if difference(filled[T](1), other) == "" {
				t.Errorf("a change of %T.%s is not seen", other, reflect.TypeFor[T]().Field(i).Name)
			}
		}
	}
}
