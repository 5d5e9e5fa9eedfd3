package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// A lineReader reads lines of JSON, perhaps compressed with gzip.
type lineReader struct {
	name   string
	in     *bufio.Reader
	file   io.Closer // nil for the standard input
	line   int       // the number of the last line, from 1
	inLine bool      // whether the rest of it, which was too long, is still to be skipped
}

// openLines opens a file. The name - is the standard input.
func openLines(name string, stdin io.Reader) (*lineReader, error) {
	l := &lineReader{name: name}
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		l.file, stdin = file, file
	}
	in, err := unzipped(stdin)
	if err != nil {
		l.close()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	l.in = bufio.NewReaderSize(in, maxLineBytes)
	return l, nil
}

func (l *lineReader) close() {
	if l.file != nil {
		_ = l.file.Close() // it was only read
	}
}

// waits reports whether nothing is left of what was read last: the next line may
// take its time, if it comes from a pipe.
func (l *lineReader) waits() bool { return l.in.Buffered() == 0 }

var errLineTooLong = fmt.Errorf("has more than %d bytes", maxLineBytes)

// next returns the next line that is not blank, which is valid until the one
// after it. The error is io.EOF after the last one, and errLineTooLong with the
// beginning of a line to skip.
func (l *lineReader) next() ([]byte, error) {
	for {
		text, err := l.in.ReadSlice('\n')
		isRest, isLong := l.inLine, errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !isLong && (!errors.Is(err, io.EOF) || len(text) == 0) {
			return nil, err
		}
		l.inLine = isLong
		if isRest {
			continue
		}
		l.line++
		if isLong {
			return text, errLineTooLong
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return text, nil
		}
	}
}

// nextEntry reads a line {"id":"…","<member>":…}. The error is io.EOF after the
// last one, and a *badRowError for a line to skip.
func nextEntry[T any](l *lineReader, member string, parse func([]byte) (T, error)) (id string, v T, err error) {
	text, err := l.next()
	switch {
	case errors.Is(err, errLineTooLong):
		fields, _ := objectFields(text) // it has no end, which is known
		err = withID(fields, err)
	case errors.Is(err, io.EOF):
		return "", v, err
	case err != nil:
		return "", v, fmt.Errorf("%s: line %d: %w", l.name, l.line+1, err)
	default:
		id, v, err = parseEntry(text, member, parse)
	}
	if err != nil {
		err = &badRowError{l.line, err}
	}
	return id, v, err
}

func parseEntry[T any](text []byte, member string, parse func([]byte) (T, error)) (id string, v T, err error) {
	// What is cut out may be more than one value, which parse finds out.
	if id, value, ok := cutEntry(text, member); ok {
		if v, err = parse(value); err == nil {
			return id, v, nil
		}
	}
	fields, err := objectFields(text)
	if err != nil {
		return "", v, withID(fields, err)
	}
	f, err := onlyField(fields, "id")
	if err != nil {
		return "", v, err
	}
	if f.json[0] != '"' {
		return "", v, withID(fields, errors.New("an id must be a string"))
	}
	value, err := onlyField(fields, member)
	if err == nil {
		v, err = parse(value.json)
	}
	return f.text, v, withID(fields, err)
}

// cutEntry takes apart a line in the form in which most programs write it. It
// takes a fiftieth of the time of objectFields, which would be most of the time
// to read a document.
func cutEntry(text []byte, member string) (id string, value []byte, ok bool) {
	text, opens := bytes.CutPrefix(text, []byte(`{"id":"`))
	text, closes := bytes.CutSuffix(text, []byte("}"))
	name, value, ok := bytes.Cut(text, []byte(`","`+member+`":`))
	isPlain := utf8.Valid(name) && !bytes.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' })
	return string(name), value, ok && opens && closes && isPlain
}

// onlyField returns the field of a name that must be there once.
func onlyField(fields []field, name string) (field, error) {
	var found []field
	for _, f := range fields {
		if f.name == name {
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		return field{}, fmt.Errorf("%q is missing", name)
	case 1:
		return found[0], nil
	}
	return field{}, fmt.Errorf("%q is there twice", name)
}

// withID says in an error which id the line has, if that can be said.
func withID(fields []field, err error) error {
	id, none := onlyField(fields, "id")
	if err == nil || none != nil {
		return err
	}
	return fmt.Errorf("id %s: %w", id.json, err)
}
