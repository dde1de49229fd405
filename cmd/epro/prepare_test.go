package main

import (
	"context"
	"testing"
	"time"

	"epro/auth"
	"epro/study"
)

// preparePhone enrols one participant, issues a code and binds a phone with it.
func preparePhone(t testing.TB, svc *study.Service, accounts *auth.Auth, number, address string) phone {
	t.Helper()
	ctx := context.Background()
	system := study.Request{By: study.System("test")}
	today := study.DateOf(time.Now().UTC())
	p, err := svc.Enrol(ctx, system, study.Enrol{Number: number, Site: "S01", Regimen: "capecitabine", Language: "en", TimeZone: "Etc/UTC",
		Cycle1On: today + 2, Consent: study.Consent{On: today - 1, FormVersion: "1", Language: "en"}})
	if err != nil {
		t.Error(err)
		return phone{}
	}
	code, err := accounts.IssueCode(ctx, system, p.ID, false)
	if err != nil {
		t.Error(err)
		return phone{}
	}
	session, err := accounts.Enrol(ctx, auth.Enrolment{Code: code.Code, Address: address})
	if err != nil {
		t.Error(err)
		return phone{}
	}
	return phone{p.ID, session.AccessToken}
}
