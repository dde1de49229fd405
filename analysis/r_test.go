package analysis_test

import (
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"epro/analysis"
	"epro/instruments/factb"
)

// asR asks R the same questions: each is an expression that gives numbers, and
// what this package gave.
type asR struct {
	script strings.Builder
	names  []string
	got    [][]float64
}

func newR() *asR {
	r := &asR{}
	r.script.WriteString("suppressPackageStartupMessages(library(survival))\n")
	r.script.WriteString("say <- function(x) cat(formatC(as.numeric(x), digits = 17, format = 'g'), '\\n')\n")
	return r
}

func (r *asR) ask(name, expression string, got ...float64) {
	fmt.Fprintf(&r.script, "say(%s)\n", expression)
	r.names, r.got = append(r.names, name), append(r.got, got)
}

// vector writes numbers so that R reads the same doubles.
func vector(xs []float64) string {
	words := make([]string, len(xs))
	for i, x := range xs {
		words[i] = strconv.FormatFloat(x, 'g', 17, 64)
	}
	return "c(" + strings.Join(words, ",") + ")"
}

// compare runs R once and holds every number to 1e-8.
func (r *asR) compare(t *testing.T) {
	t.Helper()
	cmd := exec.CommandContext(ctx, "Rscript", "--vanilla", "-")
	cmd.Stdin = strings.NewReader(r.script.String())
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("R: %v\n%s", err, said.String())
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(r.names) {
		t.Fatalf("R answered %d of %d questions", len(lines), len(r.names))
	}
	numbers, worst := 0, 0.0
	for i, line := range lines {
		words := strings.Fields(line)
		if len(words) != len(r.got[i]) {
			t.Errorf("%s: R has %d numbers, we have %d", r.names[i], len(words), len(r.got[i]))
			continue
		}
		for j, word := range words {
			want, err := strconv.ParseFloat(word, 64)
			if word == "NA" {
				want, err = math.NaN(), nil
			}
			got := r.got[i][j]
			if err != nil || math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-8 {
				t.Errorf("%s, number %d: R has %s, we have %v", r.names[i], j+1, word, got)
			}
			if off := math.Abs(got - want); off > worst {
				worst = off
			}
			numbers++
		}
	}
	t.Logf("%d numbers equal to R's; the furthest is %.1g off", numbers, worst)
}

func needR(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("Rscript"); err != nil {
		t.Skip("R is not here (Debian: r-base-core, r-cran-survival)")
	}
	if exec.CommandContext(ctx, "Rscript", "--vanilla", "-e", "library(survival)").Run() != nil {
		t.Skip("R's package survival is not here (Debian: r-cran-survival)")
	}
}

func or(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

func TestEveryFigureIsTheOneOfR(t *testing.T) {
	needR(t)
	r := newR()
	for _, seed := range []uint64{1, 2} {
		plan, people := simulatedStudy(t, 40, seed).read(t, analysis.Selection{})
		d := &analysis.Data{Plan: plan, People: people}
		for _, scale := range []string{"FACTB", "TOI", "PWB"} {
			r.askChange(t, d, scale)
			r.askResponders(t, d, scale)
			r.askDeterioration(t, d, scale)
		}
		r.askAlpha(t, d)
	}
	for name, times := range oddTimes() {
		r.askCurve(name, times)
	}
	r.compare(t)
}

// askChange asks for mean, deviation, t interval and quartiles of scores and
// changes at every visit of both axes.
func (r *asR) askChange(t *testing.T, d *analysis.Data, scale string) {
	t.Helper()
	score := slices.Index(d.Scores, scale)
	for _, axis := range analysis.Axes {
		table, err := d.ChangeTable(analysis.Ask{Scale: scale, Axis: axis})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range table.Visits {
			// The values are collected here once more, by another way.
			var values []float64
			for _, q := range d.People {
				form := formAt(q, axis, row, score)
				if base := q.Baselines[score]; q.InPopulation && form != nil && base.Form != nil && form.CompletedAt > base.Form.CompletedAt {
					values = append(values, form.Points[score].Value-base.Value)
				}
			}
			if len(values) != row.N {
				t.Fatalf("%s at %s: %d values, %d in the table", scale, row.Code, len(values), row.N)
			}
			if len(values) < 2 {
				continue
			}
			name := fmt.Sprintf("change of %s at %s", scale, row.Code)
			fmt.Fprintf(&r.script, "x <- %s\n", vector(values))
			r.ask(name+", mean and sd", "c(mean(x), sd(x))", or(row.Mean), or(row.SD))
			r.ask(name+", quartiles", "quantile(x)", or(row.Min), or(row.Q1), or(row.Median), or(row.Q3), or(row.Max))
			if or(row.SD) > 0 {
				r.ask(name+", t interval", "t.test(x)$conf.int", or(row.Low), or(row.High))
			}
		}
	}
}

// formAt is the form of a row, found without the package's own points.
func formAt(q *analysis.Person, axis analysis.Axis, row analysis.ScoreRow, score int) *analysis.Form {
	var best *analysis.Form
	for i := range q.Forms {
		f := &q.Forms[i]
		if f.Proxy || !f.InTime || f.Points[score].Missing != 0 {
			continue
		}
		switch off := math.Abs(float64(f.StudyDay-1) - float64(21*row.Number)); {
		case axis == analysis.ByCycle && f.Visit == row.Number:
			return f
		case axis == analysis.ByCycle, f.StudyDay < 0 && row.Number > 0, f.StudyDay > 0 && off > 10:
		case f.StudyDay < 0: // before the first dose: week 0, the latest is the nearest
			best = f
		case best == nil || best.StudyDay < 0 || off < math.Abs(float64(best.StudyDay-1)-float64(21*row.Number)):
			best = f
		}
	}
	return best
}

func (r *asR) askResponders(t *testing.T, d *analysis.Data, scale string) {
	t.Helper()
	table, err := d.ResponderTable(analysis.Ask{Scale: scale, Threshold: 3})
	if err != nil {
		t.Fatal(err)
	}
	shares := []analysis.Share{table.Any.ImprovedAmongAll, table.Any.WorsenedAmongValid, table.Sustained.ImprovedAmongValid}
	for _, row := range table.Visits {
		shares = append(shares, row.AmongValid.Improved, row.AmongValid.Stable, row.AmongAll.Worsened)
	}
	for _, s := range shares {
		if s.Of > 0 {
			r.ask(fmt.Sprintf("exact interval of %d of %d", s.N, s.Of), fmt.Sprintf("binom.test(%d, %d)$conf.int", s.N, s.Of), or(s.Low), or(s.High))
		}
	}
}

func (r *asR) askDeterioration(t *testing.T, d *analysis.Data, scale string) {
	t.Helper()
	for _, variant := range analysis.Variants {
		for _, death := range analysis.DeathHandlings {
			table, err := d.DeteriorationTable(analysis.Ask{Scale: scale, Rule: analysis.Rule{Variant: variant, Death: death}})
			if err != nil {
				t.Fatal(err)
			}
			var times []analysis.Time
			for _, x := range table.People {
				times = append(times, analysis.Time{Days: x.Days, Event: x.Event})
			}
			r.askCurve(fmt.Sprintf("%s, %s, death %s", scale, variant, death), times)
		}
	}
}

// askCurve asks for the whole curve, the number at risk and the median.
func (r *asR) askCurve(name string, times []analysis.Time) {
	var days, events, steps, risk, survival, se, low, high []float64
	for _, x := range times {
		days = append(days, float64(x.Days))
		events = append(events, 0)
		if x.Event {
			events[len(events)-1] = 1
		}
	}
	c := analysis.KaplanMeier(times)
	for _, s := range c.Steps {
		steps, risk, survival = append(steps, float64(s.Days)), append(risk, float64(s.AtRisk)), append(survival, s.Survival)
		se = append(se, s.SE)
		low, high = append(low, or(s.Low)), append(high, or(s.High))
	}
	fmt.Fprintf(&r.script, "s <- survfit(Surv(%s, %s) ~ 1, conf.type = 'log-log')\n", vector(days), vector(events))
	r.ask(name+", days", "s$time", steps...)
	r.ask(name+", at risk", "s$n.risk", risk...)
	r.ask(name+", survival", "s$surv", survival...)
	r.ask(name+", Greenwood", "ifelse(s$surv == 0, 0, s$surv * s$std.err)", se...)
	r.ask(name+", lower end", "s$lower", low...)
	r.ask(name+", upper end", "s$upper", high...)
	r.ask(name+", median", "summary(s)$table[c('median', '0.95LCL', '0.95UCL')]", or(c.Median), or(c.MedianLow), or(c.MedianHigh))
}

// oddTimes are curves that a study seldom gives.
func oddTimes() map[string][]analysis.Time {
	var half, everybody, nobody, tied []analysis.Time
	for day := 1; day <= 8; day++ {
		half = append(half, analysis.Time{Days: 10 * day, Event: day <= 4 || day == 7})
		everybody = append(everybody, analysis.Time{Days: day * day, Event: true})
		nobody = append(nobody, analysis.Time{Days: day, Event: false})
		tied = append(tied, analysis.Time{Days: day / 3, Event: day%2 == 0})
	}
	return map[string][]analysis.Time{"a curve that stays at a half": half, "only events": everybody, "no event": nobody, "ties": tied, "one person": everybody[:1]}
}

// askAlpha asks for alpha by the formula, over item scores that are collected
// from the answers once more.
func (r *asR) askAlpha(t *testing.T, d *analysis.Data) {
	t.Helper()
	table, err := d.AlphaTable(analysis.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	reversed := map[string]bool{}
	for _, item := range factb.FACTB.Items {
		reversed[item.Code] = item.Reversed
	}
	for _, row := range table.Rows {
		if row.Alpha == nil {
			continue
		}
		items := factb.FACTB.ItemsOf(row.Scale)
		var cells []float64
		for _, q := range d.People {
			f := q.Visits[row.Number].Form
			if !q.InPopulation || f == nil || f.Proxy || !f.InTime {
				continue
			}
			var line []float64
			for _, code := range items {
				at, _ := factb.FACTB.Index(code)
				if x := f.Answers[at]; x.Answered() {
					line = append(line, map[bool]float64{false: float64(x), true: 4 - float64(x)}[reversed[code]])
				}
			}
			if len(line) == len(items) {
				cells = append(cells, line...)
			}
		}
		fmt.Fprintf(&r.script, "m <- matrix(%s, ncol = %d, byrow = TRUE)\n", vector(cells), len(items))
		r.ask(fmt.Sprintf("alpha of %s at %s", row.Scale, row.Code),
			"c(nrow(m), ncol(m) / (ncol(m) - 1) * (1 - sum(apply(m, 2, var)) / var(rowSums(m))))", float64(row.N), *row.Alpha)
	}
}
