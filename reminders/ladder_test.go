package reminders_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/reminders"
	"epro/study"
)

// ianaZones are all zones of the IANA database that the program takes.
func ianaZones(t testing.TB) []string {
	t.Helper()
	var zones []string
	for _, root := range []string{"/usr/share/zoneinfo", "/usr/lib/zoneinfo"} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return nil //nolint:nilerr // what cannot be read has no zones
			}
			name := strings.TrimPrefix(path, root+"/")
			if _, err := study.LoadZone(name); err == nil {
				zones = append(zones, name)
			}
			return nil
		})
		if err == nil && len(zones) > 300 {
			return zones
		}
	}
	t.Fatal("no zone database on this machine; install tzdata")
	return nil
}

// What the clock on the wall must show when a reminder leaves: the protocol's
// minute, and 2½ to 12½ minutes more; or, where the clocks leap over that
// minute, the moment of the leap; or the first of two that show it.
func TestInEveryZoneAReminderLeavesAtTheProtocolsLocalTime(t *testing.T) {
	zones := ianaZones(t)
	quiet := study.QuietHours{From: "21:00", Until: "08:00"}
	rng := rand.New(rand.NewPCG(8, 8))
	for _, name := range zones {
		zone, err := study.LoadZone(name)
		if err != nil {
			t.Fatal(err)
		}
		days := []study.Date{}
		for range campaign(2, 60) {
			days = append(days, study.NewDate(2026, 1, 1)+study.Date(rng.IntN(800)))
		}
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2028; { // and each day on which the clocks change
			_, end := at.In(zone).ZoneBounds()
			if end.IsZero() || !end.After(at) {
				break
			}
			at = end
			days = append(days, study.DateOf(end.In(zone)), study.DateOf(end.In(zone))-1)
		}
		for _, day := range days {
			for _, minute := range []int{9 * 60, 18 * 60, 8 * 60, 2*60 + 30, 30, 20*60 + 55, 21 * 60, 23*60 + 59, rng.IntN(1440)} {
				checkLeaves(t, quiet, day, minute, zone, rng.Uint64())
				checkLeaves(t, study.QuietHours{}, day, minute, zone, rng.Uint64())
			}
		}
	}
}

// checkLeaves finds the minute on the wall by walking through the day.
func checkLeaves(t *testing.T, quiet study.QuietHours, day study.Date, minute int, zone *time.Location, hash uint64) {
	t.Helper()
	nominal := study.WallTime(day, minute, zone)
	at := reminders.Leaves(quiet, nominal, zone, hash)
	isQuiet := func(x time.Time) bool {
		h, _, _ := x.In(zone).Clock()
		return quiet.From != quiet.Until && (h >= 21 || h < 8)
	}
	base := nominal
	if at.Sub(nominal) > 750*time.Second { // moved: to the first minute after the next quiet one
		for !isQuiet(base) {
			base = base.Add(time.Minute)
		}
		for isQuiet(base) {
			base = base.Add(time.Minute)
		}
	}
	if local := nominal.In(zone); local.Hour()*60+local.Minute() != minute || study.DateOf(local) != day {
		// A gap: nothing on the day's wall shows the minute, and this is the first instant after it.
		if before := nominal.Add(-time.Millisecond).In(zone); study.DateOf(before) == day && before.Hour()*60+before.Minute() >= minute {
			t.Errorf("%s on %s, minute %d: %s is not the first instant after the gap", zone, day, minute, local)
		}
	}
	late := at.Sub(base)
	second := at.In(zone).Minute()%15*60 + at.In(zone).Second()
	switch {
	case isQuiet(at):
		t.Errorf("%s on %s, minute %d: leaves in the quiet hours, at %s", zone, day, minute, at.In(zone))
	case late < 150*time.Second || late > 750*time.Second:
		t.Errorf("%s on %s, minute %d: leaves %s after its minute, at %s", zone, day, minute, late, at.In(zone))
	case base.Equal(nominal) && nominal.In(zone).Minute() == minute%60 && (second < 150 || second > 750):
		t.Errorf("%s on %s, minute %d: leaves near a full quarter, at %s", zone, day, minute, at.In(zone))
	}
}

func TestTheSpreadUsesAllItsMinutesAndIsTheSameForEveryProcess(t *testing.T) {
	zone := time.UTC
	nominal := time.Date(2026, 3, 2, 9, 0, 0, 0, zone)
	seen := map[int]int{}
	for i := range 10_000 {
		id := study.AssessmentID(fmt.Sprint("p", i, ".C2D1"))
		at := reminders.Leaves(study.QuietHours{}, nominal, zone, reminders.SpreadOf(id, "due@2026-03-02"))
		if again := reminders.Leaves(study.QuietHours{}, nominal, zone, reminders.SpreadOf(id, "due@2026-03-02")); again != at {
			t.Fatal("another instant for the same step")
		}
		seen[int(at.Sub(nominal)/time.Minute)]++
	}
	for minute := 3; minute < 12; minute++ {
		if n := seen[minute]; n < 800 || n > 1200 {
			t.Errorf("%d of 10,000 leave in minute %d", n, minute)
		}
	}
	// A new program must not move what an old one has begun.
	if at := reminders.Leaves(study.QuietHours{}, nominal, zone, reminders.SpreadOf("p.C2D1", "due@2026-03-02")).Sub(nominal); at != 6*time.Minute+43*time.Second {
		t.Errorf("the spread of a known step is %s", at)
	}
}

// Whatever minute a protocol names, everything that is spread over stays free of
// the full quarters and inside its ten minutes.
func TestTheSpreadStaysOffTheFullQuarters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nominal := time.Date(2026, 3, 2, 9, rapid.IntRange(0, 59).Draw(t, "minute"), 0, 0, time.UTC)
		at := reminders.Leaves(study.QuietHours{}, nominal, time.UTC, rapid.Uint64().Draw(t, "hash"))
		quarter := at.Minute()%15*60 + at.Second()
		if late := at.Sub(nominal); late < 150*time.Second || late > 750*time.Second || quarter < 150 || quarter > 750 {
			t.Fatalf("leaves %s after %s", late, nominal.Format("15:04"))
		}
	})
}

// Forbidden words, in every language that there are texts in.
func TestTheTextSaysNothing(t *testing.T) {
	forbidden := []string{"fact", "cancer", "breast", "tumo", "onco", "health", "ill", "sick", "symptom", "treat", "therap", "chemo", "cycle", "drug", "dose",
		"study", "trial", "research", "hospital", "clinic", "doctor", "nurse", "site", "patient", "participant", "questionnaire", "quality", "life", "visit",
		"inetetamab", "pyrotinib", "癌", "乳腺", "肿瘤", "健康", "疾病", "病", "症状", "治疗", "化疗", "周期", "药", "研究", "试验", "医院", "医生", "护士", "患者", "受试者", "问卷", "生活质量", "访视"}
	for _, lang := range append(reminders.Texts(), "en-GB", "zh-Hans-CN", "fr", "") {
		title, body := reminders.TextFor(lang)
		if title == "" || body == "" {
			t.Errorf("%q has no text", lang)
		}
		for _, word := range forbidden {
			for _, of := range strings.Fields(strings.ToLower(title + " " + body)) {
				if strings.HasPrefix(strings.Trim(of, ".,"), word) || word > "\x7f" && strings.Contains(of, word) {
					t.Errorf("%q: %q in %q, %q", lang, word, title, body)
				}
			}
		}
	}
	en, _ := reminders.TextFor("en-GB")
	zh, _ := reminders.TextFor("zh-Hans-CN")
	fr, _ := reminders.TextFor("fr")
	if en == zh || en != fr {
		t.Errorf("%q, %q, %q", en, zh, fr)
	}
}
