package browsertest

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	permissions "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"epro/study"
)

// permit sets what the browser answers when the app asks for notifications.
func (p *phone) permit(setting permissions.PermissionSetting) {
	p.t.Helper()
	_, err := chromedp.CallBrowser(p.ctx, permissions.SetPermission, permissions.SetPermissionParams{
		Permission: &permissions.PermissionDescriptor{Name: "notifications"}, Setting: setting, Origin: p.w.url})
	if err != nil {
		p.t.Fatal(err)
	}
}

// worker is the id under which the browser's tools know the app's service worker.
func (p *phone) worker() string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	updates := chromedp.Events(ctx, serviceworker.WorkerRegistrationUpdated)
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, serviceworker.Enable, cdp.Empty{})
		return err
	}))
	for e, err := range updates {
		if err != nil {
			p.t.Fatal(err)
		}
		if len(e.Registrations) > 0 {
			return string(e.Registrations[0].RegistrationID)
		}
	}
	p.t.Fatal("no service worker")
	return ""
}

// push hands the app's service worker a message, as a push service does.
func (p *phone) push(worker, text string) {
	p.t.Helper()
	p.do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, serviceworker.DeliverPushMessage, serviceworker.DeliverPushMessageParams{
			Origin: p.w.url, RegistrationID: serviceworker.RegistrationID(worker), Data: text})
		return err
	}))
}

func TestAReminderIsShownWithoutAWordTooMuch(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.ownPhone(t)
	p.bind(w.code(t, who))
	p.controlled()
	p.permit(permissions.PermissionSettingGranted)
	assessment := string(study.AssessmentFor(who.ID, "C1D1"))
	message := fmt.Sprintf(`{"title":"Something waits","body":"Open it when it suits you.","tag":"t1","delivery":"d1","assessment":%q}`, assessment)
	worker := p.worker()
	w.eventually(t, func() bool { // the tools lose a message now and then; with one tag the second replaces the first
		p.push(worker, message)
		return eval[bool](p, `(async () => {
			const r = await navigator.serviceWorker.ready;
			for (let i = 0; i < 50 && !(globalThis.notes?.length); i++) {
				await new Promise((go) => setTimeout(go, 20));
				globalThis.notes = await r.getNotifications();
			}
			return notes.length === 1;
		})()`)
	}, "the reminder is shown")
	if got := eval[string](p, `JSON.stringify([notes[0].title, notes[0].body, notes[0].tag, notes[0].data.assessment])`); got != fmt.Sprintf(`["Something waits","Open it when it suits you.","t1",%q]`, assessment) {
		t.Errorf("shown: %s", got)
	}
	w.eventually(t, func() bool { return w.requests("POST /v1/me/deliveries/d1/events") > 0 }, "the server hears that it arrived")
}

// The app asks for the permission after a form that was received, with a
// reason, never before; and it takes a no.
func TestThePermissionIsAskedForAfterAFormWithAReason(t *testing.T) {
	w := start(t)
	who := w.enrol(t, "0101", "en")
	p := w.ownPhone(t)
	w.disturb(func(rw http.ResponseWriter, r *http.Request, serve http.Handler) {
		if r.URL.Path == "/v1/me/push-key" {
			rw.Header().Set("Content-Type", "application/json")
			_, _ = rw.Write([]byte(`{"key":"BNbxnBQ9mHHvvGOrzJ7RZ6oQx1VqAgSXuYl1GJ0uTPkMkRMKdmn4yBlQ3n3mS5mR2Hh5yrR1M4yU4jZT8vK7bRA"}`))
			return
		}
		serve.ServeHTTP(rw, r)
	})
	p.permit(permissions.PermissionSettingPrompt)
	p.bind(w.code(t, who))
	if got := eval[string](p, `Notification.permission`); got != "default" {
		t.Skipf("this browser says %s to every page", got)
	}
	p.tap(".body > .primary")
	p.fill(1, 37)
	p.screen("review")
	if eval[bool](p, `Boolean(document.getElementById("remind"))`) {
		t.Error("asked before anything was sent")
	}
	p.tap("#send")
	p.until(`document.getElementById("remind")?.innerText.includes("says nothing about you or your health")`)
	p.tap("#remind button:not(.primary)")
	p.until(`!document.getElementById("remind")`)
	p.reload()
	p.screen("sent")
	if eval[bool](p, `Boolean(document.getElementById("remind"))`) {
		t.Error("asked again after a no")
	}
}
