package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// A segment of a pattern of topics is a text, or the name of what is put there.
type segment struct {
	text string
	name string // "user", "client" or that of an attribute; "" for a text
}

// parsePattern reads a topic filter with %u, %c and {attribute} in it. %% is a %.
func parsePattern(text string) ([]segment, error) {
	if text == "" {
		return nil, errors.New("it is empty")
	}
	levels := strings.Split(text, "/")
	for i, level := range levels {
		if level == "#" && i < len(levels)-1 || level != "#" && level != "+" && strings.ContainsAny(level, "#+") {
			return nil, errors.New("+ and # must be whole levels, and # the last one")
		}
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return nil, errors.New("it has a control character")
	}
	if strings.HasPrefix(text, "$share/") {
		return nil, errors.New("a shared subscription is that to the topic filter in it: leave $share/<group>/ out")
	}
	var pattern []segment
	for text != "" {
		i := strings.IndexAny(text, "%{}")
		if i < 0 {
			return append(pattern, segment{text: text}), nil
		}
		if i > 0 {
			pattern = append(pattern, segment{text: text[:i]})
		}
		next, size, err := parseVariable(text[i:])
		if err != nil {
			return nil, err
		}
		pattern = append(pattern, next)
		text = text[i+size:]
	}
	return pattern, nil
}

// parseVariable reads what begins with %, { or }.
func parseVariable(text string) (s segment, size int, err error) {
	switch {
	case strings.HasPrefix(text, "%u"):
		return segment{name: "user"}, 2, nil
	case strings.HasPrefix(text, "%c"):
		return segment{name: "client"}, 2, nil
	case strings.HasPrefix(text, "%%"):
		return segment{text: "%"}, 2, nil
	case text[0] == '%':
		return s, 0, errors.New("after % comes u for the user, c for the client identifier, or %")
	}
	end := strings.IndexByte(text, '}')
	if text[0] == '}' || end < 2 || strings.ContainsAny(text[1:end], "/{%") {
		return s, 0, errors.New("{ and } stand around the name of an attribute")
	}
	return segment{name: text[1:end]}, end + 1, nil
}

// topicFilter returns the topic filter that a pattern is for somebody. ok is false if
// a value is not known, or would be more than a part of one level: such a rule is
// about no topic.
func topicFilter(pattern []segment, who *Identity, client string) (text string, ok bool) {
	var b strings.Builder
	for i, s := range pattern {
		if s.name == "" {
			b.WriteString(s.text)
			continue
		}
		value, ok := levelOf(s.name, who, client)
		if !ok || i == 0 && value[0] == '$' {
			return "", false
		}
		b.WriteString(value)
	}
	return b.String(), true
}

// levelOf returns a value as a part of a level.
func levelOf(name string, who *Identity, client string) (string, bool) {
	raw, err := knownOf(name, who, client)
	if err != nil {
		return "", false
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return "", false
	}
	var text string
	switch v := v.(type) {
	case string:
		text = v
	case float64:
		text = strconv.FormatFloat(v, 'f', -1, 64)
	case bool:
		text = fmt.Sprint(v)
	}
	return text, text != "" && !strings.ContainsAny(text, "+#/") && !strings.ContainsFunc(text, unicode.IsControl)
}

// covers says whether a topic filter matches every topic that another matches.
func covers(outer, inner string) bool {
	if strings.HasPrefix(inner, "$") && startsWild(outer) {
		return false // [MQTT-4.7.2-1]
	}
	for {
		o, restOuter, moreOuter := strings.Cut(outer, "/")
		if o == "#" {
			return true
		}
		i, restInner, moreInner := strings.Cut(inner, "/")
		if i == "#" || o != "+" && o != i {
			return false
		}
		if !moreInner {
			return !moreOuter || restOuter == "#"
		}
		if !moreOuter {
			return false
		}
		outer, inner = restOuter, restInner
	}
}

// overlaps says whether there can be a topic that both topic filters match.
func overlaps(a, b string) bool {
	if strings.HasPrefix(a, "$") && startsWild(b) || strings.HasPrefix(b, "$") && startsWild(a) {
		return false
	}
	for {
		x, restA, moreA := strings.Cut(a, "/")
		y, restB, moreB := strings.Cut(b, "/")
		switch {
		case x == "#" || y == "#":
			return true
		case x != "+" && y != "+" && x != y:
			return false
		case !moreA && !moreB:
			return true
		case !moreA:
			return restB == "#"
		case !moreB:
			return restA == "#"
		}
		a, b = restA, restB
	}
}

func startsWild(topicFilter string) bool {
	return strings.HasPrefix(topicFilter, "+") || strings.HasPrefix(topicFilter, "#")
}
