package browsertest

import (
	"fmt"
	"net/http"
	"testing"
)

// What a phone loads before it shows its first screen. The limits are
// promises to people with slow lines: docs/benchmarks.md has the figures.
func TestTheFirstLoadIsSmall(t *testing.T) {
	w := start(t)
	p := w.phone(t)
	p.visit("/app")
	p.screen("enrol")
	p.controlled()
	type resource struct {
		Name       string
		Kind       string
		Size, Body int
	}
	loaded := eval[[]resource](p, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((e) => ({
		Name: e.name, Kind: e.initiatorType, Size: e.transferSize, Body: e.encodedBodySize,
	}))`)
	total, script, requests := 0, 0, 0
	for _, r := range loaded {
		if r.Size > 0 { // else it came from the browser's own cache
			requests++
		}
		total += r.Size
		if r.Kind == "script" || r.Kind == "other" {
			script += r.Body
		}
		if len(r.Name) < len(w.url) || r.Name[:len(w.url)] != w.url {
			t.Errorf("%s is another host's", r.Name)
		}
	}
	t.Logf("%d requests, %d bytes, of them %d of scripts", requests, total, script)
	if requests > 10 || requests < 7 {
		t.Errorf("%d requests: %v", requests, loaded)
	}
	if total > 120<<10 || script > 60<<10 || script < 5<<10 {
		t.Errorf("%d bytes, of them %d of scripts", total, script)
	}
	if fonts := eval[int](p, `document.fonts.size`); fonts != 0 {
		t.Errorf("%d fonts", fonts)
	}
}

func TestTheAppStartsWithoutAServer(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	p.controlled()
	p.until(`document.querySelector(".body > .primary")?.innerText === "Start"`)
	w.disturb(down)
	p.clearCache() // only what the service worker keeps is left
	for _, path := range []string{"/app", "/app/", "/app#/help"} {
		p.visit(path)
		p.reload()
	}
	p.visit("/app#/")
	p.until(`document.querySelector(".body > .primary")?.innerText === "Start"`)
	p.tap(".body > .primary") // the questions are there too
	p.at(1)
}

// From nothing to the question to go on with, the server being away.
func BenchmarkOfflineStart(b *testing.B) {
	w := start(b)
	who := w.enrol(b, "0101", "en")
	p := w.phone(b)
	p.bind(w.code(b, who))
	p.controlled()
	p.tap(".body > .primary")
	p.fill(1, 5)
	p.at(6)
	w.disturb(down)
	for b.Loop() {
		p.visit("/app")
		p.reload()
		p.at(6)
	}
	b.ReportMetric(eval[float64](p, `performance.timeOrigin ? performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0 : 0`), "ms-to-paint")
}

// The queue, sent ten times over in any order and at the same time, is one
// record; so are the bare requests, however often they are repeated.
func TestAQueueReplayedInAnyOrderIsOneRecord(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	p.tap(".body > .primary")
	p.fill(1, 37)
	p.screen("review")
	p.tap("#send")
	p.until(`document.querySelector("h1").innerText === "Thank you"`)
	first := w.oneForm(t, who)
	eval[bool](p, fmt.Sprintf(`(async () => {
		const base = document.querySelector("script[type=module]").src.replace(/app\.js$/, "");
		const vault = await import(base + "vault.js"), net = await import(base + "sync.js");
		const [form] = await vault.all("form/"), name = "form/" + form.submission_id;
		const at = "/v1/me/assessments/" + form.assessment.id;
		const put = (path, body) => fetch(path, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
		const sent = () => put(at + "/submissions/" + form.submission_id, { ...form.body, sent_at: new Date().toISOString() });
		const counts = (answered) => () => put(at + "/progress", { opened_at: form.body.started_at, answered, unsent: 0 });
		const queue = async () => {
			await vault.write({ [name]: { ...form, state: "queued" } });
			await net.sync();
		};
		let seed = %d;
		const chance = () => (seed = (seed * 48271) %% 2147483647) / 2147483647;
		for (let round = 0; round < 10; round++) {
			const work = [sent, sent, counts(5), counts(37), queue, queue].map((f) => [chance(), f]).sort((a, b) => a[0] - b[0]);
			await Promise.all(work.map(([, f]) => f()));
		}
		await net.sync();
		return (await vault.get(name)).state === "received";
	})()`, 7))
	if again := w.oneForm(t, who); again.ID != first.ID || again.Digest != first.Digest || again.ReceivedAt != first.ReceivedAt {
		t.Errorf("the record changed: %v, %v", first, again)
	}
	correct(t, w.oneForm(t, who))
}

// Only the app's own origin is ever asked, under the policy that every page carries.
func TestThePagesPolicyIsStrict(t *testing.T) {
	w := start(t)
	resp, err := http.Get(w.url + "/app")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if got := resp.Header.Get("Referrer-Policy"); got != "no-referrer" {
		t.Errorf("referrer policy %q", got)
	}
	p := w.phone(t)
	p.visit("/app")
	p.screen("enrol")
	eval[bool](p, watch)
	for what, attack := range map[string]string{
		"an inline script":   `(() => { const s = document.createElement("script"); try { s.textContent = "hit = 1"; } catch (e) { broken.push(String(e)); } document.body.append(s); })()`,
		"markup from text":   `(() => { try { document.body.insertAdjacentHTML("beforeend", "<b>x</b>"); hit = 1; } catch (e) { broken.push(String(e)); } })()`,
		"another host":       `fetch("http://127.0.0.1:1/x").catch(() => {})`,
		"another page in it": `(() => { const f = document.createElement("iframe"); f.src = "http://127.0.0.1:1/"; document.body.append(f); })()`,
		"a picture as a way": `new Promise((done) => { const i = new Image(); i.onerror = done; i.src = "http://127.0.0.1:1/x.png"; })`,
	} {
		eval[bool](p, `(async () => { broken.length = 0; await `+attack+`; return true; })()`)
		p.until(`broken.length > 0`)
		if hit := eval[int](p, `hit`); hit != 0 {
			t.Errorf("%s went through", what)
		}
	}
}
