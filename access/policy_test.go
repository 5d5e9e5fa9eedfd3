package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/test/mutate"
)

// TestPolicies runs the scripts in testdata. "policy" reads one, and says all of its
// faults; "who" says who asks from then on; "publish", "subscribe" and "call" ask, with
// the document before=… and the one of the input.
func TestPolicies(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) { //nolint:thelper // it is a subtest
		s := &script{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { //nolint:thelper // it is a command
			switch d.Cmd {
			case "policy":
				p, err := ParsePolicy("policy.yaml", []byte(d.Input), nil)
				if err != nil {
					return err.Error() + "\n"
				}
				s.policy = p
				return "ok\n"
			case "who":
				return s.introduce(t, d)
			}
			return s.ask(t, d)
		})
	})
}

type script struct {
	policy *Policy
	rights *Rights
}

func (s *script) introduce(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	who := &Identity{Attributes: map[string]json.RawMessage{}}
	client := ""
	for _, arg := range d.CmdArgs {
		switch arg.Key {
		case "user":
			who.User = arg.Vals[0]
		case "client":
			client = arg.Vals[0]
		case "role":
			who.Roles = arg.Vals
		}
	}
	for line := range strings.Lines(d.Input) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		who.Attributes[name] = json.RawMessage(value)
	}
	s.rights = s.policy.Rights(who, client)
	return "roles: " + strings.Join(s.rights.RolesOf(), " ") + "\n"
}

// ask asks a question for each line of the input: its topic, and in publish the
// documents before and after, with > before each.
func (s *script) ask(t *testing.T, d *datadriven.TestData) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(d.Input) {
		text, rest, _ := strings.Cut(strings.TrimSpace(line), " > ")
		before, after, _ := strings.Cut(rest, " > ")
		q := Question{}
		if before != "" && before != "-" {
			q.Before = []byte(before)
		}
		if after != "" {
			q.After = []byte(after)
		}
		switch d.Cmd {
		case "publish":
			q.Publish = text
		case "subscribe":
			q.Subscribe = text
		case "call":
			q.Call = text
		default:
			d.Fatalf(t, "unknown command %s", d.Cmd)
		}
		v, err := s.rights.Explain(q)
		if err != nil {
			fmt.Fprintf(&out, "%s: error: %v\n", text, err)
			continue
		}
		word := "refused"
		if v.Allowed {
			word = "allowed"
		}
		fmt.Fprintf(&out, "%s: %s %v: %s", text, word, v.Rules, v.Reason)
		if v.Filter != nil {
			fmt.Fprintf(&out, " %s", v.Filter)
		}
		if v.Hidden != nil {
			fmt.Fprintf(&out, " without %v", v.Hidden)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

func TestAFilterOfWhoAsksForIDsIsUnderTheRuleView(t *testing.T) {
	policy, err := ParsePolicy("policy.yaml", []byte(`
roles:
  user:
    topics: [{allow: subscribe, topic: "home/%u/+"}, {deny: subscribe, topic: "home/+/safe"}, {allow: subscribe, topic: "yard/gate/open"}]
    collections:
      fleet/trucks: {view: {equals: {tenant: acme}}, hide: [phone]}
      fleet/vans: {list: {}}
`), nil)
	if err != nil {
		t.Fatal(err)
	}
	r := policy.Rights(&Identity{User: "anna"}, "")
	for _, tt := range []struct{ collection, filter, want string }{
		{"fleet/trucks", `{"ids":{"values":["1"]}}`, `{"and":[{"equals":{"_id":"1"}},{"equals":{"tenant":"acme"}}]}`},
		{"fleet/trucks", `{}`, "forbidden"},
		{"fleet/trucks", `{"or":[{"ids":{"values":["1"]}},{"exists":"a"}]}`, "forbidden"},
		{"fleet/trucks", `{"and":[{"ids":{"values":["1"]}},{"exists":"phone"}]}`, "forbidden"},
		{"fleet/trucks", `{"and":[{"ids":{"values":["1"]}},{"near":{"at":{"id":"2","distance":"1km"}}}]}`, "forbidden"},
		{"fleet/vans", `{"ids":{"values":["1"]}}`, "forbidden"},
		{"home/anna", `{"ids":{"values":["1","2"]}}`, `{"in":{"_id":["1","2"]}}`},
		{"home/anna", `{"ids":{"values":["1","safe"]}}`, "forbidden"},
		{"home/anna", `{"and":[{"ids":{"values":["1"]}},{"near":{"at":{"id":"safe","distance":"1km"}}}]}`, "forbidden"},
		{"yard/gate", `{"ids":{"values":["open"]}}`, `{"equals":{"_id":"open"}}`},
		{"yard/gate", `{"ids":{"values":["shut"]}}`, "forbidden"},
		{"yard/gate", `{}`, "forbidden"},
	} {
		f, err := filter.Parse([]byte(tt.filter))
		if err != nil {
			t.Fatal(err)
		}
		index, collection, _ := strings.Cut(tt.collection, "/")
		got := "forbidden"
		if under, err := r.UnderView(index, collection, f); err == nil {
			got = under.String()
		} else if !errors.Is(err, ErrForbidden) {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s, %s: got %s, want %s", tt.collection, tt.filter, got, tt.want)
		}
	}
}

func TestTopicFiltersCoverAndOverlap(t *testing.T) {
	for _, tt := range []struct {
		a, b             string
		covers, overlaps bool
	}{
		{"a/b", "a/b", true, true},
		{"a/+", "a/b", true, true},
		{"a/b", "a/+", false, true},
		{"#", "a/+/c", true, true},
		{"#", "$SYS/x", false, false},
		{"+/x", "$SYS/x", false, false},
		{"$SYS/#", "$SYS/x", true, true},
		{"a/#", "a", true, true},
		{"a", "a/#", false, true},
		{"a/+", "a/#", false, true},
		{"a/#", "a/#", true, true},
		{"a/+/c", "a/b/+", false, true},
		{"a/+/c", "a/b/d", false, false},
		{"a/b", "a", false, false},
		{"a", "a/b", false, false},
		{"a/b/#", "a/+", false, true},
		{"a/b/c", "a/+", false, false},
		{"+", "#", false, true},
	} {
		if covers(tt.a, tt.b) != tt.covers || overlaps(tt.a, tt.b) != tt.overlaps || overlaps(tt.b, tt.a) != tt.overlaps {
			t.Errorf("%s, %s: covers %v, overlaps %v and %v", tt.a, tt.b, covers(tt.a, tt.b), overlaps(tt.a, tt.b), overlaps(tt.b, tt.a))
		}
	}
}

func TestValuesNeverWidenARule(t *testing.T) {
	p, err := ParsePolicy("p", []byte(`{roles: {user: {topics: [{allow: [publish, subscribe], topic: "%u/{a}"}, {allow: subscribe, topic: "x/%c/#"}]}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ user, client, attribute string }{
		{"+", "+", `"+"`}, {"#", "#", `"#"`}, {"a/b", "a/b", `"a/b"`}, {"$SYS", "", `"x"`},
		{"a", "", `""`}, {"a", "\n", `"\n"`}, {"a", "", `null`}, {"a", "", `["b"]`}, {"a", "", `{"b":1}`}, {"a", "", `x`},
	} {
		r := p.Rights(&Identity{User: tt.user, Attributes: map[string]json.RawMessage{"a": json.RawMessage(tt.attribute)}}, tt.client)
		if len(r.topics) > 0 {
			t.Errorf("%+v: a rule becomes %q", tt, r.topics[0].topicFilter)
		}
		if _, err := r.MaySubscribe("#"); !errors.Is(err, ErrForbidden) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// phonesAndTrucks is a policy with a bit of everything.
const phonesAndTrucks = `
roles:
  user:
    topics:
      - {allow: [publish, subscribe], topic: "home/%u/#"}
      - {deny: subscribe, topic: "news/{x}/%c"}
    api: ["document:*", "realtime:subscribe"]
    collections:
      fleet/trucks:
        list: {equals: {tenant: {$auth: x}}}
        update: {and: [{ids: {values: [{$auth: client}]}}, {not: {in: {tenant: {$auth: roles}}}}]}
        hide: [owner.phone]
  boss:
    topics: [{allow: publish, topic: "#"}]
    collections:
      fleet/trucks: {list: {}, view: {}, create: {}, update: {}, delete: {}, show: [owner]}
`

// FuzzPolicy reads anything, for somebody with strange values: no rule comes to be about
// more levels than it has, and nobody may do what no rule is about.
func FuzzPolicy(f *testing.F) {
	f.Add("roles:\n  user:\n    topics:\n      - {allow: publish, topic: \"a/%u/{x}\"}\n    api: [\"document:*\"]\n", "anna", `"x"`, "a/anna/x")
	f.Add("roles: {user: {collections: {a/b: {list: {equals: {t: {$auth: x}}}, hide: [p.q]}}}}", "#", `["+"]`, "a/b/c")
	f.Add("roles: {anonymous: {topics: [{deny: subscribe, topic: \"#\"}]}}", "", `{}`, "#")
	for policy := range mutate.Texts(5000, phonesAndTrucks, "roles: {a: &x {topics: []}, b: *x}\n", "roles:\n  \"\": {api: ['*:*', a]}\n  user: {collections: {f/t: {update: {and: [{ids: {values: [{$auth: client}]}}]}, show: [p]}}}\n") {
		f.Add(policy, "anna", `["x"]`, "home/+/x")
	}
	f.Fuzz(func(t *testing.T, policy, user, attribute, topic string) {
		p, err := ParsePolicy("policy.yaml", []byte(policy), nil)
		if err != nil {
			return
		}
		r := p.Rights(&Identity{User: user, Attributes: map[string]json.RawMessage{"x": json.RawMessage(attribute)}}, user)
		for _, g := range r.topics {
			if strings.Count(g.topicFilter, "/") != strings.Count(g.rule.text, "/") && !g.rule.deny {
				t.Fatalf("%q becomes %q", g.rule.text, g.topicFilter)
			}
		}
		if _, err := r.MaySubscribe(topic); err == nil && len(r.topics) == 0 && len(p.ruled) == 0 {
			t.Fatalf("%q may be subscribed to without a rule", topic)
		}
		for name := range p.ruled {
			index, collection, _ := strings.Cut(name, "/")
			if s, err := r.List(index, collection); err == nil && s.Filter.Nothing() {
				t.Fatal("nothing may be listed")
			}
		}
	})
}
