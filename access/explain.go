package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/topics"
)

// A Question is what somebody might do: one of Call, Publish and Subscribe.
type Question struct {
	// Call is an action of the API, "<controller>:<action>".
	Call string
	// Publish is a topic, and Subscribe a topic filter.
	Publish, Subscribe string
	// Before and After are JSON objects: a document as it is and as it is to be. Nil is
	// none.
	Before, After []byte
}

// A Verdict is what a policy says to a question.
type Verdict struct {
	Allowed bool `json:"allowed"`
	// Rules are where that is said, "<file>:<line>", if anywhere.
	Rules []string `json:"rules,omitempty"`
	// Reason is a sentence for people.
	Reason string `json:"reason"`
	// Filter is what is added to a content filter, and Hidden what is not told.
	Filter json.RawMessage `json:"filter,omitempty"`
	Hidden []string        `json:"hidden,omitempty"`
}

func (v *Verdict) cite(p *Policy, line int) {
	v.Rules = append(v.Rules, fmt.Sprintf("%s:%d", p.name, line))
}

// Explain answers a question, and says by which rules. The error says that it is none.
func (r *Rights) Explain(q Question) (*Verdict, error) {
	switch {
	case r == nil:
		return &Verdict{Allowed: true, Reason: "there is no policy"}, nil
	case q.Call != "":
		return r.explainCall(q.Call), nil
	case q.Publish != "":
		return r.explainPublish(q)
	case q.Subscribe != "":
		return r.explainSubscribe(q)
	}
	return nil, errors.New("nothing is asked")
}

func (r *Rights) explainCall(action string) *Verdict {
	controller, name, _ := strings.Cut(action, ":")
	if c := r.callBy(controller, name); c != nil {
		v := &Verdict{Allowed: true, Reason: "the action is allowed"}
		v.cite(r.policy, c.line)
		return v
	}
	return &Verdict{Reason: "no role " + r.named() + " allows the action"}
}

// named returns the roles of whoever asks, for a sentence.
func (r *Rights) named() string {
	if len(r.roles) == 0 {
		return "that the policy knows"
	}
	return "of " + strings.Join(r.RolesOf(), ", ")
}

func (r *Rights) explainPublish(q Question) (*Verdict, error) {
	name, err := topics.ParseName(q.Publish, topics.Limits{})
	if err != nil {
		return nil, err
	}
	if name.Kind == topics.Request {
		return &Verdict{Allowed: true, Reason: "everybody may publish requests; each action needs to be allowed"}, nil
	}
	if name.Kind != topics.Document || !r.Ruled(name.Index, name.Collection) {
		return r.explainTopic(true, q.Publish, "a topic rule", matches), nil
	}
	before, err := version(q.Before, name.ID)
	if err != nil {
		return nil, err
	}
	after, err := version(q.After, name.ID)
	if err != nil {
		return nil, err
	}
	op := Update
	switch {
	case before == nil && after == nil:
		return nil, errors.New("the collection has rules: say which document is to be written")
	case before == nil:
		op = Create
	case after == nil:
		op = Delete
	}
	v := r.explainDocument(name.Index+"/"+name.Collection, op)
	err = r.Write(name.Index, name.Collection, name.ID, before, after)
	if v.Allowed = err == nil; !v.Allowed && len(v.Rules) > 0 {
		v.Reason = fmt.Sprintf("the document does not match what the rules of %s let one %s", name.Index+"/"+name.Collection, op)
	}
	return v, nil
}

// version returns a document for [Rights.Write].
func version(text []byte, id string) (Version, error) {
	if text == nil {
		return nil, nil
	}
	d, err := filter.ParseDocument(text, filter.DocumentLimits{})
	if err != nil {
		return nil, err
	}
	d.Set("_id", id)
	return func() (*filter.Document, error) { return d, nil }, nil
}

// explainTopic says what the topic rules say of a topic, or of a topic filter.
func (r *Rights) explainTopic(publish bool, topic, kind string, match func(topicFilter, topic string) bool) *Verdict {
	g, ok := r.allows(publish, func(f string) bool { return match(f, topic) })
	if g == nil {
		return &Verdict{Reason: "no role " + r.named() + " has " + kind + " that allows it"}
	}
	v := &Verdict{Allowed: ok}
	v.cite(r.policy, g.rule.line)
	verb := "allows"
	if !ok {
		verb = "denies"
	}
	v.Reason = fmt.Sprintf("role %s %s %q, which is %q here", g.role, verb, g.rule.text, g.topicFilter)
	return v
}

// explainDocument says which rules let documents of a collection be used.
func (r *Rights) explainDocument(name string, op Operation) *Verdict {
	v := &Verdict{}
	index, collection, _ := strings.Cut(name, "/")
	c := r.collection(index, collection)
	for _, role := range r.roles {
		rules := role.collections[name]
		if rules == nil || rules.operations[op] == nil {
			continue
		}
		if f, err := rules.operations[op].filterFor(r.who, r.client); err == nil && !f.Nothing() {
			v.cite(r.policy, rules.operations[op].line)
		}
	}
	if len(v.Rules) == 0 {
		v.Reason = fmt.Sprintf("no role %s has a rule %s of %s that is about anything: a value that it compares with may not be known", r.named(), op, name)
		return v
	}
	v.Allowed, v.Filter = true, json.RawMessage(c.operations[op].String())
	if op == List || op == View {
		v.Hidden = c.hidden
	}
	v.Reason = fmt.Sprintf("the rules %s of %s let through what matches the filter", op, name)
	return v
}

func (r *Rights) explainSubscribe(q Question) (*Verdict, error) {
	to, err := topics.ParseFilter(q.Subscribe, topics.Limits{})
	if err != nil {
		return nil, err
	}
	name := to.Index + "/" + to.Collection
	if to.Kind != topics.Plain {
		op := List
		if to.Room.Options.View {
			op = View
		}
		if !r.Ruled(to.Index, to.Collection) {
			return r.explainUnruled(name, to.Room)
		}
		v := r.explainDocument(name, op)
		own := to.Room.Filter
		return v, r.explainSeen(v, q, own)
	}
	parsed, err := topics.ParseName(to.Text, topics.Limits{})
	if err == nil && parsed.Kind == topics.Document && r.Ruled(parsed.Index, parsed.Collection) {
		v := r.explainDocument(parsed.Index+"/"+parsed.Collection, View)
		return v, r.explainSeen(v, q, "")
	}
	v := r.explainTopic(false, to.Text, "a topic rule", overlaps)
	all, err := r.MaySubscribe(to.Text)
	switch {
	case err != nil:
		v.Allowed = false
	case !all:
		v.Allowed = true
		v.Reason = "it is allowed, and of what the topic filter matches only that is told which may be"
	}
	return v, nil
}

// explainUnruled says what the topic rules say of a room of a collection without rules.
func (r *Rights) explainUnruled(name string, room topics.RoomRef) (*Verdict, error) {
	if !room.Options.View || room.Filter == "" {
		return r.explainTopic(false, name+"/+", "a topic rule for all of "+name, covers), nil
	}
	f, err := filter.Parse([]byte(room.Filter))
	if err != nil {
		return nil, err
	}
	v := &Verdict{Reason: "the filter does not name its documents by ids"}
	ids, _ := f.IDs()
	for _, id := range ids {
		if v = r.explainTopic(false, name+"/"+id, "a topic rule", matches); !v.Allowed {
			break
		}
	}
	return v, nil
}

// explainSeen says whether the document of a question is seen, and whether a content
// filter may be asked.
func (r *Rights) explainSeen(v *Verdict, q Question, own string) error {
	if !v.Allowed {
		return nil
	}
	if own != "" {
		f, err := filter.Parse([]byte(own))
		if err != nil {
			return err
		}
		if path, reads := f.Reads(v.Hidden); reads {
			v.Allowed, v.Reason = false, fmt.Sprintf("the filter reads %s, which is hidden", path)
			return nil
		}
	}
	if q.After == nil {
		return nil
	}
	d, err := filter.ParseDocument(q.After, filter.DocumentLimits{})
	if err != nil {
		return err
	}
	f, err := filter.ParseWithin(v.Filter, filter.NoLimits())
	if err != nil {
		return err
	}
	if v.Allowed = f.Match(d); !v.Allowed {
		v.Reason = "the document does not match what the rules let through"
	}
	return nil
}
