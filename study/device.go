package study

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// Devices and whom each push target belongs to are records beside the log:
// personal data that a participant may take back at any time.
const (
	recordDevice RecordKind = "device"      // by participant and device
	recordTarget RecordKind = "push_target" // by the target's hash: the one device that it reaches
)

const (
	maxDevices = 5 // of one participant; the oldest gives way
	// A phone registers whenever its app opens. One that has not for 60 days is
	// most likely in a drawer; after 270 days it is forgotten.
	deviceStale  = 60 * 24 * time.Hour
	deviceForget = 270 * 24 * time.Hour
)

// DeviceID names a phone within a participant's record; the phone makes it.
type DeviceID string

// Platforms are what a device can be.
var Platforms = []string{"android", "ios", "web"}

// PushTarget is where a device can be reached. It is personal data: it prints
// as its kind only.
type PushTarget struct {
	Kind  string `json:"kind"`
	Value string `json:"value"`
}

// The kinds of push targets: a registration token of Firebase Cloud Messaging,
// a Firebase installation id, a browser's push subscription as JSON.
const (
	TargetFCMToken        = "fcm_token"
	TargetFCMInstallation = "fcm_installation"
	TargetWebPush         = "web_push"
)

// TargetKinds are the kinds of push targets.
var TargetKinds = []string{TargetFCMToken, TargetFCMInstallation, TargetWebPush}

// String keeps the value out of logs.
func (t PushTarget) String() string { return t.Kind }

// LogValue is String.
func (t PushTarget) LogValue() slog.Value { return slog.StringValue(t.Kind) }

// key names the target without telling it.
func (t PushTarget) key() string {
	sum := sha256.Sum256([]byte(t.Kind + "\x00" + t.Value))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Device is a phone or browser of a participant.
type Device struct {
	ID       DeviceID   `json:"id"`
	Platform string     `json:"platform"`
	Target   PushTarget `json:"target"`
	AddedAt  Instant    `json:"added_at"` // first registration
	SeenAt   Instant    `json:"seen_at"`  // latest registration
	Session  string     `json:"session,omitzero"`
	// Disabled says why no message goes there until it registers again.
	Disabled string `json:"disabled,omitzero"`
}

// LogValue is the device without its target.
func (d Device) LogValue() slog.Value { return slog.StringValue(string(d.ID)) }

// Live reports whether messages go there.
func (d Device) Live(now time.Time) bool {
	return d.Disabled == "" && now.Sub(d.SeenAt.Time()) <= deviceStale
}

// Reaches reports whether any of the devices is live: without one a participant
// has no route.
func Reaches(devices []Device, now time.Time) bool {
	return slices.ContainsFunc(devices, func(d Device) bool { return d.Live(now) })
}

func deviceKey(p ParticipantID, d DeviceID) string { return string(p) + "/" + string(d) }

var deviceID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// Registration is a device that a phone says it can be reached at.
type Registration struct {
	ID       DeviceID
	Platform string
	Target   PushTarget
}

func (r Registration) check() error {
	var f faults
	f.add(!deviceID.MatchString(string(r.ID)), "device_id", "1 to 64 letters, digits, hyphens and underscores; a UUID will do")
	f.add(!slices.Contains(Platforms, r.Platform), "platform", oneOf(Platforms))
	f.add(!slices.Contains(TargetKinds, r.Target.Kind), "push_target.kind", oneOf(TargetKinds))
	f.add(r.Target.Value == "" || len(r.Target.Value) > 4096, "push_target.value", "give the token, id or subscription; at most 4,096 bytes")
	f.add(r.Target.Kind == TargetWebPush && !isSubscription(r.Target.Value), "push_target.value",
		"give the browser's push subscription as JSON, with an https endpoint and its two keys")
	return f.err()
}

func isSubscription(value string) bool {
	var s struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256DH string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	if json.Unmarshal([]byte(value), &s) != nil || s.Keys.P256DH == "" || s.Keys.Auth == "" {
		return false
	}
	u, err := url.Parse(s.Endpoint)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil
}

// RegisterDevice keeps where a participant's phone can be reached. The target
// leaves whatever device had it, because a phone has one owner at a time.
func (s *Service) RegisterDevice(ctx context.Context, by Actor, r Registration) error {
	if err := permit(by, RegisterOwn); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	p, err := s.Participant(ctx, by, by.Participant)
	if err != nil {
		return err
	}
	if p.Stop() != nil {
		return Fail(NotExpected, "You have left the study, so there is nothing to be reminded of. Nothing was stored.")
	}
	now := InstantOf(s.now())
	d := Device{ID: r.ID, Platform: r.Platform, Target: r.Target, AddedAt: now, SeenAt: now, Session: by.Session}
	if old, err := s.device(ctx, p.ID, r.ID); err == nil {
		d.AddedAt = old.AddedAt
	} else if !errors.Is(err, ErrNotFound) {
		return err
	}
	if err := s.leaveOthers(ctx, p.ID, d); err != nil {
		return err
	}
	if err := s.putDevice(ctx, p.ID, d); err != nil {
		return err
	}
	owner := Record{Kind: recordTarget, Key: d.Target.key(), Owner: string(p.ID.Stream()), At: now.Time(),
		ExpiresAt: now.Time().Add(deviceForget), Data: []byte(fmt.Sprintf(`{"device":%q}`, deviceKey(p.ID, d.ID)))}
	if err := s.store.PutRecord(ctx, owner); err != nil {
		return err
	}
	return s.dropOldest(ctx, p.ID)
}

// leaveOthers takes the target away from the device that had it before.
func (s *Service) leaveOthers(ctx context.Context, p ParticipantID, d Device) error {
	had, err := s.ownerOf(ctx, d.Target)
	if err != nil || had == "" || had == deviceKey(p, d.ID) {
		return err
	}
	return s.store.DeleteRecord(ctx, recordDevice, had)
}

// ownerOf is the key of the device that a target reaches, or empty.
func (s *Service) ownerOf(ctx context.Context, t PushTarget) (string, error) {
	r, err := s.store.Record(ctx, recordTarget, t.key())
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var owner struct {
		Device string `json:"device"`
	}
	return owner.Device, json.Unmarshal(r.Data, &owner)
}

func (s *Service) putDevice(ctx context.Context, p ParticipantID, d Device) error {
	raw, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return s.store.PutRecord(ctx, Record{Kind: recordDevice, Key: deviceKey(p, d.ID), Owner: string(p.Stream()),
		At: d.SeenAt.Time(), ExpiresAt: d.SeenAt.Time().Add(deviceForget), Data: raw})
}

func (s *Service) device(ctx context.Context, p ParticipantID, id DeviceID) (Device, error) {
	r, err := s.store.Record(ctx, recordDevice, deviceKey(p, id))
	if err != nil {
		return Device{}, err
	}
	return deviceOf(r)
}

func deviceOf(r Record) (d Device, err error) {
	if err := json.Unmarshal(r.Data, &d); err != nil {
		return d, fmt.Errorf("a device's record cannot be read: %w", err)
	}
	return d, nil
}

// dropOldest keeps the newest few of a participant's devices.
func (s *Service) dropOldest(ctx context.Context, p ParticipantID) error {
	devices, err := s.Devices(ctx, p)
	if err != nil {
		return err
	}
	for _, d := range devices[min(maxDevices, len(devices)):] {
		if err := s.DropDevice(ctx, p, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// Devices are the participant's devices, the one seen last first.
func (s *Service) Devices(ctx context.Context, p ParticipantID) ([]Device, error) {
	return devicesOf(ctx, s.store, p)
}

func devicesOf(ctx context.Context, store Store, p ParticipantID) ([]Device, error) {
	records, err := store.Records(ctx, recordDevice, string(p.Stream()), time.Time{})
	if err != nil {
		return nil, err
	}
	devices := make([]Device, 0, len(records))
	for _, r := range records {
		d, err := deviceOf(r)
		if err != nil {
			return nil, err
		}
		devices = append(devices, d)
	}
	slices.SortFunc(devices, func(a, b Device) int {
		return cmp.Or(cmp.Compare(b.SeenAt, a.SeenAt), cmp.Compare(a.ID, b.ID))
	})
	return devices, nil
}

// Reachable reports whether the device still is what it was, and still hers:
// asked just before a message leaves.
func (s *Service) Reachable(ctx context.Context, p ParticipantID, d Device) (bool, error) {
	now, err := s.device(ctx, p, d.ID)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	if err != nil || now.Target != d.Target || !now.Live(s.now()) {
		return false, err
	}
	owner, err := s.ownerOf(ctx, d.Target)
	return owner == deviceKey(p, d.ID), err
}

// DropDevice forgets a device; one that is not there is no error.
func (s *Service) DropDevice(ctx context.Context, p ParticipantID, id DeviceID) error {
	return s.store.DeleteRecord(ctx, recordDevice, deviceKey(p, id))
}

// DropTarget forgets a device, or disables it, because its target is no good
// any more, unless it has registered with another one since.
func (s *Service) DropTarget(ctx context.Context, p ParticipantID, d Device, disable string) error {
	now, err := s.device(ctx, p, d.ID)
	if errors.Is(err, ErrNotFound) || err == nil && (now.Target != d.Target || now.SeenAt != d.SeenAt) {
		return nil
	}
	if err != nil {
		return err
	}
	if disable == "" {
		return s.DropDevice(ctx, p, d.ID)
	}
	now.Disabled = disable
	return s.putDevice(ctx, p, now)
}

// RemoveOwnDevice forgets the device that its owner no longer wants reminders on.
func (s *Service) RemoveOwnDevice(ctx context.Context, by Actor, id DeviceID) error {
	if err := permit(by, RegisterOwn); err != nil {
		return err
	}
	return s.DropDevice(ctx, by.Participant, id)
}

// RemoveDevice forgets a participant's device for the staff, such as a lost phone.
func (s *Service) RemoveDevice(ctx context.Context, by Actor, p ParticipantID, id DeviceID) error {
	if err := permit(by, RemoveDevices); err != nil {
		return err
	}
	if _, err := s.Participant(ctx, by, p); err != nil {
		return err
	}
	if _, err := s.device(ctx, p, id); err != nil {
		if errors.Is(err, ErrNotFound) {
			return notFound("device")
		}
		return err
	}
	return s.DropDevice(ctx, p, id)
}

// ForgetDevices forgets the devices that a participant registered in a session,
// or in any when it is empty.
func ForgetDevices(ctx context.Context, store Store, p ParticipantID, session string) error {
	devices, err := devicesOf(ctx, store, p)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if session != "" && d.Session != session {
			continue
		}
		if err := store.DeleteRecord(ctx, recordDevice, deviceKey(p, d.ID)); err != nil {
			return err
		}
	}
	return nil
}

// OpaqueID names something to a phone's push service without saying what it is:
// an assessment's own id ends in its visit.
func OpaqueID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:18])
}
