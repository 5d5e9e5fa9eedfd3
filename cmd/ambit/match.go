package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ambitmq/ambit/filter"
)

const matchHelp = `Say which filters match which documents, without a broker. Both files have one
JSON object a line, and may be compressed with gzip; - is the standard input, for
one of them.

  --filters   {"id":"f1","filter":{"range":{"speed":{"gt":50}}}}
  --docs      {"id":"d1","body":{"speed":60}}
  answer      {"id":"d1","match":["f1"]}

There is one answer for each document, in their order, with the ids of the filters
sorted by their bytes. The id of a document is its field _id, unless the body has
one. Documents with the same id are versions of one, for filters with changed,
crossed or near: each follows the last one with its id, among the last ones with
other ids. No two filters may have the same id.

--explain adds, after the answer to a document, a line for each filter, which says
why. It is the filter's canonical form, in which each clause has whether it holds,
and the value that the document has in its field, if it has the field:
  {"id":"d1","filter":"f1","explain":
    {"holds":true,"clause":{"range":{"speed":{"gt":50}}},"value":60}}
An and or an or has its members instead:
    {"holds":false,"and":[{"holds":true,"clause":…},{"holds":false,"clause":…}]}

--stats prints one JSON object on standard error when all is done:
  filters, documents, matches  how many there were; bad lines do not count
  candidates_per_document      filters that were looked at: those that match, and
                               those that are found under a condition that holds,
                               but refused by another
  ns_per_document              nanoseconds of finding the filters, in one thread
  parse_ns_per_document        nanoseconds of reading and parsing, besides
  bytes_per_filter             memory that the filters take, but for their ids

A line that cannot be read is reported on standard error, with its number and its
id. The others are answered all the same.

Exit codes: 0 done, 1 a file could not be read, 2 wrong usage, or bad lines.`

// matchOptions are the flags of ambit match.
type matchOptions struct {
	filters string
	docs    string
	explain bool
	stats   bool
}

func newMatch() *cobra.Command {
	var o matchOptions
	cmd := &cobra.Command{
		Use:   "match --filters FILE --docs FILE",
		Short: "Say which filters match which documents, without a broker",
		Long:  matchHelp,
		Example: `  ambit match --filters filters.ndjson --docs docs.ndjson
  tail -f docs.ndjson | ambit match --filters filters.ndjson --docs - --explain`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.filters, "filters", "", "`file` with a filter a line")
	flags.StringVar(&o.docs, "docs", "", "`file` with a document a line")
	flags.BoolVar(&o.explain, "explain", false, "say why, clause by clause")
	flags.BoolVar(&o.stats, "stats", false, "print counts and times on standard error")
	return cmd
}

func (o *matchOptions) run(cmd *cobra.Command) error {
	switch {
	case o.filters == "":
		return usageErrorf("--filters is missing: a file, or - (the standard input)")
	case o.docs == "":
		return usageErrorf("--docs is missing: a file, or - (the standard input)")
	case o.filters == "-" && o.docs == "-":
		return usageErrorf("--filters and --docs cannot both be the standard input")
	}
	filters, err := openLines(o.filters, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer filters.close()
	docs, err := openLines(o.docs, cmd.InOrStdin())
	if err != nil {
		return err
	}
	defer docs.close()
	t := &matchTask{stderr: cmd.ErrOrStderr(), counts: o.stats}
	if t.filters, err = t.readFilters(filters, o.explain); err != nil {
		return err
	}
	if err := t.answer(docs, cmd.OutOrStdout()); err != nil {
		return err
	}
	if o.stats {
		if err := t.stats().print(t.stderr); err != nil {
			return err
		}
	}
	if t.bad > 0 {
		return &exitError{code: exitBadLines} // each has been reported
	}
	return nil
}

// A matchTask is one run of ambit match.
type matchTask struct {
	stderr  io.Writer
	counts  bool // whether candidates are counted
	filters *filterSet
	batch   []matchedDocument           // of documents; see batchDocuments
	latest  map[string]*filter.Document // by id; nil if no filter is momentary
	bad     int                         // lines that could not be read
	matchTotals
}

type matchedDocument struct {
	id    string
	doc   *filter.Document
	found []uint32 // filters, by their place
}

// skip reports a line that cannot be read.
func (t *matchTask) skip(file string, err error) {
	t.bad++
	say(t.stderr, "ambit: %s: %v", file, err)
}

// batchDocuments are read before they are matched, and matched before they are
// answered, so that the clock, which takes a tenth of the time of a match, is
// read but twice for all of them. Where filters ask for what was before, each
// document is a batch.
const batchDocuments = 256

// answer reads documents and writes which filters match, until the end.
func (t *matchTask) answer(docs *lineReader, stdout io.Writer) error {
	out := bufio.NewWriter(stdout)
	for {
		ended := t.readBatch(docs)
		t.matchBatch()
		if err := t.writeBatch(out); err != nil {
			return err
		}
		if ended != nil || docs.waits() {
			if err := out.Flush(); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(ended, io.EOF):
			return nil
		case ended != nil:
			return ended
		}
	}
}

// readBatch reads what is there at once, and at least one document. With an
// error there are no more.
func (t *matchTask) readBatch(docs *lineReader) error {
	start := time.Now()
	defer func() { t.parsing += time.Since(start) }()
	t.batch = t.batch[:0]
	for {
		id, b, err := nextEntry(docs, "body", parseBody)
		if bad := (*badRowError)(nil); errors.As(err, &bad) {
			t.skip(docs.name, err)
		} else if err != nil {
			return err
		} else {
			if !b.named {
				b.doc.Set("_id", id)
			}
			t.add(id, b.doc)
		}
		if len(t.batch) == batchDocuments || t.latest != nil || docs.waits() {
			return nil
		}
	}
}

// add adds a document to the batch, and uses again the room of an earlier one.
func (t *matchTask) add(id string, d *filter.Document) {
	n := len(t.batch)
	if n < cap(t.batch) {
		t.batch = t.batch[:n+1]
	} else {
		t.batch = append(t.batch, matchedDocument{})
	}
	t.batch[n].id, t.batch[n].doc = id, d
	if t.latest != nil {
		d.Follow(t.latest[id])
		d.Among(t.where)
	}
}

// where is where near finds other documents.
func (t *matchTask) where(n filter.Neighbour) filter.Position {
	if d := t.latest[n.ID]; d != nil {
		return d.Position(n.Path)
	}
	return filter.Position{}
}

// A body is a document, and whether it has a field _id of its own.
type body struct {
	doc   *filter.Document
	named bool
}

func parseBody(text []byte) (body, error) {
	d, err := filter.ParseDocument(text, filter.DocumentLimits{})
	if err != nil {
		return body{}, err
	}
	if !bytes.Contains(text, []byte("_id")) && !bytes.Contains(text, []byte(`\u`)) {
		return body{doc: d}, nil
	}
	fields, err := objectFields(text)
	if err != nil {
		return body{}, err
	}
	_, none := onlyField(fields, "_id")
	return body{doc: d, named: none == nil}, nil
}

func (t *matchTask) matchBatch() {
	start := time.Now()
	for i := range t.batch {
		m := &t.batch[i]
		m.found = t.filters.matcher.Match(m.found[:0], m.doc)
	}
	t.matching += time.Since(start)
}

func (t *matchTask) writeBatch(out *bufio.Writer) error {
	for _, m := range t.batch {
		t.documents++
		t.matches += len(m.found)
		if t.counts {
			t.candidates += t.filters.matcher.Candidates(m.doc)
		}
		if err := t.filters.write(out, m); err != nil {
			return err
		}
		if t.latest != nil {
			m.doc.Follow(nil) // else all versions would be kept
			t.latest[m.id] = m.doc
		}
	}
	return nil
}
