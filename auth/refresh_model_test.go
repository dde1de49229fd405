package auth

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	_ "epro/internal/testkit/seeded"

	"epro/study"
)

// refreshModel is what a family should be: tokens[g] is generation g, all but
// the last of which have been used.
type refreshModel struct {
	w       *world
	others  []*Auth
	life    lifetime
	staff   bool
	began   time.Time
	tokens  []string
	issued  []time.Time
	usedAt  []time.Time
	over    bool
	current string // an access token of the latest answer
}

// present refreshes generation g at a random process and compares.
func (m *refreshModel) present(t *rapid.T, g int) {
	now, last := m.w.clock.now(), len(m.tokens)-1
	expired := !now.Before(m.issued[g].Add(m.life.sliding)) || !now.Before(m.began.Add(m.life.absolute))
	want := m.tokens[min(g+1, last)]
	got, err := rapid.SampledFrom(m.others).Draw(t, "process").Refresh(t.Context(), m.tokens[g], "")
	switch {
	case m.over || expired:
		m.refuse(t, err)
	case g == last:
		m.accept(t, err)
		m.tokens, m.issued, m.usedAt = append(m.tokens, got.RefreshToken), append(m.issued, now), append(m.usedAt, now)
		m.current = got.AccessToken
	case g == last-1 && (!m.staff || now.Sub(m.usedAt[g]) <= time.Minute):
		m.accept(t, err)
		if got.RefreshToken != want {
			t.Fatalf("generation %d got another successor", g)
		}
	default:
		m.refuse(t, err)
		m.over = true
	}
}

func (m *refreshModel) accept(t *rapid.T, err error) {
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
}

func (m *refreshModel) refuse(t *rapid.T, err error) {
	if study.CodeOf(err) != study.Unauthenticated {
		t.Fatalf("not refused: %v", err)
	}
}

func TestRefreshTokensBehaveAsTheModelSays(t *testing.T) {
	w := newWorld(t)
	account := w.account("anna", study.RoleAnalyst)
	id := w.participant()
	processes := []*Auth{w.Auth, w.process(w.store, Options{}), w.process(w.store, Options{})}
	rapid.Check(t, func(t *rapid.T) {
		m := &refreshModel{w: w, others: processes, staff: rapid.Bool().Draw(t, "staff"), began: w.clock.now()}
		owner, staff := id.Stream(), (*study.Staff)(nil)
		if m.staff {
			owner, staff = account.ID.Stream(), account
		}
		m.life = lifetimeOf(owner)
		name, err := w.newFamily()
		m.accept(t, err)
		f, err := w.begin(t.Context(), name, owner, "")
		m.accept(t, err)
		s, err := w.issue(t.Context(), f, generation{0, study.InstantOf(f.startAt)}, staff)
		m.accept(t, err)
		m.tokens, m.issued, m.current = []string{s.RefreshToken}, []time.Time{m.began}, s.AccessToken
		t.Repeat(map[string]func(*rapid.T){
			"newest":   func(t *rapid.T) { m.present(t, len(m.tokens)-1) },
			"previous": func(t *rapid.T) { m.present(t, max(0, len(m.tokens)-2)) },
			"any":      func(t *rapid.T) { m.present(t, rapid.IntRange(0, len(m.tokens)-1).Draw(t, "generation")) },
			"wait": func(t *rapid.T) {
				w.clock.pass(rapid.SampledFrom([]time.Duration{time.Second, 59 * time.Second, time.Minute, m.life.sliding / 3, m.life.sliding}).Draw(t, "for"))
			},
			"purge": func(t *rapid.T) {
				_, err := w.store.PurgeRecords(t.Context(), w.clock.now())
				m.accept(t, err)
			},
			"sign out": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					m.accept(t, w.Logout(t.Context(), m.tokens[0]))
					m.over = true
				}
			},
			"": func(t *rapid.T) {
				_, err := w.isAlive(t.Context(), f.id)
				m.accept(t, err)
				if m.over && w.clock.now().Before(m.began.Add(m.life.absolute)) {
					w.clock.pass(trust)
					if alive, err := w.isAlive(t.Context(), f.id); err != nil || alive {
						t.Fatalf("alive after its end: %v", err)
					}
				}
			},
		})
	})
}
