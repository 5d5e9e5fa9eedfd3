package access

import (
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
)

// collectionRights are what one client may do with the documents of a collection with
// rules.
type collectionRights struct {
	operations [operations]*filter.Filter
	view, list *Sight
	hidden     []string
}

// collection returns the rights to a collection with rules. They are made when they
// are first asked for: most clients use few of the collections.
func (r *Rights) collection(index, collection string) *collectionRights {
	name := index + "/" + collection
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.ruled[name]; c != nil {
		return c
	}
	c := &collectionRights{hidden: r.hidden(name)}
	for op := range operations {
		c.operations[op] = r.filterOf(name, op)
	}
	c.view, c.list = newSight(c.operations[View], c.hidden), newSight(c.operations[List], c.hidden)
	r.ruled[name] = c
	return c
}

// filterOf returns the filter of the documents with which the roles of a client let
// it do something.
func (r *Rights) filterOf(name string, op Operation) *filter.Filter {
	var parts []string
	for _, role := range r.roles {
		rules := role.collections[name]
		if rules == nil || rules.operations[op] == nil {
			continue
		}
		if f, err := rules.operations[op].filterFor(r.who, r.client); err == nil && !f.Nothing() {
			parts = append(parts, f.String())
		}
	}
	if len(parts) == 0 {
		return nothing()
	}
	if slices.Contains(parts, `{}`) {
		return everything()
	}
	f, err := filter.ParseWithin([]byte(`{"or":[`+strings.Join(parts, ",")+`]}`), filter.NoLimits())
	if err != nil {
		return nothing() // never: each part is a filter
	}
	return f
}

// hidden returns the fields that a role hides and none shows.
func (r *Rights) hidden(name string) []string {
	var hidden []string
	for _, role := range r.roles {
		if rules := role.collections[name]; rules != nil {
			hidden = append(hidden, rules.hide...)
		}
	}
	hidden = slices.DeleteFunc(hidden, func(path string) bool {
		return slices.ContainsFunc(r.roles, func(role *role) bool {
			rules := role.collections[name]
			return rules != nil && slices.ContainsFunc(rules.show, func(shown string) bool { return filter.Within(path, shown) })
		})
	})
	slices.Sort(hidden)
	return slices.Compact(hidden)
}

// List returns what of a collection may be found: by rooms, scopes and searches. The
// error says that it is nothing at all. A collection without rules is one that may be
// subscribed to as a whole, or not.
func (r *Rights) List(index, collection string) (*Sight, error) {
	switch {
	case r == nil:
		return all(), nil
	case !r.Ruled(index, collection):
		topicFilter := index + "/" + collection + "/+"
		if _, ok := r.allows(false, func(f string) bool { return covers(f, topicFilter) }); !ok {
			return nil, forbidden("list documents of %s/%s", index, collection)
		}
		if by, _ := r.denied(topicFilter); by != nil {
			return nil, forbidden("list documents of %s/%s", index, collection)
		}
		return all(), nil
	}
	c := r.collection(index, collection)
	if c.operations[List].Nothing() {
		return nil, forbidden("list documents of %s/%s", index, collection)
	}
	return c.list, nil
}

// View returns what may be seen of a document.
func (r *Rights) View(index, collection, id string) *Sight {
	switch {
	case r == nil:
		return all()
	case r.Ruled(index, collection):
		return r.collection(index, collection).view
	case r.MayReceive(index + "/" + collection + "/" + id):
		return all()
	}
	return none()
}

// Hidden returns the fields of a collection that may not be seen.
func (r *Rights) Hidden(index, collection string) []string {
	if !r.Ruled(index, collection) {
		return nil
	}
	return r.collection(index, collection).hidden
}

// A Version is a document before or after a write, ready to be matched. Nil is none.
type Version func() (*filter.Document, error)

// Write says whether a document may be written: created, if there is none before, or
// deleted, if there is none after. An update needs both versions to be in the rule, so
// that no document is taken away from others, or given to them.
func (r *Rights) Write(index, collection, id string, before, after Version) error {
	if r == nil {
		return nil
	}
	op, versions := Update, []Version{before, after}
	switch {
	case before == nil && after == nil:
		return nil
	case before == nil:
		op, versions = Create, versions[1:]
	case after == nil:
		op, versions = Delete, versions[:1]
	}
	if !r.Ruled(index, collection) {
		if r.MayPublish(index+"/"+collection+"/"+id) != nil {
			return forbidden("%s this document", op)
		}
		return nil
	}
	rule := r.collection(index, collection).operations[op]
	if rule.Everything() {
		return nil
	}
	for _, version := range versions {
		if rule.Nothing() {
			return forbidden("%s this document", op)
		}
		d, err := version()
		if err != nil {
			return err
		}
		if !rule.Match(d) {
			return forbidden("%s this document", op)
		}
	}
	return nil
}

// MayWrite says whether there can be a document of a collection with which an
// operation is allowed, and whether it is with every one.
func (r *Rights) MayWrite(index, collection string, op Operation) (some, every bool) {
	switch {
	case r == nil:
		return true, true
	case !r.Ruled(index, collection):
		topicFilter := index + "/" + collection + "/+"
		_, every = r.allows(true, func(f string) bool { return covers(f, topicFilter) })
		some = slices.ContainsFunc(r.topics, func(g grant) bool {
			return g.rule.publish && !g.rule.deny && overlaps(g.topicFilter, topicFilter)
		})
		denies := slices.ContainsFunc(r.topics, func(g grant) bool {
			return g.rule.publish && g.rule.deny && overlaps(g.topicFilter, topicFilter)
		})
		return some, every && !denies
	}
	f := r.collection(index, collection).operations[op]
	return !f.Nothing(), f.Everything()
}

// all is the sight of who may see everything, and none of who sees nothing.
func all() *Sight { return &Sight{Filter: everything()} }

func none() *Sight { return &Sight{Filter: nothing(), Key: "none"} }

// MayTry says whether there can be a document that may be written, or deleted.
func (r *Rights) MayTry(index, collection string, deletes bool) error {
	tries := []Operation{Create, Update}
	if deletes {
		tries = []Operation{Delete}
	}
	for _, op := range tries {
		if some, _ := r.MayWrite(index, collection, op); some {
			return nil
		}
	}
	return forbidden("%s documents of %s/%s", tries[len(tries)-1], index, collection)
}

// Under returns a content filter as it is for a client: the and with the rule of the
// documents that it may find, without what it may not see. A filter that asks about
// that is refused, and so is one that names other documents, by whose positions it
// would tell where they are, to whom not all may be found.
func (r *Rights) Under(index, collection string, f *filter.Filter) (*filter.Filter, error) {
	if r == nil {
		return f, nil
	}
	sight, err := r.List(index, collection)
	if err != nil {
		return nil, err
	}
	if len(f.Neighbours()) > 0 && !sight.Filter.Everything() {
		return nil, forbidden("use near")
	}
	return sight.of(f)
}

// of returns a filter as it is for whoever has the sight.
func (s *Sight) of(f *filter.Filter) (*filter.Filter, error) {
	if path, reads := f.Reads(s.Hidden); reads {
		return nil, forbidden("filter by %s", path)
	}
	return f.Under(s.Filter, s.Hidden)
}

// UnderView is Under for a filter that names its documents, which are then asked for by
// their ids: what counts is whether those may be seen.
func (r *Rights) UnderView(index, collection string, f *filter.Filter) (*filter.Filter, error) {
	if r == nil {
		return f, nil
	}
	ids, ok := f.IDs()
	sight := all()
	if r.Ruled(index, collection) {
		sight = r.collection(index, collection).view
	} else {
		ok = ok && !slices.ContainsFunc(ids, func(id string) bool { return !r.MayReceive(index + "/" + collection + "/" + id) })
	}
	if !ok || sight.Filter.Nothing() {
		return nil, forbidden("view documents of %s/%s", index, collection)
	}
	if len(f.Neighbours()) > 0 { // they are other documents
		return nil, forbidden("use near")
	}
	return sight.of(f)
}
