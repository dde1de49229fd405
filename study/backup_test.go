package study_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"io"
	"iter"
	"strings"
	"testing"
	"time"

	"epro/internal/testkit"
	"epro/store/storetest"
	"epro/study"
)

func backupOf(t testing.TB, svc *study.Service, live bool) (study.BackupSummary, []byte) {
	t.Helper()
	var file bytes.Buffer
	made, err := svc.WriteBackup(context.Background(), &file, study.BackupOptions{Kinds: kinds, Program: "test", Live: live})
	if err != nil {
		t.Fatal(details(err))
	}
	return made, file.Bytes()
}

func nothing[T any](T) error { return nil }

func TestARestoredStoreIsTheOneThatWasBackedUp(t *testing.T) {
	f, to := fullStudy(t), testkit.SQLite(t)
	made, file := backupOf(t, f.Service, false)
	if _, again := backupOf(t, f.Service, false); !bytes.Equal(file, again) {
		t.Error("the same store gives two backups")
	}
	restored, err := filling(to).Restore(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatal(details(err))
	}
	if restored != made || made.Entries != len(allEntries(t, f.Store)) || made.Records != 3 || made.Study == "" {
		t.Errorf("made %+v\nrestored %+v", made, restored)
	}
	sameContent(t, f.Store, to)
	mark, err := study.RestoredFrom(t.Context(), to)
	if err != nil || mark == nil || mark.SHA256 != made.SHA256 || mark.MadeAt != made.MadeAt || !mark.ConfirmedAt.IsZero() || mark.RestoredAt.IsZero() {
		t.Errorf("the mark is %+v, %v", mark, err)
	}
	_, err = filling(to).Restore(t.Context(), bytes.NewReader(file))
	says(t, err, study.Conflict, "ended")
}

func TestNoReminderLeavesARestoredStoreUntilAnAdministratorConfirms(t *testing.T) {
	f, to := fullStudy(t), testkit.SQLite(t)
	_, file := backupOf(t, f.Service, false)
	if _, err := filling(to).Restore(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatal(details(err))
	}
	svc := study.NewService(to, f.Clock.Now, f.NewID)
	may := func(store study.Store, want bool) {
		t.Helper()
		if got, err := study.MayRemind(t.Context(), store); got != want || err != nil {
			t.Errorf("may remind: %t %v", got, err)
		}
	}
	may(f.Store, true)
	may(to, false)
	admin := &study.Staff{ID: "a", Rights: study.Rights{Role: study.RoleAdmin}}
	_, err := svc.ConfirmRestored(t.Context(), &study.Staff{Rights: study.Rights{Role: study.RoleInvestigator}}, " ")
	if e, ok := study.AsError(err); !ok || e.Code != study.Invalid || len(e.Fields) != 2 {
		t.Errorf("an investigator without a note: %v", details(err))
	}
	_, err = svc.ConfirmRestored(t.Context(), &study.Staff{Rights: admin.Rights, Disabled: true}, "x")
	says(t, err, study.Invalid, "")
	may(to, false)
	confirmed, err := svc.ConfirmRestored(t.Context(), admin, "three phones were asked to send again")
	if err != nil || confirmed.ConfirmedBy != "a" || confirmed.ConfirmedAt != study.InstantOf(f.Clock.Now()) || confirmed.Note == "" {
		t.Errorf("%+v %v", confirmed, err)
	}
	may(to, true)
	_, err = svc.ConfirmRestored(t.Context(), admin, "again")
	says(t, err, study.Conflict, "already")
	_, err = f.ConfirmRestored(t.Context(), admin, "x")
	says(t, err, study.Conflict, "no backup")
	if may, err := study.MayRemind(t.Context(), storetest.Broken()); may || study.CodeOf(err) != study.Unavailable {
		t.Errorf("a store that cannot be read lets reminders leave: %t %v", may, err)
	}
}

func TestABackupOfARestoredStoreRestoresWithANewMark(t *testing.T) {
	f, first, second := fullStudy(t), testkit.SQLite(t), testkit.SQLite(t)
	_, file := backupOf(t, f.Service, false)
	if _, err := filling(first).Restore(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatal(details(err))
	}
	made, file := backupOf(t, study.NewService(first, f.Clock.Now, f.NewID), false)
	if _, err := filling(second).Restore(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatal(details(err))
	}
	sameContent(t, f.Store, second)
	if mark, err := study.RestoredFrom(t.Context(), second); err != nil || mark.SHA256 != made.SHA256 {
		t.Errorf("%+v %v", mark, err)
	}
}

func TestABackupCanBeReadWithoutThisProgram(t *testing.T) {
	f := fullStudy(t)
	made, file := backupOf(t, f.Service, false)
	unzipped, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(all) != 1+made.Entries+made.Records+2 || all[1] != "E "+string(allEntries(t, f.Store)[0].Bytes) {
		t.Errorf("%d lines, the second %q", len(all), all[1])
	}
	const lastMember = 95
	if sum := sha256.Sum256(file[:len(file)-lastMember]); all[len(all)-1] != "sha256 "+made.SHA256.String() || made.SHA256 != sum {
		t.Errorf("the last line is %q, the sum is %x", all[len(all)-1], sum)
	}
}

// Every byte of a small backup, and every length.
func TestNoByteOfABackupCanChangeUnseen(t *testing.T) {
	f := testkit.Study(t, testkit.SQLite(t))
	_, file := backupOf(t, f.Service, false)
	read := func(raw []byte) error {
		_, err := study.ReadBackup(t.Context(), bytes.NewReader(raw), kinds, nothing, nothing)
		return err
	}
	if err := read(file); err != nil {
		t.Fatal(details(err))
	}
	t.Logf("%d bytes", len(file))
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 1 << (i % 8)
		if err := read(changed); study.CodeOf(err) != study.Invalid {
			t.Fatalf("byte %d of %d changed: %v", i, len(file), err)
		}
		if err := read(file[:i]); study.CodeOf(err) != study.Invalid {
			t.Fatalf("cut to %d of %d bytes: %v", i, len(file), err)
		}
	}
	says(t, read(append(bytes.Clone(file), 0)), study.Invalid, "damaged")
	says(t, read(append(bytes.Clone(file), file...)), study.Invalid, "damaged")
}

func TestADamagedBackupLeavesTheTargetEmpty(t *testing.T) {
	f := fullStudy(t)
	_, file := backupOf(t, f.Service, false)
	for _, raw := range [][]byte{file[:len(file)-1], file[:len(file)/2], nil, []byte("no backup"), append(bytes.Clone(file[:len(file)-95]), make([]byte, 95)...)} {
		to := testkit.SQLite(t)
		_, err := filling(to).Restore(t.Context(), bytes.NewReader(raw))
		says(t, err, study.Invalid, "nothing was stored")
		if n := len(allEntries(t, to)); n != 0 {
			t.Errorf("%d entries", n)
		}
		if err := study.Unfinished(t.Context(), to); err != nil {
			t.Error(err)
		}
		if _, err := filling(to).Restore(t.Context(), bytes.NewReader(file)); err != nil {
			t.Errorf("the sound one afterwards: %s", details(err))
		}
	}
}

func TestARestoreThatWasInterruptedGoesOnWithTheSameBackupOnly(t *testing.T) {
	f, to := fullStudy(t), testkit.SQLite(t)
	_, file := backupOf(t, f.Service, false)
	f.Clock.Advance(time.Minute)
	_, later := backupOf(t, f.Service, false)
	ctx, stop := context.WithCancel(t.Context())
	half := &stopping{Store: to, stop: stop}
	half.left.Store(5)
	if _, err := filling(half).Restore(ctx, bytes.NewReader(file)); err == nil {
		t.Fatal("no error")
	}
	mark, err := study.RestoredFrom(t.Context(), to)
	if err != nil || mark == nil {
		t.Fatalf("a store half restored does not say so: %v %v", mark, err)
	}
	_, err = filling(to).Restore(t.Context(), bytes.NewReader(later))
	says(t, err, study.Conflict, "another restore")
	_, err = filling(to).Copy(t.Context(), f.Store)
	says(t, err, study.Conflict, "another restore")
	if _, err := filling(to).Restore(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatal(details(err))
	}
	sameContent(t, f.Store, to)
}

func TestABackupOfAStoreInUseHasNothingWithoutWhatItRestsOn(t *testing.T) {
	f := fullStudy(t)
	f.Clock.Advance(time.Minute)
	before := len(allEntries(t, f.Store))
	f.Enrol(t, "007") // a claim and a record, within the last seconds
	f.Clock.Advance(2 * time.Second)
	made, file := backupOf(t, f.Service, true)
	if made.Entries != before || made.MadeAt != study.InstantOf(f.Clock.Now().Add(-5*time.Second)) {
		t.Errorf("%+v, before that there were %d entries", made, before)
	}
	to := testkit.SQLite(t)
	if _, err := filling(to).Restore(t.Context(), bytes.NewReader(file)); err != nil {
		t.Fatal(details(err))
	}
	// What was not in the backup can be done again.
	again := study.NewService(to, f.Clock.Now, testkit.IDs(8))
	if _, err := again.Enrol(t.Context(), study.Request{By: f.Coordinator}, testkit.NewParticipant("007")); err != nil {
		t.Error(details(err))
	}
}

// tornStore has lost a stream by the time that the log is read.
type tornStore struct {
	study.Store
	lost study.StreamID
}

func (s *tornStore) Entries(ctx context.Context, prefix string) iter.Seq2[study.Entry, error] {
	return func(yield func(study.Entry, error) bool) {
		for n, err := range s.Store.Entries(ctx, prefix) {
			if n.Stream != s.lost && !yield(n, err) {
				return
			}
		}
	}
}

func TestATornReadingOfAStoreInUseIsNoBackup(t *testing.T) {
	f := fullStudy(t)
	store := &tornStore{Store: f.Store, lost: testkit.OtherSite.Stream()}
	svc := study.NewService(store, f.Clock.Now, f.NewID)
	_, err := svc.WriteBackup(t.Context(), io.Discard, study.BackupOptions{Kinds: kinds, Live: true})
	says(t, err, study.Unavailable, "not found a moment later")
}

func TestABackupOfNothingOrOfAStoreHalfFilledIsRefused(t *testing.T) {
	svc := study.NewService(testkit.SQLite(t), testkit.NewClock(testkit.Start).Now, testkit.IDs(1))
	_, err := svc.WriteBackup(t.Context(), io.Discard, study.BackupOptions{Kinds: kinds})
	says(t, err, study.Invalid, "nothing to back up")
}

func TestABackupOfANewerProgramSaysSo(t *testing.T) {
	f := fullStudy(t)
	_, file := backupOf(t, f.Service, false)
	_, err := study.ReadBackup(t.Context(), bytes.NewReader(file), study.RecordKinds, nothing, nothing)
	says(t, err, study.Invalid, "upgrade the program")
}

func FuzzReadBackup(f *testing.F) {
	svc := testkit.Study(f, testkit.SQLite(f)).Service
	_, file := backupOf(f, svc, false)
	unzipped, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		f.Fatal(err)
	}
	text, err := io.ReadAll(unzipped)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add([]byte("{\"epro_backup\":1,\"study\":\"\",\"made_at\":\"\",\"program\":\"\"}\nZ {\"streams\":0,\"entries\":0,\"records\":0}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		var file bytes.Buffer
		zip := gzip.NewWriter(&file)
		_, _ = zip.Write(text)
		_ = zip.Close()
		sum := sha256.Sum256(file.Bytes())
		file.Write(study.LastMember(sum))
		entries, records := 0, 0
		read, err := study.ReadBackup(t.Context(), &file, kinds,
			func(n study.Entry) error {
				entries++
				_, err := n.Open()
				return err
			}, func(study.Record) error { records++; return nil })
		if err == nil && (read.Entries != entries || read.Records != records || read.SHA256 != sum) {
			t.Fatalf("%+v, and there were %d and %d", read, entries, records)
		}
	})
}
