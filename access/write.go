package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Set writes the verifier of a user to a file, in place of the one that it has,
// or behind those of others. The file is made when it is absent, and nobody ever
// reads half of it.
func Set(path, name string, v Verifier) error {
	if name == "" || name[0] == '#' || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("%q cannot be the name of a user", name)
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var out strings.Builder
	done := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if is, _, err := parseLine(line); err == nil && is == name {
			line, done = name+":"+v.String(), true
		}
		out.WriteString(line + "\n")
	}
	if !done {
		out.WriteString(name + ":" + v.String() + "\n")
	}
	return replaceFile(path, out.String())
}

// replaceFile writes a file anew, beside it, and puts it into place. It keeps its
// permissions; a new one is for its owner alone.
func replaceFile(path, text string) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // it is of no use
		}
	}()
	if info, statErr := os.Stat(path); statErr == nil {
		err = f.Chmod(info.Mode().Perm())
	}
	_, writeErr := f.WriteString(text)
	if err = errors.Join(err, writeErr, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
