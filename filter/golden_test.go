package filter

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestGolden runs testdata, a file for each keyword. The commands are
//
//	add KEY      adds the filter that follows
//	remove KEY   removes it again
//	match        says for each document, a line each, which filters match
//	change       the same for each change, "before -> after"
//	put KEY      has the document that follows be where near finds it
//	error        says for each filter, a line each, what is wrong with it:
//	             the keyword, and the message with its path
//	canonical    says the canonical text of each filter, a line each
//	hash         says the hash of each filter in fleet/trucks, a line each
func TestGolden(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		t.Helper()
		g := golden{filters: map[string]*Filter{}, documents: map[string]*Document{}}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			return g.run(t, d)
		})
	})
}

type golden struct {
	filters   map[string]*Filter
	matcher   Matcher[string]
	documents map[string]*Document
}

func (g *golden) where(n Neighbour) Position {
	if d := g.documents[n.ID]; d != nil {
		return d.Position(n.Path)
	}
	return Position{}
}

func (g *golden) run(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	switch d.Cmd {
	case "add":
		f, err := Parse([]byte(d.Input))
		if err != nil {
			return err.Error()
		}
		g.filters[d.CmdArgs[0].Key] = f
		g.matcher.Add(d.CmdArgs[0].Key, f)
		return "ok"
	case "remove":
		delete(g.filters, d.CmdArgs[0].Key)
		g.matcher.Remove(d.CmdArgs[0].Key)
		return "ok"
	case "match":
		return eachLine(d.Input, func(line string) string { return g.match(t, nil, line) })
	case "change":
		return eachLine(d.Input, func(line string) string {
			before, after, _ := strings.Cut(line, " -> ")
			return g.match(t, document(t, before), after)
		})
	case "put":
		g.documents[d.CmdArgs[0].Key] = document(t, d.Input)
		return "ok"
	case "error":
		return eachLine(d.Input, errorOf)
	case "canonical":
		return eachLine(d.Input, func(line string) string { return parsed(t, line).String() })
	case "hash":
		return eachLine(d.Input, func(line string) string { return parsed(t, line).Hash("fleet", "trucks") })
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

// match asks every filter, and the matcher, which must agree.
func (g *golden) match(t *testing.T, previous *Document, body string) string {
	t.Helper()
	d, err := ParseDocument([]byte(body), DocumentLimits{})
	if err != nil {
		return err.Error()
	}
	d.Follow(previous)
	d.Among(g.where)
	var keys []string
	for key, f := range g.filters {
		if f.Match(d) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	found := g.matcher.Match(nil, d)
	slices.Sort(found)
	if !slices.Equal(found, keys) {
		t.Errorf("%s: the matcher finds %v, the filters %v match", body, found, keys)
	}
	if len(keys) == 0 {
		return "none"
	}
	return strings.Join(keys, " ")
}

func errorOf(src string) string {
	_, err := Parse([]byte(src))
	var syntax *SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Sprintf("%s | %s", syntax.Keyword, syntax)
	}
	return fmt.Sprint(err)
}

func eachLine(text string, answer func(string) string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(answer(strings.TrimSpace(line)) + "\n")
	}
	return b.String()
}

func parsed(t *testing.T, src string) *Filter {
	t.Helper()
	f, err := Parse([]byte(src))
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return f
}

func document(t *testing.T, body string) *Document {
	t.Helper()
	d, err := ParseDocument([]byte(body), DocumentLimits{})
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return d
}
