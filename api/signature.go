package api

import (
	"context"

	"epro/study"
)

// Signature is an electronic signature: the signer's password, given again. It
// can be left out unless the protocol says `signatures: required`.
type Signature struct {
	Password string        `json:"password" maxLength:"256" doc:"Of the account that is signed in."`
	Meaning  study.Meaning `json:"meaning,omitempty" enum:"responsible_for_correction,responsible_for_voiding,approves_transcription,responsible_for_lock,responsible_for_unlock" doc:"What signing says; left out: what this route means."`
}

// signable is the part of a body that is signed.
type signable struct {
	Signature *Signature `json:"signature,omitempty"`
}

// sign checks a signature that was given and puts it into the request. What it
// means is what is done, unless the signer said otherwise: then it is refused.
func (s *Server) sign(ctx context.Context, given *Signature, means study.Meaning) (context.Context, error) {
	if given == nil {
		return ctx, nil
	}
	r := requestOf(ctx)
	if err := s.auth.Sign(ctx, r.By, given.Password, metaOf(ctx).address); err != nil {
		return nil, err
	}
	r.Signature = means
	if given.Meaning != "" {
		r.Signature = given.Meaning
	}
	return context.WithValue(ctx, requestKey, r), nil
}

// doSigned is doForm for what may be signed.
func (s *Server) doSigned(ctx context.Context, in FormPath, c study.Command, given *Signature, means study.Meaning) (*staffAssessmentOutput, error) {
	ctx, err := s.sign(ctx, given, means)
	if err != nil {
		return nil, err
	}
	return s.doForm(ctx, in, c)
}
