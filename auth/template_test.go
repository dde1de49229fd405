package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"epro/store/sqlite"
	"epro/study"
)

// template is a database with a study and its site, made once and copied.
var template = sync.OnceValue(func() []byte {
	folder, err := os.MkdirTemp("", "epro-auth")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	ctx, path := context.Background(), filepath.Join(folder, "epro.db")
	db, err := sqlite.Open(ctx, path)
	if err != nil {
		panic(err)
	}
	raw, read := []byte(nil), errors.Join(begin(ctx, db), db.Close())
	if read == nil {
		raw, read = os.ReadFile(path)
	}
	if read != nil {
		panic(read)
	}
	return raw
})

// begin puts a study and its site into a store.
func begin(ctx context.Context, store study.Store) error {
	n := 0
	service := study.NewService(store, func() time.Time { return start }, func() string { n++; return fmt.Sprintf("template-%d", n) })
	_, adopted := service.Adopt(ctx, study.Request{By: system}, study.DefaultProtocolText(), 0, false)
	_, created := service.CreateSite(ctx, study.Request{By: system},
		study.CreateSite{Code: "S01", Name: "One", TimeZone: "Asia/Shanghai", Language: "zh"})
	return errors.Join(adopted, created)
}

var (
	start  = time.Date(2026, 3, 17, 8, 0, 0, 0, time.UTC)
	system = study.System("test")
)
