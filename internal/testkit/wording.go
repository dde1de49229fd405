package testkit

import (
	"context"
	"encoding/json"
	"testing"

	"epro/instruments/factb"
	"epro/study"
)

// UseWording brings a wording pack in and has a second person approve it: from
// then on it is shown. It gives back the pack's name.
func UseWording(t testing.TB, svc *study.Service, text []byte) string {
	t.Helper()
	_, pack, err := svc.ImportWording(context.Background(), study.Request{By: study.System("test")}, text)
	if err != nil {
		t.Fatalf("import the wording pack: %v", err)
	}
	approve := study.DecideWording{Pack: pack.Name(), Approve: true}
	if _, _, err := svc.DecideWording(context.Background(), study.Request{By: Staff(study.RoleAdmin, "admin-2")}, approve); err != nil {
		t.Fatalf("approve the wording pack: %v", err)
	}
	return pack.Name()
}

// WordingPack is the file of a wording pack for FACT-B, licensed to the
// embedded study for the years 2026 to 2030. Every text in it is invented: it
// says which part it stands for, and nothing that the questionnaire asks.
func WordingPack(id, version, lang string, changes ...func(pack map[string]any)) []byte {
	made := func(part string) string { return "made-up words for " + part + " of " + id + " " + version }
	items, sections := map[string]any{}, map[string]any{}
	for _, item := range factb.FACTB.Items {
		items[item.Code] = made(item.Code)
	}
	for _, s := range factb.FACTB.Subscales {
		sections[s.Code] = made(s.Code)
	}
	options := make([]any, len(factb.FACTB.Choices))
	for i := range options {
		options[i] = "made-up choice " + string(rune('0'+i)) + " of " + id
	}
	pack := map[string]any{
		"id": id, "version": version, "instrument": "fact-b", "instrument_version": "4", "language": lang,
		"source": "invented for a test", "copyright": "made-up copyright line of " + id, "instructions": made("the instructions"), "recall": made("the recall"),
		"licence": map[string]any{"holder": "Invented Holder", "agreement": "A-1", "trial": "inetetamab-pyrotinib", "valid_from": "2026-01-01", "valid_to": "2030-12-31"},
		"options": options, "sections": sections, "items": items, "opt_out": map[string]any{"Q1": made("Q1")},
	}
	for _, change := range changes {
		change(pack)
	}
	raw, err := json.Marshal(pack)
	if err != nil {
		panic(err) // a slip in a test
	}
	return raw
}
