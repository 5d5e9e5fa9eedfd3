package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/ambitmq/ambit/client"
)

// boardEvents is how many events the live view shows.
const boardEvents = 12

// What a terminal is told (ECMA-48).
const (
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
	clearRest  = "\x1b[K"
	cursorUp   = "\x1b[%dA\r"
)

// A board shows who enters and leaves the fences: as a table that is drawn
// again in its place on a terminal, else as lines. Its methods may be called
// concurrently.
type board struct {
	fences []fence
	out    io.Writer
	live   bool

	mu      sync.Mutex // guards everything below, and out
	inside  []map[string]bool
	entered []int
	left    []int
	events  []string // the last ones
	acked   int
	began   time.Time
}

// newBoard makes a board; it is live if that is wanted and out is a terminal.
func newBoard(fences []fence, out io.Writer, wantLive bool) *board {
	b := &board{
		fences:  fences,
		out:     out,
		live:    wantLive && isTerminal(out),
		entered: make([]int, len(fences)),
		left:    make([]int, len(fences)),
		began:   time.Now(),
	}
	for range fences {
		b.inside = append(b.inside, map[string]bool{})
	}
	return b
}

// event takes one notification of a fence.
func (b *board) event(i int, m client.Message) {
	var n notification
	var r report
	if json.Unmarshal(m.Payload, &n) != nil || json.Unmarshal(n.Result.Source, &r) != nil {
		b.note(fmt.Errorf("not a notification: %s", m.Payload))
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	does := b.fences[i].enters
	if n.Transition == "exit" {
		does = b.fences[i].leaves
		delete(b.inside[i], n.Result.ID)
		b.left[i]++
	} else {
		b.inside[i][n.Result.ID] = true
		b.entered[i]++
	}
	b.add(line(time.UnixMilli(n.Timestamp), mark(n.Transition), n.Result.ID+" "+does,
		fmt.Sprintf("(%d km/h, %s, bound for %s)", r.Speed, r.State, r.Destination)))
}

// note shows a trouble.
func (b *board) note(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.add(line(time.Now(), "!", err.Error(), ""))
}

func (b *board) add(text string) {
	if !b.live {
		say(b.out, "%s", text)
		return
	}
	b.events = append(b.events, text)
	b.events = b.events[max(0, len(b.events)-boardEvents):]
}

// published counts a report that was acknowledged.
func (b *board) published() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked++
}

// show draws the live view until the context ends.
func (b *board) show(ctx context.Context) {
	if !b.live {
		return
	}
	say(b.out, hideCursor)
	defer say(b.out, showCursor)
	ticker := time.NewTicker(250 * time.Millisecond)
	defer ticker.Stop()
	for up := ""; ; {
		lines := b.lines()
		say(b.out, "%s%s", up, strings.Join(lines, clearRest+"\n")+clearRest)
		up = fmt.Sprintf(cursorUp, len(lines))
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// lines returns the live view, cut to the size of the terminal: a line that
// wrapped, or one too many, would move all others.
func (b *board) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	rate := float64(b.acked) / max(time.Since(b.began).Seconds(), 1)
	lines := []string{
		fmt.Sprintf("%d reports on disk and acknowledged, %.0f a second. Ctrl-C ends it.", b.acked, rate),
		"",
		fmt.Sprintf("%-22s %6s %8s %6s", "", "inside", "entered", "left"),
	}
	for i, f := range b.fences {
		ids := strings.Join(slices.Sorted(maps.Keys(b.inside[i])), " ")
		lines = append(lines, fmt.Sprintf("%-22s %6d %8d %6d   %s", f.name, len(b.inside[i]), b.entered[i], b.left[i], ids))
	}
	lines = append(lines, "")
	width, height := terminalSize(b.out)
	room := min(max(height-1-len(lines), 0), boardEvents)
	lines = append(lines, b.events[max(0, len(b.events)-room):]...)
	for i, text := range lines {
		if runes := []rune(text); len(runes) >= width {
			lines[i] = string(runes[:width-2]) + "…"
		}
	}
	return lines
}

// terminalSize returns the size of the terminal that w is, or a usual one.
func terminalSize(w io.Writer) (width, height int) {
	if f, ok := w.(*os.File); ok {
		if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 2 && height > 1 {
			return width, height
		}
	}
	return 80, 24
}
