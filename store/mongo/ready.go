package mongo

import (
	"context"
	"time"
)

// Ready writes to the database, and says how far this process's clock is ahead
// of the server's (of the router's, in a sharded cluster).
func (db *DB) Ready(ctx context.Context) (skew time.Duration, err error) {
	err = db.do(ctx, func() error {
		if err := db.probe(ctx); err != nil {
			return err
		}
		asked := time.Now()
		h, err := db.hello(ctx)
		if err != nil {
			return err
		}
		// The server looked at its clock at some time between question and
		// answer; the middle is wrong by half of that at most.
		middle := asked.Add(time.Since(asked) / 2)
		skew = middle.Sub(h.LocalTime.Time())
		return nil
	})
	return skew, err
}
