package access

import (
	"iter"
	"math"

	"go.yaml.in/yaml/v3"
)

// mapping yields the members of a mapping, each name once.
func (r *policyReader) mapping(n *yaml.Node, what string) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(name, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			r.fault(n.Line, "%s must be a mapping", what)
			return
		}
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			name, value := n.Content[i], n.Content[i+1]
			if name.Kind != yaml.ScalarNode {
				r.fault(name.Line, "a name in %s must be a text", what)
				continue
			}
			if line, twice := seen[name.Value]; twice {
				r.fault(name.Line, "%q is there already, in line %d", name.Value, line)
				continue
			}
			seen[name.Value] = name.Line
			if !yield(name, value) {
				return
			}
		}
	}
}

// list returns the elements of a list.
func (r *policyReader) list(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		r.fault(n.Line, "%s must be a list", what)
		return nil
	}
	return n.Content
}

// strings returns the elements of a list that are texts.
func (r *policyReader) strings(n *yaml.Node, what string) []*yaml.Node {
	var texts []*yaml.Node
	for _, text := range r.list(n, what) {
		if text.Kind != yaml.ScalarNode || text.ShortTag() != "!!str" {
			r.fault(text.Line, "%s must hold texts", what)
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

// string returns a text.
func (r *policyReader) string(n *yaml.Node, what string) string {
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.fault(n.Line, "%s must be a text", what)
		return ""
	}
	return n.Value
}

// An authValue stands for what is known of whoever asks.
type authValue struct {
	name string
	// under is the name of the member that it is the value of, or whose list it is an
	// element of; inList says that it is one.
	under  string
	inList bool
}

// json returns a YAML value as JSON has it: nil, a bool, float64, string, []any, or
// []jsonMember. under is the name of the member that it is the value of.
func (r *policyReader) json(n *yaml.Node, under string) any {
	switch n.Kind {
	case yaml.MappingNode:
		if v, ok := r.auth(n, under); ok {
			return v
		}
		members := []jsonMember{}
		for name, value := range r.mapping(n, "a filter") {
			members = append(members, jsonMember{name.Value, r.json(value, parentOf(under, name.Value))})
		}
		return members
	case yaml.SequenceNode:
		all := make([]any, len(n.Content))
		for i, elem := range n.Content {
			all[i] = r.json(elem, under)
			if v, ok := all[i].(authValue); ok {
				v.inList = true
				all[i] = v
			}
		}
		return all
	case yaml.ScalarNode:
		return r.scalar(n)
	default:
		r.fault(n.Line, "anchors and aliases are not taken")
		return nil
	}
}

// A jsonMember is one of an object, in the order of the text.
type jsonMember struct {
	name  string
	value any
}

// auth reads {"$auth": name}. It stands for no pattern, and for no name of a field:
// what is in it could make the rule another one.
func (r *policyReader) auth(n *yaml.Node, under string) (authValue, bool) {
	if len(n.Content) != 2 || n.Content[0].Value != "$auth" {
		return authValue{}, false
	}
	name := r.string(n.Content[1], "$auth")
	if under == "regexp" || under == "exists" || under == "missing" || under == "field" {
		r.fault(n.Line, "$auth cannot stand for a pattern, or for the name of a field")
	}
	if name == "" {
		r.fault(n.Line, "$auth must name user, client, roles or an attribute")
	}
	return authValue{name: name, under: under}, true
}

func (r *policyReader) scalar(n *yaml.Node) any {
	var v any
	switch n.ShortTag() {
	case "!!str":
		return n.Value
	case "!!null":
		return nil
	case "!!bool", "!!int", "!!float":
		if err := n.Decode(&v); err != nil {
			r.fault(n.Line, "%q cannot be read: %v", n.Value, err)
		}
	default:
		r.fault(n.Line, "%q is a %s: put quotes around a text", n.Value, n.ShortTag())
	}
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			r.fault(n.Line, "%q is no number of JSON", n.Value)
			return nil
		}
	}
	return v
}

// parentOf returns what says of which kind a value is: the keyword that it belongs to,
// if that has values of its own kind, or else the name of the member itself.
func parentOf(under, name string) string {
	switch under {
	case "in", "anyOf", "ids", "regexp", "exists", "missing":
		return under
	}
	return name
}
