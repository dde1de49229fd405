package auth

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"epro/study"
)

const (
	// minPassword is what NIST SP 800-63B-4 (§3.1.1.2) asks of a password that
	// is the only factor. Nothing is asked of which characters it has, and it
	// never expires.
	minPassword = 15
	maxPassword = 256
)

// obvious are words that alone do not make a password, however often repeated.
var obvious = []string{
	"password", "passwort", "passw0rd", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwerty", "letmein", "welcome", "admin",
	"iloveyou", "changeme", "secret", "1234567890", "0123456789", "123456789", "987654321", "12345678", "123456", "abcdefghijklmnopqrstuvwxyz",
	"abcdef", "factb", "fact-b", "epro",
}

// checkPassword refuses a chosen password that is too short or too easily
// guessed. It is taken as it is typed: Unicode's several ways of writing é are
// not made one, because the same person's keyboard writes it the same way each
// time, and a rule that changed with Unicode's version could lock people out.
func checkPassword(username, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case !utf8.ValidString(password):
		return badPassword("it is not text")
	case n < minPassword:
		return badPassword(fmt.Sprintf("use at least %d characters; four or five words do well", minPassword))
	case n > maxPassword:
		return badPassword(fmt.Sprintf("use at most %d characters", maxPassword))
	}
	lower := strings.ToLower(password)
	name := foldName(username)
	if name != "" && strings.Contains(lower, name) {
		return badPassword("leave the user name out of it")
	}
	rest := lower
	for _, word := range obvious {
		rest = strings.ReplaceAll(rest, word, "")
	}
	if distinct(lower) < 5 || utf8.RuneCountInString(rest) < 6 {
		return badPassword("this one is among the first to be guessed; take some unrelated words")
	}
	return nil
}

func badPassword(reason string) error {
	return study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "password", Reason: reason})
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// foldName is a user name as study compares it: without regard to case.
func foldName(username string) string { return strings.ToLower(strings.TrimSpace(username)) }

// generatedFrom is a password of 100 bits, as four groups of five characters
// that can be read out.
func generatedFrom(random [32]byte) string {
	var b strings.Builder
	for i := range 20 {
		if i > 0 && i%5 == 0 {
			b.WriteByte('-')
		}
		b.WriteByte(alphabet[random[i]%32]) // 256 is a multiple of 32: no character is likelier
	}
	return b.String()
}

// generate makes a password. For a request that may be repeated it follows
// from the event's id, so that the repetition gives the same one.
func (a *Auth) generate(purpose string, event study.EventID) (string, error) {
	if event != "" {
		return generatedFrom(mac(a.secrets.passwords, purpose, string(event))), nil
	}
	b, err := a.fresh(32)
	if err != nil {
		return "", err
	}
	return generatedFrom([32]byte(b)), nil
}
