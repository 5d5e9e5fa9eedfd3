package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ambitmq/ambit/filter"
)

// ErrForbidden says that a policy does not allow something. Its text names what was
// asked for, and nothing of the policy.
var ErrForbidden = errors.New("not authorized")

func forbidden(format string, args ...any) error {
	return fmt.Errorf("%w to %s", ErrForbidden, fmt.Sprintf(format, args...))
}

// Rights are what a policy lets one client do. Nil may do everything: there is no
// policy. They may be used by many goroutines at once.
type Rights struct {
	policy *Policy
	who    *Identity
	client string
	roles  []*role
	topics []grant

	mu    sync.Mutex // guards what follows
	ruled map[string]*collectionRights
}

// A grant is a topicRule as it is for one client.
type grant struct {
	rule        *topicRule
	role        string
	topicFilter string
}

// Rights returns what somebody may do. client is the MQTT client identifier, "" for
// what has none.
func (p *Policy) Rights(who *Identity, client string) *Rights {
	if p == nil {
		return nil
	}
	r := &Rights{policy: p, who: who, client: client, roles: p.rolesOf(who), ruled: map[string]*collectionRights{}}
	for _, role := range r.roles {
		for i := range role.topics {
			if text, ok := topicFilter(role.topics[i].pattern, who, client); ok {
				r.topics = append(r.topics, grant{&role.topics[i], role.name, text})
			} else if role.topics[i].deny {
				// What cannot be said is not allowed: a rule that denies is about everything.
				r.topics = append(r.topics, grant{&role.topics[i], role.name, "#"})
			}
		}
	}
	return r
}

// Of says whether the rights are those of a policy.
func (r *Rights) Of(p *Policy) bool { return r != nil && r.policy == p }

// allows returns the grant that lets a client do something with a topic, or the one
// that does not; nil if none says anything.
func (r *Rights) allows(publish bool, match func(topicFilter string) bool) (by *grant, ok bool) {
	for i := range r.topics {
		g := &r.topics[i]
		if publish && !g.rule.publish || !publish && !g.rule.subscribe || !match(g.topicFilter) {
			continue
		}
		if g.rule.deny {
			return g, false
		}
		if by == nil {
			by = g
		}
	}
	return by, by != nil
}

// MayPublish says whether a message that is no document of a collection with rules
// may be published on a topic.
func (r *Rights) MayPublish(topic string) error {
	if r == nil {
		return nil
	}
	if _, ok := r.allows(true, func(f string) bool { return matches(f, topic) }); !ok {
		return forbidden("publish on this topic")
	}
	return nil
}

// MayReceive says whether a message may be received that is no document of a
// collection with rules.
func (r *Rights) MayReceive(topic string) bool {
	if r == nil {
		return true
	}
	_, ok := r.allows(false, func(f string) bool { return matches(f, topic) })
	return ok
}

// MaySubscribe says whether a plain topic filter may be subscribed to: whether there
// can be a message that may be received by it. all says that they may all be, so that
// none has to be asked about.
func (r *Rights) MaySubscribe(topicFilter string) (all bool, err error) {
	if r == nil {
		return true, nil
	}
	some, documents := false, false
	for i := range r.topics {
		if g := &r.topics[i]; g.rule.subscribe && !g.rule.deny && overlaps(g.topicFilter, topicFilter) {
			some = true
			all = all || covers(g.topicFilter, topicFilter)
		}
	}
	if by, ok := r.denied(topicFilter); by != nil {
		all, some = false, some && ok
	}
	for name := range r.policy.ruled {
		if !overlaps(name+"/+", topicFilter) {
			continue
		}
		all = false
		index, collection, _ := strings.Cut(name, "/")
		documents = documents || !r.collection(index, collection).operations[View].Nothing()
	}
	if !some && !documents {
		return false, forbidden("subscribe to this topic filter")
	}
	return all, nil
}

// denied returns a grant that denies a part of a topic filter. ok says that there is
// another part.
func (r *Rights) denied(topicFilter string) (by *grant, ok bool) {
	ok = true
	for i := range r.topics {
		if g := &r.topics[i]; g.rule.subscribe && g.rule.deny && overlaps(g.topicFilter, topicFilter) {
			by, ok = g, ok && !covers(g.topicFilter, topicFilter)
		}
	}
	return by, ok
}

// MayCall says whether an action of the API may be asked for.
func (r *Rights) MayCall(controller, action string) error {
	if r == nil || r.callBy(controller, action) != nil {
		return nil
	}
	return forbidden("execute the action %q", controller+":"+action)
}

func (r *Rights) callBy(controller, action string) *call {
	for _, role := range r.roles {
		for i := range role.calls {
			c := &role.calls[i]
			if (c.controller == "*" || c.controller == controller) && (c.action == "*" || c.action == action) {
				return c
			}
		}
	}
	return nil
}

// Ruled says whether a collection has rules, so that topic rules say nothing of its
// documents.
func (r *Rights) Ruled(index, collection string) bool {
	return r != nil && r.policy.ruled[index+"/"+collection]
}

// RolesOf returns the names of the roles that say what a client may do.
func (r *Rights) RolesOf() []string {
	names := make([]string, len(r.roles))
	for i, role := range r.roles {
		names[i] = role.name
	}
	slices.Sort(names)
	return names
}

// matches says whether a topic filter matches a topic. Most rules are about one.
func matches(topicFilter, topic string) bool {
	return topicFilter == topic || covers(topicFilter, topic)
}

// A Sight is what of a collection's documents may be seen.
type Sight struct {
	// Filter matches those that may be.
	Filter *filter.Filter
	// Hidden are the dotted paths of fields that may not.
	Hidden []string
	// Key is the same for equal sights.
	Key string
}

func newSight(f *filter.Filter, hidden []string) *Sight {
	return &Sight{Filter: f, Hidden: hidden, Key: f.String() + "\n" + strings.Join(hidden, "\n")}
}
