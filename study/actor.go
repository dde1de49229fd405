package study

import "slices"

// Role is what an actor is to the study. A staff account has one.
type Role string

// The roles of the field. System is the program itself: the simulator, the
// reminder loop and the commands that the person at the server runs.
const (
	RoleParticipant  Role = "participant"
	RoleCoordinator  Role = "coordinator"
	RoleInvestigator Role = "investigator"
	RoleMonitor      Role = "monitor"
	RoleAnalyst      Role = "analyst"
	RoleAdmin        Role = "admin"
	RoleSystem       Role = "system"
)

// StaffRoles are the roles that a staff account can have.
var StaffRoles = []Role{RoleCoordinator, RoleInvestigator, RoleMonitor, RoleAnalyst, RoleAdmin}

// Actor is who asks: a participant's phone, a member of staff, or the system.
type Actor struct {
	Role        Role
	Participant ParticipantID // set for RoleParticipant only
	Staff       StaffID       // set for staff only
	Session     string        // the sign-in that the request came by; empty for staff and the program itself
	Sites       []SiteCode    // the sites a coordinator, investigator or monitor may see
}

// System is the program acting for itself, named so that the record says which
// part of it did.
func System(part string) Actor { return Actor{Role: RoleSystem, Staff: StaffID(part)} }

// Ref is how an event names its actor: role and id, no name of a person.
func (a Actor) Ref() ActorRef {
	if a.Role == RoleParticipant {
		return ActorRef{Role: a.Role, ID: string(a.Participant)}
	}
	return ActorRef{Role: a.Role, ID: string(a.Staff)}
}

// Sees reports whether this actor's rights reach the site.
func (a Actor) Sees(site SiteCode) bool {
	switch a.Role {
	case RoleAnalyst, RoleAdmin, RoleSystem:
		return true
	case RoleCoordinator, RoleInvestigator, RoleMonitor:
		return slices.Contains(a.Sites, site)
	default:
		return false
	}
}

// ActorRef is an actor as an event stores it.
type ActorRef struct {
	Role Role   `json:"role"`
	ID   string `json:"id"`
}
