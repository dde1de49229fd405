package web

import (
	"net/http"
	"strconv"

	"epro/study"
)

// cycleView is the page that moves a cycle: it shows what would change before
// anything does.
type cycleView struct {
	head
	ID                  study.ParticipantID
	Number              string
	N                   int
	StartsOn, PlannedOn study.Date
	Kind                study.CycleKind
	On                  string
	Kinds               []option
	Chosen              string
	Previewed           bool
	Changes             []study.Change
	Warnings            []string
	Reason              string
	Seq                 uint64
	Problem             *problem
	Conflict            []historyRow
}

var cycleKinds = []study.CycleKind{study.CyclePlanned, study.CycleGiven, study.CycleNotGiven}

func (d *desk) cycle(v *visit) error {
	return d.showCycle(v, http.StatusOK, v.Query("on"), v.Query("kind"), nil)
}

func (d *desk) showCycle(v *visit, status int, on, kind string, wrong error) error {
	p, h, err := d.person(v)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(v.Params("n"))
	if n < 1 || n > len(p.Cycles) {
		return study.Fail(study.NotFound, "There is no such cycle.")
	}
	cycle := p.Cycles[n-1]
	view := cycleView{head: d.head(v, "Move cycle "+strconv.Itoa(n)+" of "+p.Number, "participants"), ID: p.ID, Number: p.Number, N: n, StartsOn: cycle.StartsOn,
		PlannedOn: p.PlannedOn(n, h.Current().Cycles.LengthDays), Kind: cycle.Kind, On: on, Kinds: options(cycleKinds, kind), Chosen: kind,
		Seq: p.Seq, Reason: v.value("reason"), Problem: problemOf(wrong)}
	if view.Conflict, err = d.conflict(v, p.ID, p.Zone(), wrong); err != nil {
		return err
	}
	if view.Conflict != nil {
		view.Problem = nil
	}
	if on == "" {
		view.On = (cycle.StartsOn + 7).String() // a week's delay is the usual one
		return d.show(v.Ctx, status, "cycle.html", view)
	}
	c, err := cycleOf(v, n, on, kind)
	if err == nil {
		view.Changes, view.Warnings, err = d.Study.PreviewCycle(v.UserContext(), v.by, p.ID, c)
	}
	switch {
	case err == nil:
		view.Previewed = true
	case !refusal(err):
		return err
	case view.Problem == nil:
		view.Problem, status = problemOf(err), statusOfPage(study.CodeOf(err))
	}
	return d.show(v.Ctx, status, "cycle.html", view)
}

func cycleOf(v *visit, n int, on, kind string) (study.RecordCycle, error) {
	c := study.RecordCycle{N: n, Kind: study.CycleKind(kind), Reason: v.value("reason"), Confirm: v.value("confirm") != ""}
	var err error
	if c.StartedOn, err = study.ParseDate(on); err != nil {
		return c, study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "started_on", Reason: "give the first day of the cycle as YYYY-MM-DD"})
	}
	return c, nil
}

func (d *desk) moveCycle(v *visit) error {
	n, _ := strconv.Atoi(v.Params("n"))
	on, kind := v.value("on"), v.value("kind")
	c, err := cycleOf(v, n, on, kind)
	if err == nil {
		_, err = d.Study.Do(v.UserContext(), v.request(), personID(v), c)
	}
	if err != nil {
		return refused(err, func(status int, wrong error) error { return d.showCycle(v, status, on, kind, wrong) })
	}
	return v.done(personPath(personID(v)), "Cycle "+strconv.Itoa(n)+" starts on "+on+". The visits below have moved with it.")
}

// person is the participant of the path, and the protocol.
func (d *desk) person(v *visit) (*study.Participant, *study.History, error) {
	p, err := d.Study.Participant(v.UserContext(), v.by, personID(v))
	if err != nil {
		return nil, nil, err
	}
	h, err := d.Study.History(v.UserContext())
	return p, h, err
}
