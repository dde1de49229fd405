package study

import (
	"maps"
	"slices"
)

// What the tests outside the package need to see of its inside.

// Permissions is the table of who may do what.
func Permissions() map[Action][]Role { return maps.Clone(permissions) }

// ActionOf is the action that a command asks for.
func ActionOf(c Command) Action { return c.action() }

// The folds of the streams that are not a participant's.
var (
	FoldStudy = foldStudy
	FoldSite  = foldSite
	FoldStaff = foldStaff
)

// DecideEnrol is the decision behind Service.Enrol.
func DecideEnrol(c Enrol, s *Situation) (Payload, error) { return c.decide(s) }

// SnapshotOf is the snapshot of a participant's State.
func SnapshotOf(p *Participant, h *History) (*Snapshot, error) { return p.snapshot(h) }

// ClaimStream is the stream of a claim.
var ClaimStream = claimStream

// Stamp is what snapshots under this history carry.
func (h *History) Stamp() string { return h.stamp() }

// Roles are all roles there are.
var Roles = append(slices.Clone(StaffRoles), RoleParticipant, RoleSystem)

// FoldVersion is the version of what Fold computes.
const FoldVersion = foldVersion

// LastMember is the end of a backup with this sum.
var LastMember = lastMember
