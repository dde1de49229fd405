package study_test

import (
	"testing"

	"epro/internal/testkit"
	"epro/study"
)

func TestASiteChangesItsDetailsWithAReasonAndKeepsTheRest(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	why := study.Request{By: f.Admin, Reason: "it moved"}
	for _, c := range []struct {
		r    study.Request
		c    study.SiteChanged
		code study.Code
	}{
		{study.Request{By: f.Coordinator, Reason: "x"}, study.SiteChanged{Name: "x"}, study.Forbidden},
		{study.Request{By: f.Admin}, study.SiteChanged{Name: "x"}, study.Invalid},
		{why, study.SiteChanged{TimeZone: "Mars"}, study.Invalid}, {why, study.SiteChanged{Language: "xx"}, study.Invalid}, {why, study.SiteChanged{Name: "a\nb"}, study.Invalid},
	} {
		if _, err := f.ChangeSite(t.Context(), c.r, testkit.Site, c.c); study.CodeOf(err) != c.code {
			t.Errorf("%+v: %v", c.c, details(err))
		}
	}
	before, err := f.Site(t.Context(), f.Admin, testkit.Site)
	if err != nil {
		t.Fatal(err)
	}
	after, err := f.ChangeSite(t.Context(), why, testkit.Site, study.SiteChanged{TimeZone: "Asia/Urumqi", Language: before.Language})
	if err != nil || after.TimeZone != "Asia/Urumqi" || after.Name != before.Name || after.Seq != before.Seq+1 {
		t.Errorf("got %+v, %v", after, details(err))
	}
	again, err := f.ChangeSite(t.Context(), why, testkit.Site, study.SiteChanged{TimeZone: "Asia/Urumqi"})
	if err != nil || again.Seq != after.Seq {
		t.Errorf("the same again: %+v, %v", again, details(err))
	}
	events, err := f.AuditOf(t.Context(), f.Admin, testkit.Site.Stream(), before.Seq)
	if err != nil || len(events) != 1 || string(events[0].Payload) != `{"time_zone":"Asia/Urumqi"}` || events[0].Reason != "it moved" {
		t.Errorf("the record says %+v, %v", events, details(err))
	}
}

func TestAClosedSiteTakesNobodyInAndWhoeverIsThereGoesOn(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	both := testkit.Staff(study.RoleCoordinator, "both", testkit.Site, testkit.OtherSite)
	away := study.TransferTo{Site: testkit.OtherSite, On: testkit.Cycle1 - 10, Reason: "moved house"}
	f.Clock.Set(testkit.Cycle1.UTC())
	why := study.Request{By: f.Admin, Reason: "recruitment has ended"}
	for _, code := range []study.SiteCode{testkit.Site, testkit.OtherSite} {
		if _, err := f.CloseSite(t.Context(), why, code, true); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Service.Enrol(t.Context(), study.Request{By: f.Coordinator}, testkit.NewParticipant("002")); study.CodeOf(err) != study.Conflict {
		t.Errorf("enrolment: %v", details(err))
	}
	if _, err := f.PreviewTransfer(t.Context(), both, p.ID, away); study.CodeOf(err) != study.Conflict {
		t.Errorf("preview: %v", details(err))
	}
	if _, err := f.Do(t.Context(), study.Request{By: both}, p.ID, away); study.CodeOf(err) != study.Conflict {
		t.Errorf("transfer: %v", details(err))
	}
	f.Submit(t, p.ID, "C1D1", 1)
	if _, err := f.CloseSite(t.Context(), study.Request{By: f.Admin}, testkit.OtherSite, false); study.CodeOf(err) != study.Invalid {
		t.Errorf("without a reason: %v", details(err))
	}
	if _, err := f.CloseSite(t.Context(), why, testkit.OtherSite, false); err != nil {
		t.Fatal(err)
	}
	site, err := f.PreviewTransfer(t.Context(), both, p.ID, away)
	if err != nil || site.Code != testkit.OtherSite {
		t.Errorf("preview: %+v, %v", site, details(err))
	}
	if now, err := f.Participant(t.Context(), f.System, p.ID); err != nil || now.Site != testkit.Site {
		t.Error("the preview moved her")
	}
	if _, err := f.Do(t.Context(), study.Request{By: both}, p.ID, away); err != nil {
		t.Errorf("transfer: %v", details(err))
	}
}

func TestATransfersPreviewRefusesWhatTheTransferWould(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	both := testkit.Staff(study.RoleCoordinator, "both", testkit.Site, testkit.OtherSite)
	f.Clock.Set(testkit.Cycle1.UTC())
	away := study.TransferTo{Site: testkit.OtherSite, On: testkit.Cycle1 - 3, Reason: "moved"}
	other := testkit.NewParticipant("001")
	other.Site = testkit.OtherSite
	if _, err := f.Service.Enrol(t.Context(), study.Request{By: both}, other); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]study.TransferTo{
		"the number is taken": away, "no such site": {Site: "S99", On: away.On, Reason: "x"}, "in the future": {Site: away.Site, On: testkit.Cycle1 + 9, Reason: "x"}, "she is there": {Site: testkit.Site, On: away.On, Reason: "x"},
	} {
		if _, err := f.PreviewTransfer(t.Context(), both, p.ID, c); err == nil || study.CodeOf(err) == study.Internal {
			t.Errorf("%s: %v", name, details(err))
		}
	}
	if _, err := f.PreviewTransfer(t.Context(), f.Monitor, p.ID, away); study.CodeOf(err) != study.Forbidden {
		t.Error("a monitor transfers")
	}
}

func TestPhonesAreCountedBySiteAndNobodyIsNamed(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	p := f.Enrol(t, "001")
	phone := testkit.Phone(p.ID)
	for _, id := range []study.DeviceID{"d1", "d2"} {
		if err := f.RegisterDevice(t.Context(), phone, study.Registration{ID: id, Platform: "android", Target: study.PushTarget{Kind: study.TargetFCMToken, Value: string(id)}}); err != nil {
			t.Fatal(err)
		}
	}
	devices, err := f.Devices(t.Context(), p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.DropTarget(t.Context(), p.ID, devices[0], "rejected_target"); err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int]study.DeviceCount{0: {Live: 1, Stopped: 1}, 61: {Silent: 1, Stopped: 1}} {
		f.Clock.Set(testkit.Start.AddDate(0, 0, days))
		want.Site, want.Platform, want.Kind = testkit.Site, "android", study.TargetFCMToken
		if got, err := f.CountDevices(t.Context(), f.Admin); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("after %d days: %+v, %v", days, got, details(err))
		}
	}
	if got, err := f.CountDevices(t.Context(), testkit.Staff(study.RoleMonitor, "m", testkit.OtherSite)); err != nil || len(got) != 0 {
		t.Errorf("a monitor of another site sees %+v, %v", got, details(err))
	}
	if _, err := f.CountDevices(t.Context(), f.Coordinator); study.CodeOf(err) != study.Forbidden {
		t.Errorf("a coordinator: %v", details(err))
	}
}
