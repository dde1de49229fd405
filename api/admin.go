package api

import (
	"context"

	"epro/study"
)

// Site is a site.
type Site struct {
	Code     study.SiteCode `json:"code"`
	Name     string         `json:"name"`
	TimeZone string         `json:"time_zone"`
	Language string         `json:"language"`
	Phone    string         `json:"phone" doc:"That participants call for help; may be empty."`
	Locked   bool           `json:"locked"`
	Closed   bool           `json:"closed" doc:"It takes nobody in; whoever is there goes on."`
	Seq      uint64         `json:"seq"`
}

func siteOf(x *study.Site) Site {
	return Site{x.Code, x.Name, x.TimeZone, x.Language, x.Phone, x.Locked, x.Closed, x.Seq}
}

type siteOutput struct {
	ETag string `header:"ETag"`
	Body Site
}

func (s *Server) sites(ctx context.Context, in *Paged) (*listOutput[Site], error) {
	sites, err := s.study.Sites(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	items := make([]Site, len(sites))
	for i, x := range sites {
		items[i] = siteOf(x)
	}
	return pageOf(*in, items, func(x Site) study.SiteCode { return x.Code })
}

type createSiteInput struct {
	Body struct {
		Code     study.SiteCode `json:"code" example:"S01"`
		Name     string         `json:"name"`
		TimeZone string         `json:"time_zone" example:"Asia/Shanghai"`
		Language string         `json:"language" example:"zh"`
	}
}

func (s *Server) createSite(ctx context.Context, in *createSiteInput) (*siteOutput, error) {
	site, err := s.study.CreateSite(ctx, requestOf(ctx), study.CreateSite(in.Body))
	if err != nil {
		return nil, err
	}
	return &siteOutput{ETag: etag(site.Seq), Body: siteOf(site)}, nil
}

type siteContactInput struct {
	Code study.SiteCode `path:"code"`
	Body struct {
		Phone string `json:"phone" maxLength:"40" example:"+86 21 5555 0100" doc:"Empty: participants look at their letter."`
	}
}

func (s *Server) setSiteContact(ctx context.Context, in *siteContactInput) (*siteOutput, error) {
	site, err := s.study.SetSiteContact(ctx, requestOf(ctx), in.Code, in.Body.Phone)
	if err != nil {
		return nil, err
	}
	return &siteOutput{ETag: etag(site.Seq), Body: siteOf(site)}, nil
}

type changeSiteInput struct {
	Code study.SiteCode `path:"code"`
	Body struct {
		Name     string `json:"name,omitempty"`
		TimeZone string `json:"time_zone,omitempty" example:"Asia/Shanghai"`
		Language string `json:"language,omitempty" example:"zh"`
		Reason   string `json:"reason"`
	}
}

func (s *Server) changeSite(ctx context.Context, in *changeSiteInput) (*siteOutput, error) {
	r := requestOf(ctx)
	r.Reason = in.Body.Reason
	site, err := s.study.ChangeSite(ctx, r, in.Code, study.SiteChanged{Name: in.Body.Name, TimeZone: in.Body.TimeZone, Language: in.Body.Language})
	if err != nil {
		return nil, err
	}
	return &siteOutput{ETag: etag(site.Seq), Body: siteOf(site)}, nil
}

type closeSiteInput struct {
	Code study.SiteCode `path:"code"`
	Body struct {
		Closed bool   `json:"closed"`
		Reason string `json:"reason"`
	}
}

func (s *Server) closeSite(ctx context.Context, in *closeSiteInput) (*siteOutput, error) {
	r := requestOf(ctx)
	r.Reason = in.Body.Reason
	site, err := s.study.CloseSite(ctx, r, in.Code, in.Body.Closed)
	if err != nil {
		return nil, err
	}
	return &siteOutput{ETag: etag(site.Seq), Body: siteOf(site)}, nil
}

type lockSiteInput struct {
	Code study.SiteCode `path:"code"`
	Body struct {
		Locked bool   `json:"locked"`
		Reason string `json:"reason"`
		signable
	}
}

func (s *Server) lockSite(ctx context.Context, in *lockSiteInput) (*siteOutput, error) {
	ctx, err := s.sign(ctx, in.Body.Signature, study.LockMeaning(in.Body.Locked))
	if err != nil {
		return nil, err
	}
	site, err := s.study.LockSite(ctx, requestOf(ctx), in.Code, in.Body.Locked, in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &siteOutput{ETag: etag(site.Seq), Body: siteOf(site)}, nil
}

// Staff is a staff account.
type Staff struct {
	ID          study.StaffID    `json:"id"`
	Username    string           `json:"username"`
	Role        study.Role       `json:"role"`
	Sites       []study.SiteCode `json:"sites"`
	AccessFrom  *study.Date      `json:"access_from" format:"date"`
	AccessUntil *study.Date      `json:"access_until" format:"date"`
	Disabled    bool             `json:"disabled"`
	CreatedAt   study.Instant    `json:"created_at" format:"date-time"`
	Seq         uint64           `json:"seq"`
}

func staffOf(a *study.Staff) Staff {
	return Staff{ID: a.ID, Username: a.Username, Role: a.Role, Sites: a.Sites, AccessFrom: dated(a.AccessFrom),
		AccessUntil: dated(a.AccessUntil), Disabled: a.Disabled, CreatedAt: a.CreatedAt, Seq: a.Seq}
}

// dated is the date, or null where there is none.
func dated(d study.Date) *study.Date {
	if d == 0 {
		return nil
	}
	return &d
}

type staffOutput struct{ Body Staff }

func (s *Server) staff(ctx context.Context, in *Paged) (*listOutput[Staff], error) {
	accounts, err := s.study.AllStaff(ctx, actorOf(ctx))
	if err != nil {
		return nil, err
	}
	items := make([]Staff, len(accounts))
	for i, a := range accounts {
		items[i] = staffOf(a)
	}
	return pageOf(*in, items, func(a Staff) study.StaffID { return a.ID })
}

type createStaffInput struct {
	Body struct {
		Username    string           `json:"username"`
		Role        study.Role       `json:"role" enum:"coordinator,investigator,monitor,analyst,admin"`
		Sites       []study.SiteCode `json:"sites,omitempty"`
		AccessFrom  study.Date       `json:"access_from,omitempty" format:"date"`
		AccessUntil study.Date       `json:"access_until,omitempty" format:"date"`
		Password    string           `json:"password,omitempty" maxLength:"256" doc:"Left out: one is made and answered, once."`
	}
}

type newStaffOutput struct {
	Body struct {
		Staff
		Password string `json:"password,omitempty" doc:"Shown this once."`
	}
}

func (s *Server) createStaff(ctx context.Context, in *createStaffInput) (*newStaffOutput, error) {
	b := in.Body
	account, password, err := s.auth.CreateStaff(ctx, requestOf(ctx), study.CreateStaff{Username: b.Username,
		Rights: study.Rights{Role: b.Role, Sites: b.Sites, AccessFrom: b.AccessFrom, AccessUntil: b.AccessUntil}}, b.Password)
	if err != nil {
		return nil, err
	}
	out := &newStaffOutput{}
	out.Body.Staff = staffOf(account)
	if b.Password == "" {
		out.Body.Password = password
	}
	return out, nil
}

// StaffPath names an account in the path.
type StaffPath struct {
	ID study.StaffID `path:"id"`
}

type changeStaffInput struct {
	StaffPath
	Body struct {
		Role        *study.Role       `json:"role,omitempty" enum:"coordinator,investigator,monitor,analyst,admin"`
		Sites       *[]study.SiteCode `json:"sites,omitempty"`
		AccessFrom  *study.Date       `json:"access_from,omitempty" format:"date"`
		AccessUntil *study.Date       `json:"access_until,omitempty" format:"date"`
		Disabled    *bool             `json:"disabled,omitempty"`
		Reason      string            `json:"reason,omitempty"`
	}
}

// changeStaff states the given rights anew and keeps the others.
func (s *Server) changeStaff(ctx context.Context, in *changeStaffInput) (*staffOutput, error) {
	account, err := s.study.Staff(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	c := study.StaffChanged{Rights: account.Rights, Disabled: account.Disabled}
	b := in.Body
	replace(&c.Role, b.Role)
	replace(&c.Sites, b.Sites)
	replace(&c.AccessFrom, b.AccessFrom)
	replace(&c.AccessUntil, b.AccessUntil)
	replace(&c.Disabled, b.Disabled)
	r := requestOf(ctx)
	r.Reason = b.Reason
	if r.IfMatch == 0 {
		r.IfMatch = account.Seq // what is kept was read just now
	}
	changed, err := s.study.ChangeStaff(ctx, r, in.ID, c)
	if err != nil {
		return nil, err
	}
	if changed.Disabled {
		if err := s.auth.EndSessions(ctx, in.ID.Stream()); err != nil {
			return nil, err
		}
	}
	return &staffOutput{staffOf(changed)}, nil
}

func replace[T any](old *T, with *T) {
	if with != nil {
		*old = *with
	}
}

type resetPasswordInput struct {
	StaffPath
	Body *struct {
		Password string `json:"password,omitempty" maxLength:"256" doc:"Left out: one is made and answered, once."`
	}
}

type resetPasswordOutput struct {
	Body struct {
		Password string `json:"password,omitempty" doc:"Shown this once."`
	}
}

func (s *Server) resetPassword(ctx context.Context, in *resetPasswordInput) (*resetPasswordOutput, error) {
	chosen := ""
	if in.Body != nil {
		chosen = in.Body.Password
	}
	made, err := s.auth.ResetPassword(ctx, requestOf(ctx), in.ID, chosen)
	if err != nil {
		return nil, err
	}
	out := &resetPasswordOutput{}
	if chosen == "" {
		out.Body.Password = made
	}
	return out, nil
}

type auditInput struct {
	Since  string `query:"since" format:"date-time" doc:"Only what was recorded at or after this instant."`
	Cursor string `query:"cursor" maxLength:"400"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

// AuditEvent is an event of any stream.
type AuditEvent struct {
	Stream study.StreamID `json:"stream"`
	Event
}

func (s *Server) audit(ctx context.Context, in *auditInput) (*listOutput[AuditEvent], error) {
	var since study.Instant // huma would read a parameter of this type as a number
	if err := since.UnmarshalText([]byte(in.Since)); err != nil {
		return nil, study.Fail(study.Invalid, "Some fields need another value.", study.Field{Name: "since", Reason: plain(err)})
	}
	after := study.Place{At: since.Time()}
	if err := readCursor(in.Cursor, &after); err != nil {
		return nil, err
	}
	entries, next, err := s.study.Audit(ctx, actorOf(ctx), after, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listOutput[AuditEvent]{}
	for _, e := range entries {
		out.Body.Items = append(out.Body.Items, AuditEvent{Stream: e.Stream, Event: eventsOf([]study.ReadEvent{e})[0]})
	}
	if next != nil {
		out.Body.Next, err = writeCursor(next)
	}
	return out, err
}

// Study is the protocol in force.
type Study struct {
	Study       string         `json:"study"`
	Title       string         `json:"title"`
	Version     string         `json:"version"`
	Hash        string         `json:"hash" doc:"SHA-256 of the protocol's text."`
	EffectiveOn *study.Date    `json:"effective_on" format:"date" doc:"Null: from the beginning."`
	TimeZone    string         `json:"time_zone"`
	Instrument  string         `json:"instrument"`
	InstrumentV string         `json:"instrument_version"`
	Languages   []string       `json:"languages"`
	Regimens    []string       `json:"regimens"`
	Visits      []StudyVisit   `json:"visits"`
	Simulated   bool           `json:"simulated" doc:"Holds a simulated study, no real participant."`
	Now         study.Instant  `json:"now" format:"date-time"`
	Versions    []StudyVersion `json:"versions"`
}

// StudyVisit is a planned visit.
type StudyVisit struct {
	Code       string            `json:"code"`
	Names      map[string]string `json:"names"`
	Cycle      int               `json:"cycle"`
	OffsetDays int               `json:"offset_days"`
	OpensDays  int               `json:"opens_days"`
	ClosesDays int               `json:"closes_days"`
}

// StudyVersion is a protocol version that was put in force.
type StudyVersion struct {
	Version     string      `json:"version"`
	Hash        string      `json:"hash"`
	EffectiveOn *study.Date `json:"effective_on" format:"date" doc:"Null: from the beginning."`
}

type studyOutput struct{ Body Study }

func (s *Server) studyInForce(ctx context.Context, _ *struct{}) (*studyOutput, error) {
	h, err := s.study.History(ctx)
	if err != nil {
		return nil, err
	}
	st, err := s.study.Study(ctx)
	if err != nil {
		return nil, err
	}
	p := h.Current()
	out := Study{Study: p.Study, Title: p.Title, Version: p.Version, Hash: p.Hash.String(), TimeZone: p.TimeZone,
		Instrument: p.Instrument.ID, InstrumentV: p.Instrument.Version, Languages: p.Languages, Regimens: p.Regimens,
		Simulated: st.Simulated, Now: study.InstantOf(s.now())}
	out.EffectiveOn = dated(p.EffectiveOn)
	for _, v := range p.Visits {
		out.Visits = append(out.Visits, StudyVisit{v.Code, v.Names, v.Cycle, v.OffsetDays, v.OpensDays, v.ClosesDays})
	}
	for _, v := range h.Versions() {
		out.Versions = append(out.Versions, StudyVersion{v.Version, v.Hash.String(), dated(v.EffectiveOn)})
	}
	return &studyOutput{out}, nil
}
