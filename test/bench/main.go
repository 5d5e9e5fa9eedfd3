// Command bench measures how fast filters are matched: nine workloads, in one
// process and on the same inputs as npm koncorde, an R-tree and a linear scan. It
// prints one table.
//
//	go run . -run W3 -short
//
// Times are CPU time. A line counts only if the matches of the first documents
// are those that Filter.Match finds; else it says so, and the command fails.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"time"
)

func workloads() []workload {
	return []workload{
		{name: "W1", filters: "circles around taxis", sizes: []int{1000, 10_000, 100_000}, open: taxis},
		{name: "W2", filters: "circles around the world's towns", sizes: []int{10_000, 1_000_000}, aim: 700, open: walkers, moves: true},
		{name: "W3", filters: "geo and equals and range", sizes: []int{10_000, 100_000, 1_000_000}, aim: 1500, open: trucks},
		{name: "W4", filters: "equals, 10 fields", sizes: []int{10_000, 100_000, 1_000_000}, aim: 300, open: equals},
		{name: "W5", filters: "ranges", sizes: []int{10_000, 100_000, 1_000_000}, open: wideRanges},
		{name: "W5", filters: "one-sided ranges", sizes: []int{10_000, 100_000, 1_000_000}, open: oneSidedRanges},
		{name: "W7", filters: "outlines of countries", sizes: []int{2000}, open: countries},
		{name: "W8", filters: "not and missing", sizes: []int{10_000}, open: negations},
		{name: "W9", filters: "regexps", sizes: []int{10_000}, open: regexps},
	}
}

func main() {
	var opts options
	flag.StringVar(&opts.only, "run", "", "the workload to run alone, as W3")
	flag.BoolVar(&opts.short, "short", false, "at most 100,000 filters, and short measurements")
	flag.Parse()
	if err := run(opts); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	only  string
	short bool
}

// largest is how many filters a workload may have.
func (o options) largest() int {
	if o.short {
		return 100_000
	}
	return 1_000_000
}

// least is how long is measured.
func (o options) least() time.Duration {
	if o.short {
		return 200 * time.Millisecond
	}
	return time.Second
}

func run(opts options) error {
	fmt.Println("| workload | filters | CPU ns a document | matches | candidates | bytes a filter | µs to parse and add | koncorde | linear scan | R-tree |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	wrong := 0
	for _, w := range workloads() {
		if opts.only != "" && w.name != opts.only && (opts.only != "W6" || !w.moves) {
			continue
		}
		for _, size := range w.sizes {
			if size > opts.largest() {
				continue
			}
			p, err := w.open(size)
			if err != nil {
				fmt.Printf("skipped: %s: %v\n", w.name, err)
				break
			}
			right, err := report(opts, w, p)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			if !right {
				wrong++
			}
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%d lines are wrong", wrong)
	}
	return nil
}

// report measures one size of a workload, and prints its lines of the table.
func report(opts options, w workload, p problem) (right bool, err error) {
	// Some 20 million calls of Filter.Match tell the truth.
	count := max(5, min(20_000_000/p.size, 200))
	m, f, t, err := fill(p, count)
	if err != nil {
		return false, err
	}
	found, err := answers(m, p, count)
	if err != nil {
		return false, err
	}
	what := fmt.Sprintf("%s %s | %s", w.name, w.filters, grouped(p.size))
	if n := t.differences(found); n > 0 {
		fmt.Printf("| %s | wrong for %d of %d documents |\n", what, n, count)
		return false, nil
	}
	if f, err = measure(m, p, opts.least(), f); err != nil {
		return false, err
	}
	peers, tree, err := measurePeers(opts, p, t, f)
	if err != nil {
		return false, err
	}
	fmt.Printf("| %s | %s%s | %.2f | %.1f | %.0f | %.1f | %s |\n", what, grouped(int(f.nanoseconds)),
		w.aimed(p), f.matches, f.candidates, f.bytes, f.adding/1000, peers)
	if largest := w.sizes[len(w.sizes)-1]; w.moves && (p.size == largest || opts.short) {
		return true, reportMoves(opts, m, p, tree)
	}
	return true, nil
}

// aimed says what the aim is at the largest size.
func (w workload) aimed(p problem) string {
	if w.aim == 0 || p.size < w.sizes[len(w.sizes)-1] {
		return ""
	}
	return fmt.Sprintf(" (aim %.0f)", w.aim)
}

// measurePeers says how much longer the others take, and how many nanoseconds
// the R-tree does.
func measurePeers(opts options, p problem, t truth, f figure) (cells string, tree float64, err error) {
	times := func(took float64, found [][]int) string {
		text := ratio(took, f.nanoseconds)
		if n := t.differences(found); n > 0 {
			text += fmt.Sprintf(" (%d of %d documents differ)", n, len(t.matches))
		}
		return text
	}
	peers := [3]string{1: times(t.scan, t.matches)}
	if p.size <= 10_000 {
		k, err := measureKoncorde(p, opts.least(), len(t.matches))
		if err != nil {
			return "", 0, err
		}
		peers[0] = fmt.Sprintf("%s, %s bytes", times(k.Nanoseconds, k.Matches), grouped(int(k.Bytes)))
	}
	if p.inAreas() {
		took, found, err := measureRTree(p, opts.least(), len(t.matches))
		if err != nil {
			return "", 0, err
		}
		peers[2], tree = times(took, found), took
	}
	return strings.Join(peers[:], " | "), tree, nil
}

// ratio writes how many times longer something takes.
func ratio(took, than float64) string {
	if took < 10*than {
		return fmt.Sprintf("%.1f×", took/than)
	}
	return grouped(int(took/than)) + "×"
}

// grouped writes a number with commas.
func grouped(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
