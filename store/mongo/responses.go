package mongo

import (
	"bytes"
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// responsesName is a view for people with their own tools: a document for each
// form that was received, with its answers and scores as they were received,
// and in "later" what staff recorded of it afterwards, the answers of a
// correction included. The program itself never reads it.
const responsesName = "responses"

// laterTypes are the events that name a form that was received before.
var laterTypes = bson.A{"held_decided", "submission_corrected", "submission_verified", "submission_voided"}

// responses is the view's pipeline over the events. It needs MongoDB 5.0, from
// which a lookup can use an index and a pipeline of its own.
func responses() mongo.Pipeline {
	lookup := bson.D{
		{Key: "from", Value: "events"},
		{Key: "localField", Value: "stream"}, {Key: "foreignField", Value: "stream"},
		{Key: "let", Value: field("form", "$payload.submission_id")},
		{Key: "pipeline", Value: bson.A{
			field("$match", bson.D{{Key: "type", Value: field("$in", laterTypes)},
				{Key: "$expr", Value: field("$eq", bson.A{"$payload.submission_id", "$$form"})}}),
			field("$sort", field("seq", 1)),
			field("$project", bson.D{{Key: "_id", Value: 0}, {Key: "seq", Value: 1}, {Key: "at", Value: 1}, {Key: "actor", Value: 1},
				{Key: "type", Value: 1}, {Key: "reason", Value: 1}, {Key: "payload", Value: 1}}),
		}},
		{Key: "as", Value: "later"},
	}
	// An assessment's id is the participant's and the visit's code.
	part := func(i int) bson.D {
		return field("$arrayElemAt", bson.A{field("$split", bson.A{"$payload.assessment_id", "."}), i})
	}
	shown := bson.D{{Key: "_id", Value: "$payload.submission_id"},
		{Key: "participant", Value: part(0)}, {Key: "visit", Value: part(1)}, {Key: "seq", Value: 1}, {Key: "actor", Value: 1}}
	for _, name := range []string{"instrument", "instrument_version", "wording_pack", "demonstration", "mode", "assistance",
		"started_at", "completed_at", "sent_at", "received_at", "corrected_at", "counted", "held_cause", "flags",
		"answers", "skipped", "scores", "scoring_version"} {
		shown = append(shown, bson.E{Key: name, Value: "$payload." + name})
	}
	shown = append(shown, bson.E{Key: "voided", Value: field("$in", bson.A{"submission_voided", "$later.type"})},
		bson.E{Key: "later", Value: 1})
	return mongo.Pipeline{
		field("$match", field("type", "submission_received")),
		field("$lookup", lookup),
		field("$project", shown),
	}
}

// makeResponses makes the view, or makes it anew where an earlier version of the
// program made another, and says in a sentence how that went. A server that has
// no views, or does not let this user make one, serves all the same.
func (db *DB) makeResponses(ctx context.Context) (string, error) {
	in := db.events.Database()
	_, want, err := bson.MarshalValue(responses())
	if err != nil {
		return "", err
	}
	have, err := in.ListCollectionSpecifications(ctx, field("name", responsesName))
	if err != nil {
		return "", err
	}
	for _, c := range have {
		switch {
		case c.Name != responsesName: // a server that does not filter
		case c.Type != "view":
			return "view responses: not made, there is a collection of this name", nil
		case bytes.Equal(c.Options.Lookup("pipeline").Value, want):
			return "view responses: there", nil
		default:
			if err := in.Collection(responsesName).Drop(ctx); err != nil {
				return refusedView(err)
			}
		}
	}
	const namespaceExists = 48 // another process made it at this very moment
	if err := in.CreateView(ctx, responsesName, db.events.Name(), responses()); err != nil && !hasCode(err, namespaceExists) {
		return refusedView(err)
	}
	return "view responses: made", nil
}

// refusedView tells a server that answers no from one that does not answer.
func refusedView(err error) (string, error) {
	var answered mongo.ServerError
	if !errors.As(err, &answered) || mongo.IsNetworkError(err) || mongo.IsTimeout(err) || answered.HasErrorLabel("RetryableWriteError") {
		return "", err
	}
	return "view responses: not made, this server or this user's rights do not allow it; everything else works without", nil
}
