package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gofiber/fiber/v2"

	"epro/study"
)

type ctxKey int

const (
	requestKey ctxKey = iota
	metaKey
)

// meta is what a handler may know of the exchange besides its input.
type meta struct {
	id      string // of the request
	address string // of the client
	base    string // URL that the client reached us by
	token   string // access token, if any

	secure     bool              // the client came over https
	sameOrigin bool              // a page of this server asks, or no page of another
	refresh    map[holder]string // refresh tokens that a browser holds in cookies
}

// requestOf is who asks and how, put there by authenticate.
func requestOf(ctx context.Context) study.Request {
	r, _ := ctx.Value(requestKey).(study.Request)
	return r
}

func actorOf(ctx context.Context) study.Actor { return requestOf(ctx).By }

func metaOf(ctx context.Context) meta {
	m, _ := ctx.Value(metaKey).(meta)
	return m
}

const requestIDKey = "request_id"

func requestID(c *fiber.Ctx) string {
	id, _ := c.Locals(requestIDKey).(string)
	return id
}

// authenticate finds out who asks, and refuses whoever the route is not for,
// before anything of the body is looked at.
func (s *Server) authenticate(r route) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		c := fiberOf(ctx)
		request, m, err := s.admit(c, r)
		if err != nil {
			s.logFailure(c, err)
			if err := sendProblem(c, problemOf(err, requestID(c))); err != nil {
				c.Status(http.StatusInternalServerError)
			}
			return
		}
		user := context.WithValue(context.WithValue(ctx.Context(), requestKey, request), metaKey, m)
		next(huma.WithContext(ctx, user))
	}
}

func (s *Server) admit(c *fiber.Ctx, r route) (study.Request, meta, error) {
	m := s.metaFor(c)
	if err := onlyJSON(c); err != nil {
		return study.Request{}, m, err
	}
	if r.action == "" {
		return study.Request{}, m, nil
	}
	var fromCookie bool
	if m.token, fromCookie = s.tokenOf(c); fromCookie && !m.sameOrigin {
		return study.Request{}, m, errOrigin()
	}
	if m.token == "" {
		return study.Request{}, m, study.Fail(study.Unauthenticated, "Sign in first: this address needs an access token.")
	}
	actor, err := s.whoAsks(c, m.token)
	if err != nil {
		return study.Request{}, m, err
	}
	if !actor.May(r.action) {
		return study.Request{}, m, study.Fail(study.Forbidden, "Your role does not allow this. Ask the study's administrator if it should.")
	}
	request := study.Request{By: actor}
	if request.IfMatch, err = ifMatch(c.Get(fiber.HeaderIfMatch)); err != nil {
		return study.Request{}, m, err
	}
	request.EventID, err = s.idempotent(c, actor)
	return request, m, err
}

func (s *Server) metaFor(c *fiber.Ctx) meta {
	m := meta{id: requestID(c), address: s.clientAddress(c), base: s.baseURL(c), token: bearer(c),
		secure: s.secure(c), sameOrigin: s.sameOrigin(c), refresh: map[holder]string{}}
	for _, h := range []holder{ofParticipant, ofStaff} {
		m.refresh[h] = c.Cookies(cookieName(m.secure, h, refreshCookie))
	}
	return m
}

// onlyJSON refuses a body of another type. What curl -d calls its body unasked
// is taken for JSON as well, but not from a browser: that is the type that a
// page of another site can send without being asked.
func onlyJSON(c *fiber.Ctx) error {
	kind, _, _ := strings.Cut(c.Get(fiber.HeaderContentType), ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	browser := c.Get(fiber.HeaderOrigin) != "" || c.Get("Sec-Fetch-Site") != ""
	if len(c.BodyRaw()) == 0 || kind == "" || kind == fiber.MIMEApplicationJSON || kind == fiber.MIMEApplicationForm && !browser {
		return nil
	}
	return study.Fail(study.Invalid, "This address takes JSON only. Nothing was stored.",
		study.Field{Name: "Content-Type", Reason: "send application/json"})
}

// bearer is the access token in the header, if any.
func bearer(c *fiber.Ctx) string {
	scheme, token, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// verdict is what the token of a request was worth.
type verdict struct {
	actor study.Actor
	err   error
}

const verdictKey = "verdict"

// whoAsks verifies the token, once a request: the limiter asks before the route.
func (s *Server) whoAsks(c *fiber.Ctx, token string) (study.Actor, error) {
	v, ok := c.Locals(verdictKey).(verdict)
	if !ok {
		v.actor, v.err = s.auth.Verify(c.UserContext(), token)
		c.Locals(verdictKey, v)
	}
	return v.actor, v.err
}

// ifMatch reads an ETag as we write it: the quoted sequence of the record.
func ifMatch(header string) (uint64, error) {
	if header == "" || header == "*" {
		return 0, nil
	}
	seq, err := strconv.ParseUint(strings.Trim(strings.TrimPrefix(header, "W/"), `"`), 10, 63)
	if err != nil || seq == 0 {
		return 0, study.Fail(study.Invalid, "If-Match does not hold an ETag of this server.",
			study.Field{Name: "If-Match", Reason: "send back the ETag that the record was read with"})
	}
	return seq, nil
}

func etag(seq uint64) string { return `"` + strconv.FormatUint(seq, 10) + `"` }

// recordIdempotency keeps, for each Idempotency-Key, the digest of the body
// that it was first sent with.
const recordIdempotency study.RecordKind = "idempotency"

// RecordKinds are the kinds of records of this package, for whoever moves a store.
var RecordKinds = []study.RecordKind{recordIdempotency}

// keyLives is how long a repeated key is recognised as such.
const keyLives = 30 * 24 * time.Hour

// idempotent turns an Idempotency-Key into the id of the event that the
// request makes, so that a repeated request finds its event instead of making
// a second one. The same key with another body is refused.
func (s *Server) idempotent(c *fiber.Ctx, by study.Actor) (study.EventID, error) {
	key := c.Get("Idempotency-Key")
	if key == "" || c.Method() != http.MethodPost {
		return "", nil
	}
	if len(key) > 255 {
		return "", study.Fail(study.Invalid, "The Idempotency-Key is too long.", study.Field{Name: "Idempotency-Key", Reason: "at most 255 characters"})
	}
	ref := by.Ref()
	sum := sha256.Sum256([]byte(strings.Join([]string{string(ref.Role), ref.ID, c.Method(), c.Path(), key}, "\x00")))
	id := uuidOf(sum)
	body := sha256.Sum256(c.BodyRaw())
	now := s.now()
	record := study.Record{Kind: recordIdempotency, Key: id, Owner: ref.ID, At: now, ExpiresAt: now.Add(keyLives), Data: []byte(`"` + hex.EncodeToString(body[:]) + `"`)}
	err := s.store.InsertRecord(c.UserContext(), record)
	if !errors.Is(err, study.ErrExists) {
		return study.EventID(id), err
	}
	known, err := s.store.Record(c.UserContext(), recordIdempotency, id)
	if err != nil {
		return "", err
	}
	if string(known.Data) != string(record.Data) {
		return "", study.Fail(study.Conflict, "This Idempotency-Key was used with another body. Use a new key for a new request.")
	}
	return study.EventID(id), nil
}

// uuidOf writes a hash as a UUID of version 8 (RFC 9562: content of our own).
func uuidOf(sum [32]byte) string {
	b := sum[:16]
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
