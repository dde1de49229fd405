package simulate

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"epro/instruments"
	"epro/study"
)

// timetable is the protocol as the story reads it, and the day it ends on.
type timetable struct {
	protocol  *study.Protocol
	ins       *instruments.Instrument
	zone      *time.Location
	today     study.Date
	horizon   time.Time     // the start of today: nothing is recorded from here on
	baseline  study.Visit   // without a code when there is none
	later     []study.Visit // of cycles after the first, in order
	cycleDays int
}

func newTimetable(text []byte, now time.Time) (timetable, error) {
	p, err := study.ParseProtocol(text)
	if err != nil {
		return timetable{}, err
	}
	zone, err := study.LoadZone(p.TimeZone)
	if err != nil {
		return timetable{}, err
	}
	ins, ok := study.InstrumentOf(p.Instrument.ID, p.Instrument.Version)
	if !ok {
		return timetable{}, study.Fail(study.Invalid, "This program does not know the protocol's instrument and version.")
	}
	t := timetable{protocol: p, ins: ins, zone: zone, today: study.DateOf(now.In(zone)), cycleDays: p.Cycles.LengthDays}
	t.horizon = study.StartOfDay(t.today, zone)
	for _, v := range p.Visits {
		switch {
		case v.Baseline:
			t.baseline = v
		case v.Cycle > 1 && !v.Final:
			t.later = append(t.later, v)
		}
	}
	if len(t.later) == 0 {
		return timetable{}, study.Fail(study.Invalid, "A protocol without a visit after cycle 1 cannot be simulated.")
	}
	return t, nil
}

// world is what everybody in the story has in common.
type world struct {
	timetable
	store    study.Store
	seed     uint64
	sites    []site
	accounts []Account
}

// site is a site with its staff.
type site struct {
	study.CreateSite
	coordinator, investigator study.Actor
	languages                 []string // of participants, the usual one first
	zones                     []string // likewise
}

// open puts the protocol in force and makes the sites and their staff, some
// weeks before the first participant.
func (w *world) open(ctx context.Context, o Options, first study.Date) error {
	at := study.StartOfDay(first-30, w.zone).Add(9 * time.Hour)
	svc := study.NewService(w.store, func() time.Time { return at }, newChance(w.seed, streamSites).newID)
	by := study.Request{By: study.System("simulate")}
	if _, err := svc.Adopt(ctx, by, o.Protocol, study.DateOf(at), true); err != nil {
		return err
	}
	w.sites = []site{
		{CreateSite: study.CreateSite{Code: "S01", Name: "Site North", TimeZone: "Asia/Shanghai"},
			languages: []string{w.language("zh"), w.language("en")}, zones: []string{"Asia/Shanghai", "Asia/Urumqi", "Asia/Singapore"}},
		{CreateSite: study.CreateSite{Code: "S02", Name: "Site South", TimeZone: "Europe/Berlin"},
			languages: []string{w.language("en"), w.language("zh")}, zones: []string{"Europe/Berlin", "Asia/Shanghai", "Europe/Lisbon"}},
	}
	for i := range w.sites {
		s := &w.sites[i]
		s.Language = s.languages[0]
		at = at.Add(10 * time.Minute)
		if _, err := svc.CreateSite(ctx, by, s.CreateSite); err != nil {
			return err
		}
		var err error
		if s.coordinator, err = w.hire(ctx, svc, s, study.RoleCoordinator); err != nil {
			return err
		}
		if s.investigator, err = w.hire(ctx, svc, s, study.RoleInvestigator); err != nil {
			return err
		}
	}
	for i, phone := range []string{"+86 21 5555 0100", "+49 30 5555 0100"} { // numbers that nobody has
		if _, err := svc.SetSiteContact(ctx, by, w.sites[i].Code, phone); err != nil {
			return err
		}
	}
	return nil
}

// language is the protocol's language that begins with the tag, else its first.
func (w *world) language(tag string) string {
	i := slices.IndexFunc(w.protocol.Languages, func(l string) bool { return strings.HasPrefix(l, tag) })
	return w.protocol.Languages[max(i, 0)]
}

// hire opens an account for a member of the site's staff.
func (w *world) hire(ctx context.Context, svc *study.Service, s *site, role study.Role) (study.Actor, error) {
	place := strings.ToLower(strings.TrimPrefix(s.Name, "Site "))
	c := study.CreateStaff{Username: place + "." + string(role), Rights: study.Rights{Role: role, Sites: []study.SiteCode{s.Code}}}
	a, err := svc.CreateStaff(ctx, study.Request{By: study.System("simulate")}, c)
	if err != nil {
		return study.Actor{}, err
	}
	w.accounts = append(w.accounts, Account{ID: a.ID, Username: a.Username, Role: a.Role, Sites: a.Sites})
	return a.Actor(), nil
}

// memory remembers the streams that nobody writes to once the sites are open.
// A Service reads them again whenever five seconds have gone by, which on a
// simulated clock is before every command.
type memory struct {
	study.Store
	mu    sync.Mutex
	known map[study.StreamID][]study.Entry
}

func newMemory(s study.Store) *memory {
	return &memory{Store: s, known: map[study.StreamID][]study.Entry{}}
}

// Stream answers for the study and the sites from memory, if it can.
func (m *memory) Stream(ctx context.Context, id study.StreamID, after uint64) ([]study.Entry, error) {
	if after != 0 || id != study.StudyStream && id.Kind() != "site" {
		return m.Store.Stream(ctx, id, after)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if entries, ok := m.known[id]; ok {
		return entries, nil
	}
	entries, err := m.Store.Stream(ctx, id, after)
	if err == nil && len(entries) > 0 {
		m.known[id] = entries
	}
	return entries, err
}

// Append forgets what is no longer all there is.
func (m *memory) Append(ctx context.Context, e study.Entry, snap *study.Snapshot) error {
	err := m.Store.Append(ctx, e, snap)
	m.mu.Lock()
	delete(m.known, e.Stream)
	m.mu.Unlock()
	return err
}
