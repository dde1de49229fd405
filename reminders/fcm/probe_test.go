package fcm_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"epro/reminders/fcm"
	"epro/reminders/fcm/fcmtest"
	"epro/study"
)

func TestTheProbeSendsNothing(t *testing.T) {
	w := newWorld(t)
	if err := w.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.fcm.DryRuns() != 1 || len(w.fcm.Accepted()) != 0 || len(w.fcm.Requests()) != 1 {
		t.Errorf("%d dry runs, %d sent, %d requests", w.fcm.DryRuns(), len(w.fcm.Accepted()), len(w.fcm.Requests()))
	}
}

func TestTheProbeSaysWhatToMend(t *testing.T) {
	for name, c := range map[string]struct {
		answer, oauth fcmtest.Answer
		code          study.Code
		says          string
	}{
		"key deleted":   {oauth: fcmtest.InvalidGrant, code: study.Invalid, says: "make a new key"},
		"no right":      {answer: fcmtest.Forbidden, code: study.Invalid, says: "Firebase Cloud Messaging API Admin"},
		"wrong project": {answer: fcmtest.WrongProject, code: study.Invalid, says: "-firebase-project"},
		"bad access":    {answer: fcmtest.Unauthenticated, code: study.Invalid, says: "clock"},
		"hotel":         {answer: fcmtest.SignInPage, code: study.Invalid, says: "proxy"},
		"down":          {answer: fcmtest.Unavailable, code: study.Unavailable, says: "kept and tried again"},
		"cut":           {answer: fcmtest.Cut, code: study.Unavailable, says: "firewall"},
		"no token now":  {oauth: fcmtest.Answer{Status: 503}, code: study.Unavailable, says: "firewall"},
		"quota":         {answer: fcmtest.ProjectQuota, code: study.Unavailable, says: "overloaded"},
	} {
		w := newWorld(t)
		w.fcm.ScriptAll(c.answer)
		w.fcm.ScriptOAuth(c.oauth)
		err := w.Probe(t.Context())
		if err == nil || study.CodeOf(err) != c.code || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v (%s)", name, err, study.CodeOf(err))
		}
	}
}

func TestAnEmulatorInTheEnvironmentIsRefused(t *testing.T) {
	t.Setenv("FIREBASE_AUTH_EMULATOR_HOST", "127.0.0.1:9099")
	server := fcmtest.New(t)
	c, err := fcm.ParseCredentials(server.Credentials())
	if err != nil {
		t.Fatal(err)
	}
	if _, err = fcm.New(t.Context(), fcm.Options{Credentials: c}); err == nil || !strings.Contains(err.Error(), "FIREBASE_AUTH_EMULATOR_HOST") {
		t.Errorf("got %v", err)
	}
}

func TestBadSettingsAreRefusedWithASentence(t *testing.T) {
	server := fcmtest.New(t)
	good, err := fcm.ParseCredentials(server.Credentials())
	if err != nil {
		t.Fatal(err)
	}
	for says, o := range map[string]fcm.Options{
		"needs the credentials":  {},
		"no Firebase project id": {Credentials: good, Project: "../v1"},
		"must begin with https":  {Credentials: good, Link: "http://app.example"},
		"ends in /v1":            {Credentials: good, Endpoint: "https://fcm.example"},
	} {
		if _, err := fcm.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), says) || study.CodeOf(err) != study.Invalid {
			t.Errorf("%s: got %v", says, err)
		}
	}
}

func TestBadCredentialsAreRefusedWithoutShowingThem(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for file, says := range map[string]string{
		filepath.Join(dir, "absent"): "are not there",
		dir:                          "cannot be read",
		write("text", "secret-text"): "no JSON",
		write("user", `{"type":"authorized_user","refresh_token":"secret-text"}`):                                                                  "authorized_user",
		write("part", `{"type":"service_account","private_key":"secret-text"}`):                                                                    "not a whole service account",
		write("key", `{"type":"service_account","project_id":"p","client_email":"a","private_key":"secret-text","token_uri":"https://t.example"}`): "cannot be read",
	} {
		_, err := fcm.ReadCredentials(file)
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret-text") {
			t.Errorf("%s: got %v", file, err)
		}
	}
}
