package mongo

import (
	"net/url"

	"go.mongodb.org/mongo-driver/v2/bson"

	"epro/study"
)

// eventDoc is an entry as a document. Payload and Reason are there to be read by
// people and their tools; nothing is ever decided by them.
type eventDoc struct {
	ID      string        `bson:"_id"` // the event id
	Stream  string        `bson:"stream"`
	Seq     int64         `bson:"seq"`
	At      bson.DateTime `bson:"at"`
	Actor   actorDoc      `bson:"actor"`
	Type    string        `bson:"type"`
	Payload any           `bson:"payload"`
	Reason  string        `bson:"reason"`
	Hash    hexHash       `bson:"hash"`
	Bytes   text          `bson:"bytes"`
	// InsertID is made for each call that inserts, see ours.
	InsertID bson.ObjectID `bson:"insert_id"`
}

type actorDoc struct {
	Role string `bson:"role"`
	ID   string `bson:"id"`
}

// eventOf copies everything: the caller may use its memory again.
func eventOf(e study.Entry) eventDoc {
	payload, reason := readable(e.Bytes)
	return eventDoc{
		ID: string(e.ID), Stream: string(e.Stream), Seq: bound(e.Seq), At: instant(e.At),
		Actor: actorDoc{Role: string(e.Actor.Role), ID: e.Actor.ID}, Type: string(e.Type),
		Payload: payload, Reason: reason, Hash: hexHash(e.Hash), Bytes: append(text{}, e.Bytes...),
		InsertID: bson.NewObjectID(),
	}
}

func (d eventDoc) value() study.Entry {
	return study.Entry{
		Stream: study.StreamID(d.Stream), Seq: uint64(d.Seq), ID: study.EventID(d.ID), At: study.Instant(d.At).Time(),
		Actor: study.ActorRef{Role: study.Role(d.Actor.Role), ID: d.Actor.ID}, Type: study.EventType(d.Type),
		Hash: study.Hash(d.Hash), Bytes: d.Bytes,
	}
}

// headDoc is what a head needs of an event.
type headDoc struct {
	Stream string        `bson:"stream"`
	Seq    int64         `bson:"seq"`
	At     bson.DateTime `bson:"at"`
	Hash   hexHash       `bson:"hash"`
}

func (d headDoc) value() study.Head {
	return study.Head{
		Stream: study.StreamID(d.Stream), Seq: uint64(d.Seq), Hash: study.Hash(d.Hash), At: study.Instant(d.At).Time(),
	}
}

type snapshotDoc struct {
	Stream   string         `bson:"_id"`
	Seq      int64          `bson:"seq"`
	Stamp    string         `bson:"stamp"`
	Kind     string         `bson:"kind"`
	Site     string         `bson:"site"`
	Label    string         `bson:"label"`
	OpensAt  *bson.DateTime `bson:"opens_at"` // null: none
	DueAt    *bson.DateTime `bson:"due_at"`
	ClosesAt *bson.DateTime `bson:"closes_at"`
	LookAt   *bson.DateTime `bson:"look_at"`
	State    text           `bson:"state"`
}

func snapshotOf(s study.Snapshot) snapshotDoc {
	return snapshotDoc{
		Stream: string(s.Stream), Seq: bound(s.Seq), Stamp: s.Stamp, Kind: s.Kind, Site: string(s.Site), Label: s.Label,
		OpensAt: optional(s.OpensAt), DueAt: optional(s.DueAt), ClosesAt: optional(s.ClosesAt), LookAt: optional(s.LookAt),
		State: append(text{}, s.State...),
	}
}

func (d snapshotDoc) value() study.Snapshot {
	return study.Snapshot{
		Stream: study.StreamID(d.Stream), Seq: uint64(d.Seq), Stamp: d.Stamp, Kind: d.Kind,
		Site: study.SiteCode(d.Site), Label: d.Label,
		OpensAt: timeOf(d.OpensAt), DueAt: timeOf(d.DueAt), ClosesAt: timeOf(d.ClosesAt), LookAt: timeOf(d.LookAt), State: d.State,
	}
}

type recordDoc struct {
	ID        string         `bson:"_id"` // see recordID
	Kind      string         `bson:"kind"`
	Key       string         `bson:"key"`
	Owner     string         `bson:"owner"`
	At        bson.DateTime  `bson:"at"`
	ExpiresAt *bson.DateTime `bson:"expires_at"` // null: never
	Data      text           `bson:"data"`
	InsertID  bson.ObjectID  `bson:"insert_id"`
}

// recordID joins kind and key so that no two pairs give the same.
func recordID(kind study.RecordKind, key string) string {
	return url.PathEscape(string(kind)) + "/" + key
}

func recordOf(r study.Record) recordDoc {
	return recordDoc{
		ID: recordID(r.Kind, r.Key), Kind: string(r.Kind), Key: r.Key, Owner: r.Owner,
		At: instant(r.At), ExpiresAt: optional(r.ExpiresAt), Data: append(text{}, r.Data...),
		InsertID: bson.NewObjectID(),
	}
}

func (d recordDoc) value() study.Record {
	return study.Record{
		Kind: study.RecordKind(d.Kind), Key: d.Key, Owner: d.Owner,
		At: study.Instant(d.At).Time(), ExpiresAt: timeOf(d.ExpiresAt), Data: d.Data,
	}
}
