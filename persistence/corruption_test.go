package persistence

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// walBlock is the unit in which Pebble's log is checked: what was synced is
// known to have been there only once a later block says so.
const walBlock = 32 << 10

// A flipped bit is refused, at the start or when it is read, or does no harm.
// Only in the last block of the newest log it looks like a write that a crash
// interrupted, and what came behind it is gone.
func TestAFlippedBitIsNeverTakenForData(t *testing.T) {
	t.Parallel()
	fs := storeWithFiles(t)
	want := readAll(t, fs)
	names, err := fs.List("data")
	if err != nil {
		t.Fatal(err)
	}
	flips := 60
	if testing.Short() {
		flips = 15
	}
	for _, name := range names {
		data := readFile(t, fs, "data/"+name)
		if len(data) == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(len(data))))
			for range flips {
				at, bit := rng.IntN(len(data)), rng.IntN(8)
				damaged := bytes.Clone(data)
				damaged[at] ^= 1 << bit
				copied := cloneData(t, fs)
				writeFile(t, copied, "data/"+name, damaged)
				got, err := tryReadAll(t, copied)
				if err != nil || reflect.DeepEqual(got, want) {
					continue
				}
				if inLastBlock := at >= (len(data)-1)/walBlock*walBlock; strings.HasSuffix(name, ".log") && inLastBlock && startsWith(want, got) {
					continue
				}
				t.Errorf("bit %d of byte %d of %d flipped: %d changes are there, want %d or an error", bit, at, len(data), len(got), len(want))
			}
		})
	}
}

// storeWithFiles makes a store with tables and a log, as left by a kill.
func storeWithFiles(t *testing.T) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	for _, changes := range []int{300, 200} {
		s := openTest(t, "data", Options{FS: fs})
		for i := range changes {
			put(t, s, fmt.Sprint(i%50), fmt.Sprintf(`{"n":%d,"pad":"%0200d"}`, i, i))
		}
		if changes == 300 {
			if err := s.Close(); err != nil { // flushes the log at the next start
				t.Fatal(err)
			}
		}
	}
	return cloneData(t, fs)
}

// readAll returns the changes of a store whose documents agree with them.
func readAll(t *testing.T, fs vfs.FS) []*Change {
	t.Helper()
	changes, err := tryReadAll(t, cloneData(t, fs))
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func tryReadAll(t *testing.T, fs vfs.FS) ([]*Change, error) {
	t.Helper()
	s, err := Open("data", Options{FS: fs})
	if err != nil {
		return nil, err
	}
	drained := drain(s)
	changes, err := consistent(s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-drained
	return changes, err
}

func startsWith(all, start []*Change) bool {
	return len(start) < len(all) && reflect.DeepEqual(all[:len(start)], start)
}
