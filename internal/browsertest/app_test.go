package browsertest

import (
	"fmt"
	"testing"

	"epro/instruments/factb"
	"epro/study"
)

// value is the answer that tests give to question n.
func value(n int) int { return (n * 3) % 5 }

// fill answers the questions from one to another as fast as the page allows.
func (p *phone) fill(from, to int) {
	p.t.Helper()
	eval[bool](p, fmt.Sprintf(`(async () => {
		const until = async (holds) => { while (!holds()) await new Promise((go) => setTimeout(go)); };
		for (let n = %d; n <= %d; n++) {
			await until(() => document.title.startsWith("Question " + n + " of 37 "));
			document.querySelector("label[for=choice-" + (n * 3) %% 5 + "]").click();
			document.getElementById("continue").click();
		}
		await until(() => !document.title.startsWith("Question %d of 37 "));
		return true;
	})()`, from, to, to))
}

// correct fails the test unless the form holds what fill gave.
func correct(t testing.TB, form study.Submission) {
	t.Helper()
	for i, item := range factb.FACTB.Items {
		if got := int(form.Answers[i]); got != value(i+1) {
			t.Errorf("%s is %d, want %d", item.Code, got, value(i+1))
		}
	}
}

func TestAPatientEnrolsAnswersAndHoldsAReceiptIn76Taps(t *testing.T) {
	w := start(t)
	p := w.enrol(t, "0101", "en")
	phone := w.phone(t)
	phone.bind(w.code(t, p))
	if href := eval[string](phone, "location.href"); href != w.url+"/app#/" {
		t.Errorf("the code stays in the address: %s", href)
	}
	phone.until(`document.querySelector(".notice").innerText.includes("Nobody reads your answers straight away")`)
	phone.taps = 0
	phone.tap(".body > .primary")
	for n := 1; n <= 37; n++ {
		phone.at(n)
		phone.answer(value(n))
	}
	phone.screen("review")
	if n := eval[int](phone, `document.querySelectorAll(".review li").length`); n != 37 {
		t.Errorf("the review lists %d answers", n)
	}
	phone.tap("#send")
	phone.until(`document.querySelector("h1").innerText === "Thank you"`)
	if phone.taps > 76 {
		t.Errorf("%d taps", phone.taps)
	}
	form := w.oneForm(t, p)
	correct(t, form)
	if !form.Counted || len(form.Flags) > 0 || form.Mode != study.ModeWeb {
		t.Errorf("counts %v, flags %v, mode %s", form.Counted, form.Flags, form.Mode)
	}
	phone.until(fmt.Sprintf(`document.body.innerText.includes("Receipt %s")`, string(form.ID)[:8]))
	phone.until(`document.body.innerText.includes("Your next questions open on")`)
}
