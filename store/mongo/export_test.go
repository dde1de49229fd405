package mongo

import (
	"context"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// What tests outside this package need of its inside.

func OpenMonitored(ctx context.Context, url string, m *event.CommandMonitor) (*DB, error) {
	return openWith(ctx, url, seams{monitor: m})
}

func Responses() mongo.Pipeline { return responses() }

func (db *DB) Events() *mongo.Collection { return db.events }
