package fcm_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"epro/reminders"
	"epro/reminders/fcm"
	"epro/reminders/fcm/fcmtest"
)

var update = flag.Bool("update", false, "write the golden files")

// sent is one message sent to a device at a fixed instant.
func sent(t *testing.T, platform, link string) fcmtest.Request {
	t.Helper()
	at := time.Date(2026, 11, 28, 9, 2, 30, 0, time.UTC)
	w := newWorld(t, func(o *fcm.Options) { o.Now, o.Link = func() time.Time { return at }, link })
	m := messageTo("device-token", at)
	m.Platform = platform
	w.Send(t.Context(), m)
	requests := w.fcm.Requests()
	if len(requests) != 1 || len(w.fcm.Accepted()) != 1 {
		t.Fatalf("%d requests, %d taken", len(requests), len(w.fcm.Accepted()))
	}
	return requests[0]
}

func TestARequestIsExactlyWhatIsWrittenDown(t *testing.T) {
	const link = "https://app.example/app"
	for name, c := range map[string]struct{ platform, link string }{
		"android": {"android", link}, "ios": {"ios", link}, "web": {"web", link}, "web_without_link": {"web", ""}, "unknown": {"", link},
	} {
		r := sent(t, c.platform, c.link)
		if r.Path != "/v1/projects/epro-test/messages:send" {
			t.Errorf("path %s", r.Path)
		}
		if got := r.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type %s", got)
		}
		if !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ya29.") {
			t.Error("no bearer token")
		}
		var got bytes.Buffer
		if err := json.Indent(&got, r.Body, "", "  "); err != nil {
			t.Fatal(err)
		}
		got.WriteByte('\n')
		file := filepath.Join("testdata", name+".json")
		if *update {
			if err := os.WriteFile(file, got.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: got\n%s", name, got.Bytes())
		}
	}
}

// Neither the texts, in any language, nor what is sent with them betrays
// anything, in headers neither.
func TestARequestSaysNothingOfHealth(t *testing.T) {
	telling := regexp.MustCompile(`(?i)fact|cancer|breast|tumou?r|onco|chemo|health|patient|participant|questionnaire|symptom|clinic|hospital|study|trial|survey|quality|癌|肿瘤|乳腺|问卷|患者|医院|研究|化疗`)
	w := newWorld(t)
	for _, language := range []string{"en", "zh", "zh-Hant-TW", "de", ""} {
		m := messageTo(token, w.now())
		m.Title, m.Body = reminders.TextFor(language)
		w.Send(t.Context(), m)
	}
	if n := len(w.fcm.Accepted()); n != 5 {
		t.Fatalf("%d taken", n)
	}
	for _, r := range w.fcm.Requests() {
		if found := telling.FindString(string(r.Body)); found != "" {
			t.Errorf("the body says %q:\n%s", found, r.Body)
		}
		for key, values := range r.Header {
			if text := key + strings.Join(values, " "); key != "Authorization" && telling.MatchString(text) {
				t.Errorf("a header says %q", text)
			}
		}
		if len(r.Body) > 4096 {
			t.Errorf("%d bytes", len(r.Body))
		}
	}
}

func TestALongLifeIsCutToWhatGoogleKeeps(t *testing.T) {
	w := newWorld(t)
	m := messageTo(token, w.now())
	m.ExpiresAt = w.now().Add(40 * 24 * time.Hour)
	w.Send(t.Context(), m)
	if body := string(w.fcm.Requests()[0].Body); !strings.Contains(body, `"ttl":"2419200s"`) {
		t.Errorf("body %s", body)
	}
	if n := len(w.fcm.Accepted()); n != 1 {
		t.Errorf("%d taken", n)
	}
}
