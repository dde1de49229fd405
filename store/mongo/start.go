package mongo

import (
	"context"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"epro/study"
)

// schemaVersion is raised when documents of this version cannot be read or
// written by a program of an earlier one.
const schemaVersion = 1

// start makes sure that the database is what this program takes it for.
func (db *DB) start(ctx context.Context) error {
	if err := db.checkCollections(ctx); err != nil {
		return err
	}
	if err := db.checkSchema(ctx); err != nil {
		return err
	}
	for _, c := range []*mongo.Collection{db.events, db.snapshots, db.records} {
		if err := makeIndexes(ctx, c); err != nil {
			return err
		}
	}
	if err := db.checkConcerns(ctx); err != nil {
		return err
	}
	view, err := db.makeResponses(ctx)
	db.verified = append(db.verified, view)
	return err
}

// checkCollections refuses a collection that compares text by a language's
// rules: keys that differ would be the same, and the order another.
func (db *DB) checkCollections(ctx context.Context) error {
	have, err := db.events.Database().ListCollectionSpecifications(ctx, bson.D{})
	if err != nil {
		return err
	}
	for _, c := range have {
		switch c.Name {
		case db.events.Name(), db.snapshots.Name(), db.records.Name(), db.meta.Name():
		default:
			continue
		}
		_, err := c.Options.LookupErr("collation")
		capped, _ := c.Options.Lookup("capped").BooleanOK()
		if err == nil || capped || c.Type != "" && c.Type != "collection" {
			return study.Fail(study.Unavailable, fmt.Sprintf(
				"The collection %s is a view, is capped or has a collation; make an ordinary one, or let the program make it.", c.Name))
		}
	}
	return nil
}

// checkSchema notes the version in a new database, and refuses a newer one.
func (db *DB) checkSchema(ctx context.Context) error {
	schema := bson.D{{Key: "_id", Value: "schema"}, {Key: "version", Value: schemaVersion}}
	if _, err := db.meta.InsertOne(ctx, schema); err == nil || !mongo.IsDuplicateKeyError(err) {
		return err
	}
	var have struct {
		Version int `bson:"version"`
	}
	if err := db.meta.FindOne(ctx, schema[:1]).Decode(&have); err != nil {
		return err
	}
	if have.Version != schemaVersion {
		return study.Fail(study.Unavailable, fmt.Sprintf(
			"The database has version %d and this program knows %d only; use the program that wrote it, or a newer one.",
			have.Version, schemaVersion))
	}
	return nil
}

// hello is what a server says of itself, as far as it matters here.
type hello struct {
	SetName   string        `bson:"setName"`
	Msg       string        `bson:"msg"` // "isdbgrid" for the router of a sharded cluster
	LocalTime bson.DateTime `bson:"localTime"`
}

func (db *DB) hello(ctx context.Context) (h hello, err error) {
	err = db.client.Database("admin").RunCommand(ctx, bson.D{{Key: "hello", Value: 1}}).Decode(&h)
	return h, err
}

// probe writes one document with the concerns that all writes have.
func (db *DB) probe(ctx context.Context) error {
	_, err := db.meta.UpdateOne(ctx, bson.D{{Key: "_id", Value: "readiness"}},
		bson.D{{Key: "$inc", Value: bson.D{{Key: "checks", Value: int64(1)}}}}, options.UpdateOne().SetUpsert(true))
	if mongo.IsDuplicateKeyError(err) {
		return nil // two processes made it at once, and so the database can be written
	}
	return err
}

// checkConcerns writes with the concern that the code sets, and reads what was
// acknowledged back from the majority: a session makes the read wait for it.
func (db *DB) checkConcerns(ctx context.Context) error {
	session, err := db.client.StartSession()
	if err != nil {
		return err
	}
	defer session.EndSession(ctx)
	within := mongo.NewSessionContext(ctx, session)
	if err := db.probe(within); err != nil {
		return err
	}
	if err := db.meta.FindOne(within, bson.D{{Key: "_id", Value: "readiness"}}).Err(); err != nil {
		return fmt.Errorf("an acknowledged write was not read back: %w", err)
	}
	h, err := db.hello(ctx)
	if err != nil {
		return err
	}
	server, err := db.server(ctx)
	if err != nil {
		return err
	}
	db.verified = []string{
		"server: " + server,
		"indexes: as wanted, unique where wanted",
		"write concern majority with journal, read concern majority: " + h.concerns(session.OperationTime() != nil),
	}
	return nil
}

// concerns says what a write that was acknowledged and read back has shown.
func (h hello) concerns(timed bool) string {
	switch {
	case h.Msg == "isdbgrid":
		return "verified through a router: an acknowledged write was read back from the majority of its shard"
	case h.SetName != "" && timed:
		return "verified: an acknowledged write was read back from the majority of the replica set " + h.SetName
	case h.SetName != "":
		return "sent and accepted; not verified, because this server does not tell the time of its writes"
	default:
		return "sent and accepted; not verified, because this server is no replica set"
	}
}

// server names the server's product and version.
func (db *DB) server(ctx context.Context) (string, error) {
	var b struct {
		Version  string `bson:"version"`
		FerretDB string `bson:"ferretdbVersion"`
	}
	err := db.client.Database("admin").RunCommand(ctx, bson.D{{Key: "buildInfo", Value: 1}}).Decode(&b)
	if b.FerretDB != "" {
		return "FerretDB, which speaks as MongoDB " + b.Version, err
	}
	return "MongoDB " + b.Version, err
}

// Verified says in sentences which server this is, and what was verified of it
// when the store was opened.
func (db *DB) Verified() []string { return db.verified }
