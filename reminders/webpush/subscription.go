package webpush

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// DefaultHosts are the push services of the browsers that people have: Chrome
// and its relatives, Firefox, Safari, Edge. A name that begins with a dot
// stands for everything below it.
func DefaultHosts() []string {
	return []string{
		"fcm.googleapis.com", "android.googleapis.com", // Chrome, Samsung, Opera, Brave
		".push.services.mozilla.com", // Firefox
		".push.apple.com",            // Safari
		".notify.windows.com",        // Edge
	}
}

// subscription is where one browser can be reached: the PushSubscription that
// its page sent us, read.
type subscription struct {
	endpoint *url.URL
	public   *ecdh.PublicKey
	auth     []byte
}

// maxSubscription bounds the JSON of one.
const maxSubscription = 4096

// parseSubscription reads PushSubscription.toJSON().
func parseSubscription(text string, hosts []string) (subscription, error) {
	var said struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256dh string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	// The causes are not kept: they would quote the subscription.
	if len(text) > maxSubscription || json.Unmarshal([]byte(text), &said) != nil {
		return subscription{}, errors.New("no JSON of a PushSubscription")
	}
	var s subscription
	var err error
	if s.endpoint, err = url.Parse(said.Endpoint); err != nil {
		return subscription{}, errors.New("the endpoint is no URL")
	}
	if !allowed(s.endpoint, hosts) {
		return subscription{}, errors.New("the endpoint is at no push service that is on the list")
	}
	point, err := decodeKey(said.Keys.P256dh)
	if err != nil {
		return subscription{}, errors.New("the key p256dh is no base64")
	}
	if s.public, err = ecdh.P256().NewPublicKey(point); err != nil {
		return subscription{}, errors.New("the key p256dh is no point of P-256")
	}
	if s.auth, err = decodeKey(said.Keys.Auth); err != nil || len(s.auth) != authBytes {
		return subscription{}, errors.New("the secret auth has not 16 bytes")
	}
	return s, nil
}

// Check reports what is wrong with a subscription, as it comes from a page; the
// error's text does not repeat it.
func Check(text string, hosts []string) error {
	_, err := parseSubscription(text, hosts)
	return err
}

// decodeKey reads base64 in the form of the standard, and as some libraries of
// pages write it.
func decodeKey(s string) ([]byte, error) {
	s = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(s, "="))
	return base64.RawURLEncoding.DecodeString(s)
}

// allowed reports whether an endpoint may be called at all: https, the usual
// port, no user name, a host on the list.
func allowed(u *url.URL, hosts []string) bool {
	if u.Scheme != "https" || u.User != nil || u.Fragment != "" {
		return false
	}
	if listed := slices.Contains(hosts, u.Host); listed && u.Port() != "" {
		return true // a host that is listed with its port
	}
	if u.Port() != "" && u.Port() != "443" {
		return false
	}
	name := strings.ToLower(u.Hostname())
	return slices.ContainsFunc(hosts, func(h string) bool {
		return h == name || strings.HasPrefix(h, ".") && strings.HasSuffix(name, h)
	})
}
