package webpush

import (
	"crypto/rand"
	"io"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func randomOf(*rapid.T) io.Reader { return rand.Reader }

func TestOnlyKnownPushServicesOverHTTPSAreCalled(t *testing.T) {
	b := newBrowser(t)
	for endpoint, good := range map[string]bool{
		"https://fcm.googleapis.com/fcm/send/abc":                true,
		"https://FCM.googleapis.com/fcm/send/abc":                true,
		"https://fcm.googleapis.com:443/fcm/send/abc":            true,
		"https://updates.push.services.mozilla.com/wpush/v2/abc": true,
		"https://web.push.apple.com/abc":                         true,
		"https://wns2-par02p.notify.windows.com/w/?token=abc":    true,
		"http://fcm.googleapis.com/fcm/send/abc":                 false,
		"https://fcm.googleapis.com:8443/":                       false,
		"https://user@fcm.googleapis.com/":                       false,
		"https://fcm.googleapis.com.evil.example/":               false,
		"https://evilfcm.googleapis.com/":                        false,
		"https://push.apple.com/":                                false,
		"https://evil.example/.push.apple.com":                   false,
		"https://evil.example\\@web.push.apple.com/":             false,
		"https://127.0.0.1/":                                     false,
		"https://[::1]/":                                         false,
		"https://169.254.169.254/latest/meta-data/":              false,
		"file:///etc/passwd":                                     false,
		"//fcm.googleapis.com/":                                  false,
		"":                                                       false,
	} {
		err := Check(b.subscription(endpoint), DefaultHosts())
		if (err == nil) != good {
			t.Errorf("%s: %v", endpoint, err)
		}
		if err != nil && endpoint != "" && strings.Contains(err.Error(), endpoint) {
			t.Errorf("the error repeats %s", endpoint)
		}
	}
}

func TestABrokenSubscriptionIsRefused(t *testing.T) {
	good := newBrowser(t).subscription("https://web.push.apple.com/abc")
	if err := Check(good, DefaultHosts()); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "null", "{}", "[]", good[1:], strings.Replace(good, `"auth":"`, `"auth":"A`, 1),
		strings.Replace(good, `"p256dh":"B`, `"p256dh":"A`, 1), strings.Repeat(" ", 5000) + good} {
		if err := Check(bad, DefaultHosts()); err == nil {
			t.Errorf("%.60s was taken", bad)
		}
	}
}

func TestAddressesOfPrivateNetworksAreKnown(t *testing.T) {
	for address, good := range map[string]bool{
		"142.250.74.110": true, "2a00:1450:4001:830::200a": true, "17.57.144.1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "100.64.1.1": false,
		"0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "192.0.0.8": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fd00::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::a00:1": false, "2002:a00:1::": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != good {
			t.Errorf("%s: public %v", address, got)
		}
	}
}

func FuzzASubscriptionIsReadOrRefused(f *testing.F) {
	f.Add(newBrowser(f).subscription("https://web.push.apple.com/abc"))
	f.Add(`{"endpoint":"https://web.push.apple.com/a","keys":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSubscription(text, DefaultHosts())
		if err == nil && (s.endpoint.Scheme != "https" || s.public == nil || len(s.auth) != authBytes) {
			t.Errorf("%q gave %+v", text, s)
		}
	})
}
