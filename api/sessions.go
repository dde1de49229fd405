package api

import (
	"context"

	"epro/auth"
	"epro/study"
)

// session is the answer to every route that starts or goes on with a session.
type session struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type" doc:"Always Bearer."`
	ExpiresIn    int    `json:"expires_in" doc:"Seconds until the access token ends."`
	RefreshToken string `json:"refresh_token"`

	ParticipantID study.ParticipantID `json:"participant_id,omitzero" required:"false"`
	StaffID       study.StaffID       `json:"staff_id,omitzero" required:"false"`
	Role          study.Role          `json:"role,omitzero" required:"false"`
	Sites         []study.SiteCode    `json:"sites,omitzero" required:"false"`
}

func sessionOf(s auth.Session) *sessionOutput {
	out := &sessionOutput{Body: session{AccessToken: s.AccessToken, TokenType: s.TokenType, ExpiresIn: s.ExpiresIn,
		RefreshToken: s.RefreshToken, ParticipantID: s.Participant}}
	if s.Staff != nil {
		out.Body.StaffID, out.Body.Role, out.Body.Sites = s.Staff.ID, s.Staff.Role, s.Staff.Sites
	}
	return out
}

type sessionOutput struct{ Body session }

type enrolPhoneInput struct {
	Body struct {
		Code       string `json:"code" maxLength:"64" doc:"As on the letter; case, spaces and hyphens do not matter."`
		DeviceName string `json:"device_name,omitempty" maxLength:"100" doc:"Not kept: phones are often called after their owners."`
		AttemptID  string `json:"attempt_id,omitempty" maxLength:"36" doc:"A UUID that the phone keeps: a repeat within 24 hours gets a session again."`
	}
}

func (s *Server) enrolPhone(ctx context.Context, in *enrolPhoneInput) (*sessionOutput, error) {
	got, err := s.auth.Enrol(ctx, auth.Enrolment{Code: in.Body.Code, AttemptID: in.Body.AttemptID, Address: metaOf(ctx).address})
	if err != nil {
		return nil, err
	}
	return sessionOf(got), nil
}

type loginInput struct {
	Body struct {
		Username string `json:"username" maxLength:"64"`
		Password string `json:"password" maxLength:"256"`
		TOTP     string `json:"totp,omitempty" maxLength:"20" doc:"Six digits of the authenticator app, or a recovery code."`
	}
}

func (s *Server) login(ctx context.Context, in *loginInput) (*sessionOutput, error) {
	got, err := s.auth.Login(ctx, auth.Credentials{Username: in.Body.Username, Password: in.Body.Password,
		TOTP: in.Body.TOTP, Address: metaOf(ctx).address})
	if err != nil {
		return nil, err
	}
	return sessionOf(got), nil
}

type refreshInput struct {
	Body struct {
		RefreshToken string `json:"refresh_token" maxLength:"512"`
	}
}

func (s *Server) refresh(ctx context.Context, in *refreshInput) (*sessionOutput, error) {
	got, err := s.auth.Refresh(ctx, in.Body.RefreshToken, metaOf(ctx).address)
	if err != nil {
		return nil, err
	}
	return sessionOf(got), nil
}

type logoutInput struct {
	Body *struct {
		RefreshToken string `json:"refresh_token,omitempty" maxLength:"512"`
	}
}

type empty struct{}

// logout ends the session of the refresh token in the body, of the access
// token in the header, or of both. A session that has ended is no error.
func (s *Server) logout(ctx context.Context, in *logoutInput) (*empty, error) {
	if in.Body != nil && in.Body.RefreshToken != "" {
		if err := s.auth.Logout(ctx, in.Body.RefreshToken); err != nil {
			return nil, err
		}
	}
	if token := metaOf(ctx).token; token != "" {
		if err := s.auth.LogoutSession(ctx, token); err != nil && study.CodeOf(err) != study.Unauthenticated {
			return nil, err
		}
	}
	return nil, nil
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
