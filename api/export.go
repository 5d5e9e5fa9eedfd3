package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// What an export reads at a time, of one moment: so many documents, or so many bytes.
const (
	exportDocuments = 1000
	exportBytes     = 1 << 20
)

// An export is the documents that match, in the order of their ids, as lines. It is read bit by
// bit, as its reader takes it, so that it is as long as it is and holds nothing of the store.
type export struct {
	*call
	q     query
	after string // the last id
	more  bool
	lines bytes.Buffer
	// columns are the paths of a CSV, nil for JSON lines.
	columns []string
	csv     *csv.Writer
}

// exportAll begins an export: what is wrong with it is said before anything is sent.
func exportAll(c *call) (any, error) {
	q, body, err := c.query("query", "fields", "fieldsName")
	if err != nil {
		return nil, err
	}
	if len(q.order) > 0 {
		return nil, badSearch.with("sort")
	}
	format, err := c.string("format")
	if err != nil {
		return nil, err
	}
	if !c.from.Streams {
		return nil, notSupported.with(c.Controller, c.Action, "it has no end that would fit into an answer: ask over HTTP, or search page by page")
	}
	x := &export{call: c, q: q, more: true}
	switch strings.ToLower(format) {
	case "", "jsonl":
		x.lines.Write(encode(map[string]string{"collection": c.Collection, "index": c.Index, "type": "collection"}))
		x.lines.WriteByte('\n')
	case "csv":
		if err := x.header(body); err != nil {
			return nil, err
		}
	default:
		return nil, invalidValue.with("format", `"jsonl" or "csv"`)
	}
	return x, x.read(c.ctx)
}

// header writes the first line of a CSV: its names of the fields, which the body has.
func (x *export) header(body map[string]json.RawMessage) error {
	if body["fields"] == nil {
		return missing.with("fields")
	}
	var fields []string
	if json.Unmarshal(body["fields"], &fields) != nil {
		return invalidType.with("fields", "array of strings")
	}
	names := map[string]string{}
	for _, text := range []json.RawMessage{x.args["fieldsName"], body["fieldsName"]} {
		if text != nil && json.Unmarshal(text, &names) != nil {
			return invalidType.with("fieldsName", "object of strings")
		}
	}
	separator, err := x.string("separator")
	if err != nil {
		return err
	}
	x.csv = csv.NewWriter(&x.lines)
	switch r := []rune(separator); {
	case len(r) == 1 && !strings.ContainsRune("\"\r\n\ufffd", r[0]):
		x.csv.Comma = r[0]
	case separator != "":
		return invalidValue.with("separator", "one character")
	}
	line := []string{nameIn(names, "_id")}
	for _, path := range fields {
		if path != "_id" { // which is always there
			x.columns = append(x.columns, path)
			line = append(line, nameIn(names, path))
		}
	}
	return x.csv.Write(line)
}

func nameIn(names map[string]string, path string) string {
	if name := names[path]; name != "" {
		return name
	}
	return path
}

// read appends the next lines.
func (x *export) read(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, x.opts.Timeout)
	defer cancel()
	x.ctx = ctx
	snap := x.store.Snapshot()
	defer snap.Close()
	documents, full := 0, false
	var failed error
	s, err := x.scan(snap, x.q, x.after, func(doc *persistence.Document, _ *filter.Document) bool {
		failed = x.line(doc)
		documents++
		full = documents == exportDocuments || x.lines.Len() >= exportBytes
		return failed == nil && !full
	})
	if err == nil {
		err = failed
	}
	if err == nil && x.csv != nil {
		x.csv.Flush()
		err = x.csv.Error()
	}
	x.after, x.more = s.last, full || s.Partial
	return err
}

func (x *export) line(doc *persistence.Document) error {
	source := x.shown(doc)
	if x.csv == nil {
		x.lines.Write(encode(struct {
			ID   string          `json:"_id"`
			Body json.RawMessage `json:"body"`
		}{doc.Key.ID, source}))
		return x.lines.WriteByte('\n')
	}
	var body map[string]any
	d := json.NewDecoder(bytes.NewReader(source))
	d.UseNumber()
	if err := d.Decode(&body); err != nil && len(source) > 0 {
		return err
	}
	line := []string{doc.Key.ID}
	for _, path := range x.columns {
		line = append(line, cell(body, path))
	}
	return x.csv.Write(line)
}

// cell returns the value at a path as text: "" for none, and as with Kuzzle "[OBJECT]" for what is
// no scalar.
func cell(body map[string]any, path string) string {
	var v any = body
	for name := range strings.SplitSeq(path, ".") {
		members, ok := v.(map[string]any)
		if !ok {
			return ""
		}
		v = members[name]
	}
	switch scalar := v.(type) {
	case nil:
		return ""
	case string:
		return scalar
	case map[string]any, []any:
		return "[OBJECT]"
	}
	return string(encode(v))
}

// media is the type of what is written.
func (x *export) media() string {
	if x.csv != nil {
		return "text/csv; charset=utf-8"
	}
	return "application/x-ndjson"
}

// write writes the export to its end.
func (x *export) write(ctx context.Context, w io.Writer) error {
	for {
		if _, err := x.lines.WriteTo(w); err != nil || !x.more {
			return err
		}
		if err := x.read(ctx); err != nil {
			return err
		}
	}
}
