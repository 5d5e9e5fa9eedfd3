package persistence

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Power fails while the log is written: its end is missing, or was never filled,
// or holds something else. What is there then is the changes up to one of them,
// whole, and never half of one. TestWhatWasAcknowledgedSurvivesACrash says that
// nothing which was synced is among what is missing.
func TestATornEndOfTheLogIsLeftOut(t *testing.T) {
	t.Parallel()
	fs := storeWithFiles(t)
	want := readAll(t, fs)
	name, data := newestLog(t, fs)
	cuts := 150
	if testing.Short() {
		cuts = 30
	}
	rng := rand.New(rand.NewPCG(3, 0))
	lengths := map[int]bool{}
	for i := range cuts {
		at := rng.IntN(len(data))
		if i%2 == 0 {
			at = len(data) - 1 - i // bytes of the last record
		}
		torn := bytes.Clone(data[:at])
		switch i / 2 % 3 {
		case 1:
			torn = append(torn, make([]byte, len(data)-at)...)
		case 2:
			torn = append(torn, data[:min(len(data)-at, 100)]...) // of an older log
		}
		copied := cloneData(t, fs)
		writeFile(t, copied, name, torn)
		got, err := tryReadAll(t, copied)
		switch {
		case err != nil:
			t.Errorf("cut at byte %d of %d: %v", at, len(data), err)
		case !startsWith(want, got) && !reflect.DeepEqual(got, want):
			t.Errorf("cut at byte %d of %d: %d changes are there, which are not the first of the %d", at, len(data), len(got), len(want))
		}
		lengths[len(got)] = true
	}
	if len(lengths) < 5 {
		t.Errorf("all cuts leave one of %d numbers of changes: the test cuts nothing", len(lengths))
	}
}

// newestLog returns the write-ahead log that was written last.
func newestLog(t *testing.T, fs vfs.FS) (name string, data []byte) {
	t.Helper()
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		if strings.HasSuffix(n, ".log") && n > name {
			if read := readFile(t, fs, "data/"+n); len(read) > 0 {
				name, data = n, read
			}
		}
	}
	if data == nil {
		t.Fatalf("no log in %v", names)
	}
	return "data/" + name, data
}
