package persistence_test

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/persistence/persistencetest"
)

func TestStoreOnDisk(t *testing.T) {
	t.Parallel()
	conformance(t, (*testing.T).TempDir, nil)
}

func TestStoreInMemory(t *testing.T) {
	t.Parallel()
	names := 0
	conformance(t, func(*testing.T) string {
		names++
		return fmt.Sprintf("data-%d/of/nobody", names)
	}, vfs.NewMem())
}

// conformance runs the suite on stores in the directories that newDir makes.
func conformance(t *testing.T, newDir func(*testing.T) string, fs vfs.FS) {
	t.Helper()
	var dir string
	open := func(t *testing.T) *persistence.Store {
		t.Helper()
		s, err := persistence.Open(dir, persistence.Options{FS: fs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	persistencetest.Run(t,
		func(t *testing.T) *persistence.Store {
			t.Helper()
			dir = newDir(t)
			return open(t)
		},
		func(t *testing.T, s *persistence.Store) *persistence.Store {
			t.Helper()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return open(t)
		})
}
