// Package store opens the store that a URL names.
package store

import (
	"context"
	"strings"

	"epro/store/mongo"
	"epro/store/sqlite"
	"epro/study"
)

// Open opens the store at the URL; "sqlite:PATH" is the file at PATH, which is
// made when it is missing, and "mongodb://…" or "mongodb+srv://…" a database on
// a MongoDB server, as its own tools write it. The caller closes the store.
func Open(ctx context.Context, url string) (study.Store, error) {
	scheme, rest, found := strings.Cut(url, ":")
	if !found {
		scheme = ""
	}
	switch scheme {
	case "sqlite":
		return openSQLite(ctx, rest)
	case "mongodb", "mongodb+srv":
		return openMongoDB(ctx, url)
	default:
		// The URL is not repeated: it may hold a password.
		return nil, study.Fail(study.Invalid,
			"The store's URL is not understood; write sqlite:PATH, such as sqlite:data/epro.db, or mongodb://HOST/DATABASE.")
	}
}

func openMongoDB(ctx context.Context, url string) (study.Store, error) {
	db, err := mongo.Open(ctx, url)
	if err != nil {
		return nil, err // not db, which would be an interface that is not nil
	}
	return db, nil
}

func openSQLite(ctx context.Context, path string) (study.Store, error) {
	switch {
	case path == "":
		return nil, study.Fail(study.Invalid,
			"The store's URL names no file; write sqlite:PATH, such as sqlite:data/epro.db.")
	case strings.HasPrefix(path, "//"):
		// Other programs read sqlite://a/b as a/b or as /a/b. Neither is guessed.
		return nil, study.Fail(study.Invalid,
			"Write the path right behind the colon: sqlite:data/epro.db or sqlite:/srv/epro.db.")
	case strings.HasPrefix(path, ":"):
		return nil, study.Fail(study.Invalid,
			"A database in memory would be lost with the program; name a file, such as sqlite:data/epro.db.")
	}
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		return nil, err // not db, which would be an interface that is not nil
	}
	return db, nil
}
