package main

import (
	"context"
	"flag"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"epro/auth"
	"epro/auth/firebase"
	"epro/reminders"
	"epro/reminders/fcm"
	"epro/reminders/webpush"
	"epro/study"
)

// push is what serve can be told about ways to a phone.
type push struct {
	credentials, project, endpoint string // of Firebase
	signIn                         bool   // patients may sign in by Firebase

	contact, key, hosts string // of web push
}

func (p *push) register(fs *flag.FlagSet) {
	fs.StringVar(&p.credentials, "firebase-credentials", "", "send reminders through Firebase as the service account in this JSON `FILE`; empty: not through Firebase")
	fs.StringVar(&p.project, "firebase-project", "", "Firebase project `ID`; empty: the one of the credentials")
	fs.StringVar(&p.endpoint, "firebase-endpoint", "", "`URL` of Firebase's messaging API with its version, for a relay or a test; empty: Google's")
	fs.BoolVar(&p.signIn, "firebase-sign-in", false, "patients may sign in by a Firebase ID token, after an enrolment code the first time")
	fs.StringVar(&p.contact, "web-push-contact", "", "mailto: or https: `ADDRESS` for the operators of push services; empty: -public-url, and without https there no web push")
	fs.StringVar(&p.key, "web-push-key", "", "PEM `FILE` with the key that browsers subscribe to; empty: one that follows from the server's secret")
	fs.StringVar(&p.hosts, "web-push-hosts", "", "comma-separated `HOSTS` of push services, a leading dot for all below; empty: those of Chrome, Firefox, Safari and Edge")
}

// ways are the senders that the settings ask for.
type ways struct {
	senders map[reminders.TargetKind]reminders.Sender // empty: none
	key     string                                    // that browsers subscribe with; empty: no web push
}

// open makes the senders. It asks Google whether account and project are good,
// and fails when they are not; when Google cannot be reached it says so in the
// log and goes on, because a server has more to do than to remind.
func (p *push) open(ctx context.Context, secret []byte, publicURL string, log *slog.Logger) (ways, error) {
	w := ways{senders: map[reminders.TargetKind]reminders.Sender{}}
	if err := fcm.RefuseEmulator(); err != nil {
		return w, err
	}
	if err := p.openFirebase(ctx, w.senders, publicURL, log); err != nil {
		return w, err
	}
	key, err := p.openWebPush(w.senders, secret, publicURL)
	w.key = key
	if err == nil {
		log.Info("ways to remind", "kinds", slices.Sorted(maps.Keys(w.senders)))
	}
	return w, err
}

func (p *push) openFirebase(ctx context.Context, into map[reminders.TargetKind]reminders.Sender, publicURL string, log *slog.Logger) error {
	if p.credentials == "" {
		return nil
	}
	credentials, err := fcm.ReadCredentials(p.credentials)
	if err != nil {
		return err
	}
	o := fcm.Options{Credentials: credentials, Project: p.project, Endpoint: p.endpoint}
	if secure(publicURL) {
		o.Link = strings.TrimSuffix(publicURL, "/") + "/app"
	}
	sender, err := fcm.New(ctx, o)
	if err != nil {
		return err
	}
	switch err := sender.Probe(ctx); {
	case study.CodeOf(err) == study.Unavailable:
		log.Warn("Firebase could not be asked", "error", explain(err))
	case err != nil:
		return err
	}
	for _, kind := range fcm.Kinds() {
		into[kind] = sender
	}
	return nil
}

// openWebPush gives the key that browsers subscribe with.
func (p *push) openWebPush(into map[reminders.TargetKind]reminders.Sender, secret []byte, publicURL string) (string, error) {
	contact := p.contact
	if contact == "" && secure(publicURL) {
		contact = publicURL
	}
	if contact == "" {
		return "", nil
	}
	key, err := webpush.KeyFromSecret(secret)
	if p.key != "" {
		key, err = webpush.ReadKey(p.key)
	}
	if err != nil {
		return "", err
	}
	o := webpush.Options{Key: key, Contact: contact}
	if p.hosts != "" {
		for host := range strings.SplitSeq(p.hosts, ",") {
			o.Hosts = append(o.Hosts, strings.ToLower(strings.TrimSpace(host)))
		}
	}
	sender, err := webpush.New(o)
	if err != nil {
		return "", err
	}
	for _, kind := range webpush.Kinds() {
		into[kind] = sender
	}
	return key.Public(), nil
}

// users check the Firebase ID tokens of patients; nil where none sign in so.
func (p *push) users(ctx context.Context) (auth.Users, error) {
	if !p.signIn {
		return nil, nil
	}
	project := p.project
	if project == "" && p.credentials != "" {
		credentials, err := fcm.ReadCredentials(p.credentials)
		if err != nil {
			return nil, err
		}
		project = credentials.Project
	}
	return firebase.New(ctx, firebase.Options{Project: project})
}

func secure(address string) bool { return strings.HasPrefix(address, "https://") }
