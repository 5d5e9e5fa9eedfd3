package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// A koncordeFigure is what npm koncorde needs for a problem, and what it answers
// for the first documents.
type koncordeFigure struct {
	Nanoseconds float64 // per document
	Bytes       float64 // of the process, per filter
	Matches     [][]int
}

// measureKoncorde has npm koncorde match the documents for so long, in a
// process of its own.
func measureKoncorde(p problem, least time.Duration, count int) (f koncordeFigure, err error) {
	dir, err := os.MkdirTemp("", "ambit-bench-")
	if err != nil {
		return f, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // the system clears its temporary files, too
	filters, documents := filepath.Join(dir, "filters"), filepath.Join(dir, "documents")
	err = writeLines(filters, func(yield func(string) bool) {
		for _, c := range p.each {
			if !yield(c.text) {
				return
			}
		}
	})
	if err != nil {
		return f, err
	}
	err = writeLines(documents, func(yield func(string) bool) {
		for _, body := range p.documents[:10_000] {
			if !yield(body) {
				return
			}
		}
	})
	if err != nil {
		return f, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", "node/koncorde.js", filters, documents, fmt.Sprint(least.Seconds()), fmt.Sprint(count))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, fmt.Errorf("koncorde: %w", err)
	}
	if err := json.Unmarshal(out, &f); err != nil {
		return f, fmt.Errorf("koncorde: %w", err)
	}
	return f, nil
}

func writeLines(name string, lines func(yield func(string) bool)) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(file)
	for line := range lines {
		_, _ = out.WriteString(line + "\n") // Flush returns the error
	}
	return errors.Join(out.Flush(), file.Close())
}
