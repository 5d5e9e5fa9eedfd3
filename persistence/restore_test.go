package persistence

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// backedUp returns a file system with a store, which is closed, of so many
// changes, a subscription that has seen them, and its backup.
func backedUp(t *testing.T, changes int) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	s, stop := open(t, "data", Options{FS: fs})
	for i := range changes {
		put(t, s, fmt.Sprint(i%20), fmt.Sprintf(`{"n":%d}`, i))
	}
	do(t, s, &Op{Records: []Record{
		PutSession(Session{ClientID: "dash"}),
		PutSubscription(Subscription{ClientID: "dash", TopicFilter: "t", Seen: uint64(changes), HasSeen: true}),
	}})
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
	put(t, s, "last", `{}`)
	backup(t, s, "backup")
	stop()
	return fs
}

func TestARestoredStoreTellsEverybodyOfAGap(t *testing.T) {
	t.Parallel()
	fs := backedUp(t, 99)
	old, stop := open(t, "data", Options{FS: fs})
	tables(t, old, 1000) // the life after the backup, which is lost
	stop()
	for _, restored := range []string{"one", "two"} {
		if _, err := Restore(t.Context(), "backup", restored, Options{FS: fs}); err != nil {
			t.Fatal(err)
		}
		wantSound(t, fs, restored)
	}
	s := openTest(t, "two", Options{FS: fs})
	if s.NodeID() != old.NodeID() {
		t.Errorf("it is %s and was %s", s.NodeID(), old.NodeID())
	}
	var sub Subscription
	for v, err := range s.Subscriptions() {
		if sub = v; err != nil {
			t.Fatal(err)
		}
	}
	if sub.Seen != 99 || !sub.HasSeen {
		t.Fatalf("the subscription is %+v", sub)
	}
	first := lastOf(t, fs, "one")
	next := put(t, s, "1", `{"n":"new"}`).Change
	if next.Seq <= first {
		t.Errorf("change %d of the second life could be one of the first, which is at %d", next.Seq, first)
	}
	if next.Before == nil || string(next.Before.Body) != `{"n":81}` {
		t.Errorf("the change follows %+v", next.Before)
	}
	// The mark of the backup, tokens of the life that is lost, and of another restore.
	for _, seen := range []uint64{0, sub.Seen, 100, 101, 120, first, first + 1, next.Seq - 2} {
		for c, err := range s.Changes(seen) {
			if !errors.Is(err, ErrTrimmed) {
				t.Errorf("after %d comes %+v, %v", seen, c, err)
			}
		}
	}
	for c, err := range s.Changes(next.Seq - 1) {
		if err != nil || !reflect.DeepEqual(c, next) {
			t.Errorf("after %d comes %+v, %v", next.Seq-1, c, err)
		}
	}
}

// Messages that wait keep their numbers, and those that come have others.
func TestARestoredStoreGoesOnNumberingMessages(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	queue := Queue{Message: &Message{Topic: "t"}, Recipients: []Recipient{{ClientID: "a"}, {ClientID: "b"}}}
	s, stop := open(t, "data", Options{FS: fs})
	before := do(t, s, &Op{Queue: &queue}).Queued
	backup(t, s, "backup")
	stop()
	if _, err := Restore(t.Context(), "backup", "restored", Options{FS: fs}); err != nil {
		t.Fatal(err)
	}
	s = openTest(t, "restored", Options{FS: fs})
	if after := do(t, s, &Op{Queue: &queue}).Queued; after <= before {
		t.Errorf("message %d comes after message %d", after, before)
	}
	if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func lastOf(t *testing.T, fs vfs.FS, dir string) uint64 {
	t.Helper()
	return wantSound(t, fs, dir).Last
}

func TestARestoredStoreGoesOnBehindEveryNumber(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		last uint64
		want uint64
	}{
		{"no change at all", 0, uint64(now.UnixMicro())},
		{"a first life", 1_000_000_000, uint64(now.UnixMicro())},
		{"restored a minute ago", uint64(now.Add(-time.Minute).UnixMicro()) + 1000, uint64(now.UnixMicro())},
		{"a clock that went back", uint64(now.UnixMicro()) + 5, uint64(now.UnixMicro()) + 5 + 1<<32},
	} {
		if got := lastAfterRestore(tt.last, now); got != tt.want {
			t.Errorf("%s: after %d it goes on after %d, want %d", tt.name, tt.last, got, tt.want)
		}
	}
}

func TestARestoreIsRefused(t *testing.T) {
	t.Parallel()
	fs := backedUp(t, 10)
	for _, tt := range []struct {
		name, backup, dir, want string
	}{
		{"to a store", "backup", "data", "persistence: data is not empty: a backup is restored to a directory of its own"},
		{"of no backup", "data", "new", "persistence: data is not a backup"},
		{"of nothing", "nothing", "new", "persistence: nothing is not a backup"},
	} {
		_, err := Restore(t.Context(), tt.backup, tt.dir, Options{FS: fs})
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.name, err, tt.want)
		}
	}
	if _, err := Open("backup", Options{FS: fs}); err == nil || !strings.Contains(err.Error(), "backup is a backup, or a restore of one that was interrupted") {
		t.Errorf("a backup is opened as a store: %v", err)
	}
}

func TestARestoreThatIsInterruptedIsNoStore(t *testing.T) {
	t.Parallel()
	fs := backedUp(t, 10)
	crashed := []vfs.FS{}
	interrupted := interruptedFS{fs, &sync.Mutex{}, func() {
		clone := vfs.NewMem()
		if _, err := vfs.Clone(fs, clone, "restored", "restored"); err != nil {
			t.Error(err)
		}
		crashed = append(crashed, clone)
	}}
	if _, err := Restore(t.Context(), "backup", "restored", Options{FS: interrupted}); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, fs := range crashed {
		if names, _ := fs.List("restored"); len(names) == 0 || len(names) == 1 && names[0] == lockName {
			continue // nothing was done yet
		}
		s, err := Open("restored", Options{FS: fs})
		if err != nil {
			refused++
			continue
		}
		drained := drain(s)
		if snap := s.Snapshot(); snap.Seq() < 1<<32 {
			t.Errorf("crash %d: there is a store that goes on after %d", i, snap.Seq())
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		<-drained
	}
	if refused < 10 {
		t.Errorf("%d of %d are refused", refused, len(crashed))
	}
}

func TestADamagedBackupIsRefused(t *testing.T) {
	t.Parallel()
	whole := backedUp(t, 300)
	names, err := whole.List("backup")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	refuse := func(t *testing.T, what string, damage func(fs vfs.FS)) {
		t.Helper()
		fs := vfs.NewMem()
		if _, err := vfs.Clone(whole, fs, "backup", "backup"); err != nil {
			t.Fatal(err)
		}
		damage(fs)
		if _, err := Restore(t.Context(), "backup", "restored", Options{FS: fs}); err == nil {
			t.Errorf("%s: it is restored", what)
		}
		if left, err := fs.List("restored"); err == nil && len(left) > 0 {
			t.Errorf("%s: %v is left", what, left)
		}
		if yes, err := isBackup(fs, "backup"); err != nil || !yes {
			return // without its list it is a store
		}
		if r, err := Check(t.Context(), "backup", Options{FS: fs}); err != nil || len(r.Faults) == 0 {
			t.Errorf("%s: the check finds nothing: %v", what, err)
		}
	}
	for _, name := range names {
		full := "backup/" + name
		data := readFile(t, whole, full)
		t.Run(name, func(t *testing.T) {
			refuse(t, "removed", func(fs vfs.FS) {
				if err := fs.Remove(full); err != nil {
					t.Fatal(err)
				}
			})
			refuse(t, "a byte more", func(fs vfs.FS) { writeFile(t, fs, full, append(bytes.Clone(data), '\n')) })
			for range 5 {
				if len(data) == 0 {
					break
				}
				at, bit := rng.IntN(len(data)), rng.IntN(8)
				refuse(t, fmt.Sprintf("cut at %d", at), func(fs vfs.FS) { writeFile(t, fs, full, bytes.Clone(data[:at])) })
				refuse(t, fmt.Sprintf("bit %d of byte %d of %d", bit, at, len(data)), func(fs vfs.FS) {
					damaged := bytes.Clone(data)
					damaged[at] ^= 1 << bit
					writeFile(t, fs, full, damaged)
				})
			}
		})
	}
}

func tarOf(t *testing.T, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.WriteBackup(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestATarIsRestored(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openTest(t, "data", Options{FS: fs})
	tables(t, s, 0)
	put(t, s, "1", `{"in":"the log"}`)
	whole := tarOf(t, s)
	b, err := RestoreTar(t.Context(), bytes.NewReader(whole), "restored", Options{FS: fs})
	if err != nil || b.Node != s.NodeID() || b.Seq != 51 {
		t.Fatalf("%+v, %v", b, err)
	}
	want, _, err := contents(s)
	if err != nil {
		t.Fatal(err)
	}
	got, changes, err := contents(openTest(t, "restored", Options{FS: fs}))
	if err != nil || !reflect.DeepEqual(got, want) || len(changes) > 0 {
		t.Errorf("%d documents and %d changes, want %d documents; %v", len(got), len(changes), len(want), err)
	}
	// What tar makes of the directory is as good.
	if _, err := RestoreTar(t.Context(), bytes.NewReader(retar(t, whole, func(h *tar.Header) { h.Name = "./" + h.Name })), "again", Options{FS: fs}); err != nil {
		t.Error(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		at := rng.IntN(bytes.LastIndex(whole, []byte(listSum))) // behind the last sum there are only zeros
		if _, err := RestoreTar(t.Context(), bytes.NewReader(whole[:at]), "cut", Options{FS: fs}); err == nil {
			t.Fatalf("cut at %d of %d, it is restored", at, len(whole))
		}
		if left, err := fs.List("cut"); err != nil || len(left) > 0 {
			t.Fatalf("cut at %d, there is %v, %v", at, left, err)
		}
	}
}

// retar writes a tar again with other headers.
func retar(t *testing.T, whole []byte, change func(*tar.Header)) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for r := tar.NewReader(bytes.NewReader(whole)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		change(h)
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.Copy(w, r); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestATarMayHoldNothingElse(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openTest(t, "data", Options{FS: fs})
	put(t, s, "1", `{}`)
	whole := tarOf(t, s)
	for _, tt := range []struct {
		name, want string
		change     func(*tar.Header)
	}{
		{"an absolute path", `"/AMBIT" is no file of a backup`, func(h *tar.Header) { h.Name = "/AMBIT" }},
		{"a path that leads out", `"../AMBIT" is no file of a backup`, func(h *tar.Header) { h.Name = "../AMBIT" }},
		{"a path that leads in", `"a/AMBIT" is no file of a backup`, func(h *tar.Header) { h.Name = "a/AMBIT" }},
		{"any other name", `"notes.txt" is no file of a backup`, func(h *tar.Header) { h.Name = "notes.txt" }},
		{"a link", `the tar holds "AMBIT", which is not a regular file`, func(h *tar.Header) {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, "/etc/passwd", 0
		}},
		{"a directory", `the tar holds "AMBIT/", which is not a regular file`, func(h *tar.Header) {
			h.Name, h.Typeflag, h.Size = "AMBIT/", tar.TypeDir, 0
		}},
		{"another file", `000999.sst is not part of the backup`, func(h *tar.Header) { h.Name = "000999.sst" }},
		{"a file twice", `MANIFEST-`, func(h *tar.Header) { h.Name = manifestOf(t, whole) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			first := true
			bad := retar(t, whole, func(h *tar.Header) {
				if first && h.Name == markerName {
					tt.change(h)
					first = false
				}
			})
			_, err := RestoreTar(t.Context(), bytes.NewReader(bad), "restored", Options{FS: fs})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func manifestOf(t *testing.T, whole []byte) string {
	t.Helper()
	for r := tar.NewReader(bytes.NewReader(whole)); ; {
		h, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(h.Name, "MANIFEST-") {
			return h.Name
		}
	}
}

func TestARestoreIsGivenUp(t *testing.T) {
	t.Parallel()
	fs := backedUp(t, 10)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Restore(ctx, "backup", "restored", Options{FS: fs}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
