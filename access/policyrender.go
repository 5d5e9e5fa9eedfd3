package access

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ambitmq/ambit/filter"
)

// errLacking says that a value that a rule compares with is not known of somebody.
var errLacking = errors.New("a value is not known")

// render returns a filter as JSON, with a value for each authValue. The error is that
// of valueOf.
func render(v any, valueOf func(authValue) (json.RawMessage, error)) ([]byte, error) {
	var b bytes.Buffer
	err := renderTo(&b, v, valueOf)
	return b.Bytes(), err
}

func renderTo(b *bytes.Buffer, v any, valueOf func(authValue) (json.RawMessage, error)) error {
	switch v := v.(type) {
	case authValue:
		text, err := valueOf(v)
		b.Write(text)
		return err
	case []jsonMember:
		b.WriteByte('{')
		for i, m := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := renderTo(b, m.name, valueOf); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := renderTo(b, m.value, valueOf); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, elem := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := renderTo(b, elem, valueOf); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	default:
		text, err := json.Marshal(v)
		if err != nil {
			return err
		}
		b.Write(text)
	}
	return nil
}

// sampleOf returns a value that could be somebody's, for a rule to be tried with.
func sampleOf(v authValue) (json.RawMessage, error) {
	if v.wantsList() {
		return json.RawMessage(`["x"]`), nil
	}
	switch v.under {
	case "gt", "gte", "lt", "lte", "lat", "lon":
		return json.RawMessage(`1`), nil
	case "distance":
		return json.RawMessage(`"1m"`), nil
	}
	if v.name == "roles" {
		return nil, errors.New(`{"$auth":"roles"} is a list: it may stand for the values of in, anyOf or ids`)
	}
	return json.RawMessage(`"x"`), nil
}

// wantsList says whether the value stands where a keyword has a list.
func (v authValue) wantsList() bool {
	return !v.inList && (v.under == "in" || v.under == "anyOf" || v.under == "ids")
}

// valueOf returns a value of somebody: a scalar, or where there may be one a list of
// scalars, with one for a scalar.
func valueOf(v authValue, who *Identity, client string) (json.RawMessage, error) {
	raw, err := knownOf(v.name, who, client)
	if err != nil {
		return nil, err
	}
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil, errLacking
	}
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, elem := range list {
		switch elem.(type) {
		case string, float64, bool:
		default: // null is what is not known; a rule cannot be put into an attribute
			return nil, errLacking
		}
	}
	if isList != v.wantsList() {
		if isList {
			return nil, errLacking
		}
		return json.Marshal(list)
	}
	return raw, nil
}

// knownOf returns what is known of somebody under a name.
func knownOf(name string, who *Identity, client string) (json.RawMessage, error) {
	var v any
	switch name {
	case "user":
		v = who.User
	case "client":
		v = client
	case "roles":
		v = who.Roles
		if len(who.Roles) == 0 {
			return nil, errLacking
		}
	default:
		raw, ok := who.Attributes[name]
		if !ok {
			return nil, errLacking
		}
		return raw, nil
	}
	if v == "" {
		return nil, errLacking
	}
	return json.Marshal(v)
}

// filterFor returns the filter that a rule is for somebody. It is nothing if a value
// is not known, or makes no filter.
func (d *documentRule) filterFor(who *Identity, client string) (*filter.Filter, error) {
	text, err := render(d.text, func(v authValue) (json.RawMessage, error) { return valueOf(v, who, client) })
	if err != nil {
		return nothing(), fmt.Errorf("line %d: %w", d.line, err)
	}
	f, err := filter.Parse(text)
	if err != nil {
		return nothing(), fmt.Errorf("line %d: %w", d.line, err)
	}
	return f, nil
}
