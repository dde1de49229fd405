package study

import (
	"time"
)

// CallTask asks the site to telephone a participant about an assessment whose
// form is missing.
type CallTask struct {
	Assessment AssessmentID
	Visit      string
	Since      Instant // when the task came up
	NoRoute    bool    // it came up because no message can reach her
	Last       *Contact
}

// NoRoute reports whether no message can reach a participant who uses her phone.
func (p *Participant) NoRoute(devices []Device, now time.Time) bool {
	return p.Access == AccessPhone && !Reaches(devices, now)
}

// CallTasks are the calls that the protocol asks for now. A contact after a
// task came up settles it, until the day that the contact named for the next
// attempt. Whoever was reported dead is not telephoned, nor anybody whose form
// waits for a decision.
func CallTasks(h *History, p *Participant, noRoute bool, now time.Time) []CallTask {
	if p.ReportedDead() != nil {
		return nil
	}
	var tasks []CallTask
	for i := range p.Assessments {
		a := &p.Assessments[i]
		if s := p.AssessmentStatus(a, now); s != Open && s != Overdue || a.HeldForm() != nil {
			continue
		}
		if task, ok := callTask(h, p, a, noRoute, InstantOf(now)); ok {
			tasks = append(tasks, task)
		}
	}
	return tasks
}

func callTask(h *History, p *Participant, a *Assessment, noRoute bool, now Instant) (CallTask, bool) {
	rules, ladder := h.RemindersFor(a)
	task := CallTask{Assessment: a.ID, Visit: a.Visit, Last: p.LastContact(a.ID)}
	came := func(moments []Moment, noRoute bool) {
		for _, m := range moments {
			on := m.On(a.Window)
			at := InstantOf(WallTime(on, m.At.Minutes(), mustZone(a.Window.Zone)))
			if on >= a.Window.OpensOn && at <= now && at > task.Since {
				task.Since, task.NoRoute = at, noRoute
			}
		}
	}
	came(ladder.Calls, false)
	if noRoute {
		came(rules.CallsWithoutRoute, true)
	}
	if last := task.Last; last != nil && last.At >= task.Since {
		if last.NextOn == 0 {
			return task, false
		}
		task.Since = InstantOf(StartOfDay(last.NextOn, mustZone(a.Window.Zone)))
	}
	return task, task.Since != 0 && task.Since <= now
}

// Pushes says whether the latest message about an assessment reached none of a
// participant's phones. A message that may have arrived has not failed, nor one
// that is still being tried.
func Pushes(a AssessmentID, deliveries []Delivery) PushSummary {
	var step string
	var since Instant
	failing := false
	for i := range deliveries {
		d := &deliveries[i]
		if d.Device == "" {
			continue
		}
		if d.Step != step {
			step, failing, since = d.Step, true, 0
		}
		switch o := d.Outcome; {
		case o == nil, o.Status == DeliveryAccepted, o.Status == DeliveryUnknown, o.Status == DeliverySkipped:
			failing = false
		case o.Status == DeliveryRetry && !o.RetryAt.IsZero():
			// what counts is the attempt after it
		default:
			since = max(since, o.At)
		}
	}
	if !failing || since.IsZero() {
		return PushSummary{}
	}
	return PushSummary{FailingFor: a, FailingSince: since}
}
