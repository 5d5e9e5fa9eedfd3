package persistence

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

func backup(t *testing.T, s *Store, dir string) BackupResult {
	t.Helper()
	r, err := s.Backup(t.Context(), dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// wantSound checks a store or a backup that is not open.
func wantSound(t *testing.T, fs vfs.FS, dir string) *Report {
	t.Helper()
	r, err := Check(t.Context(), dir, Options{FS: fs})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Faults) > 0 {
		t.Fatalf("%s has %d faults: %q", dir, len(r.Faults), r.Faults)
	}
	return r
}

// writers write documents at full speed until stop is called.
type writers struct {
	mu     sync.Mutex // guards acked, count
	acked  map[Key]uint64
	count  int
	more   *sync.Cond // count has grown
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startWriters(t *testing.T, s *Store) *writers {
	t.Helper()
	w := &writers{acked: map[Key]uint64{}}
	w.more = sync.NewCond(&w.mu)
	ctx, cancel := context.WithCancel(t.Context())
	w.cancel = cancel
	for n := range 4 {
		w.done.Go(func() {
			for i := 0; ; i++ {
				op := &Op{Write: &Write{
					Key: Key{"fleet", fmt.Sprint("trucks", n), fmt.Sprint(i % 500)}, Time: time.Unix(1, 0),
					Body: fmt.Appendf(nil, `{"n":%d,"pad":"%0300d"}`, i, i),
				}}
				op.Committed = w.acknowledge
				if s.Append(ctx, op) != nil {
					return
				}
			}
		})
	}
	return w
}

func (w *writers) acknowledge(r *Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.acked[r.Change.Key] = r.Change.Seq
	w.count++
	w.more.Broadcast()
}

// soFar returns the last acknowledged change of each key, once there are so many.
func (w *writers) soFar(count int) map[Key]uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.count < count {
		w.more.Wait()
	}
	return maps.Clone(w.acked)
}

func (w *writers) stop() {
	w.cancel()
	w.done.Wait()
}

func TestABackupHasWhatWasAcknowledgedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, filepath.Join(dir, "data"), Options{QueueOps: 256})
	target := filepath.Join(dir, "backup")
	const enough = 2000
	seq := uint64(0)
	for i := range 3 {
		w := startWriters(t, s)
		acked := w.soFar(enough)
		r := backup(t, s, target)
		if r.Node != s.NodeID() || r.Seq < seq+enough {
			t.Errorf("backup %d says %+v", i, r)
		}
		if i == 2 {
			if r, err := s.Check(t.Context()); err != nil || len(r.Faults) > 0 {
				t.Errorf("the store that is written to: %v, %+v", err, r)
			}
		}
		w.stop()
		seq = put(t, s, "last", `{}`).Seq
		wantSound(t, vfs.Default, target)
		restored := filepath.Join(dir, fmt.Sprint("restored", i))
		if _, err := Restore(t.Context(), target, restored, Options{}); err != nil {
			t.Fatal(err)
		}
		wantSound(t, vfs.Default, restored)
		wantDocuments(t, restored, acked)
	}
	if names, _ := filepath.Glob(filepath.Join(dir, "data", stagingPrefix+"*")); names != nil {
		t.Errorf("left behind: %v", names)
	}
}

// wantDocuments opens a store that must have documents as of these changes, or
// later.
func wantDocuments(t *testing.T, dir string, acked map[Key]uint64) {
	t.Helper()
	s, stop := open(t, dir, Options{})
	defer stop()
	for k, seq := range acked {
		if d, err := s.Get(k); err != nil || d.Seq < seq {
			t.Fatalf("%s is %+v, %v; change %d was acknowledged", k, d, err, seq)
		}
	}
	put(t, s, "new", `{}`)
}

// tables fills a store so that it has a few.
func tables(t *testing.T, s *Store, from int) {
	t.Helper()
	for i := range 50 {
		put(t, s, fmt.Sprint(from+i), fmt.Sprintf(`{"pad":"%0900d"}`, i))
	}
	if err := s.db.Flush(); err != nil {
		t.Fatal(err)
	}
}

// settle leaves nothing to compact, also after one more flush.
func settle(t *testing.T, s *Store) {
	t.Helper()
	if err := s.db.Compact(t.Context(), []byte{0}, []byte{255}, false); err != nil {
		t.Fatal(err)
	}
}

func TestBackupsShareTheTablesThatHaveNotChanged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, filepath.Join(dir, "data"), Options{})
	tables(t, s, 0)
	settle(t, s)
	target := filepath.Join(dir, "backup")
	backup(t, s, target)
	first := inodes(t, target)
	wantSame(t, first, inodes(t, filepath.Join(dir, "data")))
	tables(t, s, 1000)
	r := backup(t, s, target)
	second := inodes(t, target)
	wantSame(t, first, second)
	if len(second) <= len(first) || r.LinkedBytes == 0 {
		t.Errorf("%d tables, and before %d; %+v", len(second), len(first), r)
	}
}

// An unlinked makes the backup's directory one of another file system.
type unlinked struct{ vfs.FS }

func (f unlinked) Link(from, to string) error {
	if strings.Contains(from, "backup") == strings.Contains(to, "backup") {
		return f.FS.Link(from, to)
	}
	return errors.New("cross-device link")
}

func (f unlinked) Unwrap() vfs.FS { return f.FS }

func TestABackupOnAnotherFileSystemCopiesATableOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, filepath.Join(dir, "data"), Options{FS: unlinked{vfs.Default}})
	tables(t, s, 0)
	settle(t, s)
	target := filepath.Join(dir, "backups", "daily")
	if r := backup(t, s, target); r.LinkedBytes != 0 {
		t.Errorf("%d bytes are linked", r.LinkedBytes)
	}
	first := inodes(t, target)
	tables(t, s, 1000)
	if r := backup(t, s, target); r.LinkedBytes == 0 || r.LinkedBytes == r.Bytes {
		t.Errorf("%d of %d bytes are linked", r.LinkedBytes, r.Bytes)
	}
	wantSame(t, first, inodes(t, target))
	wantSound(t, vfs.Default, target)
}

// Two lives of a node, after a restore, may give different tables the same name
// and size.
func TestATableOfAnotherTimeIsAnotherTable(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openTest(t, "data", Options{FS: fs})
	tables(t, s, 0)
	settle(t, s)
	backup(t, s, "backup")
	list, err := readList(fs, "backup")
	if err != nil {
		t.Fatal(err)
	}
	others := 0
	for i, f := range list.Files {
		if strings.HasSuffix(f.Name, ".sst") {
			list.Files[i].Modified = f.Modified.Add(time.Nanosecond)
			writeFile(t, fs, "backup/"+f.Name, make([]byte, f.Bytes))
			others++
		}
	}
	text, err := encodeList(list)
	if err != nil || others == 0 {
		t.Fatalf("%d tables, %v", others, err)
	}
	writeFile(t, fs, "backup/"+listName, text)
	backup(t, s, "backup")
	wantSound(t, fs, "backup")
}

func inodes(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s has no tables: %v", dir, err)
	}
	infos := map[string]os.FileInfo{}
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		infos[info.Name()] = info
	}
	return infos
}

func wantSame(t *testing.T, some, all map[string]os.FileInfo) {
	t.Helper()
	for name, info := range some {
		if !os.SameFile(info, all[name]) {
			t.Errorf("%s is another file", name)
		}
	}
}

func TestABackupThatFailsLeavesTheFormerOne(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openTest(t, "data", Options{FS: fs})
	tables(t, s, 0)
	backup(t, s, "backup")
	before := listing(t, fs, "/")
	tables(t, s, 1000)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := s.Backup(ctx, "backup", func(BackupProgress) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if after := listing(t, fs, "/"); after != before {
		t.Errorf("there was\n%s\nand now there is\n%s", before, after)
	}
	backup(t, s, "backup")
	if r := wantSound(t, fs, "backup"); r.Last != 100 {
		t.Errorf("the backup has %d changes", r.Last)
	}
}

func TestCloseEndsABackup(t *testing.T) {
	t.Parallel()
	s, stop := open(t, "data", Options{FS: vfs.NewMem()})
	tables(t, s, 0)
	closed := sync.OnceFunc(func() {
		go stop()
		for !s.reads.ending() {
			if t.Context().Err() != nil {
				return
			}
		}
	})
	if _, err := s.Backup(t.Context(), "backup", func(BackupProgress) { closed() }); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestWhatACrashLeftOfABackupIsRemoved(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	_, stop := open(t, "data", Options{FS: fs})
	stop()
	if err := fs.MkdirAll("data/staging-1/", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, fs, "data/staging-1/000001.sst", []byte("x"))
	openTest(t, "data", Options{FS: fs})
	if _, err := fs.Stat("data/staging-1"); err == nil {
		t.Error("it is still there")
	}
}
