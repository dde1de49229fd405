package instruments_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/instruments"
)

func TestStoredTextOfAnswersIsPinned(t *testing.T) {
	a := instruments.Answers{0, 4, 9, instruments.NotReached, instruments.Skipped, instruments.OptedOut}
	text, err := a.MarshalText()
	if err != nil || string(text) != "049.so" {
		t.Fatalf("got %q, %v", text, err)
	}
	if inJSON, err := json.Marshal(a); err != nil || string(inJSON) != `"049.so"` {
		t.Errorf("got %s, %v", inJSON, err)
	}
}

func TestAnswersReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := instruments.Answers(rapid.SliceOf(rapid.Custom(func(t *rapid.T) instruments.Answer {
			return instruments.Answer(rapid.IntRange(-3, 9).Draw(t, "answer"))
		})).Draw(t, "answers"))
		text, err := a.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var back instruments.Answers
		if err := back.UnmarshalText(text); err != nil || !slices.Equal(a, back) {
			t.Fatalf("%v came back as %v, %v", a, back, err)
		}
	})
}

func TestTextThatStandsForNoAnswerIsRefusedAndChangesNothing(t *testing.T) {
	for _, text := range []string{"01x", "0 1", "-1", "S", "\x00", "１"} {
		a := instruments.Answers{3}
		if err := a.UnmarshalText([]byte(text)); err == nil || !slices.Equal(a, instruments.Answers{3}) {
			t.Errorf("%q: got %v, %v", text, a, err)
		}
	}
}

func TestAnswerWithoutACharacterIsNotWritten(t *testing.T) {
	for _, a := range []instruments.Answer{10, 127, -4, -128} {
		if text, err := (instruments.Answers{0, a}).MarshalText(); err == nil || !strings.Contains(err.Error(), "answer 2 of 2") {
			t.Errorf("%d: got %q, %v", a, text, err)
		}
	}
}

func TestOnlyChoicesCountAsAnswered(t *testing.T) {
	a := instruments.Answers{0, 4, instruments.NotReached, instruments.Skipped, instruments.OptedOut}
	if a.Count() != 2 {
		t.Errorf("got %d", a.Count())
	}
}

func TestLogsShowCountsAndNeverAnswers(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		// The time has digits that would be taken for answers.
		ReplaceAttr: func(_ []string, attr slog.Attr) slog.Attr {
			if attr.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return attr
		},
	}))
	log.Info("x", "answers", instruments.Answers{3, 3, instruments.OptedOut},
		"form", instruments.Form{Answers: map[string]string{"A1": "secret"}},
		"fault", instruments.Fault{Item: "A1", Value: "secret", Reason: "is text"})
	for _, leak := range []string{"secret", "33", "[3"} {
		if strings.Contains(out.String(), leak) {
			t.Errorf("log contains %q: %s", leak, out.String())
		}
	}
	if !strings.Contains(out.String(), "answers.answered=2") || !strings.Contains(out.String(), "fault.item=A1") {
		t.Errorf("log says too little: %s", out.String())
	}
}
