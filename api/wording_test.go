package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"epro/api"
	"epro/export"
	"epro/instruments/factb"
	"epro/internal/testkit"
	"epro/study"
)

// admins are two administrators: one brings packs in, the other approves them.
type admins struct {
	s        *server
	one, two string
}

func newAdmins(t testing.TB, s *server) admins {
	return admins{s, s.staff(t, "one", study.RoleAdmin).token, s.staff(t, "two", study.RoleAdmin).token}
}

// inUse brings a pack in and approves it.
func (a admins) inUse(t testing.TB, text []byte) string {
	t.Helper()
	name, _ := a.s.call(t, "POST", "/v1/wording-packs", a.one, text).want(t, 201).json(t)["pack"].(string)
	a.s.Clock.Advance(time.Second)
	a.s.call(t, "POST", "/v1/wording-packs/"+name+"/approval", a.two, map[string]any{"approve": true}).want(t, 201)
	return name
}

func (s *server) questions(t testing.TB, token, query string) api.Questionnaire {
	t.Helper()
	var q api.Questionnaire
	if err := json.Unmarshal(s.call(t, "GET", "/v1/instruments/fact-b"+query, token, nil).want(t, 200).body, &q); err != nil {
		t.Fatal(err)
	}
	return q
}

// exported is the items data set as an analyst gets it when she says nothing
// about demonstration data, and what was left out.
func (s *server) exported(t testing.TB) (string, export.Summary) {
	t.Helper()
	var out bytes.Buffer
	sum, err := export.Write(t.Context(), s.Service, s.Analyst, export.Options{Dataset: "items_wide", Format: "csv", Program: "test"}, &out)
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), sum
}

func TestALicensedPackIsShownAndItsFormsAreInTheExport(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	s.baseline()
	a := newAdmins(t, s)
	p, token := s.phone(t, "001")
	q, other := s.phone(t, "002")
	old := s.call(t, "GET", "/v1/instruments/fact-b", token, nil).want(t, 200).header.Get("ETag")
	s.call(t, "PUT", formAt(q, "C1D1", s.NewID()), other, with(s.sheet(2), "wording_pack", "demo-1-en")).want(t, 201)

	text := testkit.WordingPack("acme-en", "1", "en")
	brought := s.call(t, "POST", "/v1/wording-packs", a.one, text).want(t, 201).json(t)
	if brought["status"] != "waiting" || brought["pack"] != "acme-en@1" {
		t.Errorf("%v", brought)
	}
	approval := "/v1/wording-packs/acme-en@1/approval"
	s.call(t, "POST", approval, a.one, map[string]any{"approve": true}).refused(t, 403, study.Forbidden)
	if shown := s.questions(t, token, ""); shown.Wording.Licensed {
		t.Error("shown before a second person approved it")
	}
	s.call(t, "GET", "/v1/instruments/fact-b?pack=acme-en@1", token, nil).refused(t, 400, study.Invalid)
	read := s.call(t, "GET", "/v1/wording-packs/acme-en@1", a.two, nil).want(t, 200)
	if !strings.Contains(string(read.body), "made-up words for P2") || !strings.Contains(string(read.body), "made-up copyright line") {
		t.Errorf("the second person reads %.300s", read.body)
	}
	s.Clock.Advance(time.Minute)
	if got := s.call(t, "POST", approval, a.two, map[string]any{"approve": true}).want(t, 201).json(t); got["status"] != "in_use" {
		t.Errorf("%v", got)
	}

	shown := s.questions(t, token, "")
	if w := shown.Wording; !w.Licensed || w.Pack != "acme-en@1" || w.Banner != "" || w.Copyright != "made-up copyright line of acme-en" || w.Direction != "ltr" || w.Hash != brought["hash"] {
		t.Errorf("%+v", w)
	}
	checkTexts(t, shown, text)
	tag := s.call(t, "GET", "/v1/instruments/fact-b", token, nil, "If-None-Match", old).want(t, 200).header.Get("ETag")
	s.call(t, "GET", "/v1/instruments/fact-b", token, nil, "If-None-Match", tag).want(t, 304)

	s.Clock.Advance(time.Minute)
	s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, with(s.sheet(1), "wording_pack", shown.Wording.Pack)).want(t, 201)
	rows, sum := s.exported(t)
	if sum.Rows != 1 || sum.LeftOut.Demonstration != 1 || !strings.Contains(rows, "acme-en@1") || strings.Contains(rows, "demo-1-en") {
		t.Errorf("%d rows, left out %+v:\n%s", sum.Rows, sum.LeftOut, rows)
	}
	if list := s.call(t, "GET", "/v1/wording-packs", a.one, nil).want(t, 200).items(t); len(list) != 1 || list[0]["status"] != "in_use" {
		t.Errorf("%v", list)
	}
}

// checkTexts compares every text of a questionnaire with the pack's.
func checkTexts(t testing.TB, q api.Questionnaire, text []byte) {
	t.Helper()
	var p struct {
		Copyright, Instructions, Recall string
		Options                         []string
		Sections, Items                 map[string]string
		OptOut                          map[string]string `json:"opt_out"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	same := func(what, got, want string) {
		if got != want {
			t.Errorf("%s is %q, in the pack %q", what, got, want)
		}
	}
	same("copyright", q.Wording.Copyright, p.Copyright)
	same("instructions", q.Instruction, p.Instructions)
	same("recall", q.Recall, p.Recall)
	if len(q.Items) != 37 || len(q.Subscales) != 5 {
		t.Errorf("%d items, %d sections", len(q.Items), len(q.Subscales))
	}
	for _, sub := range q.Subscales {
		same(sub.Code, sub.Name, p.Sections[sub.Code])
	}
	for _, item := range q.Items {
		same(item.Code, item.Text, p.Items[item.Code])
		for i, c := range item.Choices {
			same(fmt.Sprint("choice ", i), c.Label, p.Options[i])
		}
		if item.OptOut != nil {
			same(item.OptOut.Code, item.OptOut.Text, p.OptOut[item.OptOut.Code])
		}
	}
}

func TestAPackThatIsReplacedStaysOnTheScreenOfWhoHasBegun(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	s.baseline()
	a := newAdmins(t, s)
	a.inUse(t, testkit.WordingPack("acme-en", "1", "en"))
	p, begun := s.phone(t, "001")
	_, later := s.phone(t, "002")
	progress := func(answered int) map[string]any {
		return map[string]any{"opened_at": stamp(s.Clock.Now()), "answered": answered, "wording_pack": s.questions(t, begun, "").Wording.Pack}
	}
	at := "/v1/me/assessments/" + string(p.ID) + ".C1D1"
	s.call(t, "PUT", at+"/progress", begun, progress(1)).want(t, 204)
	a.inUse(t, testkit.WordingPack("acme-en", "2", "en"))
	if now := s.questions(t, begun, "").Wording.Pack; now != "acme-en@2" {
		t.Errorf("who begins now is shown %s", now)
	}
	s.call(t, "PUT", at+"/progress", begun, progress(12)).want(t, 204) // a second phone that fetched the new one changes nothing
	pinned := ""
	for _, x := range s.call(t, "GET", "/v1/me/assessments", begun, nil).want(t, 200).items(t) {
		if x["visit"] == "C1D1" {
			pinned, _ = x["wording_pack"].(string)
		} else if x["wording_pack"] != nil {
			t.Errorf("%v was never opened", x)
		}
	}
	if pinned != "acme-en@1" {
		t.Errorf("the form stays on %q", pinned)
	}
	running := s.questions(t, begun, "?pack="+pinned)
	checkTexts(t, running, testkit.WordingPack("acme-en", "1", "en"))
	s.call(t, "POST", "/v1/wording-packs/acme-en@1/approval", a.one, map[string]any{"approve": false, "reason": "a misprint"}).want(t, 201)
	if still := s.questions(t, begun, "?pack="+pinned); still.Wording != running.Wording {
		t.Errorf("after it was withdrawn: %+v", still.Wording)
	}
	if fresh := s.questions(t, later, ""); fresh.Wording.Pack != "acme-en@2" {
		t.Errorf("%+v", fresh.Wording)
	}
	s.Clock.Advance(time.Minute)
	receipt := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), begun, with(s.sheet(1), "wording_pack", pinned)).want(t, 201).json(t)
	if receipt["counted"] != true || fmt.Sprint(receipt["flags"]) != "[]" {
		t.Errorf("%v", receipt)
	}
	if rows, sum := s.exported(t); sum.Rows != 1 || !strings.Contains(rows, "acme-en@1") {
		t.Errorf("%d rows:\n%s", sum.Rows, rows)
	}
}

func TestAnotherTextThanTheFormWasOpenedWithIsFlagged(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	s.baseline()
	p, token := s.phone(t, "001")
	s.call(t, "PUT", "/v1/me/assessments/"+string(p.ID)+".C1D1/progress", token, map[string]any{"opened_at": stamp(s.Clock.Now()), "answered": 0}).want(t, 204)
	newAdmins(t, s).inUse(t, testkit.WordingPack("acme-en", "1", "en"))
	s.Clock.Advance(time.Minute)
	receipt := s.call(t, "PUT", formAt(p, "C1D1", s.NewID()), token, with(s.sheet(1), "wording_pack", "acme-en@1")).want(t, 201).json(t)
	if receipt["counted"] != true || fmt.Sprint(receipt["flags"]) != "[other_wording]" {
		t.Errorf("%v", receipt)
	}
	s.call(t, "PUT", "/v1/me/assessments/"+string(p.ID)+".C2D1/progress", token, map[string]any{"opened_at": stamp(s.Clock.Now()), "answered": 0, "wording_pack": "acme-en@9"}).want(t, 204) // not open: nothing to keep
	s.Clock.Set(testkit.Cycle1.UTC().AddDate(0, 0, 21))
	token, _ = s.bind(t, p)["access_token"].(string)
	s.call(t, "PUT", "/v1/me/assessments/"+string(p.ID)+".C2D1/progress", token, map[string]any{"opened_at": stamp(s.Clock.Now()), "answered": 0, "wording_pack": "acme-en@9"}).refused(t, 400, study.Invalid)
}

func TestABrokenPackIsRefusedWithEveryFault(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	a := newAdmins(t, s)
	before := s.content(t)
	broken := packBody("acme-en", "1", "en")
	items, _ := broken["items"].(map[string]any)
	items["GP1"], items["B9"] = "<b>"+canary+"</b>", 7
	delete(items, "P2")
	delete(broken, "opt_out")
	broken["language"], broken["options"] = canary, []string{"one"}
	r := s.call(t, "POST", "/v1/wording-packs", a.one, broken).refused(t, 400, study.Invalid)
	for _, place := range []string{"items.GP1", "items.B9", "items.P2", "opt_out", "language", "options"} {
		if !named(t, r, place) {
			t.Errorf("%s is not named: %s", place, r.body)
		}
	}
	if strings.Contains(string(r.body), canary) {
		t.Errorf("the refusal repeats the text: %s", r.body)
	}
	twice := bytes.Replace(testkit.WordingPack("acme-en", "1", "en"), []byte(`"items":{`), []byte(`"items":{"GP1":"x",`), 1)
	if r := s.call(t, "POST", "/v1/wording-packs", a.one, twice).refused(t, 400, study.Invalid); !named(t, r, "items.GP1") {
		t.Errorf("%s", r.body)
	}
	s.same(t, before)
}

// places is how many texts a pack has that hostile gives.
var places = 4 + len(factb.FACTB.Items) + len(factb.FACTB.Subscales) + len(factb.FACTB.Choices)

// hostilePack has another hostile text in every place, beginning with the nth.
func hostilePack(n int, texts []string) []byte {
	next := func() string { n++; return texts[(n-1)%len(texts)] }
	return testkit.WordingPack(fmt.Sprintf("hostile-%03d", n), "1", "en", func(p map[string]any) {
		for _, name := range []string{"copyright", "instructions", "recall"} {
			p[name] = next()
		}
		p["opt_out"] = map[string]any{"Q1": next()}
		for _, part := range []string{"items", "sections"} {
			in, _ := p[part].(map[string]any)
			for _, code := range slices.Sorted(maps.Keys(in)) {
				in[code] = next()
			}
		}
		options := make([]any, len(factb.FACTB.Choices))
		for i := range options {
			options[i] = next()
		}
		p["options"] = options
	})
}

// turns are the packs to try: with all of them each text is in each place once,
// and with every places-th each text is somewhere.
func turns(texts []string) (out []int) {
	step := places
	if os.Getenv("EPRO_CAMPAIGN") == "full" {
		step = 1
	}
	for n := 0; n < len(texts); n += step {
		out = append(out, n)
	}
	return out
}

// Whatever stands in a pack comes back byte for byte as text in JSON, or is
// refused by its place.
func TestHostileTextsInEveryPlaceOfAPackStayTextOrAreRefused(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	a := newAdmins(t, s)
	_, token := s.phone(t, "001")
	var taken, refused []string
	for _, text := range testkit.Hostile() {
		_, _, err := study.CheckWording(testkit.WordingPack("try", "1", "en", func(p map[string]any) { p["recall"] = text }))
		if err == nil {
			taken = append(taken, text)
			continue
		}
		refused = append(refused, text)
	}
	if len(taken) < places || len(refused) < places || len(taken)+len(refused) != 200 {
		t.Fatalf("%d taken, %d refused; a pack has %d places", len(taken), len(refused), places)
	}
	for _, n := range turns(taken) {
		pack := hostilePack(n, taken)
		a.inUse(t, pack)
		checkTexts(t, s.questions(t, token, ""), pack)
	}
	for _, n := range turns(refused) {
		r := s.call(t, "POST", "/v1/wording-packs", a.one, hostilePack(n, refused)).refused(t, 400, study.Invalid)
		for _, place := range []string{"copyright", "instructions", "recall", "opt_out.Q1", "items.GP1", "items.P2", "sections.BCS", "options[0]", "options[4]"} {
			if !named(t, r, place) {
				t.Fatalf("pack %d: %s is not named: %s", n, place, r.body)
			}
		}
		if fields, _ := r.json(t)["fields"].([]any); len(fields) < places {
			t.Fatalf("pack %d: %d faults in %d places: %s", n, len(fields), places, r.body)
		}
	}
}

// What an older program took, or somebody wrote into the store, is only text.
func TestATextThatWouldBeRefusedTodayIsStillOnlyText(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	p, token := s.phone(t, "001")
	for _, n := range turns(testkit.Hostile()) {
		pack := hostilePack(n, testkit.Hostile())
		s.slip(t, study.WordingImported{Pack: fmt.Sprintf("hostile-%03d@1", n), Language: "en", Hash: study.ProtocolHash(pack), Text: string(pack)})
		s.slip(t, study.WordingDecided{Pack: fmt.Sprintf("hostile-%03d@1", n), Hash: study.ProtocolHash(pack), Approve: true})
		s.Clock.Advance(6 * time.Second) // longer than what was read may be used
		if n%50 == 49 {
			token, _ = s.bind(t, p)["access_token"].(string)
		}
		r := s.call(t, "GET", "/v1/instruments/fact-b", token, nil).want(t, 200)
		if kind := r.header.Get("Content-Type"); kind != "application/json" || r.header.Get("X-Content-Type-Options") != "nosniff" {
			t.Fatalf("it is sent as %s", kind)
		}
		checkTexts(t, s.questions(t, token, ""), pack)
	}
}

// slip writes an event into the study's record past every rule.
func (s *server) slip(t testing.TB, p study.Payload) {
	t.Helper()
	all, err := s.Store.Stream(t.Context(), study.StudyStream, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	last := all[len(all)-1]
	entry, err := study.Seal(study.Event{V: 1, Stream: study.StudyStream, Seq: last.Seq + 1, ID: study.EventID(s.NewID()), At: study.InstantOf(s.Clock.Now()),
		Actor: s.System.Ref(), Type: p.EventType(), Payload: raw, Prev: last.Hash})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Store.Append(t.Context(), entry, nil); err != nil {
		t.Fatal(err)
	}
}
