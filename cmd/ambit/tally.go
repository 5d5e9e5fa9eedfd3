package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"
)

// maxNotes is how many lines a replay says about its troubles before it only
// counts them.
const maxNotes = 20

// ackedFlush is how long a line of --acked may be in memory only.
const ackedFlush = 100 * time.Millisecond

// A tally counts what became of the rows. Its methods may be called
// concurrently.
type tally struct {
	mu      sync.Mutex // guards everything below
	stderr  io.Writer
	notes   int
	acked   *bufio.Writer // of --acked, or nil
	flushed time.Time
	fileErr error // the first of writing to acked

	rows, skipped, acknowledged, refused int
}

// A summary is what a replay says at its end.
type summary struct {
	Rows          int     `json:"rows"`
	Seconds       float64 `json:"seconds"`
	RowsPerSecond float64 `json:"rows_per_second"`
	Acknowledged  int     `json:"acknowledged"`
	Refused       int     `json:"refused"`
	Failed        int     `json:"failed"`
	Skipped       int     `json:"skipped"`
}

// note says something on a line of its own, the first few times.
func (t *tally) note(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.noteLocked(format, args...)
}

func (t *tally) noteLocked(format string, args ...any) {
	switch t.notes++; {
	case t.notes <= maxNotes:
		say(t.stderr, "ambit: "+format, args...)
	case t.notes == maxNotes+1:
		say(t.stderr, "ambit: more of this is counted and not shown")
	}
}

// taken counts a row that is to be published, and says how many there are.
func (t *tally) taken() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rows++
	return t.rows
}

// skip counts a row that cannot be published.
func (t *tally) skip(file string, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.skipped++
	t.noteLocked("%s: %v: skipped", file, err)
}

// answered counts the broker's answer to a row: nil, or a refusal.
func (t *tally) answered(it item, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		t.refused++
		t.noteLocked("%s: %v", it.place, err)
		return
	}
	t.acknowledged++
	if t.acked == nil || t.fileErr != nil {
		return
	}
	_, t.fileErr = fmt.Fprintf(t.acked, "%s\t%s\n", it.id, it.timeText)
	if now := time.Now(); t.fileErr == nil && now.Sub(t.flushed) > ackedFlush {
		t.fileErr, t.flushed = t.acked.Flush(), now
	}
}

// flush writes out --acked, and returns the first error that writing it had.
func (t *tally) flush() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.acked != nil && t.fileErr == nil {
		t.fileErr = t.acked.Flush()
	}
	return t.fileErr
}

func (t *tally) summary(took time.Duration) summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	return summary{
		Rows:          t.rows,
		Seconds:       took.Seconds(),
		RowsPerSecond: float64(t.acknowledged+t.refused) / max(took.Seconds(), 1e-9),
		Acknowledged:  t.acknowledged,
		Refused:       t.refused,
		Failed:        t.rows - t.acknowledged - t.refused,
		Skipped:       t.skipped,
	}
}

// print writes the summary for people, or as one line of JSON.
func (s summary) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(s)
	}
	_, err := fmt.Fprintf(w, "%d rows in %.2f s (%.0f a second): %d acknowledged, %d refused, %d failed; %d bad rows skipped\n",
		s.Rows, s.Seconds, s.RowsPerSecond, s.Acknowledged, s.Refused, s.Failed, s.Skipped)
	return err
}
