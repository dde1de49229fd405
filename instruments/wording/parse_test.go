package wording_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/instruments/wording"
)

func find(id, version string) (*instruments.Instrument, bool) {
	return factb.FACTB, id == factb.FACTB.ID && version == factb.FACTB.Version
}

// sound is a pack of invented text, with changes. It is written here and not
// taken from testkit because a fuzz target is compiled anew with all that it
// imports, and testkit imports a database.
func sound(changes ...func(map[string]any)) []byte {
	items, sections := map[string]any{}, map[string]any{}
	for _, item := range factb.FACTB.Items {
		items[item.Code] = "made-up words for " + item.Code
	}
	for _, s := range factb.FACTB.Subscales {
		sections[s.Code] = "made-up heading " + s.Code
	}
	pack := map[string]any{
		"id": "acme-en", "version": "1", "instrument": "fact-b", "instrument_version": "4", "language": "en-GB",
		"source": "invented", "copyright": "a made-up line", "instructions": "made-up instructions", "recall": "a made-up period",
		"licence": map[string]any{"holder": "Invented Holder", "agreement": "A-1", "trial": "a-trial", "valid_from": "2026-01-01", "valid_to": "2030-12-31"},
		"options": []any{"no", "little", "some", "much", "most"}, "sections": sections, "items": items, "opt_out": map[string]any{"Q1": "a made-up box"},
	}
	for _, change := range changes {
		change(pack)
	}
	raw, err := json.Marshal(pack)
	if err != nil {
		panic(err) // a slip in this test
	}
	return raw
}

// faults are the places and reasons as one text, one a line.
func faults(t *testing.T, text []byte) string {
	t.Helper()
	p, all := wording.Parse(text, find)
	if (p == nil) != (len(all) > 0) {
		t.Errorf("a pack %v with %d faults", p != nil, len(all))
	}
	var b strings.Builder
	for _, f := range all {
		fmt.Fprintf(&b, "%s: %s\n", f.Place, f.Reason)
	}
	return b.String()
}

func TestASoundPackIsReadWhole(t *testing.T) {
	p, wrong := wording.Parse(sound(), find)
	if wrong != nil {
		t.Fatal(wrong)
	}
	if p.Name() != "acme-en@1" || len(p.Items) != 37 || len(p.Options) != 5 || len(p.Sections) != 5 || len(p.OptOut) != 1 || p.OptOut["Q1"] == "" ||
		p.Licence.Holder != "Invented Holder" || p.Recall == "" || p.Instructions == "" || p.Copyright == "" || p.Source == "" {
		t.Errorf("%+v", p)
	}
	for code, text := range p.Items {
		if !strings.Contains(text, code) {
			t.Errorf("%s is %q", code, text)
		}
	}
	again, err := wording.Decode(sound())
	if err != nil || fmt.Sprint(again) != fmt.Sprint(p) {
		t.Errorf("decoded: %v, %v", again, err)
	}
}

// set puts a value at a path such as items.GP1; nil takes it out.
func set(path string, value any) func(map[string]any) {
	return func(pack map[string]any) {
		names := strings.Split(path, ".")
		for _, name := range names[:len(names)-1] {
			inner, ok := pack[name].(map[string]any)
			if !ok {
				panic("no object " + name)
			}
			pack = inner
		}
		last := names[len(names)-1]
		if pack[last] = value; value == nil {
			delete(pack, last)
		}
	}
}

// texts are the places of a pack at which a text for people stands.
func texts() []string {
	all := []string{"source", "copyright", "instructions", "recall", "opt_out.Q1", "licence.holder", "licence.agreement"}
	for _, item := range factb.FACTB.Items {
		all = append(all, "items."+item.Code)
	}
	for _, s := range factb.FACTB.Subscales {
		all = append(all, "sections."+s.Code)
	}
	return all
}

func TestEveryPartIsNeededAndNamedWhenItIsMissing(t *testing.T) {
	for _, path := range append(texts(), "id", "version", "instrument", "instrument_version", "language", "licence", "licence.trial", "licence.valid_from", "licence.valid_to",
		"options", "sections", "opt_out", "items") {
		if got := faults(t, sound(set(path, nil))); got != path+": is missing\n" {
			t.Errorf("without %s: %s", path, got)
		}
	}
}

func TestEveryTextIsHeldToTheRulesAtItsPlace(t *testing.T) {
	for _, path := range texts() {
		for bad, says := range map[string]string{
			"":                        "is empty",
			" \u00a0 ":                "is empty",
			" leads":                  "begins or ends with a space",
			"trails\u3000":            "begins or ends with a space",
			"two <b>words":            "markup at character 5",
			"a &nbsp; b":              "markup at character 3",
			"你好**吗":                   "markup at character 3",
			"see [here](x)":           "markup",
			"a\nb":                    "U+000A at character 2",
			"a\u202eb":                "U+202E",
			"a\u200bb":                "U+200B",
			"a\ufffdb":                "U+FFFD",
			"e\u0301":                 "composed form",
			strings.Repeat("长", 1501): "has 1501 characters",
		} {
			if got := faults(t, sound(set(path, bad))); !strings.HasPrefix(got, path+": ") || !strings.Contains(got, says) || strings.Count(got, "\n") != 1 {
				t.Errorf("%s with %.20q: %s", path, bad, got)
			}
		}
		for _, other := range []any{1, true, []any{"x"}, map[string]any{"x": "y"}} {
			if got := faults(t, sound(set(path, other))); got != path+": write a text here, in quotes\n" {
				t.Errorf("%s with %v: %s", path, other, got)
			}
		}
	}
}

func TestTextsOfOtherScriptsAreTakenAsTheyAre(t *testing.T) {
	for _, good := range []string{"à côté d'«œuvre»", "我感到精力充沛吗？", "می\u200cخواهم", "שָׁלוֹם", "क्षत्रिय", "R&D & more", "50 % ± 2; \"so\" — 'so'", "{{x}} ${y} %s"} {
		p, wrong := wording.Parse(sound(set("items.GP1", good)), find)
		if wrong != nil || p.Items["GP1"] != good {
			t.Errorf("%q: %v", good, wrong)
		}
	}
}

func TestWhatIsNotAPackIsRefusedInAWord(t *testing.T) {
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"an unknown part":        {sound(set("comment", "x")), "comment: does not belong here"},
		"an unknown item":        {sound(set("items.GP8", "x")), "items.GP8: does not belong here"},
		"an item in small":       {sound(set("items.gp1", "x")), "items.gp1: does not belong here"},
		"an absurd name":         {sound(set("items.<script>", "x")), "items.?: holds a name that does not belong here"},
		"another box":            {sound(set("opt_out.Q2", "x")), "opt_out.Q2: does not belong here"},
		"four options":           {sound(set("options", []any{"a", "b", "c", "d"})), "options: holds 4 options; write 5"},
		"options as an object":   {sound(set("options", map[string]any{"0": "a"})), "options: write a list"},
		"an option twice":        {sound(set("options", []any{"a", "b", "c", "b", "e"})), "options[3]: is the same as options[1]"},
		"an empty option":        {sound(set("options", []any{"a", "", "c", "d", "e"})), "options[1]: is empty"},
		"an item pasted twice":   {sound(set("items.GP2", "x"), set("items.B9", "x")), "items.B9: is the same as items.GP2"},
		"items in a list":        {sound(set("items", []any{})), "items: write an object"},
		"a bad id":               {sound(set("id", "Acme EN")), "id: write 1 to 48 small letters"},
		"a version as a number":  {sound(set("version", 1)), "version: write 1 to 16 letters"},
		"another instrument":     {sound(set("instrument", "eq-5d")), "instrument: this program does not know"},
		"a language that is not": {sound(set("language", "English")), "language: is no language tag"},
		"an unknown language":    {sound(set("language", "qq")), "language: is no language tag"},
		"a tag in other letters": {sound(set("language", "zh-hans-cn")), "language: write it as zh-Hans-CN"},
		"a variant":              {sound(set("language", "de-1901")), "language: is no language tag"},
		"an extension":           {sound(set("language", "en-u-co-x")), "language: is no language tag"},
		"a day that is none":     {sound(set("licence.valid_to", "2027-02-30")), "licence.valid_to: write a date as YYYY-MM-DD"},
		"a licence backwards":    {sound(set("licence.valid_to", "2025-01-01")), "licence.valid_to: lies before valid_from"},
		"no participants":        {sound(set("licence.max_participants", 0)), "licence.max_participants: write a whole number"},
		"half a participant":     {sound(set("licence.max_participants", 1.5)), "licence.max_participants: write a whole number"},
		"some test names":        {sound(set("qstest", map[string]any{"GP1": "x"})), "qstest.GP2: is missing"},
		"a list":                 {[]byte(`[]`), "pack: write an object here"},
		"nothing":                {nil, "line 1: the JSON is broken"},
		"cut":                    {sound()[:200], "line 1: the JSON is broken"},
		"two packs":              {append(sound(), sound()...), "line 1: the JSON is broken"},
		"a byte order mark":      {append([]byte("\xef\xbb\xbf"), sound()...), "line 1: the file begins with a byte order mark"},
		"Latin-1":                {[]byte("{\n\"id\":\n\"caf\xe9\"}"), "line 3: the JSON is broken"},
		"a lone surrogate":       {[]byte(strings.Replace(string(sound()), `"fact-b"`, `"\ud800"`, 1)), "the JSON is broken"},
		"a part twice":           {[]byte(strings.Replace(string(sound()), `{`, `{"source":"x",`, 1)), "source: is there twice"},
		"an item twice":          {[]byte(strings.Replace(string(sound()), `"items":{`, `"items":{"GP1":"x",`, 1)), "items.GP1: is there twice"},
		"far too much":           {make([]byte, wording.MaxBytes+1), "pack: the file is larger than 60 KB"},
		"deep nesting":           {[]byte(strings.Repeat(`[`, 20000)), "line 1: the JSON is broken"},
	} {
		if got := faults(t, c.text); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	all := map[string]any{}
	for i, item := range factb.FACTB.Items {
		all[item.Code] = fmt.Sprintf("FAC005-%02d", i+1)
	}
	if p, wrong := wording.Parse(sound(set("qstest", all), set("licence.max_participants", 60)), find); wrong != nil || p.QSTest["P2"] != "FAC005-37" || p.Licence.MaxParticipants != 60 {
		t.Errorf("test names: %v", wrong)
	}
}

// Whoever writes a pack hears of everything at once.
func TestAllFaultsOfAPackAreNamedAtOnce(t *testing.T) {
	kinds := map[string]any{"missing": nil, "empty": "", "markup": "<i>x</i>", "control": "a\u0007", "wrong kind": 3}
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.SliceOfNDistinct(rapid.SampledFrom(texts()), 1, 20, rapid.ID).Draw(t, "places")
		var changes []func(map[string]any)
		for _, path := range places {
			changes = append(changes, set(path, kinds[rapid.SampledFrom([]string{"missing", "empty", "markup", "control", "wrong kind"}).Draw(t, path)]))
		}
		p, wrong := wording.Parse(sound(changes...), find)
		var named []string
		for _, f := range wrong {
			named = append(named, f.Place)
		}
		slices.Sort(places)
		slices.Sort(named)
		if p != nil || !slices.Equal(places, slices.Compact(named)) {
			t.Fatalf("faulty %v, named %v", places, named)
		}
	})
}

func TestALanguageIsServedByTheNearestTextInItsScript(t *testing.T) {
	for _, c := range []struct {
		text, asked string
		distance    int
		ok          bool
	}{
		{"en", "en", 0, true}, {"en-GB", "en-GB", 0, true}, {"en-GB", "en-gb", 0, true}, {"en", "en-GB", 1, true}, {"en-GB", "en", 2, true}, {"en-US", "en-GB", 2, true},
		{"zh", "zh-CN", 1, true}, {"zh-Hans", "zh", 1, true}, {"zh-CN", "zh", 2, true}, {"zh-CN", "zh-Hans-CN", 2, true}, {"zh", "zh-TW", 0, false}, {"zh-Hant", "zh", 0, false}, {"zh-TW", "zh-HK", 2, true},
		{"sr-Latn", "sr", 0, false}, {"de", "en", 0, false}, {"en", "", 0, false}, {"en", "und", 0, false}, {"en", strings.Repeat("e", 90), 0, false},
	} {
		if distance, ok := wording.Suits(c.text, c.asked); distance != c.distance || ok != c.ok {
			t.Errorf("%s for %s: %d %v", c.text, c.asked, distance, ok)
		}
	}
	for tag, want := range map[string]string{"en": "ltr", "ar": "rtl", "he": "rtl", "fa-IR": "rtl", "ur": "rtl", "zh-Hans": "ltr", "az-Arab": "rtl", "az": "ltr", "?": "ltr"} {
		if got := wording.Direction(tag); got != want {
			t.Errorf("%s runs %s", tag, got)
		}
	}
}

func TestALicenceCoversItsFirstAndLastDay(t *testing.T) {
	l := wording.Licence{ValidFrom: "2026-01-31", ValidTo: "2026-10-01"}
	for day, want := range map[string][2]bool{"2026-01-30": {false, false}, "2026-01-31": {true, false}, "2026-10-01": {true, false}, "2026-10-02": {false, true}} {
		if got := [2]bool{l.Covers(day), l.Ended(day)}; got != want {
			t.Errorf("%s: covers and ended %v", day, got)
		}
	}
}

// A pack that is taken is whole and plain, however the file was made; and
// nothing that can be sent makes the reader fail or repeat what it was sent.
func FuzzParse(f *testing.F) {
	f.Add(sound())
	f.Add(sound(set("items.GP1", "<script>alert(1)</script>")))
	f.Add([]byte(`{"items":{"GP1":"x","GP1":"y"},"options":[1,2]}`))
	f.Add([]byte("{\"id\":\"a\",\n\"id\":[[[[[[1]]]]]]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, wrong := wording.Parse(text, find)
		if p == nil {
			if len(wrong) == 0 || len(wrong) > 200 {
				t.Fatalf("refused with %d reasons", len(wrong))
			}
			for _, w := range wrong {
				if w.Place == "" || w.Reason == "" || len(w.Place) > 80 || strings.ContainsAny(w.Place, "<>&\"'\n") {
					t.Fatalf("%q: %q", w.Place, w.Reason)
				}
			}
			return
		}
		if len(p.Items) != 37 || len(p.Options) != 5 || len(p.Sections) != 5 || p.OptOut["Q1"] == "" {
			t.Fatalf("taken, and not whole: %+v", p)
		}
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		again, wrong := wording.Parse(raw, find)
		if wrong != nil || fmt.Sprint(again) != fmt.Sprint(p) {
			t.Fatalf("written and read again: %v", wrong)
		}
	})
}
