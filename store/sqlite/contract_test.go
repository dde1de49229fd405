package sqlite

import (
	"path/filepath"
	"testing"

	"epro/store/storetest"
	"epro/study"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T, dir string) study.Store {
		db, err := Open(t.Context(), filepath.Join(dir, "data", "epro.db"))
		if err != nil {
			t.Fatal(err)
		}
		return db
	})
}
