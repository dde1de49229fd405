package study

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	lru "github.com/hashicorp/golang-lru/v2"
)

// Service ties the rules to a store. It is safe for concurrent use, by several
// processes on one store as well: the store's unique (stream, sequence) is what
// breaks races.
type Service struct {
	store Store
	now   func() time.Time
	newID func() string

	people *lru.Cache[ParticipantID, folded]
	sites  *lru.Cache[SiteCode, fresh[*Site]]
	plan   *lru.Cache[StreamID, fresh[*Study]]
}

// folded is a participant's State and the stamp of the history it was folded
// under: after an amendment it is folded anew.
type folded struct {
	state *Participant
	stamp string
}

// fresh is a State and when it was read.
type fresh[S any] struct {
	state  S
	readAt time.Time
}

// staleAfter is how long the study's and a site's State may be read from
// memory: another process's lock or amendment is seen after at most so long.
const staleAfter = 5 * time.Second

// NewService makes a Service. now is the clock; newID makes a fresh UUID.
func NewService(store Store, now func() time.Time, newID func() string) *Service {
	people, _ := lru.New[ParticipantID, folded](4096) // the only error is a size below 1
	sites, _ := lru.New[SiteCode, fresh[*Site]](1024)
	plan, _ := lru.New[StreamID, fresh[*Study]](1)
	return &Service{store: store, now: now, newID: newID, people: people, sites: sites, plan: plan}
}

// Now is the Service's clock.
func (s *Service) Now() time.Time { return s.now() }

func (s *Service) recent(readAt time.Time) bool {
	age := s.now().Sub(readAt)
	return age >= 0 && age < staleAfter
}

// Request is who asks for a change and how.
type Request struct {
	By      Actor
	Reason  string
	EventID EventID // set when the caller may repeat the request: its event is made at most once
	IfMatch uint64  // if set, the sequence that the caller last read
	// Signature is set when By has given the password again to sign this.
	Signature Meaning

	fresh bool // EventID was made just now: there is no earlier attempt to look for
}

// Stale is the cause of a Conflict after an IfMatch that no longer holds.
type Stale struct{ Since uint64 }

// Error says since when.
func (e *Stale) Error() string { return fmt.Sprintf("changed since seq %d", e.Since) }

// stream says how one kind of stream is read, folded and kept.
type stream[S any] struct {
	id   StreamID
	load func(context.Context) (S, error)
	// recall is a State that may have grown old, from memory or in one read, if
	// there is one; nil: this kind has none.
	recall   func(context.Context) (S, bool, error)
	tip      func(S) Tip
	step     func(S, Entry, Event, Payload) (S, error) // the State after an event that was made just now
	snapshot func(S) (*Snapshot, error)
	keep     func(S) // remember the new State
}

// byFold is a step for streams that are written too rarely to spare the reading.
func byFold[S any](fold func(S, ...Entry) (S, error)) func(S, Entry, Event, Payload) (S, error) {
	return func(state S, n Entry, _ Event, _ Payload) (S, error) { return fold(state, n) }
}

func tipOf[S any](state *S, tip func(*S) Tip) Tip {
	if state == nil {
		return Tip{}
	}
	return tip(state)
}

// maxTries is how often a decision is made anew because somebody else's event
// came first.
const maxTries = 5

// change reads a stream, decides, and appends the event that was decided on;
// when another event came first it reads and decides again.
func change[S any](ctx context.Context, s *Service, r Request, st stream[S], decide func(S) (Payload, error)) (S, error) {
	var none S
	if r.EventID == "" {
		r.EventID, r.fresh = EventID(s.newID()), true
	}
	for try := range maxTries {
		state, current, err := st.read(ctx, try == 0 && r.fresh && r.IfMatch == 0)
		if err != nil {
			return none, err
		}
		// After the State is read, not before: an attempt that comes between
		// the two would be in the State, and be taken for somebody else's.
		if !r.fresh {
			done, err := s.repeated(ctx, r)
			if err != nil {
				return none, err
			}
			switch done {
			case "":
			case st.id:
				return st.load(ctx)
			default:
				return none, errUsed()
			}
		}
		if tip := st.tip(state); r.IfMatch != 0 && r.IfMatch != tip.Seq {
			return none, &Error{Code: Conflict, Message: "This record has changed since you read it. Look at what changed, then decide again.", Err: &Stale{r.IfMatch}}
		}
		payload, err := decide(state)
		if !current && (err != nil || payload == nil) {
			continue // what is refused or known already is said of the current State only
		}
		if err != nil || payload == nil {
			return state, err
		}
		after, err := appendEvent(ctx, s, r, st, state, payload)
		if !errors.Is(err, ErrExists) {
			return after, err
		}
	}
	return none, Fail(Unavailable, "Too many changes at once to this record. Try again in a moment.")
}

// read is the State to decide on, and whether it is surely the current one.
// One from memory or a snapshot will do for a first try: should it have grown
// old, its event finds the place taken, and the State is read and the decision
// made anew.
func (st stream[S]) read(ctx context.Context, memory bool) (state S, current bool, err error) {
	if memory && st.recall != nil {
		if state, ok, err := st.recall(ctx); ok || err != nil {
			return state, false, err
		}
	}
	state, err = st.load(ctx)
	return state, true, err
}

// appendEvent makes the event, folds it, and stores both. ErrExists means that
// another event has the place.
func appendEvent[S any](ctx context.Context, s *Service, r Request, st stream[S], state S, payload Payload) (S, error) {
	var none S
	entry, event, err := s.seal(r, st.id, st.tip(state), payload)
	if err != nil {
		return none, err
	}
	after, err := st.step(state, entry, event, payload)
	if err != nil {
		return none, fmt.Errorf("an event that was decided on does not fold: %w", err)
	}
	snap, err := st.snapshot(after)
	if err != nil {
		return none, err
	}
	err = s.store.Append(ctx, entry, snap)
	if err != nil && !s.isOurs(ctx, entry) {
		return none, err
	}
	st.keep(after)
	return after, nil
}

// seal makes the entry that follows the tip.
func (s *Service) seal(r Request, id StreamID, tip Tip, payload Payload) (Entry, Event, error) {
	e := Event{
		V: eventVersion, Stream: id, Seq: tip.Seq + 1, ID: r.EventID, At: max(InstantOf(s.now()), tip.At),
		Actor: r.By.Ref(), Type: payload.EventType(), Reason: r.Reason, Prev: tip.Head, Signature: r.Signature,
	}
	n, err := seal(e, payload)
	return n, e, err
}

// isOurs reports whether an append that answered with an error is in the store
// all the same: the outcome of a failed write is unknown until it is read back.
func (s *Service) isOurs(ctx context.Context, entry Entry) bool {
	back, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	stored, err := s.store.EntryByID(back, entry.ID)
	return err == nil && bytes.Equal(stored.Bytes, entry.Bytes)
}

// repeated is the stream that an earlier attempt of this very request wrote
// to, or empty. Somebody else's event under that id is a Conflict.
func (s *Service) repeated(ctx context.Context, r Request) (StreamID, error) {
	if r.EventID == "" {
		return "", nil
	}
	entry, err := s.store.EntryByID(ctx, r.EventID)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	case entry.Actor != r.By.Ref():
		return "", Fail(Conflict, "This request's id was used by somebody else.")
	}
	return entry.Stream, nil
}

func errUsed() error {
	return Fail(Conflict, "This request's id was used for another request. Send a new one.")
}

// claim makes sure that a name belongs to the owner, and gives back whose it
// is: the owner given, or whoever claimed it before.
func (s *Service) claim(ctx context.Context, r Request, kind ClaimKind, owner StreamID, parts ...string) (StreamID, error) {
	id := claimStream(kind, parts...)
	r.EventID, r.Reason, r.Signature = EventID(s.newID()), "", ""
	entry, _, err := s.seal(r, id, Tip{}, NameClaimed{Kind: kind, Owner: owner})
	if err != nil {
		return "", err
	}
	err = s.store.Append(ctx, entry, nil)
	switch {
	case err == nil, s.isOurs(ctx, entry):
		return owner, nil
	case errors.Is(err, ErrExists):
		return s.owner(ctx, id)
	default:
		return "", err
	}
}

// owner is the stream that claimed a name.
func (s *Service) owner(ctx context.Context, claim StreamID) (StreamID, error) {
	entries, err := s.store.Stream(ctx, claim, 0)
	if err != nil {
		return "", err
	}
	if len(entries) == 0 {
		return "", notFound("name")
	}
	e, err := entries[0].Open()
	if err != nil {
		return "", err
	}
	payload, err := PayloadOf(e)
	if err != nil {
		return "", err
	}
	claimed, ok := payload.(NameClaimed)
	if !ok {
		return "", entries[0].fault("is no claim")
	}
	return claimed.Owner, nil
}

// snapshotOf is the snapshot of a State.
func snapshotOf(id StreamID, tip Tip, stamp string, site SiteCode, label string, state any) (*Snapshot, error) {
	raw, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("encode snapshot of %s: %w", id, err)
	}
	return &Snapshot{Stream: id, Seq: tip.Seq, Stamp: stamp, Kind: id.Kind(), Site: site, Label: label, State: raw}, nil
}

// eachSnapshot calls f for every snapshot that matches, page by page.
func (s *Service) eachSnapshot(ctx context.Context, q SnapshotQuery, f func(Snapshot) error) error {
	q.Limit = 500
	for {
		page, err := s.store.Snapshots(ctx, q)
		if err != nil {
			return err
		}
		for _, snap := range page {
			if err := f(snap); err != nil {
				return err
			}
		}
		if len(page) < q.Limit {
			return nil
		}
		last := page[len(page)-1]
		q.AfterSite, q.AfterLabel, q.AfterStream = last.Site, last.Label, last.Stream
	}
}
