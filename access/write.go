package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Set changes a user of a file, or adds one behind the others, who is the zero User
// before. The file is made when it is absent, and nobody ever reads half of it.
func Set(path, name string, change func(*User)) error {
	if !isName(name) {
		return fmt.Errorf("%q cannot be the name of a user", name)
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var out strings.Builder
	done := false
	write := func(u User) error {
		change(&u)
		line, err := u.line(name)
		out.WriteString(line + "\n")
		return errors.Join(err, u.check())
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\r\n")
		if is, u, err := parseLine(line); err == nil && is == name && line[0] != '#' {
			done = true
			if err := write(u); err != nil {
				return err
			}
			continue
		}
		out.WriteString(line + "\n")
	}
	if !done {
		if err := write(User{}); err != nil {
			return err
		}
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
