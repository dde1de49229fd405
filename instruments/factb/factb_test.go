package factb_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"epro/instruments"
	"epro/instruments/factb"
)

const formOrder = "GP1 GP2 GP3 GP4 GP5 GP6 GP7 GS1 GS2 GS3 GS4 GS5 GS6 GS7 GE1 GE2 GE3 GE4 GE5 GE6 " +
	"GF1 GF2 GF3 GF4 GF5 GF6 GF7 B1 B2 B3 B4 B5 B6 B7 B8 B9 P2"

func codesOf(items []instruments.Item, keep func(instruments.Item) bool) string {
	var codes []string
	for _, item := range items {
		if keep(item) {
			codes = append(codes, item.Code)
		}
	}
	return strings.Join(codes, " ")
}

func TestDefinitionsAreSound(t *testing.T) {
	for _, ins := range []*instruments.Instrument{factb.FACTB, factb.FACTG} {
		if err := ins.Validate(); err != nil {
			t.Error(err)
		}
		if ins.RecallDays != 7 || ins.Version != "4" {
			t.Errorf("%s: recall %d, version %s", ins.ID, ins.RecallDays, ins.Version)
		}
	}
	if factb.FACTB.ID != "fact-b" || factb.FACTG.ID != "fact-g" {
		t.Error("the ids are part of the contract")
	}
}

func TestItemsAreInTheOrderOfTheForm(t *testing.T) {
	all := func(instruments.Item) bool { return true }
	if got := codesOf(factb.FACTB.Items, all); got != formOrder {
		t.Errorf("got %s", got)
	}
	if got := codesOf(factb.FACTG.Items, all); got != strings.TrimSuffix(formOrder, " B1 B2 B3 B4 B5 B6 B7 B8 B9 P2") {
		t.Errorf("got %s", got)
	}
}

func TestTwentyItemsAreReversedAndOnlyThese(t *testing.T) {
	got := codesOf(factb.FACTB.Items, func(i instruments.Item) bool { return i.Reversed })
	if want := "GP1 GP2 GP3 GP4 GP5 GP6 GP7 GE1 GE3 GE4 GE5 GE6 B1 B2 B3 B5 B6 B7 B8 P2"; got != want {
		t.Errorf("got %s", got)
	}
}

func TestOnlyGS7HasTheBox(t *testing.T) {
	if got := codesOf(factb.FACTB.Items, func(i instruments.Item) bool { return i.OptOut == "Q1" }); got != "GS7" {
		t.Errorf("got %s", got)
	}
}

func TestScoresHaveTheRangesAndOrderOfTheManual(t *testing.T) {
	want := map[string][2]int{ // items, maximum
		"PWB": {7, 28}, "SWB": {7, 28}, "EWB": {6, 24}, "FWB": {7, 28}, "BCS": {10, 40},
		"FACTG": {27, 108}, "TOI": {24, 96}, "FACTB": {37, 148},
	}
	var order []string
	for _, sub := range factb.FACTB.Subscales {
		order = append(order, sub.Code)
	}
	for _, total := range factb.FACTB.Totals {
		order = append(order, total.Code)
	}
	if got := strings.Join(order, " "); got != "PWB SWB EWB FWB BCS FACTG TOI FACTB" {
		t.Errorf("order %s", got)
	}
	for code, w := range want {
		low, high, ok := factb.FACTB.Range(code)
		if n := len(factb.FACTB.ItemsOf(code)); !ok || n != w[0] || low != 0 || high != w[1] {
			t.Errorf("%s: %d items, %d-%d", code, n, low, high)
		}
	}
}

func TestSectionsHoldTheirItemsInFormOrder(t *testing.T) {
	for _, ins := range []*instruments.Instrument{factb.FACTB, factb.FACTG} {
		var listed []string
		for _, sub := range ins.Subscales {
			listed = append(listed, sub.Items...)
			for _, code := range sub.Items {
				if at, _ := ins.Index(code); ins.Items[at].Subscale != sub.Code {
					t.Errorf("%s is in %s", code, ins.Items[at].Subscale)
				}
			}
		}
		if got := strings.Join(listed, " "); !strings.HasPrefix(formOrder, got) || len(listed) != len(ins.Items) {
			t.Errorf("%s lists %s", ins.ID, got)
		}
	}
}

func TestPublicCodesAreCompleteAndDistinct(t *testing.T) {
	seen := map[string]bool{}
	once := func(owner, code string) {
		if code == "" || seen[code] {
			t.Errorf("%s: code %q is empty or used twice", owner, code)
		}
		seen[code] = true
	}
	for i, item := range factb.FACTB.Items {
		once(item.Code, item.LOINC)
		// Both published lists number the items without a gap.
		if item.CDISC != fmt.Sprintf("FAC005%02d", i+1) || item.NCIt != fmt.Sprintf("C%d", 129188+i) {
			t.Errorf("%s: %s %s", item.Code, item.CDISC, item.NCIt)
		}
		if !loincChecks(item.LOINC) {
			t.Errorf("%s: LOINC %s fails its check digit", item.Code, item.LOINC)
		}
	}
	for _, sub := range factb.FACTB.Subscales {
		for _, code := range []string{sub.CDISC, sub.NCIt, sub.LOINC, sub.QSTEST} {
			once(sub.Code, code)
		}
		if !loincChecks(sub.LOINC) || len(sub.QSTEST) > 40 {
			t.Errorf("%s: %s %s", sub.Code, sub.LOINC, sub.QSTEST)
		}
	}
	for _, total := range factb.FACTB.Totals {
		for _, code := range []string{total.CDISC, total.NCIt, total.QSTEST} {
			once(total.Code, code)
		}
	}
	for _, ins := range []*instruments.Instrument{factb.FACTB, factb.FACTG} {
		once(ins.ID, ins.LOINC)
		once(ins.ID, ins.CDISC)
		if !loincChecks(ins.LOINC) {
			t.Errorf("%s: LOINC %s fails its check digit", ins.ID, ins.LOINC)
		}
	}
}

// loincChecks verifies the digit after the dash (Luhn, LOINC users' guide).
func loincChecks(code string) bool {
	number, check, _ := strings.Cut(code, "-")
	sum := 0
	for i := range len(number) {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return check == fmt.Sprint((10-sum%10)%10)
}

func TestFactGIsTheSameItemsWithoutFactBsNumbers(t *testing.T) {
	for i, item := range factb.FACTG.Items {
		same := factb.FACTB.Items[i]
		same.CDISC, same.NCIt = "", ""
		if item != same {
			t.Errorf("got %+v, want %+v", item, same)
		}
	}
	if factb.FACTB.Items[0].CDISC == "" || factb.FACTB.Subscales[0].QSTEST == "" {
		t.Error("making FACT-G changed FACT-B")
	}
}

func TestImportantDifferencesCarryTheirSource(t *testing.T) {
	want := map[string][2]float64{
		"PWB": {2, 3}, "SWB": {}, "EWB": {2, 2}, "FWB": {2, 3}, "BCS": {2, 3}, "FACTG": {5, 6}, "TOI": {5, 6}, "FACTB": {7, 8},
	}
	check := func(code string, mid instruments.MID) {
		if [2]float64{mid.Low, mid.High} != want[code] || (mid.Low > 0) != (mid.Source != "") {
			t.Errorf("%s: %+v", code, mid)
		}
		if strings.Contains(mid.Source, "Eton") && !strings.Contains(mid.Source, "before P2") {
			t.Errorf("%s: the source does not say that it is older than the scoring of P2", code)
		}
	}
	for _, sub := range factb.FACTB.Subscales {
		check(sub.Code, sub.MID)
	}
	for _, total := range factb.FACTB.Totals {
		check(total.Code, total.MID)
	}
}

func TestLabelsAreCompleteShortAndPlainInEveryLanguage(t *testing.T) {
	for _, lang := range factb.Languages() {
		labels, ok := factb.Labels(lang)
		if !ok || labels.Language != lang {
			t.Fatalf("%s: %v %q", lang, ok, labels.Language)
		}
		texts := []string{labels.Pack, labels.Banner, labels.Copyright, labels.OptOut, labels.Instruction}
		texts = append(texts, labels.Choices...)
		for _, item := range factb.FACTB.Items {
			texts = append(texts, labels.Items[item.Code])
		}
		for _, sub := range factb.FACTB.Subscales {
			texts = append(texts, labels.Subscales[sub.Code])
		}
		for _, text := range texts {
			if text == "" || len([]rune(text)) > 80 || strings.ContainsAny(text, "<>&`*_#\n\r\t") || strings.TrimSpace(text) != text {
				t.Errorf("%s: %q", lang, text)
			}
		}
		if len(labels.Choices) != 5 || len(labels.Items) != 37 || len(labels.Subscales) != 5 {
			t.Errorf("%s: %d choices, %d items, %d subscales", lang, len(labels.Choices), len(labels.Items), len(labels.Subscales))
		}
		for v, choice := range labels.Choices {
			if !strings.HasPrefix(choice, fmt.Sprint(v)) {
				t.Errorf("%s: choice %d is %q", lang, v, choice)
			}
		}
	}
}

func TestTheBannerSaysThatTheLabelsAreNotTheQuestionnaire(t *testing.T) {
	for lang, says := range map[string]string{"en": "not the licensed questionnaire", "zh": "并非"} {
		if labels, _ := factb.Labels(lang); !strings.Contains(labels.Banner, says) {
			t.Errorf("%s: %s", lang, labels.Banner)
		}
	}
}

func TestLanguagesAreFoundByTheirTags(t *testing.T) {
	for tag, want := range map[string]string{
		"en": "en", "EN": "en", "en-GB": "en", "zh": "zh", "zh-CN": "zh", "zh-Hans": "zh", "ZH-hans-cn": "zh",
		"": "", "de": "", "zh-TW": "", "zh-Hant": "", "eng": "",
	} {
		if labels, ok := factb.Labels(tag); labels.Language != want || ok != (want != "") {
			t.Errorf("%q: got %q, %v", tag, labels.Language, ok)
		}
	}
}

func TestNoTwoItemsShareALabel(t *testing.T) {
	for _, lang := range factb.Languages() {
		labels, _ := factb.Labels(lang)
		var texts []string
		for _, text := range labels.Items {
			texts = append(texts, text)
		}
		slices.Sort(texts)
		if len(slices.Compact(texts)) != 37 {
			t.Errorf("%s: labels repeat", lang)
		}
	}
}

func TestChangingLabelsChangesOnlyTheCallersCopy(t *testing.T) {
	mine, _ := factb.Labels("en")
	mine.Items["GP1"], mine.Choices[0], mine.Subscales["PWB"] = "x", "x", "x"
	if again, _ := factb.Labels("en"); again.Items["GP1"] == "x" || again.Choices[0] == "x" || again.Subscales["PWB"] == "x" {
		t.Error("the change is seen by others")
	}
}
