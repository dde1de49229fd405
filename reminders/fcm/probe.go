package fcm

import (
	"context"
	"fmt"

	"firebase.google.com/go/v4/messaging"

	"epro/study"
)

// probeTopic is a topic that nobody is subscribed to.
const probeTopic = "epro-probe"

// Probe asks Google to check a message without sending it, and so finds out
// whether account, project and rights are good. An error with the code
// study.Unavailable says that Google could not be asked: a start need not fail
// for it. Any other names what the operator has to mend.
func (s *Sender) Probe(ctx context.Context) error {
	m := &messaging.Message{Topic: probeTopic, Notification: &messaging.Notification{Title: "probe"}}
	x := s.exchange(ctx, m, s.client.SendDryRun)
	sentence, args := s.advice(recognise(x))
	if sentence == "" {
		return nil
	}
	code := study.Invalid
	switch recognise(x) {
	case unreachable, notSent, noAccessToken, unavailable, internal, projectQuota, deviceQuota, answerLost, stopped:
		code = study.Unavailable
	}
	return &study.Error{Code: code, Message: fmt.Sprintf(sentence, args...), Err: x.cause(probeTopic)}
}

// advice is a sentence that an operator can act on; none when all is well.
func (s *Sender) advice(r reason) (sentence string, args []any) {
	switch r {
	case accepted, invalidArgument, unregistered:
		return "", nil // whatever it thinks of the message, it let us in
	case credentialsRefused:
		return "Google no longer takes the key of the service account %s. If this machine's clock is right, the key was deleted or the account disabled: make a new key in the Firebase console (project settings, service accounts) and replace the file.", []any{s.account}
	case accessRefused:
		return "Google refused the access token of %s. Check this machine's clock, and that the account is enabled.", []any{s.account}
	case forbidden:
		return "The service account %s may not send messages in the project %s. Give it the role \"Firebase Cloud Messaging API Admin\" there, and see that the Firebase Cloud Messaging API (V1) is enabled.", []any{s.account, s.project}
	case wrongProject:
		return "Google knows no Firebase project %s at this address. Compare -firebase-project with the project's settings; no device was touched.", []any{s.project}
	case noAccessToken, unreachable, notSent, answerLost, stopped:
		return "Firebase cannot be reached from this machine; check name service, firewall and proxy. Reminders are kept and tried again.", nil
	case unavailable, internal, projectQuota, deviceQuota:
		return "Firebase has a problem or is overloaded just now. Reminders are kept and tried again.", nil
	default:
		return "Firebase answers in a way that this program does not understand (%s). Check that nothing between this machine and Google changes the traffic, such as a proxy's sign-in page.", []any{string(r)}
	}
}
