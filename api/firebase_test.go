package api_test

import (
	"strings"
	"testing"

	"epro/api"
	"epro/internal/testkit"
	"epro/study"
)

func TestAFirebaseTokenOpensASessionAfterOneCode(t *testing.T) {
	s := start(t, testkit.SQLite(t))
	p, other := s.Enrol(t, "001"), s.Enrol(t, "002")
	signIn := func(token, code string) reply {
		body := map[string]any{"id_token": token}
		if code != "" {
			body["code"] = code
		}
		return s.call(t, "POST", "/v1/auth/firebase", "", body)
	}
	signIn("token of mei", "").refused(t, 401, study.Unauthenticated)
	first := signIn("token of mei", s.code(t, p)).want(t, 200).json(t)
	again := signIn("token of mei", "").want(t, 200).json(t)
	for _, session := range []map[string]any{first, again} {
		token, _ := session["access_token"].(string)
		me := s.call(t, "GET", "/v1/me", token, nil).want(t, 200).json(t)
		if session["participant_id"] != string(p.ID) || me["participant_id"] != string(p.ID) {
			t.Errorf("got %v, who is %v", session["participant_id"], me["participant_id"])
		}
		s.call(t, "GET", "/v1/participants", token, nil).refused(t, 403, study.Forbidden)
	}
	signIn("token of mei", s.code(t, other)).refused(t, 409, study.Conflict)
	signIn("signed by nobody", "").refused(t, 401, study.Unauthenticated)
	signIn("token of mei", "12345").refused(t, 400, study.Invalid)
	signIn(strings.Repeat("a", 4097), "").refused(t, 400, study.Invalid)
	s.call(t, "POST", "/v1/auth/firebase", "", map[string]any{"code": s.code(t, other)}).refused(t, 400, study.Invalid)
	for range 18 { // two failed above
		signIn("token of nobody", "").refused(t, 401, study.Unauthenticated)
	}
	signIn("token of mei", "").refused(t, 429, study.TooMany)
}

func TestAPageGetsTheKeyToSubscribeWith(t *testing.T) {
	for _, key := range []string{"", "BLuOT5ZXf9jl"} {
		s := start(t, testkit.SQLite(t), func(o *api.Options) { o.PushKey = key })
		token, _ := s.bind(t, s.Enrol(t, "001"))["access_token"].(string)
		if got, _ := s.call(t, "GET", "/v1/me/push-key", token, nil).want(t, 200).json(t)["key"].(string); got != key {
			t.Errorf("got %q, want %q", got, key)
		}
	}
}
