package filter

import "time"

// timing matches documents whose field is a string with an RFC 3339 time before
// or after an instant. The instant itself is neither.
type timing struct {
	field   string
	after   bool
	instant time.Time // in UTC
}

func (n timing) match(d *Document) bool {
	v, ok := d.lookup(n.field)
	return ok && n.holds(v)
}

func (n timing) path() string { return n.field }

func (n timing) holds(v value) bool {
	s, ok := v.string()
	if !ok {
		return false
	}
	t, ok := timeOf(s)
	if n.after {
		return ok && t.After(n.instant)
	}
	return ok && t.Before(n.instant)
}

func (n timing) appendText(b []byte) []byte {
	keyword := "before"
	if n.after {
		keyword = "after"
	}
	b = appendOpen(b, keyword, n.field)
	return append(appendString(b, n.instant.Format(time.RFC3339Nano)), "}}"...)
}

func parseBefore(p *parser, at place, arg any) (node, error) {
	field, instant, err := p.instant(at, arg)
	return timing{field, false, instant}, err
}

// instant reads the object of before and after.
func (p *parser) instant(at place, arg any) (field string, instant time.Time, err error) {
	field, text, err := p.stringField(at, arg)
	if err != nil {
		return "", time.Time{}, err
	}
	t, ok := timeOf(text)
	t = t.UTC()
	// By an offset, a time may get out of the years that have a text.
	if !ok || t.Year() < 0 || t.Year() > 9999 {
		return "", time.Time{}, at.at(field).errorf(`unable to parse RFC 3339 time "%s"`, text)
	}
	return field, t, nil
}

// timeOf reads a time as RFC 3339 says. Digits beyond nanoseconds are dropped.
func timeOf(s string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, s)
	return t, err == nil && isStrict(s)
}

// isStrict refuses what time.Parse takes though RFC 3339 does not: an hour of one
// digit, a comma before the fraction, and an offset of 24 hours or 60 minutes.
func isStrict(s string) bool {
	if s[len("2006-01-02T0")] == ':' || s[len("2006-01-02T00:00:00")] == ',' {
		return false
	}
	hh, mm := s[len(s)-len("hh:mm"):len(s)-len(":mm")], s[len(s)-len("mm"):]
	return s[len(s)-1] == 'Z' || hh < "24" && mm < "60"
}
