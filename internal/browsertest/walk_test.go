package browsertest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"epro/instruments"
	"epro/instruments/factb"
)

// walk is a person who taps about, and what she has answered so far.
type walk struct {
	*phone
	rng  *rand.Rand
	said map[int]int // question → value; instruments.Skipped where skipped
}

// state is where the page stands.
type state struct {
	Screen  string
	N       int
	Chosen  int // -1: none
	WayOn   bool
	WayBack bool
}

func (k *walk) state() state {
	k.t.Helper()
	return eval[state](k.phone, `(() => {
		const screen = document.body.dataset.screen, chosen = document.querySelector("fieldset :checked");
		return {
			Screen: screen, N: screen === "question" ? Number(location.hash.split("/")[3]) : 0,
			Chosen: chosen ? (chosen.id === "box" ? -3 : Number(chosen.value)) : -1,
			WayOn: Boolean(document.querySelector("#continue, #skip-yes, #send, .body .primary, .body a")), WayBack: Boolean(document.querySelector(".back, footer a")),
		};
	})()`)
}

// step does one thing that a person may do, and says what.
func (k *walk) step() string {
	k.t.Helper()
	s := k.state()
	if !s.WayOn || !s.WayBack {
		k.t.Fatalf("no way on from %+v\n%s", s, k.page())
	}
	if want, ok := k.said[s.N]; s.Screen == "question" && (ok && want >= 0 && s.Chosen != want || (!ok || want < 0) && s.Chosen != -1) {
		k.t.Fatalf("question %d shows %d, but %d (%v) was said", s.N, s.Chosen, want, ok)
	}
	switch pick := k.rng.IntN(20); {
	case s.Screen == "home":
		k.tap(".body > .primary")
		k.until(`document.body.dataset.screen !== "home"`)
		return "start or go on"
	case s.Screen == "review":
		return k.leaveReview()
	case s.Screen != "question":
		k.t.Fatalf("on screen %s", s.Screen)
		return ""
	case pick < 10:
		return k.choose(s.N)
	case pick < 12:
		return k.skip(s.N)
	case pick < 14:
		k.tap(".back")
		k.until(fmt.Sprintf(`!(document.body.dataset.screen === "question" && location.hash.split("/")[3] === "%d")`, s.N))
		k.settle()
		return "back"
	case pick == 14:
		eval[bool](k.phone, `new Promise((done) => {
			if (!history.state?.from) return done(true); // behind it is no page of the app
			addEventListener("popstate", () => done(true), { once: true });
			history.back();
		})`)
		k.settle()
		return "the browser's back"
	case pick == 15:
		k.reload()
		return "reload"
	case pick == 16:
		k.visit("/app#/paper")
		k.visit("/app")
		return "close and open"
	case pick == 17:
		wide := k.rng.IntN(2) == 0
		k.resize(map[bool]int64{true: 640, false: 360}[wide], map[bool]int64{true: 360, false: 640}[wide])
		return "turn the phone"
	case pick == 18:
		k.zone([]string{"Asia/Shanghai", "Pacific/Kiritimati", "America/Los_Angeles", "UTC"}[k.rng.IntN(4)])
		return "travel"
	default:
		k.tap("#continue")
		if _, ok := k.said[s.N]; !ok {
			k.until(`document.getElementById("choice-problem")?.innerText`)
		} else {
			k.until(fmt.Sprintf(`!(location.hash.split("/")[3] === "%d")`, s.N))
		}
		k.settle()
		return "continue"
	}
}

func (k *walk) choose(n int) string {
	v := k.rng.IntN(5)
	k.tap(fmt.Sprintf(`label[for="choice-%d"]`, v))
	k.until(fmt.Sprintf(`document.getElementById("choice-%d").checked`, v))
	k.said[n] = v
	k.tap("#continue")
	k.until(fmt.Sprintf(`!(location.hash.split("/")[3] === "%d")`, n))
	k.settle()
	return fmt.Sprintf("answer %d with %d", n, v)
}

func (k *walk) skip(n int) string {
	k.tap("#skip")
	k.until(`document.getElementById("skip-yes")`)
	if k.rng.IntN(3) == 0 {
		k.tap("#skip-no")
		k.until(`document.getElementById("skip")`)
		return "do not skip after all"
	}
	k.tap("#skip-yes")
	k.said[n] = int(instruments.Skipped)
	k.until(fmt.Sprintf(`!(location.hash.split("/")[3] === "%d")`, n))
	k.settle()
	return fmt.Sprintf("skip %d", n)
}

func (k *walk) leaveReview() string {
	n := 1 + k.rng.IntN(37)
	k.tap(fmt.Sprintf(`.review li:nth-child(%d) a`, n))
	k.number(n)
	return fmt.Sprintf("change %d", n)
}

// number waits for a question.
func (k *walk) number(n int) {
	k.t.Helper()
	k.until(fmt.Sprintf(`document.body.dataset.screen === "question" && location.hash.split("/")[3] === "%d"`, n))
	k.settle()
}

// settle waits until what is shown belongs to the address.
func (k *walk) settle() {
	k.t.Helper()
	k.until(`(() => {
		const screen = document.body.dataset.screen, [, kind, , n] = location.hash.split("/");
		if (kind !== "q") return screen !== "question" && screen !== "review";
		if (n === "review") return screen === "review";
		return screen === "question" && document.querySelector("#count").innerText.match(/[0-9]+/)[0] === n;
	})()`)
}

func (k *walk) zone(name string) {
	k.t.Helper()
	k.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: name})
		return err
	}))
}

func TestAWalkAtRandomNeverEndsNorLosesAnAnswerCampaign(t *testing.T) {
	for seed := range uint64(campaign(1, 5)) {
		w := start(t)
		who := w.enrol(t, "0101", "en")
		p := w.phone(t)
		p.bind(w.code(t, who))
		k := &walk{phone: p, rng: rand.New(rand.NewPCG(seed, 5)), said: map[int]int{}}
		var last string
		for i := range campaign(50, 2000) {
			if last = k.step(); t.Failed() {
				t.Fatalf("seed %d, step %d: %s", seed, i, last)
			}
		}
		k.finish()
		form := w.oneForm(t, who)
		for i, item := range factb.FACTB.Items {
			if want, ok := k.said[i+1]; !ok || int(form.Answers[i]) != want {
				t.Errorf("seed %d: %s is %d, but %d (%v) was said", seed, item.Code, form.Answers[i], want, ok)
			}
		}
	}
}

// finish answers what is open and sends.
func (k *walk) finish() {
	k.t.Helper()
	k.visit("/app#/paper")
	k.visit("/app")
	for {
		s := k.state()
		switch s.Screen {
		case "home":
			k.tap(".body > .primary")
			k.until(`document.body.dataset.screen !== "home"`)
		case "question":
			k.choose(s.N)
		default:
			k.screen("review")
			k.tap("#send")
			k.until(`document.querySelector("h1").innerText === "Thank you"`)
			return
		}
	}
}
