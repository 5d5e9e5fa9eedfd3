package persistence

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// The file of this name makes a directory a backup: it lists the others and is
// written last. Its first line says the format, its last one has the sum of what
// is above it.
const (
	listName   = "BACKUP"
	listPrefix = "ambit backup, format "
	listFormat = 1
	listSum    = "sha256 "

	maxListBytes = 256 << 20
	lockName     = "LOCK" // Pebble's, and that of a backup being made
)

// beingRestored is what the file BACKUP says in a directory that a backup is
// being restored to.
const beingRestored = "ambit backup, being restored\n"

// A Backup says what a backup holds.
type Backup struct {
	// Node is the node that it is a backup of.
	Node string `json:"node"`
	// Seq is the last change that is in it for sure; later ones may be.
	Seq uint64 `json:"seq"`
	// Made is when it was begun, in UTC.
	Made time.Time `json:"made"`
	// Files has all of its files but the list itself, by name.
	Files []BackupFile `json:"files"`
}

// Bytes is the size of all files.
func (b *Backup) Bytes() int64 {
	n := int64(0)
	for _, f := range b.Files {
		n += f.Bytes
	}
	return n
}

// A BackupFile is one file of a backup.
type BackupFile struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
	// Modified is when the store's own file was last written. A later backup takes a
	// file of the same name, size and time for the same file.
	Modified time.Time `json:"modified"`
	// SHA256 is the sum of its bytes, in hex.
	SHA256 string `json:"sha256"`
}

// byName returns the files of a backup, nil for none, by their names.
func (b *Backup) byName() map[string]BackupFile {
	files := map[string]BackupFile{}
	if b != nil {
		for _, f := range b.Files {
			files[f.Name] = f
		}
	}
	return files
}

// isBackupFile says whether a backup may have a file of this name: those of
// Pebble, and the marker.
var isBackupFile = regexp.MustCompile(
	`^(AMBIT|MANIFEST-\d+|OPTIONS-\d+|\d+\.(sst|blob)|\d+(-\d+)?\.log|marker\.[a-z-]+\.\d+\.[0-9A-Za-z-]+)$`).MatchString

// encodeList returns the file BACKUP.
func encodeList(b *Backup) ([]byte, error) {
	text, err := json.MarshalIndent(b, "", " ")
	if err != nil {
		return nil, err
	}
	text = fmt.Appendf(nil, "%s%d\n%s\n", listPrefix, listFormat, text)
	return fmt.Appendf(text, "%s%x\n", listSum, sha256.Sum256(text)), nil
}

// decodeList is the inverse of encodeList.
func decodeList(text []byte) (*Backup, error) {
	first, rest, _ := bytes.Cut(text, []byte("\n"))
	format := 0
	if n, err := fmt.Sscanf(string(first), listPrefix+"%d", &format); n != 1 || err != nil || format < 1 {
		return nil, fmt.Errorf("the file %s is damaged", listName)
	}
	if format > listFormat {
		return nil, fmt.Errorf("it was made by a newer version of Ambit (format %d, this one reads %d)", format, listFormat)
	}
	end := bytes.LastIndex(text, []byte(listSum))
	if end < len(text)-len(rest) || string(text[end:]) != fmt.Sprintf("%s%x\n", listSum, sha256.Sum256(text[:end])) {
		return nil, fmt.Errorf("the file %s is damaged", listName)
	}
	b := &Backup{}
	if err := json.Unmarshal(text[len(text)-len(rest):end], b); err != nil {
		return nil, fmt.Errorf("the file %s is damaged: %w", listName, err)
	}
	for _, f := range b.Files {
		if !isBackupFile(f.Name) {
			return nil, fmt.Errorf("the file %s names %q, which is no file of a backup", listName, f.Name)
		}
	}
	return b, nil
}

// readList reads the list of the backup in dir. Its error is fs.ErrNotExist if
// there is none.
func readList(files vfs.FS, dir string) (*Backup, error) {
	f, err := files.Open(files.PathJoin(dir, listName))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxListBytes))
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if string(text) == beingRestored {
		return nil, errors.New("a restore was interrupted there")
	}
	return decodeList(text)
}

// isBackup says whether dir holds a backup, or what a restore that was
// interrupted has left.
func isBackup(files vfs.FS, dir string) (bool, error) {
	_, err := files.Stat(files.PathJoin(dir, listName))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// refuseBackup keeps a backup from being served as it is: the numbers of its
// next changes may have been given out already, and a backup that is written to
// is none any more.
func refuseBackup(files vfs.FS, dir string) error {
	yes, err := isBackup(files, dir)
	if err != nil {
		return fmt.Errorf("persistence: %w", err)
	}
	if yes {
		return fmt.Errorf("persistence: %s is a backup, or a restore of one that was interrupted: restore the backup to another directory", dir)
	}
	return nil
}

// sumOf reads all of r into w and returns how many bytes that were, and their sum,
// which comes first: a vfs.File may change what it is given to write.
func sumOf(w io.Writer, r io.Reader) (n int64, sum string, err error) {
	h := sha256.New()
	n, err = io.Copy(io.MultiWriter(h, w), r)
	return n, hex.EncodeToString(h.Sum(nil)), err
}
