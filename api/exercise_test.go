package api_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"epro/api"
	"epro/internal/testkit"
	"epro/study"
)

// world is a server with somebody of every role, and what is needed to use
// every route once.
type world struct {
	s          *server
	p, other   *study.Participant // of Site
	phone      string             // p's access token
	otherPhone string
	here       map[study.Role]account // of Site
	there      map[study.Role]account // of OtherSite
	setupToken string
	n          int
}

func newWorld(t testing.TB) *world { return worldOn(t, testkit.Store(t)) }

func worldOn(t testing.TB, store study.Store) *world {
	t.Helper()
	w := &world{s: build(t, store), here: map[study.Role]account{}, there: map[study.Role]account{}}
	var err error
	if w.setupToken, err = w.s.auth.SetupToken(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.s.listenLocal(t)
	w.s.baseline()
	w.p, w.phone = w.s.phone(t, "P-1")
	w.other, w.otherPhone = w.s.phone(t, "P-2")
	for _, role := range study.StaffRoles {
		if role == study.RoleAnalyst || role == study.RoleAdmin {
			w.here[role] = w.s.staff(t, "here-"+string(role), role)
			continue
		}
		w.here[role] = w.s.staff(t, "here-"+string(role), role, testkit.Site)
		w.there[role] = w.s.staff(t, "there-"+string(role), role, testkit.OtherSite)
	}
	return w
}

// someone is a new participant, enrolled at Site.
func (w *world) someone(t testing.TB) *study.Participant {
	t.Helper()
	w.n++
	return w.s.Enrol(t, "X-"+string(rune('A'+w.n/26%26))+string(rune('A'+w.n%26))+string(rune('A'+w.n/676)))
}

// withForm is a new participant with a form for the baseline visit.
func (w *world) withForm(t testing.TB) (*study.Participant, string) {
	t.Helper()
	p := w.someone(t)
	return p, string(w.s.Submit(t, p.ID, "C1D1", 1).SubmissionID)
}

// withHeld is a new participant with a form that waits for a decision.
func (w *world) withHeld(t testing.TB) (*study.Participant, string) {
	t.Helper()
	p := w.someone(t)
	id := w.s.NewID()
	at := w.s.Clock.Now()
	form := testkit.Form(p.ID, "C1D1", study.SubmissionID(id), at.Add(-30*24*time.Hour), testkit.Answers(1))
	form.SentAt = study.InstantOf(at)
	res, err := w.s.Do(context.Background(), study.Request{By: testkit.Phone(p.ID)}, p.ID, form)
	if err != nil {
		t.Fatal(err)
	}
	if r, _ := res.After.Receipt(form.ID); r.HeldCause == "" {
		t.Fatalf("the form is not held: %+v", r)
	}
	return p, id
}

// account is a new staff account.
func (w *world) account(t testing.TB) study.StaffID {
	t.Helper()
	a, _, err := w.s.auth.CreateStaff(context.Background(), study.Request{By: w.s.System},
		study.CreateStaff{Username: "n-" + w.s.NewID(), Rights: study.Rights{Role: study.RoleAnalyst}}, "")
	if err != nil {
		t.Fatal(err)
	}
	return a.ID
}

// pack is a new wording pack that was brought in at the server.
func (w *world) pack(t testing.TB) string {
	t.Helper()
	_, pack, err := w.s.ImportWording(context.Background(), study.Request{By: w.s.System}, testkit.WordingPack("pack-"+w.s.NewID(), "1", "en"))
	if err != nil {
		t.Fatal(err)
	}
	return pack.Name()
}

// packBody is a wording pack as a body to send.
func packBody(id, version, lang string) map[string]any {
	var body map[string]any
	if err := json.Unmarshal(testkit.WordingPack(id, version, lang), &body); err != nil {
		panic(err)
	}
	return body
}

// exercise is a request that a route answers with success, once.
type exercise struct {
	path string
	body any
	// foreign and absent are the same request with something of somebody else,
	// and of nobody, in the place of what the path names. Without foreign it is
	// the account that is another's: of another site. Without absent the path
	// names nothing.
	foreign, absent string
	phone           string // for own.* actions on somebody else than world.p: her token
}

const absentID = "00000000-0000-4000-8000-000000000000"

// exercises are how each route is used. A route that is not here fails
// TestTheMatrix, and with it everybody who adds a route without saying who may
// not use it.
var exercises = map[string]func(t testing.TB, w *world) exercise{
	"POST /v1/auth/enrol": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/auth/enrol", body: map[string]any{"code": w.s.code(t, w.someone(t)), "attempt_id": w.s.NewID(), "device_name": "Phone"}}
	},
	"POST /v1/auth/firebase": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/auth/firebase", body: map[string]any{"id_token": "token of " + w.s.NewID(), "code": w.s.code(t, w.someone(t))}}
	},
	"POST /v1/auth/login": func(_ testing.TB, w *world) exercise {
		a := w.here[study.RoleAnalyst]
		return exercise{path: "/v1/auth/login", body: map[string]any{"username": a.name, "password": a.password}}
	},
	"POST /v1/auth/authenticator": func(_ testing.TB, w *world) exercise {
		a := w.here[study.RoleAnalyst]
		return exercise{path: "/v1/auth/authenticator", body: map[string]any{"username": a.name, "password": a.password}}
	},
	"POST /v1/auth/refresh": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/auth/refresh", body: map[string]any{"refresh_token": w.s.bind(t, w.someone(t))["refresh_token"]}}
	},
	"POST /v1/auth/logout": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/auth/logout", body: map[string]any{"refresh_token": w.s.bind(t, w.someone(t))["refresh_token"]}}
	},
	"POST /v1/auth/setup": func(_ testing.TB, w *world) exercise {
		return exercise{path: "/v1/auth/setup", body: map[string]any{"token": w.setupToken, "username": "first", "password": "some unrelated words"}}
	},
	"GET /v1/me":             static("/v1/me", nil),
	"GET /v1/me/assessments": static("/v1/me/assessments", nil),
	"GET /v1/instruments/{instrument}": func(testing.TB, *world) exercise {
		return exercise{path: "/v1/instruments/fact-b", absent: "/v1/instruments/fact-z"}
	},
	"PUT /v1/me/assessments/{aid}/submissions/{sid}": func(t testing.TB, w *world) exercise {
		p := w.someone(t)
		id := w.s.NewID()
		token, _ := w.s.bind(t, p)["access_token"].(string)
		return exercise{path: formAt(p, "C1D1", id), body: w.s.sheet(1), phone: token,
			foreign: formAt(w.other, "C1D1", id), absent: formAt(&study.Participant{ID: absentID}, "C1D1", id)}
	},
	"PUT /v1/me/assessments/{aid}/progress": func(_ testing.TB, w *world) exercise {
		at := func(id study.ParticipantID) string { return "/v1/me/assessments/" + string(id) + ".C1D1/progress" }
		return exercise{path: at(w.p.ID), foreign: at(w.other.ID), absent: at(absentID),
			body: map[string]any{"opened_at": stamp(w.s.Clock.Now()), "answered": 3, "unsent": 0}}
	},

	"PUT /v1/me/devices/{device_id}":    static("/v1/me/devices/phone-1", registration("token-1")),
	"DELETE /v1/me/devices/{device_id}": static("/v1/me/devices/phone-9", nil),
	"GET /v1/me/push-key":               static("/v1/me/push-key", nil),
	"PUT /v1/me/reminders":              static("/v1/me/reminders", map[string]any{"paused": false}),
	"POST /v1/me/deliveries/{id}/events": func(t testing.TB, w *world) exercise {
		at := func(id study.DeliveryID) string { return "/v1/me/deliveries/" + string(id) + "/events" }
		return exercise{path: at(w.delivery(t, w.p)), foreign: at(w.delivery(t, w.other)), absent: at("nothing"),
			body: map[string]any{"event": "opened", "at": stamp(w.s.Clock.Now())}}
	},

	"POST /v1/participants/{id}/contacts": onPerson("/contacts", map[string]any{"channel": "phone", "outcome": "no_answer", "note": "rang twice", "next_on": "2026-03-03"}),
	"GET /v1/participants/{id}/devices":   onPerson("/devices", nil),
	"DELETE /v1/participants/{id}/devices/{device_id}": func(t testing.TB, w *world) exercise {
		p := w.someone(t)
		reg := study.Registration{ID: "d1", Platform: "android", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: w.s.NewID()}}
		if err := w.s.RegisterDevice(context.Background(), testkit.Phone(p.ID), reg); err != nil {
			t.Fatal(err)
		}
		return exercise{path: "/v1/participants/" + string(p.ID) + "/devices/d1", absent: "/v1/participants/" + absentID + "/devices/d1"}
	},
	"GET /v1/alerts":     static("/v1/alerts", nil),
	"GET /v1/deliveries": static("/v1/deliveries", nil),
	"POST /v1/alerts/{id}/acknowledgement": func(t testing.TB, w *world) exercise {
		p, form := w.withHeld(t)
		at := func(id study.ParticipantID) string {
			return "/v1/alerts/" + string(id) + ".held." + form + "/acknowledgement"
		}
		return exercise{path: at(p.ID), absent: at(absentID), body: map[string]any{"note": "asked the investigator"}}
	},

	"POST /v1/participants": func(_ testing.TB, w *world) exercise {
		w.n++
		return exercise{path: "/v1/participants", body: enrolment("N-" + w.s.NewID()[:8])}
	},
	"GET /v1/participants":                          static("/v1/participants", nil),
	"GET /v1/participants/{id}":                     onPerson("", nil),
	"PATCH /v1/participants/{id}":                   onPerson("", map[string]any{"language": "zh", "reason": "she asked"}),
	"POST /v1/participants/{id}/consent":            onPerson("/consent", map[string]any{"on": "2026-02-25", "form_version": "3.0", "language": "en", "reason": "amendment"}),
	"POST /v1/participants/{id}/transfer":           onPerson("/transfer", map[string]any{"site": "S02", "on": "2026-03-01", "reason": "she moved"}),
	"GET /v1/participants/{id}/assessments":         onPerson("/assessments", nil),
	"GET /v1/participants/{id}/history":             onPerson("/history", nil),
	"POST /v1/participants/{id}/enrolment-codes":    onPerson("/enrolment-codes", map[string]any{"replace": true}),
	"PUT /v1/participants/{id}/cycles/{n}":          onPerson("/cycles/1", map[string]any{"started_on": "2026-03-02", "kind": "given", "dry_run": false}),
	"POST /v1/participants/{id}/status":             onPerson("/status", map[string]any{"status": "withdrawn", "level": "trial", "on": "2026-03-01", "reason": "she asked"}),
	"POST /v1/participants/{id}/treatment":          onPerson("/treatment", map[string]any{"event": "first_dose", "on": "2026-03-02", "at": "2026-03-02T00:30:00.000Z"}),
	"POST /v1/participants/{id}/performance-status": onPerson("/performance-status", map[string]any{"visit": "C1D1", "ecog": 1, "on": "2026-03-02"}),

	"PUT /v1/participants/{id}/assessments/{aid}/submissions/{sid}": func(t testing.TB, w *world) exercise {
		p, id := w.someone(t), w.s.NewID()
		return exercise{path: staffFormAt(p, "C1D1", id), absent: staffFormAt(&study.Participant{ID: absentID}, "C1D1", id),
			body: with(w.s.sheet(1), "mode", "paper_transcribed", "assistance", "none", "reason", "her phone broke", "sent_at", nil, "app", nil)}
	},
	"POST /v1/participants/{id}/assessments/{aid}/submissions/{sid}/corrections": func(t testing.TB, w *world) exercise {
		return w.onForm(t, "/corrections", map[string]any{"answers": w.s.sheet(9)["answers"], "cause": "entry_error", "reason": "as she said"})
	},
	"POST /v1/participants/{id}/assessments/{aid}/submissions/{sid}/void": func(t testing.TB, w *world) exercise {
		return w.onForm(t, "/void", map[string]any{"cause": "wrong_person", "reason": "her sister filled it"})
	},
	"POST /v1/participants/{id}/assessments/{aid}/submissions/{sid}/verification": func(t testing.TB, w *world) exercise {
		return w.onForm(t, "/verification", map[string]any{"reason": "compared"})
	},
	"GET /v1/participants/{id}/assessments/{aid}/submissions/{sid}/copy": func(t testing.TB, w *world) exercise {
		return w.onForm(t, "/copy", nil)
	},
	"GET /v1/participants/{id}/assessments/{aid}/submissions/{sid}/copy.pdf": func(t testing.TB, w *world) exercise {
		return w.onForm(t, "/copy.pdf", nil)
	},
	"POST /v1/participants/{id}/assessments/{aid}/submissions/{sid}/acceptance": func(t testing.TB, w *world) exercise {
		p, id := w.withHeld(t)
		return exercise{path: staffFormAt(p, "C1D1", id) + "/acceptance", body: map[string]any{"accept": true, "reason": "in time by the site's log"},
			absent: staffFormAt(&study.Participant{ID: absentID}, "C1D1", id) + "/acceptance"}
	},
	"POST /v1/participants/{id}/assessments/{aid}/not-done": func(t testing.TB, w *world) exercise {
		at := func(id study.ParticipantID) string {
			return "/v1/participants/" + string(id) + "/assessments/" + string(id) + ".C1D1/not-done"
		}
		return exercise{path: at(w.someone(t).ID), absent: at(absentID), body: map[string]any{"reason": "too_ill", "health_related": "yes", "note": "fever"}}
	},

	"GET /v1/completion": func(testing.TB, *world) exercise {
		return exercise{path: "/v1/completion?site=S01", foreign: "/v1/completion?site=S02", absent: "/v1/completion?site=S99"}
	},
	"GET /v1/analysis/completion":    static("/v1/analysis/completion", nil),
	"GET /v1/analysis/scores":        static("/v1/analysis/scores?scale=PWB&visit=C2D1", nil),
	"GET /v1/analysis/change":        static("/v1/analysis/change?axis=calendar", nil),
	"GET /v1/analysis/responders":    static("/v1/analysis/responders", nil),
	"GET /v1/analysis/deterioration": static("/v1/analysis/deterioration?variant=definitive", nil),
	"GET /v1/analysis/distribution":  static("/v1/analysis/distribution?visit=C2D1", nil),
	"GET /v1/analysis/missing":       static("/v1/analysis/missing", nil),
	"GET /v1/analysis/items":         static("/v1/analysis/items", nil),
	"GET /v1/analysis/alpha":         static("/v1/analysis/alpha", nil),

	"GET /v1/sites":                      static("/v1/sites", nil),
	"GET /v1/worklist":                   func(testing.TB, *world) exercise { return exercise{path: "/v1/worklist?site=S01"} },
	"GET /v1/exports":                    static("/v1/exports", nil),
	"GET /v1/exports/{dataset}.{format}": static("/v1/exports/scores_long.csv", nil),
	"POST /v1/sites": func(_ testing.TB, w *world) exercise {
		w.n++
		return exercise{path: "/v1/sites", body: map[string]any{"code": "T" + string(rune('A'+w.n%26)) + string(rune('A'+w.n/26%26)), "name": "Hospital", "time_zone": "Asia/Shanghai", "language": "zh"}}
	},
	"PATCH /v1/sites/{code}": func(_ testing.TB, _ *world) exercise {
		return exercise{path: "/v1/sites/S01", absent: "/v1/sites/S99", body: map[string]any{"time_zone": "Asia/Shanghai", "reason": "it moved"}}
	},
	"PUT /v1/sites/{code}/closing": func(_ testing.TB, _ *world) exercise {
		return exercise{path: "/v1/sites/S01/closing", absent: "/v1/sites/S99/closing", body: map[string]any{"closed": false, "reason": "an amendment"}}
	},
	"PUT /v1/sites/{code}/contact": func(_ testing.TB, _ *world) exercise {
		return exercise{path: "/v1/sites/S01/contact", absent: "/v1/sites/S99/contact", body: map[string]any{"phone": "+86 21 5555 0100"}}
	},
	"PUT /v1/sites/{code}/lock": func(_ testing.TB, _ *world) exercise {
		return exercise{path: "/v1/sites/S01/lock", absent: "/v1/sites/S99/lock", body: map[string]any{"locked": false, "reason": "done"}}
	},
	"GET /v1/staff": static("/v1/staff", nil),
	"POST /v1/staff": func(_ testing.TB, w *world) exercise {
		return exercise{path: "/v1/staff", body: map[string]any{"username": "u-" + w.s.NewID(), "role": "coordinator", "sites": []string{"S01"}}}
	},
	"PATCH /v1/staff/{id}": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/staff/" + string(w.account(t)), absent: "/v1/staff/" + absentID, body: map[string]any{"disabled": true, "reason": "left"}}
	},
	"POST /v1/staff/{id}/password": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/staff/" + string(w.account(t)) + "/password", absent: "/v1/staff/" + absentID + "/password", body: map[string]any{}}
	},
	"GET /v1/wording-packs": func(t testing.TB, w *world) exercise {
		w.pack(t)
		return exercise{path: "/v1/wording-packs"}
	},
	"POST /v1/wording-packs": func(_ testing.TB, w *world) exercise {
		return exercise{path: "/v1/wording-packs", body: packBody("new-"+w.s.NewID(), "1", "en")}
	},
	"GET /v1/wording-packs/{pack}": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/wording-packs/" + w.pack(t), absent: "/v1/wording-packs/nothing@1"}
	},
	"POST /v1/wording-packs/{pack}/approval": func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/wording-packs/" + w.pack(t) + "/approval", absent: "/v1/wording-packs/nothing@1/approval", body: map[string]any{"approve": false, "reason": "a misprint"}}
	},
	"GET /v1/audit": static("/v1/audit", nil),
	"GET /v1/study": static("/v1/study", nil),
}

// registration is the body that registers a phone.
func registration(token string) map[string]any {
	return map[string]any{"platform": "android", "push_target": map[string]any{"kind": "fcm_token", "value": token}}
}

// delivery is a message that was sent to the participant's phone.
func (w *world) delivery(t testing.TB, p *study.Participant) study.DeliveryID {
	t.Helper()
	w.n++
	id, err := w.s.ClaimDelivery(context.Background(), study.Claim{Participant: p.ID, Assessment: study.AssessmentFor(p.ID, "C1D1"), Step: "due@2026-03-02",
		StepAt: study.InstantOf(w.s.Clock.Now()), Device: "d1", Platform: "android", Kind: study.TargetFCMToken, Attempt: w.n})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// enrolment is the body that enrols a participant.
func enrolment(number string) map[string]any {
	return map[string]any{"number": number, "site": "S01", "regimen": "capecitabine", "language": "en", "time_zone": "Asia/Shanghai", "cycle1_on": "2026-03-02",
		"consent": map[string]any{"on": "2026-02-20", "form_version": "2.0", "language": "en"}}
}

func static(path string, body any) func(testing.TB, *world) exercise {
	return func(testing.TB, *world) exercise { return exercise{path: path, body: body} }
}

// onPerson is a request on a new participant.
func onPerson(tail string, body any) func(testing.TB, *world) exercise {
	return func(t testing.TB, w *world) exercise {
		return exercise{path: "/v1/participants/" + string(w.someone(t).ID) + tail, absent: "/v1/participants/" + absentID + tail, body: body}
	}
}

// onForm is a request on a new participant's form. Nobody reaches another's
// form, or another visit's, through an address of her own.
func (w *world) onForm(t testing.TB, tail string, body any) exercise {
	t.Helper()
	p, id := w.withForm(t)
	return exercise{path: staffFormAt(p, "C1D1", id) + tail, absent: staffFormAt(&study.Participant{ID: absentID}, "C1D1", id) + tail, body: body}
}

func (w *world) exercise(t testing.TB, route string) exercise {
	t.Helper()
	make, ok := exercises[route]
	if !ok {
		t.Fatalf("%s: say in exercises how it is used", route)
	}
	return make(t, w)
}

// tokenFor is a token of somebody at Site who may use the route.
func (w *world) tokenFor(t testing.TB, r api.RouteInfo) string {
	t.Helper()
	if r.Action == "" {
		return ""
	}
	roles := study.RolesFor(r.Action)
	if len(roles) == 0 {
		t.Fatalf("%s %s: no role may use it", r.Method, r.Path)
	}
	return w.tokens()[roles[0]]
}

// listenLocal serves on a port of this machine.
func (s *server) listenLocal(t testing.TB) {
	t.Helper()
	s.listen(t, localPort(t))
}
