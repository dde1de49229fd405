// Package mongotest gives tests a MongoDB database of their own, on the server
// that EPRO_TEST_MONGODB_URL names, and a proxy in front of it that spoils what
// passes. It knows nothing of how a study is kept.
package mongotest

import (
	"context"
	"crypto/rand"
	neturl "net/url"
	"os"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const variable = "EPRO_TEST_MONGODB_URL"

// Server is the URL of the server that tests may use. A test that asks without
// one is skipped, which .ci/run does not let pass.
func Server(t testing.TB) string {
	t.Helper()
	url := os.Getenv(variable)
	if url == "" {
		t.Skip("set " + variable + " to the URL of a MongoDB server, or of the stand-in: " +
			"cd store/mongo/standin && go run . prints one")
	}
	return url
}

// Wanted reports whether tests that would do with any store are to run on
// MongoDB: EPRO_TEST_STORE is "mongodb".
func Wanted() bool { return os.Getenv("EPRO_TEST_STORE") == "mongodb" }

// Database is the URL of a database that nobody else has. It is dropped when
// the test ends.
func Database(t testing.TB) string {
	t.Helper()
	server := Server(t)
	name := "epro_test_" + strings.ToLower(rand.Text()[:12])
	u, err := neturl.Parse(server)
	if err != nil {
		t.Fatalf("%s is no URL", variable)
	}
	u.Path = "/" + name
	if u.User != nil && !u.Query().Has("authSource") {
		query := u.Query() // as for a URL without a database
		query.Set("authSource", "admin")
		u.RawQuery = query.Encode()
	}
	t.Cleanup(func() {
		if err := Client(t, server).Database(name).Drop(context.Background()); err != nil {
			t.Errorf("the database of the test was not dropped: %v", err)
		}
	})
	return u.String()
}

// Name is the name of the database that a URL of Database ends with.
func Name(t testing.TB, url string) string {
	t.Helper()
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(u.Path, "/")
}

// Client is a client without the product's settings, such as a person has in a
// shell. It is closed when the test ends.
func Client(t testing.TB, url string) *mongo.Client {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(url))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Disconnect(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return client
}
