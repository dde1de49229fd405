package analysis_test

import (
	"testing"

	"epro/analysis"
	"epro/internal/testkit"
	"epro/study"
)

// benchPeople is how many participants the benchmarks have.
const benchPeople = 5000

// thousands is a simulated study with everybody in it many times over.
func thousands(b *testing.B) *simulated {
	b.Helper()
	s := simulatedStudy(b, 40, 1)
	many := &simulated{history: s.history, people: make([]*study.Participant, benchPeople)}
	for i := range many.people {
		many.people[i] = s.people[i%len(s.people)]
	}
	return many
}

// BenchmarkPage is everything that the analyst's page shows of one score, from
// the participants' State on.
func BenchmarkPage(b *testing.B) {
	s, before := thousands(b), testkit.Processor(b)
	for b.Loop() {
		plan, people := s.read(b, analysis.Selection{})
		if err := page(&analysis.Data{Plan: plan, People: people}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric((testkit.Processor(b)-before).Seconds()*1e3/float64(b.N), "cpu-ms/op")
}

// BenchmarkTables is the same once the people are placed.
func BenchmarkTables(b *testing.B) {
	plan, people := thousands(b).read(b, analysis.Selection{})
	d := &analysis.Data{Plan: plan, People: people}
	for b.Loop() {
		if err := page(d); err != nil {
			b.Fatal(err)
		}
	}
}

// page computes the tables and plots of one page.
func page(d *analysis.Data) error {
	ask := analysis.Ask{Scale: "FACTB"}
	if _, err := d.CompletionTable(ask); err != nil {
		return err
	}
	if _, err := d.ScoreTable(ask); err != nil {
		return err
	}
	if _, err := d.ChangeTable(ask); err != nil {
		return err
	}
	if _, err := d.ChangeTable(analysis.Ask{Scale: "FACTB", Axis: analysis.ByCalendar}); err != nil {
		return err
	}
	if _, err := d.ResponderTable(ask); err != nil {
		return err
	}
	if _, err := d.DistributionTable(ask); err != nil {
		return err
	}
	if _, err := d.ItemTable(ask); err != nil {
		return err
	}
	if _, err := d.MissingTable(ask); err != nil {
		return err
	}
	if _, err := d.AlphaTable(analysis.Ask{Visit: "C1D1"}); err != nil {
		return err
	}
	_, err := d.DeteriorationTable(ask)
	return err
}
