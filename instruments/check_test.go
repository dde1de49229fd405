package instruments_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"epro/instruments"
	"epro/instruments/factb"
)

func form(answers, skipped map[string]string) instruments.Form {
	return instruments.Form{Answers: answers, Skipped: skipped}
}

func items(faults []instruments.Fault) string {
	var codes []string
	for _, f := range faults {
		codes = append(codes, f.Item)
	}
	return strings.Join(codes, " ")
}

func TestFormThatSaysNothingIsAllNotReached(t *testing.T) {
	answers, flags, faults := factb.FACTB.Check(instruments.Form{})
	if len(answers) != 37 || flags != nil || faults != nil {
		t.Fatalf("got %v %v %v", answers, flags, faults)
	}
	for i, a := range answers {
		if a != instruments.NotReached {
			t.Errorf("item %d is %d", i, a)
		}
	}
}

func TestChoicesSkipsAndTheOptOutAreRead(t *testing.T) {
	answers, flags, faults := factb.FACTB.Check(form(
		map[string]string{"GP1": "0", "P2": "4"},
		map[string]string{"GS7": "opt_out", "B2": "skipped"}))
	if flags != nil || faults != nil {
		t.Fatalf("got %v %v", flags, faults)
	}
	text, _ := answers.MarshalText()
	if want := "0......" + "......o" + "......" + "......." + ".s.......4"; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}

func TestOnlyTheExactDecimalTextOfAChoiceCounts(t *testing.T) {
	for _, raw := range []string{
		`"3"`, "3.0", "03", "+3", "2.5", "null", "5", " 3", "3 ", "3\n", "", "-1", "-0", "8", "9", "10", "1e0", "0x3",
		"true", "false", "NaN", "Inf", "1e-9", "3,0", "３", "٣", "[3]", "{}", "NA", "3\x00", "33",
	} {
		answers, _, faults := factb.FACTB.Check(form(map[string]string{"B3": raw}, nil))
		if answers != nil || len(faults) != 1 || faults[0].Item != "B3" || faults[0].Value != raw {
			t.Errorf("%q: got %v, %+v", raw, answers, faults)
		}
	}
}

func TestAnyLiteralIsAChoiceOrAFault(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ +\-"]?0?[0-9](\.0)?[ "]?`)).Draw(t, "raw")
		_, _, faults := factb.FACTB.Check(form(map[string]string{"GE2": raw}, nil))
		choice := len(raw) == 1 && raw[0] >= '0' && raw[0] <= '4'
		if choice != (len(faults) == 0) {
			t.Fatalf("%q: %+v", raw, faults)
		}
	})
}

func TestEveryChoiceOfEveryItemIsKeptAsGiven(t *testing.T) {
	for i, item := range factb.FACTB.Items {
		for v := range 5 {
			answers, _, faults := factb.FACTB.Check(form(map[string]string{item.Code: strconv.Itoa(v)}, nil))
			if faults != nil || answers[i] != instruments.Answer(v) || answers.Count() != 1 {
				t.Errorf("%s %d: got %v %v", item.Code, v, answers, faults)
			}
		}
	}
}

func TestAllFaultsComeAtOnceInItemOrderThenUnknownSorted(t *testing.T) {
	_, _, faults := factb.FACTB.Check(form(
		map[string]string{"P2": "7", "GP1": `"3"`, "zz": "1", "GP7": "1", "AA": "2", "B1": "4"},
		map[string]string{"GP7": "skipped", "GE1": "opt_out", "GF1": "tired", "mm": "skipped", "AA": "skipped"}))
	if got, want := items(faults), "GP1 GP7 GE1 GF1 P2 AA mm zz"; got != want {
		t.Errorf("got %s, want %s: %+v", got, want, faults)
	}
}

func TestOneItemCanHaveSeveralFaults(t *testing.T) {
	_, _, faults := factb.FACTB.Check(form(map[string]string{"GP1": "7"}, map[string]string{"GP1": "tired"}))
	if items(faults) != "GP1 GP1 GP1" || faults[0].Value != "7" || faults[1].Value != "tired" {
		t.Errorf("got %+v", faults)
	}
}

func TestBoxAndAnswerTogetherAreKeptAndFlaggedOnPaperOnly(t *testing.T) {
	f := form(map[string]string{"GS7": "2"}, map[string]string{"GS7": "opt_out"})
	if _, _, faults := factb.FACTB.Check(f); items(faults) != "GS7" {
		t.Errorf("on a phone: %+v", faults)
	}
	f.Paper = true
	answers, flags, faults := factb.FACTB.Check(f)
	at, _ := factb.FACTB.Index("GS7")
	if faults != nil || !slices.Equal(flags, []string{"q1_conflict"}) || answers[at] != 2 {
		t.Errorf("on paper: %v %v %v", answers, flags, faults)
	}
	for name, f := range map[string]instruments.Form{
		"skipped":  {Paper: true, Answers: map[string]string{"GS7": "2"}, Skipped: map[string]string{"GS7": "skipped"}},
		"no box":   {Paper: true, Answers: map[string]string{"GS6": "2"}, Skipped: map[string]string{"GS6": "opt_out"}},
		"no value": {Paper: true, Answers: map[string]string{"GS7": "6"}, Skipped: map[string]string{"GS7": "opt_out"}},
	} {
		if _, flags, faults := factb.FACTB.Check(f); faults == nil || flags != nil {
			t.Errorf("%s on paper: %v %v", name, flags, faults)
		}
	}
}

func TestTheBoxIsNoItemAndTheSentenceSaysHowToSendIt(t *testing.T) {
	for _, f := range []instruments.Form{form(map[string]string{"Q1": "true"}, nil), form(nil, map[string]string{"Q1": "opt_out"})} {
		_, _, faults := factb.FACTB.Check(f)
		if items(faults) != "Q1" || !strings.Contains(faults[0].Reason, `skipped: {"GS7":"opt_out"}`) {
			t.Errorf("got %+v", faults)
		}
	}
}

func TestNeighbouringCodesAreUnknown(t *testing.T) {
	for _, code := range []string{"gp1", "GP8", "BP1", "B10", "B0", "GP", "", " GP1", "PWB", "FACTB", "P1"} {
		if _, _, faults := factb.FACTB.Check(form(map[string]string{code: "1"}, nil)); len(faults) != 1 || faults[0].Item != code {
			t.Errorf("%q: %+v", code, faults)
		}
	}
}

func TestFaultsRepeatAtMostFortyCharactersAndReasonsNone(t *testing.T) {
	long := strings.Repeat("癌", 1000) + "\xff"
	_, _, faults := factb.FACTB.Check(form(map[string]string{"GP1": long, long: "1"}, map[string]string{"GP2": long}))
	if len(faults) != 3 {
		t.Fatalf("got %+v", faults)
	}
	for _, f := range faults {
		if utf8.RuneCountInString(f.Value) > 40 || utf8.RuneCountInString(f.Item) > 40 || strings.Contains(f.Reason, "癌") {
			t.Errorf("got %+v", f)
		}
	}
}

func TestReasonsNeverContainTheValue(t *testing.T) {
	for _, value := range []string{`"3"`, "3.0", "2.5", "null", "5", "7", "secret", "Q7"} {
		_, _, faults := factb.FACTB.Check(form(map[string]string{"GP1": value, "X": value}, map[string]string{"GP2": value}))
		if len(faults) != 3 {
			t.Errorf("%q: %+v", value, faults)
		}
		for _, f := range faults {
			if f.Reason == "" || strings.Contains(f.Reason, value) {
				t.Errorf("%q: %q", value, f.Reason)
			}
		}
	}
}

func TestCheckDoesNotDependOnMapOrder(t *testing.T) {
	f := form(map[string]string{}, map[string]string{})
	for i := range 50 {
		f.Answers[fmt.Sprintf("X%02d", i)] = "1"
		f.Skipped[fmt.Sprintf("X%02d", i*2)] = "skipped"
	}
	_, _, first := factb.FACTB.Check(f)
	for range 20 {
		if _, _, again := factb.FACTB.Check(f); !reflect.DeepEqual(first, again) {
			t.Fatal("the faults changed")
		}
	}
}
