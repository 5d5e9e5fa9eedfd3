package sessions

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v4"
)

// A tree finds the subscriptions whose topic filters match a topic. Those
// without a wildcard are in one hash table, the others in a tree by levels.
// Readers take no lock: what they read is replaced, or grows where they do not
// look.
type tree struct {
	mu    sync.Mutex // serialises add and remove
	exact *xsync.Map[string, *leaf]
	root  branch
	n     atomic.Int64
}

// A branch is a level of topic filters with wildcards.
type branch struct {
	children   atomic.Pointer[children] // nil for none
	plus, rest atomic.Pointer[branch]   // the children + and #
	leaf       leaf
	size       int // of children, and plus and rest; the writer's
}

// children are the named children of a branch. A list of few is replaced as a
// whole: most branches have one child, and there may be a million of them.
type children struct {
	few  []named
	many *xsync.Map[string, *branch] // nil while there are few
}

type named struct {
	level  string
	branch *branch
}

// maxFew is how many children are walked.
const maxFew = 8

// A leaf holds the subscriptions with one topic filter.
type leaf struct {
	members atomic.Pointer[[]member]
	groups  atomic.Pointer[[]*group]
}

// A member is a subscription of a session.
type member struct {
	session *session
	sub     *Subscription
}

// A group is a shared subscription, whose members take turns.
type group struct {
	name    string
	members atomic.Pointer[[]member]
	turn    atomic.Uint32
}

func newTree() *tree { return &tree{exact: xsync.NewMap[string, *leaf]()} }

// len returns the number of subscriptions.
func (t *tree) len() int { return int(t.n.Load()) }

// add adds a subscription, in place of the session's one with the same topic
// filter.
func (t *tree) add(topicFilter, share string, m member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := &t.open(topicFilter).members
	if share != "" {
		list = &t.leafOf(topicFilter).open(share).members
	}
	if put(list, m) {
		t.n.Add(1)
	}
}

// put adds a member to a list, or replaces that of its session. Readers of the
// list do not see what is behind its end.
func put(list *atomic.Pointer[[]member], m member) (grown bool) {
	var old []member
	if p := list.Load(); p != nil {
		old = *p
	}
	i := slices.IndexFunc(old, func(o member) bool { return o.session == m.session })
	var changed []member
	if i >= 0 {
		changed = slices.Clone(old)
		changed[i] = m
	} else {
		changed = append(old, m)
	}
	list.Store(&changed)
	return i < 0
}

// remove removes a session's subscription, if it is there.
func (t *tree) remove(topicFilter, share string, s *session) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.leafOf(topicFilter)
	if l == nil {
		return
	}
	if share == "" {
		if take(&l.members, s) {
			t.n.Add(-1)
		}
	} else if g := l.group(share); g != nil && take(&g.members, s) {
		t.n.Add(-1)
		if g.members.Load() == nil {
			l.close(g)
		}
	}
	if l.empty() {
		t.close(topicFilter)
	}
}

func take(list *atomic.Pointer[[]member], s *session) bool {
	p := list.Load()
	if p == nil {
		return false
	}
	i := slices.IndexFunc(*p, func(m member) bool { return m.session == s })
	if i < 0 {
		return false
	}
	if len(*p) == 1 {
		list.Store(nil)
		return true
	}
	changed := slices.Concat((*p)[:i], (*p)[i+1:])
	list.Store(&changed)
	return true
}

func (l *leaf) empty() bool { return l.members.Load() == nil && l.groups.Load() == nil }

func (l *leaf) group(name string) *group {
	if groups := l.groups.Load(); groups != nil {
		for _, g := range *groups {
			if g.name == name {
				return g
			}
		}
	}
	return nil
}

// open returns the group of a name, which it makes if there is none.
func (l *leaf) open(name string) *group {
	g := l.group(name)
	if g == nil {
		g = &group{name: name}
		var changed []*group
		if old := l.groups.Load(); old != nil {
			changed = slices.Clone(*old)
		}
		changed = append(changed, g)
		l.groups.Store(&changed)
	}
	return g
}

func (l *leaf) close(g *group) {
	changed := slices.DeleteFunc(slices.Clone(*l.groups.Load()), func(o *group) bool { return o == g })
	if len(changed) == 0 {
		l.groups.Store(nil)
		return
	}
	l.groups.Store(&changed)
}

func hasWildcard(topicFilter string) bool { return strings.ContainsAny(topicFilter, "+#") }

// open returns the leaf of a topic filter, which it makes if there is none.
func (t *tree) open(topicFilter string) *leaf {
	if !hasWildcard(topicFilter) {
		l, ok := t.exact.Load(topicFilter)
		if !ok {
			l = new(leaf)
			t.exact.Store(strings.Clone(topicFilter), l)
		}
		return l
	}
	b := &t.root
	for level := range strings.SplitSeq(topicFilter, "/") {
		b = b.open(level)
	}
	return &b.leaf
}

// leafOf returns the leaf of a topic filter, or nil.
func (t *tree) leafOf(topicFilter string) *leaf {
	if !hasWildcard(topicFilter) {
		l, _ := t.exact.Load(topicFilter)
		return l
	}
	b := &t.root
	for level := range strings.SplitSeq(topicFilter, "/") {
		if b = b.child(level); b == nil {
			return nil
		}
	}
	return &b.leaf
}

// close forgets an empty leaf, and the branches that lead to nothing else.
func (t *tree) close(topicFilter string) {
	if !hasWildcard(topicFilter) {
		t.exact.Delete(topicFilter)
		return
	}
	levels := strings.Split(topicFilter, "/")
	path := []*branch{&t.root}
	for _, level := range levels {
		path = append(path, path[len(path)-1].child(level))
	}
	for i := len(levels) - 1; i >= 0; i-- {
		if b := path[i+1]; b.size > 0 || !b.leaf.empty() {
			return
		}
		path[i].forget(levels[i])
	}
}

// child returns a child, or nil.
func (b *branch) child(level string) *branch {
	switch level {
	case "+":
		return b.plus.Load()
	case "#":
		return b.rest.Load()
	}
	return b.children.Load().find(level)
}

func (c *children) find(level string) *branch {
	switch {
	case c == nil:
		return nil
	case c.many != nil:
		b, _ := c.many.Load(level)
		return b
	}
	for i := range c.few {
		if c.few[i].level == level {
			return c.few[i].branch
		}
	}
	return nil
}

// open returns a child, which it makes if there is none.
func (b *branch) open(level string) *branch {
	c := b.child(level)
	if c != nil {
		return c
	}
	c = new(branch)
	b.size++
	switch level {
	case "+":
		b.plus.Store(c)
	case "#":
		b.rest.Store(c)
	default:
		b.children.Store(b.children.Load().with(strings.Clone(level), c))
	}
	return c
}

// with returns the children with one more.
func (c *children) with(level string, b *branch) *children {
	switch {
	case c == nil:
		return &children{few: []named{{level, b}}}
	case c.many == nil && len(c.few) < maxFew:
		return &children{few: append(slices.Clone(c.few), named{level, b})}
	case c.many == nil:
		many := xsync.NewMap[string, *branch]()
		for _, n := range c.few {
			many.Store(n.level, n.branch)
		}
		c = &children{many: many}
	}
	c.many.Store(level, b)
	return c
}

// without returns the children without one of them, or nil if there is no other.
func (c *children) without(level string) *children {
	if c.many != nil {
		c.many.Delete(level)
		if c.many.Size() > 0 {
			return c
		}
		return nil
	}
	if len(c.few) == 1 {
		return nil
	}
	return &children{few: slices.DeleteFunc(slices.Clone(c.few), func(n named) bool { return n.level == level })}
}

func (b *branch) forget(level string) {
	b.size--
	switch level {
	case "+":
		b.plus.Store(nil)
	case "#":
		b.rest.Store(nil)
	default:
		b.children.Store(b.children.Load().without(level))
	}
}

// match appends the leaves whose topic filters match a topic to dst.
func (t *tree) match(dst []*leaf, topic string) []*leaf {
	if l, ok := t.exact.Load(topic); ok {
		dst = append(dst, l)
	}
	if strings.HasPrefix(topic, "$") { // [MQTT-4.7.2-1]
		level, rest, more := strings.Cut(topic, "/")
		if b := t.root.child(level); b != nil {
			return b.match(dst, rest, more)
		}
		return dst
	}
	return t.root.match(dst, topic, true)
}

// match appends the leaves below b that match the levels of rest, if there are
// more.
func (b *branch) match(dst []*leaf, rest string, more bool) []*leaf {
	if hash := b.rest.Load(); hash != nil {
		dst = append(dst, &hash.leaf) // the parent level, too [MQTT-4.7.1-2]
	}
	if !more {
		return append(dst, &b.leaf)
	}
	level, rest, more := strings.Cut(rest, "/")
	if plus := b.plus.Load(); plus != nil {
		dst = plus.match(dst, rest, more)
	}
	if c := b.children.Load().find(level); c != nil {
		dst = c.match(dst, rest, more)
	}
	return dst
}
