package persistence

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
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
	mu     sync.Mutex // guards acked
	acked  map[Key]uint64
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func startWriters(t *testing.T, s *Store) *writers {
	t.Helper()
	w := &writers{acked: map[Key]uint64{}}
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
}

// soFar returns the last acknowledged change of each key, once there are some
// after seq, and the last of all.
func (w *writers) soFar(t *testing.T, s *Store, seq uint64) (acked map[Key]uint64) {
	t.Helper()
	for snap := s.Snapshot(); snap.Seq() < seq; snap = s.Snapshot() {
		snap.Close()
		if t.Context().Err() != nil {
			t.Fatal("nothing is written")
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	acked = map[Key]uint64{}
	for k, seq := range w.acked {
		acked[k] = seq
	}
	return acked
}

func (w *writers) stop() {
	w.cancel()
	w.done.Wait()
}

func TestABackupHasWhatWasAcknowledgedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := openTest(t, filepath.Join(dir, "data"), Options{})
	target := filepath.Join(dir, "backup")
	seq := uint64(0)
	for i := range 3 {
		w := startWriters(t, s)
		acked := w.soFar(t, s, seq+3000)
		r := backup(t, s, target)
		if r.Node != s.NodeID() || r.Seq < seq+3000 {
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
	for i := range 200 {
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

func TestABackupReplacesNothingThatIsNotOurs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, text, want string }{
		{"a directory with something", "target/notes.txt", "mine", "target is not empty, and not a backup"},
		{"a backup with something", "backup/notes.txt", "mine", "backup holds notes.txt, which is not part of the backup"},
		{"a backup of another node", "", "", "other is a backup of another node: of ambit-"},
		{"a damaged list", "backup/BACKUP", "ambit backup, format 1\n{}", "backup is not a backup that may be replaced: the file BACKUP is damaged"},
		{"a list of a later version", "backup/BACKUP", "ambit backup, format 2\n{}", "made by a newer version of Ambit (format 2, this one reads 1)"},
		{"something beside it", "target.ambit-new/notes.txt", "mine", "target.ambit-new is in the way: it holds notes.txt"},
		{"something where the former one goes", "backup.ambit-old/notes.txt", "mine", "backup.ambit-old is in the way: it holds notes.txt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fs := vfs.NewMem()
			s := openTest(t, "data", Options{FS: fs})
			put(t, s, "1", `{}`)
			backup(t, s, "backup")
			target := "other"
			if tt.file == "" {
				backup(t, openTest(t, "elsewhere", Options{FS: fs}), target)
			} else {
				target, _, _ = strings.Cut(strings.Split(tt.file, "/")[0], ".ambit")
				if err := fs.MkdirAll(fs.PathDir(tt.file), 0o700); err != nil {
					t.Fatal(err)
				}
				writeFile(t, fs, tt.file, []byte(tt.text))
			}
			before := listing(t, fs, "/")
			_, err := s.Backup(t.Context(), target, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if after := listing(t, fs, "/"); after != before {
				t.Errorf("there was\n%s\nand now there is\n%s", before, after)
			}
		})
	}
}

// listing returns the names of all files below a directory but those of open
// stores, and their sums.
func listing(t *testing.T, fs vfs.FS, dir string) string {
	t.Helper()
	names, err := fs.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	var out strings.Builder
	for _, name := range names {
		full := fs.PathJoin(dir, name)
		info, err := fs.Stat(full)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case name == "data" || name == "elsewhere":
		case info.IsDir():
			out.WriteString(full + "/\n" + listing(t, fs, full))
		default:
			_, sum, _ := sumOf(bytes.NewBuffer(nil), bytes.NewReader(readFile(t, fs, full)))
			out.WriteString(full + " " + sum + "\n")
		}
	}
	return out.String()
}

// An interruptedFS crashes before one of the operations that change anything.
type interruptedFS struct {
	vfs.FS
	step *int
	at   func(step int)
}

func (f interruptedFS) next() {
	*f.step++
	f.at(*f.step)
}

func (f interruptedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.next()
	return f.FS.Create(name, c)
}

func (f interruptedFS) Link(from, to string) error {
	f.next()
	return f.FS.Link(from, to)
}

func (f interruptedFS) Rename(from, to string) error {
	f.next()
	return f.FS.Rename(from, to)
}

func (f interruptedFS) Remove(name string) error {
	f.next()
	return f.FS.Remove(name)
}

func (f interruptedFS) OpenDir(name string) (vfs.File, error) {
	f.next()
	return f.FS.OpenDir(name)
}

func (f interruptedFS) Unwrap() vfs.FS { return f.FS }

// After a crash at any step there is the former backup or the new one, whole;
// only between two renames it has another name. The next backup is made anyway.
func TestACrashLeavesAWholeBackup(t *testing.T) {
	t.Parallel()
	memory, step := vfs.NewCrashableMem(), 0
	var crashed []*vfs.MemFS
	fs := interruptedFS{memory, &step, func(int) {}}
	s := openTest(t, "data", Options{FS: fs})
	tables(t, s, 0)
	backup(t, s, "backups/daily")
	tables(t, s, 1000)
	fs.at = func(int) {
		all := vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))}
		crashed = append(crashed, memory.CrashClone(vfs.CrashCloneCfg{}), memory.CrashClone(all))
	}
	s.opts.FS = fs // not Pebble's, which runs beside the backup
	backup(t, s, "backups/daily")
	if len(crashed) < 20 {
		t.Fatalf("only %d crashes", len(crashed))
	}
	renamed := 0
	for i, fs := range crashed {
		dir := "backups/daily"
		if _, err := fs.Stat(dir); err != nil {
			dir += ".ambit-old"
			renamed++
		}
		if r := wantSound(t, fs, dir); r.Last != 200 && r.Last != 400 {
			t.Errorf("crash %d: the backup has %d changes", i, r.Last)
		}
		s, stop := open(t, "data", Options{FS: fs})
		backup(t, s, "backups/daily")
		stop()
		if r := wantSound(t, fs, "backups/daily"); r.Last != 400 {
			t.Errorf("crash %d: the next backup has %d changes", i, r.Last)
		}
		if names, err := fs.List("backups"); err != nil || len(names) != 1 {
			t.Errorf("crash %d: there is %v, %v", i, names, err)
		}
	}
	if renamed == 0 {
		t.Error("no crash came between the renames")
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
	if r := wantSound(t, fs, "backup"); r.Last != 400 {
		t.Errorf("the backup has %d changes", r.Last)
	}
}

func TestOneBackupIsMadeInADirectoryAtATime(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	tables(t, s, 0)
	var second error
	if _, err := s.Backup(t.Context(), "backup", func(BackupProgress) {
		if second == nil {
			_, second = s.Backup(t.Context(), "backup", nil)
		}
	}); err != nil {
		t.Fatal(err)
	}
	if second == nil || !strings.Contains(second.Error(), "another backup is being made there") {
		t.Errorf("the second says %v", second)
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
