package access

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// errMeanwhile says that somebody else has written a file.
var errMeanwhile = errors.New("the file of users was changed by somebody else meanwhile")

// Set changes a user of a file, or adds one behind the others, who is the zero User
// before. The file is made when it is absent, and nobody ever reads half of it.
func Set(path, name string, change func(*User)) error {
	return edit(path, name, func(u *User) error {
		change(u)
		return nil
	})
}

// edit is Set, unless change refuses. It does not write over what somebody else writes at
// the same time, but tries again.
func edit(path, name string, change func(*User) error) (err error) {
	if !isName(name) {
		return fmt.Errorf("%q cannot be the name of a user", name)
	}
	for range 3 {
		if err = editOnce(path, name, change); !errors.Is(err, errMeanwhile) {
			break
		}
	}
	return err
}

func editOnce(path, name string, change func(*User) error) error {
	was, err := os.Stat(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var out strings.Builder
	done := false
	write := func(u User) error {
		if err := change(&u); err != nil {
			return err
		}
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
	return replaceFile(path, out.String(), was)
}

// isSame says whether a file is as it was, or is absent still.
func isSame(path string, was os.FileInfo) bool {
	now, err := os.Stat(path)
	if err != nil || was == nil {
		return err != nil && was == nil
	}
	return os.SameFile(now, was) && now.Size() == was.Size() && now.ModTime().Equal(was.ModTime())
}

// replaceFile writes a file anew, beside it, and puts it into place. It keeps its
// permissions; a new one is for its owner alone. The error is errMeanwhile if it is not as it was.
func replaceFile(path, text string, was os.FileInfo) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // it is of no use
		}
	}()
	if was != nil {
		err = f.Chmod(was.Mode().Perm())
	}
	_, writeErr := f.WriteString(text)
	if err = errors.Join(err, writeErr, f.Sync(), f.Close()); err != nil {
		return err
	}
	if !isSame(path, was) {
		return errMeanwhile
	}
	return os.Rename(f.Name(), path)
}
