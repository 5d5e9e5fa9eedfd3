package main

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A mapping makes a message of a row.
type mapping struct {
	topic        string // with {columns} in it
	timeColumn   string // "" if the rows have no time
	timed        bool   // every row must have a time
	lat, lon     string // "" if the rows have no position
	positionName string
	columns      []column
}

// A column says what becomes of one column of the rows, or of all others.
type column struct {
	name, as string // name is * for all others
	kind     string // bool, number, string, or "" as it is
}

// An item is one message of the fleet.
type item struct {
	topic, id string // id is the last level of the topic
	body      []byte
	time      time.Time // zero if the rows have none
	timeText  string    // as the row has it
	place     string    // file and line
}

// complete fills in what the flags leave open, given the columns of a file.
func (m *mapping) complete(columns []string) error {
	first := func(names ...string) string {
		for _, name := range names {
			if slices.Contains(columns, name) {
				return name
			}
		}
		return ""
	}
	if m.timeColumn == "" {
		m.timeColumn = first("time", "timestamp", "ts", "tst", "datetime", "date")
	}
	if m.timeColumn == "" && m.timed {
		return errors.New("there is no column of times: name it with --time")
	}
	if m.lat == "" {
		m.lat, m.lon = first("lat", "latitude"), first("lon", "lng", "long", "longitude")
	}
	if m.lat == "" || m.lon == "" || m.positionName == "" {
		m.lat, m.lon = "", ""
	}
	names := append(m.topicColumns(), m.timeColumn, m.lat, m.lon)
	for _, c := range m.columns {
		names = append(names, strings.TrimPrefix(c.name, "*"))
	}
	for _, name := range names {
		if name != "" && !slices.Contains(columns, name) {
			return fmt.Errorf("there is no column %q (there are %s)", name, strings.Join(columns, ", "))
		}
	}
	return nil
}

// topicColumns returns the columns that the topic is made of.
func (m *mapping) topicColumns() []string {
	var names []string
	for rest := m.topic; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return names
		}
		var name string
		name, rest, _ = strings.Cut(after, "}")
		names = append(names, name)
	}
}

// item makes the message of a row. The error says why the row has none.
func (m *mapping) item(r row) (item, error) {
	var it item
	var levels []string
	for _, name := range m.topicColumns() {
		f, ok := r.field(name)
		if !ok || strings.ContainsAny(f.text, "/+#\x00") {
			return item{}, fmt.Errorf("%s: %q cannot be a level of a topic", name, f.text)
		}
		levels = append(levels, "{"+name+"}", f.text)
	}
	it.topic = strings.NewReplacer(levels...).Replace(m.topic)
	it.id = it.topic[strings.LastIndexByte(it.topic, '/')+1:]
	if m.timeColumn != "" {
		f, _ := r.field(m.timeColumn)
		at, err := parseTime(f.text)
		if err != nil && m.timed {
			return item{}, fmt.Errorf("%s: %w", m.timeColumn, err)
		}
		it.time, it.timeText = at, f.text
	}
	body, err := m.body(r)
	it.body = body
	return it, err
}

// body makes the JSON object of a row: its fields in their order, and the
// position in the place of the first of the two columns that it is made of.
func (m *mapping) body(r row) ([]byte, error) {
	b := []byte{'{'}
	add := func(name string, value []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(append(b, stringJSON(name)...), ':'), value...)
	}
	positioned := false
	for _, f := range r.fields {
		if f.name == m.lat || f.name == m.lon {
			if !positioned {
				position, err := m.position(r)
				if err != nil {
					return nil, err
				}
				add(m.positionName, position)
			}
			positioned = true
			continue
		}
		c, ok := m.column(f.name)
		if !ok {
			continue
		}
		value, err := c.value(f)
		if err != nil {
			return nil, err
		}
		add(c.as, value)
	}
	return append(b, '}'), nil
}

func (m *mapping) position(r row) ([]byte, error) {
	lat, _ := r.field(m.lat)
	lon, _ := r.field(m.lon)
	if !isNumber(lat.text) || !isNumber(lon.text) {
		return nil, fmt.Errorf("%s, %s: %q, %q is not a position in degrees", m.lat, m.lon, lat.text, lon.text)
	}
	return fmt.Appendf(nil, `{"lat":%s,"lon":%s}`, lat.text, lon.text), nil
}

// column returns what becomes of a column, and false if it is left out.
func (m *mapping) column(name string) (column, bool) {
	if len(m.columns) == 0 {
		return column{name: name, as: name}, true
	}
	rest := false
	for _, c := range m.columns {
		if c.name == name {
			return c, true
		}
		rest = rest || c.name == "*"
	}
	return column{name: name, as: name}, rest
}

// value returns a field as JSON of the kind that is asked for.
func (c column) value(f field) ([]byte, error) {
	switch c.kind {
	case "bool":
		b, err := strconv.ParseBool(f.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %q is no boolean", f.name, f.text)
		}
		return strconv.AppendBool(nil, b), nil
	case "number":
		if !isNumber(f.text) {
			return nil, fmt.Errorf("%s: %q is no number", f.name, f.text)
		}
		return []byte(f.text), nil
	case "string":
		return stringJSON(f.text), nil
	}
	return f.json, nil
}

// parseColumns reads the texts of --columns: name, name=as, name:kind,
// name=as:kind, and * for all others.
func parseColumns(specs []string) ([]column, error) {
	var columns []column
	for _, spec := range specs {
		names, kind, typed := strings.Cut(spec, ":")
		name, as, renamed := strings.Cut(names, "=")
		if !renamed {
			as = name
		}
		if typed && !slices.Contains([]string{"bool", "number", "string"}, kind) {
			return nil, fmt.Errorf("--columns %s: %q must be bool, number or string", spec, kind)
		}
		if name == "" || as == "" || name == "*" && (renamed || typed) {
			return nil, fmt.Errorf("--columns %q: must be name, name=as, name:kind or *", spec)
		}
		columns = append(columns, column{name, as, kind})
	}
	return columns, nil
}

// parseTime reads Unix seconds or milliseconds, and RFC 3339 with or without T
// and zone (UTC).
func parseTime(text string) (time.Time, error) {
	if n, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(n) && math.Abs(n) < 1e15 {
		if math.Abs(n) >= 1e11 { // in seconds that would be the year 5138
			n /= 1000
		}
		whole, fraction := math.Modf(n)
		return time.Unix(int64(whole), int64(math.Round(fraction*1e6)*1e3)).UTC(), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if text == "" {
		return time.Time{}, errors.New("it is empty")
	}
	return time.Time{}, fmt.Errorf("%q is neither Unix seconds or milliseconds nor RFC 3339", text)
}
