package mongo

import (
	"errors"
	"net"
	neturl "net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"epro/study"
)

// What holds for a call whose context has no deadline, unless the URL says
// otherwise: no call may wait for ever.
const (
	callTime      = 30 * time.Second // timeoutMS
	selectionTime = 10 * time.Second // serverSelectionTimeoutMS
)

// defaultDatabase is the database of a URL that names none.
const defaultDatabase = "epro"

// errURL does not repeat the URL, nor what the driver says about it: either
// may hold a password.
var errURL = study.Fail(study.Invalid,
	"The store's URL is not understood; write mongodb://USER:PASSWORD@HOST/DATABASE, with %40 for an @ in the password.")

// durable is the write concern of every write: a majority of the members has
// it in the journal before it counts as written.
func durable() *writeconcern.WriteConcern {
	journal := true
	return &writeconcern.WriteConcern{W: "majority", Journal: &journal}
}

// clientOptions are the URL's, and on top of them what this program relies on,
// whatever the URL says: acknowledged is what survives a fail-over, and read
// is what was acknowledged, from the member that has it first.
func clientOptions(url string) (*options.ClientOptions, string, error) {
	name, err := databaseName(url)
	if err != nil {
		return nil, "", err
	}
	opts := options.Client().ApplyURI(url)
	if err := opts.Validate(); err != nil {
		var lookup *net.DNSError
		if errors.As(err, &lookup) {
			return nil, "", &study.Error{Code: study.Unavailable, Message: messageUnreachable, Err: lookup}
		}
		return nil, "", errURL
	}
	opts.SetWriteConcern(durable()).SetReadConcern(readconcern.Majority()).SetReadPreference(readpref.Primary())
	if opts.Timeout == nil {
		opts.SetTimeout(callTime)
	}
	if opts.ServerSelectionTimeout == nil {
		opts.SetServerSelectionTimeout(selectionTime)
	}
	if opts.AppName == nil {
		opts.SetAppName("epro")
	}
	return opts, name, nil
}

// databaseName is the part of the URL between the hosts and the options.
func databaseName(url string) (string, error) {
	_, rest, _ := strings.Cut(url, "://")
	rest, _, _ = strings.Cut(rest, "?")
	_, name, _ := strings.Cut(rest, "/")
	if name == "" {
		return defaultDatabase, nil
	}
	name, err := neturl.PathUnescape(name)
	if err != nil || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") {
		return "", study.Fail(study.Invalid,
			"The name of the database in the store's URL has a character that MongoDB does not allow; use letters, digits and _.")
	}
	return name, nil
}
