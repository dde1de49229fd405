package auth

import (
	"testing"

	"epro/study"
)

func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	w.account("anna", study.RoleAnalyst)
	desk, err := w.login("anna", goodPassword)
	w.must(err)
	for name, s := range map[string]Session{"participant": w.phone(w.participant()), "staff": desk} {
		b.Run(name+"/cached", func(b *testing.B) {
			for b.Loop() {
				w.must(second(w.Verify(b.Context(), s.AccessToken)))
			}
		})
		b.Run(name+"/uncached", func(b *testing.B) {
			for b.Loop() {
				w.verified.Purge()
				w.families.seen.Purge()
				w.must(second(w.Verify(b.Context(), s.AccessToken)))
			}
		})
	}
	b.Run("signature", func(b *testing.B) {
		for b.Loop() {
			w.must(second(w.parse(b.Context(), w.parser, desk.AccessToken)))
		}
	})
}

func BenchmarkRefresh(b *testing.B) {
	w := newWorld(b)
	s := w.phone(w.participant())
	for b.Loop() {
		var err error
		s, err = w.Refresh(b.Context(), s.RefreshToken, "")
		w.must(err)
	}
}

func BenchmarkPassword(b *testing.B) {
	w := newWorld(b)
	w.passwords.cost = DefaultCost
	for b.Loop() {
		w.must(second(w.passwords.hash(b.Context(), goodPassword)))
	}
}

func BenchmarkLogin(b *testing.B) {
	w := newWorld(b)
	w.account("anna", study.RoleAnalyst)
	for b.Loop() {
		w.must(second(w.login("anna", goodPassword)))
	}
}

func BenchmarkParseCode(b *testing.B) {
	code := display(codeFrom(mac([32]byte{}, "x")))
	for b.Loop() {
		if _, err := parseCode(code); err != nil {
			b.Fatal(err)
		}
	}
}
