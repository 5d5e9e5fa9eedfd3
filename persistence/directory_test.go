package persistence

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

func TestADirectoryThatIsNotOursIsRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, marker, want string }{
		{"from a newer version", "ambit store, format 3\n", "persistence: data was written by a newer version of Ambit (format 3, this one reads 2)"},
		{"from a much newer version", "ambit store, format 123", "persistence: data was written by a newer version of Ambit (format 123, this one reads 2)"},
		{"of no format", "ambit store, format \n", "persistence: data: the file AMBIT is damaged"},
		{"of format 0", "ambit store, format 0\n", "persistence: data: the file AMBIT is damaged"},
		{"with another text", "hello\n", "persistence: data: the file AMBIT is damaged"},
		{"with an empty marker", "", "persistence: data: the file AMBIT is damaged"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fs := vfs.NewMem()
			openTest(t, "data", Options{FS: fs})
			copied := cloneData(t, fs)
			writeFile(t, copied, "data/AMBIT", []byte(tt.marker))
			for range 2 { // the lock must be free again
				if _, err := Open("data", Options{FS: copied}); err == nil || err.Error() != tt.want {
					t.Errorf("got %v, want %s", err, tt.want)
				}
			}
		})
	}
}

func TestADatabaseOfAnotherProgramIsRefused(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	db, err := pebble.Open("data", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open("data", Options{FS: fs})
	if want := "persistence: data holds a database but no file AMBIT: it is not Ambit's, or damaged"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestADirectoryThatIsOpenIsLocked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, dir string
		fs        vfs.FS
	}{
		{"on disk", t.TempDir(), vfs.Default},
		{"in memory", "data", vfs.NewMem()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, stop := open(t, tt.dir, Options{FS: tt.fs})
			if _, err := Open(tt.dir, Options{FS: tt.fs}); !errors.Is(err, ErrLocked) {
				t.Errorf("got %v, want %v", err, ErrLocked)
			}
			put(t, s, "1", "{}")
			stop()
			openTest(t, tt.dir, Options{FS: tt.fs})
		})
	}
}

func TestADirectoryThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "data")} {
		if _, err := Open(dir, Options{}); err == nil || errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v, want an error that names the file", dir, err)
		}
	}
}

func TestTheDirectoryIsOnlyForItsOwner(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	openTest(t, dir, Options{})
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("got mode %o, want 700", got)
	}
}

// A store says that it has indexes as long as it has any, so that a program that does not know
// of them leaves it alone, and one that does finds them right.
func TestAStoreWithIndexesHasAFormatOfItsOwn(t *testing.T) {
	files := vfs.NewMem()
	trucks := Index{Collection: Collection{Index: "fleet", Name: "trucks"}, Name: "speed"}
	for _, tt := range []struct {
		what    string
		indexes []Index
		keep    bool
		want    int
	}{
		{"new", nil, false, 1},
		{"with an index", []Index{trucks}, false, 2},
		{"looked at", nil, true, 2},
		{"the same", []Index{trucks}, false, 2},
		{"without", nil, false, 1},
	} {
		s, err := Open("data", Options{FS: files, Indexes: tt.indexes, KeepIndexes: tt.keep, Terms: fieldTerms})
		if err != nil {
			t.Fatal(err)
		}
		drain(s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := readFormat(files, "data"); got != tt.want || err != nil {
			t.Errorf("%s: format %d (%v), want %d", tt.what, got, err, tt.want)
		}
	}
}
