package study

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Staff is the State of a staff account's stream: who it is and what it may
// do. Passwords and sessions are kept elsewhere.
type Staff struct {
	Tip
	ID       StaffID `json:"id"`
	Username string  `json:"username"`
	Rights
	Disabled  bool    `json:"disabled,omitzero"`
	CreatedAt Instant `json:"created_at"`
}

// Actor is the account as an actor.
func (a *Staff) Actor() Actor { return Actor{Role: a.Role, Staff: a.ID, Sites: a.Sites} }

// Live reports whether the account may be used at now: not disabled, and
// within the days of its grant.
func (a *Staff) Live(now time.Time) bool {
	today := DateOf(now.UTC())
	return !a.Disabled && (a.AccessFrom == 0 || today >= a.AccessFrom) && (a.AccessUntil == 0 || today <= a.AccessUntil)
}

// foldStaff adds entries to an account's State.
func foldStaff(a *Staff, entries ...Entry) (*Staff, error) {
	next := &Staff{}
	if a != nil {
		*next = *a
	}
	for _, n := range entries {
		e, payload, err := next.follow(n)
		if err != nil {
			return nil, err
		}
		switch v := payload.(type) {
		case StaffCreated:
			next.ID, next.Username, next.Rights, next.CreatedAt = StaffID(e.Stream.Key()), v.Username, v.Rights, e.At
		case StaffChanged:
			next.Rights, next.Disabled = v.Rights, v.Disabled
		case PasswordReset, StaffInvited, SessionsEnded:
		default:
			return nil, n.fault(fmt.Sprintf("event %s does not belong in an account's record", n.Type))
		}
	}
	if next.Seq == 0 {
		return nil, nil
	}
	return next, nil
}

// CreateStaff opens an account.
type CreateStaff struct {
	Username string
	Rights
}

var username = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{1,63}$`)

func (s *Service) checkRights(ctx context.Context, rights Rights) (faults, error) {
	var f faults
	f.add(!slices.Contains(StaffRoles, rights.Role), "role", oneOf(StaffRoles))
	needsSite := slices.Contains([]Role{RoleCoordinator, RoleInvestigator, RoleMonitor}, rights.Role)
	f.add(needsSite && len(rights.Sites) == 0, "sites", "name at least one site")
	f.add(!needsSite && len(rights.Sites) > 0, "sites", "this role is not bound to sites; leave them out")
	f.add(rights.AccessUntil != 0 && rights.AccessUntil < rights.AccessFrom, "access_until", "it lies before access_from")
	for _, code := range rights.Sites {
		site, err := s.loadSite(ctx, code, false)
		if err != nil {
			return nil, err
		}
		f.add(site == nil, "sites", "one of the sites does not exist; create it first")
	}
	return f, nil
}

// CreateStaff opens an account under a user name that nobody else has. The
// password is given to package auth.
func (s *Service) CreateStaff(ctx context.Context, r Request, c CreateStaff) (*Staff, error) {
	if err := permit(r.By, ManageStaff); err != nil {
		return nil, err
	}
	f, err := s.checkRights(ctx, c.Rights)
	if err != nil {
		return nil, err
	}
	f.add(!username.MatchString(c.Username), "username", "2 to 64 letters, digits or . _ @ -, beginning with a letter or digit")
	if err := f.err(); err != nil {
		return nil, err
	}
	done, err := s.repeated(ctx, r)
	if err != nil {
		return nil, err
	}
	if done != "" {
		if done.Kind() != "staff" {
			return nil, errUsed()
		}
		return s.loadStaff(ctx, StaffID(done.Key()))
	}
	id := StaffID(s.newID())
	owner, err := s.claim(ctx, r, ClaimUsername, id.Stream(), c.Username)
	if err != nil {
		return nil, err
	}
	return s.changeStaff(ctx, r, StaffID(owner.Key()), func(a *Staff) (Payload, error) {
		if a != nil {
			return nil, Fail(Conflict, "This user name is taken.")
		}
		return StaffCreated(c), nil
	})
}

// ChangeStaff states an account's rights anew, whole; it takes effect with the
// account's next request.
func (s *Service) ChangeStaff(ctx context.Context, r Request, id StaffID, c StaffChanged) (*Staff, error) {
	if err := permit(r.By, ManageStaff); err != nil {
		return nil, err
	}
	f, err := s.checkRights(ctx, c.Rights)
	if err != nil {
		return nil, err
	}
	f.add(c.Disabled && r.By.Staff == id, "disabled", "you cannot disable your own account; ask another administrator")
	f.add(c.Role != RoleAdmin && r.By.Staff == id, "role", "you cannot take the administrator's role from yourself; ask another administrator")
	if err := f.err(); err != nil {
		return nil, err
	}
	return s.changeStaff(ctx, r, id, func(a *Staff) (Payload, error) {
		switch {
		case a == nil:
			return nil, notFound("account")
		case sameRights(a.Rights, c.Rights) && a.Disabled == c.Disabled:
			return nil, nil
		}
		return c, nil
	})
}

func sameRights(a, b Rights) bool {
	return a.Role == b.Role && slices.Equal(a.Sites, b.Sites) && a.AccessFrom == b.AccessFrom && a.AccessUntil == b.AccessUntil
}

// RecordPasswordReset notes that an account got a new password.
func (s *Service) RecordPasswordReset(ctx context.Context, r Request, id StaffID) error {
	if err := permit(r.By, ManageStaff); err != nil && r.By.Staff != id {
		return err
	}
	_, err := s.changeStaff(ctx, r, id, func(a *Staff) (Payload, error) {
		if a == nil {
			return nil, notFound("account")
		}
		return PasswordReset{}, nil
	})
	return err
}

// RecordInvitation notes that an account's password and second factor were
// taken away, and a letter made that works until the instant.
func (s *Service) RecordInvitation(ctx context.Context, r Request, id StaffID, until Instant) error {
	return s.noteStaff(ctx, r, id, StaffInvited{ExpiresAt: until})
}

// RecordSessionsEnded notes that an administrator ended sessions of an account.
func (s *Service) RecordSessionsEnded(ctx context.Context, r Request, id StaffID, sessions int) error {
	return s.noteStaff(ctx, r, id, SessionsEnded{Sessions: sessions})
}

// noteStaff appends what an administrator did to an account, with the reason.
func (s *Service) noteStaff(ctx context.Context, r Request, id StaffID, what Payload) error {
	if err := permit(r.By, ManageStaff); err != nil {
		return err
	}
	var f faults
	f.addReason(r.Reason)
	if err := f.err(); err != nil {
		return err
	}
	_, err := s.changeStaff(ctx, r, id, func(a *Staff) (Payload, error) {
		if a == nil {
			return nil, notFound("account")
		}
		return what, nil
	})
	return err
}

func (s *Service) changeStaff(ctx context.Context, r Request, id StaffID, decide func(*Staff) (Payload, error)) (*Staff, error) {
	return change(ctx, s, r, stream[*Staff]{
		id: id.Stream(), load: func(ctx context.Context) (*Staff, error) { return s.loadStaff(ctx, id) },
		tip:  func(a *Staff) Tip { return tipOf(a, func(x *Staff) Tip { return x.Tip }) },
		step: byFold(foldStaff),
		snapshot: func(a *Staff) (*Snapshot, error) {
			return snapshotOf(id.Stream(), a.Tip, foldVersion, "", a.Username, a)
		},
		keep: func(*Staff) {},
	}, decide)
}

// Staff is the account with this id; package auth asks for it on behalf of
// nobody in particular.
func (s *Service) Staff(ctx context.Context, id StaffID) (*Staff, error) {
	a, err := s.loadStaff(ctx, id)
	if err == nil && a == nil {
		return nil, notFound("account")
	}
	return a, err
}

// StaffByUsername is the account that claimed the name, in any case of letters.
func (s *Service) StaffByUsername(ctx context.Context, name string) (*Staff, error) {
	owner, err := s.owner(ctx, claimStream(ClaimUsername, name))
	if err != nil {
		return nil, err
	}
	return s.Staff(ctx, StaffID(owner.Key()))
}

// AllStaff are all accounts, by user name.
func (s *Service) AllStaff(ctx context.Context, by Actor) ([]*Staff, error) {
	if err := permit(by, ManageStaff); err != nil {
		return nil, err
	}
	var out []*Staff
	err := s.eachSnapshot(ctx, SnapshotQuery{Kind: "staff"}, func(snap Snapshot) error {
		a, err := s.loadStaff(ctx, StaffID(snap.Stream.Key()))
		out = append(out, a)
		return err
	})
	return out, err
}

func (s *Service) loadStaff(ctx context.Context, id StaffID) (*Staff, error) {
	entries, err := s.store.Stream(ctx, id.Stream(), 0)
	if err != nil {
		return nil, err
	}
	return foldStaff(nil, entries...)
}
