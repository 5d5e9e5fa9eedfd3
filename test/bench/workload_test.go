package main

import (
	"errors"
	"fmt"
	"os"
	"testing"
)

// What the benchmark measures is right, also at sizes that it does not take.
func TestEachPeerFindsTheTruth(t *testing.T) {
	for _, w := range workloads() {
		t.Run(fmt.Sprintf("%s %s", w.name, w.filters), func(t *testing.T) {
			t.Parallel()
			p, err := w.open(500)
			switch {
			case errors.Is(err, os.ErrNotExist):
				t.Skip(err)
			case err != nil && os.Getenv("CI") == "":
				t.Skipf("make tools: %v", err)
			case err != nil:
				t.Fatal(err)
			}
			m, _, truth, err := fill(p, 200)
			if err != nil {
				t.Fatal(err)
			}
			found, err := answers(m, p, 200)
			if n := truth.differences(found); n > 0 || err != nil {
				t.Errorf("the Matcher is wrong for %d documents, %v", n, err)
			}
			if p.inAreas() {
				_, found, err := measureRTree(p, 0, 200)
				if n := truth.differences(found); n > 0 || err != nil {
					t.Errorf("the R-tree is wrong for %d documents, %v", n, err)
				}
			}
			if w.moves {
				if _, _, err := measureMoves(m, p, 0); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
