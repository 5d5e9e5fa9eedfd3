package integration

import (
	"bytes"
	"strings"
	"sync"
	"time"
)

// A transcript keeps the lines that someone else writes, and lets tests wait
// for the next one. It is safe for concurrent use.
type transcript struct {
	mu    sync.Mutex // guards lines, more
	lines []string
	more  chan struct{} // closed, and replaced, with every line
}

func newTranscript() *transcript {
	return &transcript{more: make(chan struct{})}
}

func (tr *transcript) add(line string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.lines = append(tr.lines, line)
	close(tr.more)
	tr.more = make(chan struct{})
}

// line returns the line with number i, counted from 0. It waits for it until
// done or the time is out, and then returns false.
func (tr *transcript) line(i int, done <-chan struct{}, timeout <-chan time.Time) (string, bool) {
	for ended := false; ; {
		tr.mu.Lock()
		lines, more := tr.lines, tr.more
		tr.mu.Unlock()
		if i < len(lines) {
			return lines[i], true
		}
		if ended {
			return "", false
		}
		select {
		case <-more:
		case <-done:
			ended = true // one more look: the last line may have come before the end
		case <-timeout:
			return "", false
		}
	}
}

// String returns all lines.
func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return strings.Join(tr.lines, "\n")
}

// A lineWriter calls add with every line that a process prints. It is not safe
// for concurrent use.
type lineWriter struct {
	add  func(line string)
	rest []byte // the line that has no end yet
}

// Write takes what the process prints.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.rest = append(w.rest, p...)
	for {
		line, rest, ok := bytes.Cut(w.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.add(string(line))
		w.rest = rest
	}
}

// count returns how many lines there are.
func (tr *transcript) count() int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return len(tr.lines)
}
