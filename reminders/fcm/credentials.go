package fcm

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"

	"epro/study"
)

// scope is all that an access token may do: the SDK's own set would open the
// whole project to whoever steals one.
const scope = "https://www.googleapis.com/auth/firebase.messaging"

// Credentials are the service account that messages are sent as.
type Credentials struct {
	Project string // that the account belongs to
	Account string // its e-mail address
	config  *jwt.Config
}

// LogValue is the account without its key.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.Account) }

// ReadCredentials reads the JSON file that Firebase makes for a service account
// (project settings, service accounts, generate new private key).
func ReadCredentials(file string) (Credentials, error) {
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Credentials{}, unusable(nil, "The Firebase credentials %q are not there. Name the service account's JSON file, or leave the setting out to send no push through Firebase.", file)
	case err != nil:
		return Credentials{}, unusable(err, "The Firebase credentials %q cannot be read; check the file's permissions.", file)
	}
	c, err := ParseCredentials(text)
	if err != nil {
		return Credentials{}, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// ParseCredentials reads what ReadCredentials reads.
func ParseCredentials(text []byte) (Credentials, error) {
	var said struct {
		Type    string `json:"type"`
		Project string `json:"project_id"`
		Account string `json:"client_email"`
		Key     string `json:"private_key"`
	}
	// The causes are not kept: they would quote the file.
	if err := json.Unmarshal(text, &said); err != nil {
		return Credentials{}, unusable(nil, "The Firebase credentials are no JSON. Download the service account's key again.")
	}
	if said.Type != "service_account" || said.Account == "" || said.Key == "" || said.Project == "" {
		return Credentials{}, unusable(nil, "The Firebase credentials are of type %q and not a whole service account. Make one in the Firebase console: project settings, service accounts, generate new private key.", said.Type)
	}
	config, err := google.JWTConfigFromJSON(text, scope)
	if err != nil || !isKey(config.PrivateKey) {
		return Credentials{}, unusable(nil, "The Firebase credentials cannot be read. Download the service account's key again.")
	}
	return Credentials{Project: said.Project, Account: said.Account, config: config}, nil
}

// isKey reports whether the text holds a key that can sign, so that a damaged
// file is found at the start and not at the first reminder.
func isKey(text []byte) bool {
	block, _ := pem.Decode(text)
	if block == nil {
		return false
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	_, ok := key.(*rsa.PrivateKey)
	return err == nil && ok
}

// unusable is an error that stops a start: nobody but the operator can mend it.
func unusable(err error, sentence string, args ...any) error {
	return &study.Error{Code: study.Invalid, Message: fmt.Sprintf(sentence, args...), Err: err}
}
