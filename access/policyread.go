package access

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/topics"
)

// A policyReader reads a policy, and goes on behind each fault.
type policyReader struct {
	known  Actions
	policy *Policy
	faults []error
}

func (r *policyReader) fault(line int, format string, args ...any) {
	r.faults = append(r.faults, &PolicyError{line, fmt.Sprintf(format, args...)})
}

// read reads the whole text.
func (r *policyReader) read(text []byte) {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var doc yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		r.fault(1, "the policy is empty: it lets nobody do anything; write \"roles: {}\" if that is meant")
		return
	case err != nil:
		r.yamlFault(err)
		return
	}
	var second yaml.Node
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		r.fault(max(second.Line, 1), "there is a second document in the file")
	}
	for name, value := range r.mapping(doc.Content[0], "the policy") {
		if name.Value != "roles" {
			r.fault(name.Line, "%q is unknown here (there is: roles)", name.Value)
			continue
		}
		for name, value := range r.mapping(value, "roles") {
			r.policy.roles[name.Value] = r.role(name, value)
		}
	}
}

// yamlLine is how the YAML library says where.
var yamlLine = regexp.MustCompile(`^yaml: line (\d+): `)

func (r *policyReader) yamlFault(err error) {
	line, text := 1, strings.TrimPrefix(err.Error(), "yaml: ")
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1]) // it is digits
		text = err.Error()[len(m[0]):]
	}
	r.fault(line, "%s", text)
}

// role reads what one role may do.
func (r *policyReader) role(name, value *yaml.Node) *role {
	to := &role{name: name.Value, collections: map[string]*collectionRules{}}
	if name.Value == "" {
		r.fault(name.Line, "a role has no name")
	}
	for key, value := range r.mapping(value, "a role") {
		switch key.Value {
		case "topics":
			for _, rule := range r.list(value, "topics") {
				r.topicRule(to, rule)
			}
		case "api":
			for _, text := range r.strings(value, "api") {
				r.call(to, text)
			}
		case "collections":
			for name, value := range r.mapping(value, "collections") {
				if _, _, err := topics.ParseCollection(name.Value); err != nil {
					r.fault(name.Line, "%v", err)
				}
				to.collections[name.Value] = r.collection(name, value)
				r.policy.ruled[name.Value] = true
			}
		default:
			r.fault(key.Line, "%q is unknown here (there are: topics, api, collections)", key.Value)
		}
	}
	return to
}

// topicRule reads {allow: publish, topic: "fleet/%u/#"}.
func (r *policyReader) topicRule(to *role, value *yaml.Node) {
	rule := topicRule{line: value.Line}
	verbs := 0
	for key, value := range r.mapping(value, "a rule of topics") {
		switch key.Value {
		case "allow", "deny":
			verbs++
			rule.deny = key.Value == "deny"
			r.verbs(&rule, value)
		case "topic":
			rule.text = r.string(value, "topic")
			pattern, err := parsePattern(rule.text)
			if err != nil {
				r.fault(value.Line, "topic %q: %v", rule.text, err)
			}
			rule.pattern = pattern
		default:
			r.fault(key.Line, "%q is unknown here (there are: allow, deny, topic)", key.Value)
		}
	}
	if value.Kind == yaml.MappingNode && (verbs != 1 || rule.text == "") {
		r.fault(value.Line, "a rule of topics is {allow: publish, topic: …}, with publish or subscribe or both, and allow or deny")
	}
	to.topics = append(to.topics, rule)
}

// verbs reads publish, subscribe, or a list of them.
func (r *policyReader) verbs(rule *topicRule, value *yaml.Node) {
	all := []*yaml.Node{value}
	if value.Kind == yaml.SequenceNode {
		all = value.Content
	}
	for _, v := range all {
		switch r.string(v, "allow or deny") {
		case "publish":
			rule.publish = true
		case "subscribe":
			rule.subscribe = true
		default:
			r.fault(v.Line, "%q is neither publish nor subscribe", v.Value)
		}
	}
	if len(all) == 0 {
		r.fault(value.Line, "the list is empty")
	}
}

// callPart is the name of a controller or an action, or *.
var callPart = regexp.MustCompile(`^(\*|[A-Za-z][A-Za-z0-9-]*)$`)

func (r *policyReader) call(to *role, text *yaml.Node) {
	controller, action, _ := strings.Cut(text.Value, ":")
	if !callPart.MatchString(controller) || !callPart.MatchString(action) {
		r.fault(text.Line, "api: %q is not <controller>:<action>, each of which may be *", text.Value)
	} else if r.known != nil && !r.known(controller, action) {
		r.fault(text.Line, "api: there is no action %q (see API.md)", text.Value)
	}
	to.calls = append(to.calls, call{text.Line, controller, action})
}

// collection reads the rules of one collection.
func (r *policyReader) collection(name, value *yaml.Node) *collectionRules {
	c := &collectionRules{line: name.Line}
	names := operationNames()
	for key, value := range r.mapping(value, "the rules of a collection") {
		op := slices.Index(names[:], key.Value)
		switch {
		case op >= 0:
			c.operations[op] = r.documentRule(key, value)
		case key.Value == "hide":
			c.hide = r.paths(value, "hide")
		case key.Value == "show":
			c.show = r.paths(value, "show")
		default:
			r.fault(key.Line, "%q is unknown here (there are: %s, hide, show)", key.Value, strings.Join(names[:], ", "))
		}
	}
	return c
}

// paths reads a list of dotted paths of fields.
func (r *policyReader) paths(value *yaml.Node, what string) []string {
	var paths []string
	for _, text := range r.strings(value, what) {
		bad := strings.ContainsFunc(text.Value, func(r rune) bool { return r < ' ' })
		if text.Value == "" || bad || filter.Within(text.Value, "_id") {
			r.fault(text.Line, "%s: %q is not the path of a field", what, text.Value)
		}
		paths = append(paths, text.Value)
	}
	return paths
}

// documentRule reads a filter, and says what is wrong with it for whoever it may be
// asked.
func (r *policyReader) documentRule(key, value *yaml.Node) *documentRule {
	before := len(r.faults)
	d := &documentRule{line: key.Line, text: r.json(value, "")}
	if len(r.faults) > before {
		return d
	}
	text, err := render(d.text, sampleOf)
	if err != nil {
		r.fault(key.Line, "%s: %v", key.Value, err)
		return d
	}
	f, err := filter.Parse(text)
	switch {
	case err != nil:
		r.fault(key.Line, "%s: %v", key.Value, err)
	case f.Momentary():
		r.fault(key.Line, "%s: a rule cannot have changed, crossed or near: it is about a document, and not about a change", key.Value)
	}
	return d
}
