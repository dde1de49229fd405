package api

import (
	"context"

	"epro/auth"
)

type authenticatorInput struct {
	Body struct {
		Username string `json:"username" maxLength:"64"`
		Password string `json:"password" maxLength:"256"`
	}
}

type authenticatorOutput struct {
	Body struct {
		Secret string `json:"secret" doc:"To be typed into the app. In force once a code of it was given at the sign-in."`
		URL    string `json:"url" doc:"The same as otpauth:// for a QR code."`
	}
}

// setUpAuthenticator is for staff whose account asks for a second factor and
// has none yet.
func (s *Server) setUpAuthenticator(ctx context.Context, in *authenticatorInput) (*authenticatorOutput, error) {
	made, err := s.auth.SetUpAuthenticator(ctx, auth.Credentials{Username: in.Body.Username, Password: in.Body.Password, Address: metaOf(ctx).address})
	if err != nil {
		return nil, err
	}
	out := &authenticatorOutput{}
	out.Body.Secret, out.Body.URL = made.Secret, made.URL
	return out, nil
}
