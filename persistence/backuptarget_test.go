package persistence

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

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
	mu *sync.Mutex // guards what at does: Pebble calls from several goroutines
	at func()
}

func (f interruptedFS) next() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.at()
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
	memory := vfs.NewCrashableMem()
	s := openTest(t, "data", Options{FS: memory})
	tables(t, s, 0)
	backup(t, s, "backups/daily")
	tables(t, s, 1000)
	var crashed []*vfs.MemFS
	s.opts.FS = interruptedFS{memory, &sync.Mutex{}, func() {
		all := vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))}
		crashed = append(crashed, memory.CrashClone(vfs.CrashCloneCfg{}), memory.CrashClone(all))
	}} // not Pebble's, which runs beside the backup
	backup(t, s, "backups/daily")
	if len(crashed) < 20 {
		t.Fatalf("only %d crashes", len(crashed))
	}
	renamed := 0
	for i, fs := range crashed {
		if testing.Short() && i%4 > 1 {
			continue // every second step
		}
		dir := "backups/daily"
		if _, err := fs.Stat(dir); err != nil {
			dir += ".ambit-old"
			renamed++
		}
		if r := wantSound(t, fs, dir); r.Last != 50 && r.Last != 100 {
			t.Errorf("crash %d: the backup has %d changes", i, r.Last)
		}
		s, stop := open(t, "data", Options{FS: fs})
		backup(t, s, "backups/daily")
		stop()
		if r := wantSound(t, fs, "backups/daily"); r.Last != 100 {
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
