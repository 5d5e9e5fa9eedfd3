package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/ambitmq/ambit/filter"
)

// A clauseLine is a line of an explanation.
type clauseLine struct {
	holds        bool
	text, reason string
}

// printExplanation prints an explanation for people, a line for each clause.
func printExplanation(w io.Writer, e filter.Explanation, colored bool) {
	lines := appendClauses(nil, e, 0)
	width := 0
	for _, l := range lines {
		if l.reason != "" {
			width = max(width, min(maxClauseWidth, utf8.RuneCountInString(l.text)))
		}
	}
	for _, l := range lines {
		word, color := "no ", "\x1b[31m"
		if l.holds {
			word, color = "yes", "\x1b[32m"
		}
		if colored {
			word = color + word + "\x1b[0m"
		}
		text := fmt.Sprintf("%-*s  %s", width, l.text, l.reason)
		say(w, "%s  %s", word, strings.TrimRight(text, " "))
	}
}

// maxClauseWidth is the longest clause behind which reasons stand in a column.
const maxClauseWidth = 60

// appendClauses appends the lines of an explanation.
func appendClauses(lines []clauseLine, e filter.Explanation, depth int) []clauseLine {
	indent := strings.Repeat("  ", depth)
	word, members := "and", e.And
	if e.Or != nil {
		word, members = "or", e.Or
	}
	if members == nil {
		return append(lines, clauseLine{e.Holds, indent + printable(clauseText(e.Clause)), printable(reasonOf(e))})
	}
	lines = append(lines, clauseLine{e.Holds, indent + word, ""})
	for _, member := range members {
		lines = appendClauses(lines, member, depth+1)
	}
	return lines
}

// clauseText returns a condition as its keyword and what that takes: without the outer
// braces.
func clauseText(clause json.RawMessage) string {
	words := []string{}
	for {
		members := map[string]json.RawMessage{}
		if json.Unmarshal(clause, &members) != nil || len(members) != 1 {
			break
		}
		name, value := onlyMember(members)
		words = append(words, name)
		if clause = value; name != "not" {
			break
		}
	}
	if len(words) == 0 && string(clause) == "{}" {
		return "everything"
	}
	return strings.Join(append(words, string(clause)), " ")
}

func onlyMember(members map[string]json.RawMessage) (name string, value json.RawMessage) {
	for name, value = range members {
	}
	return name, value
}

// reasonOf says what the document has of what a condition is about.
func reasonOf(e filter.Explanation) string {
	var parts []string
	add := func(what string, value json.RawMessage) {
		if value != nil {
			parts = append(parts, what+" "+string(value))
		}
	}
	add("it is", e.Value)
	add("it was", e.Previous)
	add("the other is at", e.Other)
	if e.Value == nil && bytes.ContainsRune(e.Clause, ':') {
		parts = append([]string{"there is none"}, parts...)
	}
	return strings.Join(parts, ", ")
}
