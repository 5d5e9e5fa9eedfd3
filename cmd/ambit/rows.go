package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A row is one line of a recorded trace.
type row struct {
	line   int // in its file, from 1
	fields []field
}

// A field is one value of a row.
type field struct {
	name string
	text string          // for topics and times: a string without its quotes
	json json.RawMessage // for the body
}

// field returns the field of that name, and false if the row has none.
func (r row) field(name string) (field, bool) {
	for _, f := range r.fields {
		if f.name == name {
			return f, true
		}
	}
	return field{}, false
}

// A badRowError is a line that cannot be published. The next one may be fine.
type badRowError struct {
	line int
	err  error
}

func (e *badRowError) Error() string { return fmt.Sprintf("line %d: %v", e.line, e.err) }
func (e *badRowError) Unwrap() error { return e.err }

// A rowReader reads one file.
type rowReader interface {
	// next returns the rows in order. The error is io.EOF after the last one, and
	// a *badRowError for a row to skip.
	next() (row, error)
	// columns returns the names of the columns, given the first row.
	columns(first row) []string
}

// newRowReader reads CSV with a header, or one JSON object a line, either of
// them perhaps compressed with gzip: what it is shows in its first bytes.
func newRowReader(r io.Reader) (rowReader, error) {
	buffered, err := unzipped(r)
	if err != nil {
		return nil, err
	}
	start, err := buffered.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.HasPrefix(bytes.TrimSpace(start), []byte("{")) {
		lines := bufio.NewScanner(buffered)
		lines.Buffer(nil, maxLineBytes)
		return &jsonRows{lines: lines}, nil
	}
	return newCSVRows(buffered)
}

// unzipped returns what r has, without the gzip around it or the byte order mark
// before it, if there is one.
func unzipped(r io.Reader) (*bufio.Reader, error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := buffered.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) { // a short file is read as it is
		unzipped, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, err
		}
		buffered = bufio.NewReaderSize(unzipped, 64<<10)
	}
	if bom, _ := buffered.Peek(3); string(bom) == "\uFEFF" {
		_, _ = buffered.Discard(3) // it has just been seen
	}
	return buffered, nil
}

// csvRows reads CSV. An empty cell is a field that the row does not have.
type csvRows struct {
	csv    *csv.Reader
	header []string
}

func newCSVRows(r io.Reader) (*csvRows, error) {
	c := csv.NewReader(r)
	c.FieldsPerRecord = -1 // next says it better
	c.ReuseRecord = true
	header, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("it is empty: a CSV file begins with the names of its columns")
	}
	if err != nil {
		return nil, err
	}
	rows := &csvRows{csv: c}
	for _, name := range header {
		name = strings.TrimSpace(name)
		if slices.Contains(rows.header, name) {
			return nil, fmt.Errorf("two columns have the name %q", name)
		}
		rows.header = append(rows.header, name)
	}
	return rows, nil
}

func (c *csvRows) columns(row) []string { return c.header }

func (c *csvRows) next() (row, error) {
	record, err := c.csv.Read()
	if parse := (*csv.ParseError)(nil); errors.As(err, &parse) {
		return row{}, &badRowError{parse.Line, parse.Err}
	}
	if err != nil {
		return row{}, err
	}
	line, _ := c.csv.FieldPos(0)
	if len(record) != len(c.header) {
		return row{}, &badRowError{line, fmt.Errorf("%d cells, the header has %d", len(record), len(c.header))}
	}
	r := row{line: line, fields: make([]field, 0, len(record))}
	for i, cell := range record {
		if cell != "" {
			r.fields = append(r.fields, field{c.header[i], cell, cellJSON(cell)})
		}
	}
	return r, nil
}

// cellJSON returns a cell as JSON: a number or a boolean if it reads as one,
// else a string.
func cellJSON(cell string) json.RawMessage {
	if isNumber(cell) || cell == "true" || cell == "false" {
		return json.RawMessage(cell)
	}
	return stringJSON(cell)
}

func isNumber(text string) bool {
	return text != "" && (text[0] == '-' || text[0] >= '0' && text[0] <= '9') && json.Valid([]byte(text))
}

// stringJSON quotes a text, and leaves < and & as they are.
func stringJSON(text string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string can be encoded
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// jsonRows reads one JSON object a line.
type jsonRows struct {
	lines *bufio.Scanner
	line  int
}

func (j *jsonRows) columns(first row) []string {
	var names []string
	for _, f := range first.fields {
		names = append(names, f.name)
	}
	return names
}

func (j *jsonRows) next() (row, error) {
	for j.lines.Scan() {
		j.line++
		if text := bytes.TrimSpace(j.lines.Bytes()); len(text) > 0 {
			fields, err := objectFields(bytes.Clone(text))
			if err != nil {
				return row{}, &badRowError{j.line, err}
			}
			return row{j.line, fields}, nil
		}
	}
	if err := j.lines.Err(); err != nil {
		return row{}, fmt.Errorf("line %d: %w", j.line+1, err)
	}
	return row{}, io.EOF
}

// objectFields returns the members of a JSON object in their order; with an
// error, those before the fault.
func objectFields(text []byte) ([]field, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var fields []field
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return fields, err
		}
		f := field{name: name.(string)} // the decoder lets nothing else be a name
		if err := dec.Decode(&f.json); err != nil {
			return fields, err
		}
		if f.text = string(f.json); strings.HasPrefix(f.text, `"`) {
			if err := json.Unmarshal(f.json, &f.text); err != nil {
				return fields, err
			}
		}
		fields = append(fields, f)
	}
	if _, err := dec.Token(); err != nil {
		return fields, errors.New("the JSON object does not end")
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fields, errors.New("more than one JSON object")
	}
	return fields, nil
}
