package api

import (
	"context"

	"epro/auth"
	"epro/study"
)

// session is the answer to every route that starts or goes on with a session.
type session struct {
	AccessToken  string `json:"access_token,omitzero" required:"false" doc:"Left out where the session is in cookies."`
	TokenType    string `json:"token_type" doc:"Always Bearer."`
	ExpiresIn    int    `json:"expires_in" doc:"Seconds until the access token ends."`
	RefreshToken string `json:"refresh_token,omitzero" required:"false" doc:"Left out where the session is in cookies."`

	ParticipantID study.ParticipantID `json:"participant_id,omitzero" required:"false"`
	StaffID       study.StaffID       `json:"staff_id,omitzero" required:"false"`
	Role          study.Role          `json:"role,omitzero" required:"false"`
	Sites         []study.SiteCode    `json:"sites,omitzero" required:"false"`
}

// sessionOf is the session as the client wants to have it: in the body, or in
// cookies that no script can read.
func sessionOf(ctx context.Context, s auth.Session, t transport) *sessionOutput {
	out := &sessionOutput{Body: session{AccessToken: s.AccessToken, TokenType: s.TokenType, ExpiresIn: s.ExpiresIn,
		RefreshToken: s.RefreshToken, ParticipantID: s.Participant}}
	if s.Staff != nil {
		out.Body.StaffID, out.Body.Role, out.Body.Sites = s.Staff.ID, s.Staff.Role, s.Staff.Sites
	}
	if t == inCookies {
		out.SetCookie = sessionCookies(metaOf(ctx), holderOf(s), s)
		out.Body.AccessToken, out.Body.RefreshToken = "", ""
	}
	return out
}

type sessionOutput struct {
	SetCookie []string `header:"Set-Cookie"`
	Body      session
}

type enrolPhoneInput struct {
	Body struct {
		Code       string    `json:"code" maxLength:"64" doc:"As on the letter; case, spaces and hyphens do not matter."`
		DeviceName string    `json:"device_name,omitempty" maxLength:"100" doc:"Not kept: phones are often called after their owners."`
		AttemptID  string    `json:"attempt_id,omitempty" maxLength:"36" doc:"A UUID that the phone keeps: a repeat within 24 hours gets a session again."`
		Transport  transport `json:"transport,omitempty" enum:"body,cookie" doc:"cookie: a browser gets its session in cookies."`
	}
}

func (s *Server) enrolPhone(ctx context.Context, in *enrolPhoneInput) (*sessionOutput, error) {
	if err := in.Body.Transport.check(ctx); err != nil {
		return nil, err
	}
	got, err := s.auth.Enrol(ctx, auth.Enrolment{Code: in.Body.Code, AttemptID: in.Body.AttemptID, Address: metaOf(ctx).address})
	if err != nil {
		return nil, err
	}
	return sessionOf(ctx, got, in.Body.Transport), nil
}

type firebaseInput struct {
	Body struct {
		IDToken   string    `json:"id_token" maxLength:"4096" doc:"Of Firebase Authentication, fresh. What it claims gives no rights."`
		Code      string    `json:"code,omitempty" maxLength:"64" doc:"The enrolment code, at the first time only."`
		Transport transport `json:"transport,omitempty" enum:"body,cookie" doc:"cookie: a browser gets its session in cookies."`
	}
}

func (s *Server) signInByFirebase(ctx context.Context, in *firebaseInput) (*sessionOutput, error) {
	if err := in.Body.Transport.check(ctx); err != nil {
		return nil, err
	}
	got, err := s.auth.SignInByFirebase(ctx, auth.FirebaseSignIn{IDToken: in.Body.IDToken, Code: in.Body.Code, Address: metaOf(ctx).address})
	if err != nil {
		return nil, err
	}
	return sessionOf(ctx, got, in.Body.Transport), nil
}

type loginInput struct {
	Body struct {
		Username  string    `json:"username" maxLength:"64"`
		Password  string    `json:"password" maxLength:"256"`
		TOTP      string    `json:"totp,omitempty" maxLength:"20" doc:"Six digits of the authenticator app, or a recovery code."`
		Transport transport `json:"transport,omitempty" enum:"body,cookie" doc:"cookie: a browser gets its session in cookies."`
	}
}

func (s *Server) login(ctx context.Context, in *loginInput) (*sessionOutput, error) {
	if err := in.Body.Transport.check(ctx); err != nil {
		return nil, err
	}
	got, err := s.auth.Login(ctx, auth.Credentials{Username: in.Body.Username, Password: in.Body.Password,
		TOTP: in.Body.TOTP, Address: metaOf(ctx).address})
	if err != nil {
		return nil, err
	}
	return sessionOf(ctx, got, in.Body.Transport), nil
}

type refreshInput struct {
	Body struct {
		RefreshToken string    `json:"refresh_token,omitempty" maxLength:"512" doc:"Left out where it is in a cookie."`
		Transport    transport `json:"transport,omitempty" enum:"body,cookie"`
		Holder       holder    `json:"holder,omitempty" enum:"participant,staff" doc:"With cookies: whose session, for one browser may hold both."`
	}
}

func (s *Server) refresh(ctx context.Context, in *refreshInput) (*sessionOutput, error) {
	token, err := refreshToken(ctx, in.Body.Transport, in.Body.Holder, in.Body.RefreshToken)
	if err != nil {
		return nil, err
	}
	got, err := s.auth.Refresh(ctx, token, metaOf(ctx).address)
	if err != nil {
		return nil, err
	}
	return sessionOf(ctx, got, in.Body.Transport), nil
}

type logoutInput struct {
	Body *struct {
		RefreshToken string    `json:"refresh_token,omitempty" maxLength:"512"`
		Transport    transport `json:"transport,omitempty" enum:"body,cookie"`
		Holder       holder    `json:"holder,omitempty" enum:"participant,staff" doc:"With cookies: whose session, for one browser may hold both."`
	}
}

type empty struct{}

type logoutOutput struct {
	SetCookie []string `header:"Set-Cookie"`
}

// logout ends the session of the refresh token in the body or the cookie, of the
// access token in the header, or of both. A session that has ended is no error.
func (s *Server) logout(ctx context.Context, in *logoutInput) (*logoutOutput, error) {
	out, m := &logoutOutput{}, metaOf(ctx)
	if b := in.Body; b != nil {
		token, err := refreshToken(ctx, b.Transport, b.Holder, b.RefreshToken)
		if err != nil {
			return nil, err
		}
		if b.Transport == inCookies {
			out.SetCookie = droppedCookies(m, b.Holder)
		}
		if token != "" {
			if err := s.auth.Logout(ctx, token); err != nil {
				return nil, err
			}
		}
	}
	if m.token != "" {
		if err := s.auth.LogoutSession(ctx, m.token); err != nil && study.CodeOf(err) != study.Unauthenticated {
			return nil, err
		}
	}
	return out, nil
}

type setupInput struct {
	Body struct {
		Token    string `json:"token" maxLength:"512" doc:"From the link that the server printed at its first start."`
		Username string `json:"username" maxLength:"64"`
		Password string `json:"password" maxLength:"256" doc:"At least 15 characters."`
	}
}

func (s *Server) setup(ctx context.Context, in *setupInput) (*staffOutput, error) {
	account, err := s.auth.Setup(ctx, in.Body.Token, in.Body.Username, in.Body.Password, metaOf(ctx).address)
	if err != nil {
		return nil, err
	}
	return &staffOutput{Body: staffOf(account)}, nil
}
