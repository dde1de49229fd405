// Package mongo keeps a study in MongoDB, so that several processes can serve
// it and the database can be more than one machine.
//
// Every write is of one document, and every race is settled by a unique key:
// a standalone server, a replica set and a sharded cluster all do. An entry is
// written before its snapshot; a snapshot that is lost in between lags, and
// study.Service.Repair makes it anew.
//
// A document can be read without this program: an event has readable copies of
// what its canonical bytes say. The bytes are the truth, and Compare finds a
// copy that says something else.
package mongo

import (
	"context"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"

	"epro/study"
)

// DB is a study.Store in a MongoDB database.
type DB struct {
	client    *mongo.Client
	events    *mongo.Collection
	snapshots *mongo.Collection
	records   *mongo.Collection
	meta      *mongo.Collection

	verified []string
	gate     gate
	close    func() error
}

var _ study.Store = (*DB)(nil)

// seams are what tests change.
type seams struct {
	monitor *event.CommandMonitor
}

// Open opens the database that the URL names, "epro" if it names none, and
// makes and verifies its indexes. Several processes may have one database open.
func Open(ctx context.Context, url string) (*DB, error) {
	return openWith(ctx, url, seams{})
}

func openWith(ctx context.Context, url string, o seams) (*DB, error) {
	opts, name, err := clientOptions(url)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(opts.SetMonitor(o.monitor))
	if err != nil {
		return nil, &study.Error{Code: study.Invalid, Message: errURL.Message, Err: err}
	}
	in := client.Database(name)
	db := &DB{
		client: client,
		events: in.Collection("events"), snapshots: in.Collection("snapshots"),
		records: in.Collection("records"), meta: in.Collection("meta"),
	}
	db.close = sync.OnceValue(db.shut)
	if err := db.start(ctx); err != nil {
		_ = db.close() // the first error says more
		return nil, coded(ctx, err)
	}
	return db, nil
}

// shutTime is how long Close waits for connections to end in good manners.
const shutTime = 5 * time.Second

// Close waits for the calls that were accepted, and closes the connections.
// Further calls give the same answer.
func (db *DB) Close() error { return db.close() }

func (db *DB) shut() error {
	db.gate.shut()
	ctx, cancel := context.WithTimeout(context.Background(), shutTime)
	defer cancel()
	return coded(ctx, db.client.Disconnect(ctx))
}

// do runs the work, unless the caller has given up or the store is closed, and
// codes its error.
func (db *DB) do(ctx context.Context, work func() error) error {
	if err := ctx.Err(); err != nil {
		return coded(ctx, err)
	}
	if !db.gate.enter() {
		return errClosed
	}
	defer db.gate.leave()
	return coded(ctx, work())
}

// gate lets calls in until it is shut. A lock held by every call would not do:
// who waits for a lock does not see that its context has ended.
type gate struct {
	mu     sync.Mutex
	closed bool
	inside sync.WaitGroup
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside.Add(1)
	return true
}

func (g *gate) leave() { g.inside.Done() }

// shut lets nobody in any more, and returns when everybody has left.
func (g *gate) shut() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.inside.Wait()
}
