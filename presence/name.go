package presence

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A call is a client's subscription by the name of a room. The room is the one that the name
// points to, and another one from the moment on at which it points to that.
type call struct {
	client *client
	to     topics.Filter
	// hash is that of the last Join: whoever subscribed goes over when he has been told all
	// by the old filter, and leaves the old room then.
	hash string
	room *room
	// number says which call came first.
	number uint64
}

type callKey struct{ client, topicFilter string }

// nameOf returns the name of a room as topic filters have it, or "" if they have it by
// its filter.
func nameOf(to topics.Filter) string {
	if to.Room.Name == "" {
		return ""
	}
	return to.Index + "/" + to.Collection + "/@" + to.Room.Name
}

// where returns the hash of the room that a subscription is about now, or "" for none.
func (e *Engine) where(id string, to topics.Filter, hash string) string {
	if to.Room.Name == "" || e.opts.Called == nil {
		return hash
	}
	return e.opts.Called(id, to)
}

// called notes that a client subscribed by a name. If it did so before, and is in
// another room by that, it goes over.
func (e *Engine) called(c *client, to topics.Filter, hash string, r *room, now time.Time) {
	name := nameOf(to)
	if name == "" {
		return
	}
	calls := e.calls[name]
	if calls == nil {
		calls = map[callKey]*call{}
		e.calls[name] = calls
	}
	key := callKey{c.id, to.Text}
	k := calls[key]
	if k == nil {
		e.serial++
		k = &call{client: c, to: to, room: r, number: e.serial}
		calls[key] = k
	}
	k.hash = hash
	e.move(k, r, now)
}

// uncalled undoes called, and returns the room in which the client is by that. It is nil if
// it did not subscribe, or has gone over from the room with this hash.
func (e *Engine) uncalled(c *client, to topics.Filter, hash string) *room {
	name, key := nameOf(to), callKey{c.id, to.Text}
	k := e.calls[name][key]
	if k == nil || k.hash != hash {
		return nil
	}
	delete(e.calls[name], key)
	if len(e.calls[name]) == 0 {
		delete(e.calls, name)
	}
	return k.room
}

// Rename has those who subscribed by the name of a room, or by any if it is "", be in the room
// that it points to now, and told of that. Whoever is told by the name goes along, and is told
// nothing of it. The name is "<index>/<collection>/@<name>".
func (e *Engine) Rename(name string, now time.Time) {
	calls := e.callsOf(name)
	hashes := make([]string, len(calls))
	for i, k := range calls {
		hashes[i] = e.where(k.client.id, k.to, "")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	told := map[*room]map[string]*outlet{}
	for i, k := range calls {
		if e.calls[nameOf(k.to)][callKey{k.client.id, k.to.Text}] != k {
			continue // it has unsubscribed
		}
		if r := e.room(k.to, hashes[i]); r != k.room {
			e.settle(k.room, told)
			e.move(k, r, now)
		}
	}
}

// callsOf returns who subscribed by a name, or by any if it is "", as they came.
func (e *Engine) callsOf(name string) []*call {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []*call
	for n, calls := range e.calls {
		if name == "" || n == name {
			for _, k := range calls {
				all = append(all, k)
			}
		}
	}
	slices.SortFunc(all, func(a, b *call) int { return cmp.Compare(a.number, b.number) })
	return all
}

// settle has what is still to be told of a room be told to those who are to be told now,
// wherever they go. It does so once: told has the rooms of which it was done.
func (e *Engine) settle(r *room, told map[*room]map[string]*outlet) {
	if _, done := told[r]; done {
		return
	}
	told[r] = nil
	for _, ev := range e.pending {
		if ev.room != r || ev.outlets != nil {
			continue
		}
		if told[r] == nil {
			told[r] = map[string]*outlet{}
			for text, o := range r.outlets {
				told[r][text] = &outlet{to: o.to, watchers: maps.Clone(o.watchers)}
			}
		}
		ev.outlets = told[r]
	}
}

// move has a client that subscribed by a name be in another room by that.
func (e *Engine) move(k *call, r *room, now time.Time) {
	from, c, text := k.room, k.client, k.to.Text
	if from == r {
		return
	}
	k.room = r
	defer e.tidyRoom(from)
	if o := from.outlets[text]; o != nil {
		if _, watching := o.watchers[c]; watching {
			watch(r.outlets, c, k.to, e.serial)
			unwatch(from.outlets, c, k.to)
		}
	}
	if k.to.Kind == topics.Presence {
		e.dirty[r] = true
		return
	}
	old := c.seats[from]
	if old == nil || !old.by[text] {
		return
	}
	s := e.seat(c, r)
	if len(s.by) == 0 {
		s.volatile = old.volatile
	}
	s.by[text] = true
	if s.mayEnter() {
		e.enter(s, now, nil).except = nameOf(k.to)
	}
	delete(old.by, text)
	if len(old.by) > 0 {
		return
	}
	if old.present {
		e.exit(old, now, nil, Unsubscribed, nil).except = nameOf(k.to)
	}
	e.drop(old)
}
