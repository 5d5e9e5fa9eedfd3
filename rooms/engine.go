// Package rooms turns a change of a document into notifications: it knows
// which filters are subscribed to, by whom and how, and says who hears of the
// change, and whether the document enters, stays in or leaves their scope.
//
// The scope of a room is a function of the document before and after, and of
// the filter. What is remembered of a version makes the next change cheaper, and
// never another one. A filter that names other documents is also a function of
// where they are.
package rooms

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A Publisher carries messages to the members of rooms.
type Publisher interface {
	// Publish sends m to the members that subscribed to topicFilter. It may wait
	// for slow members, for a bounded time. It must not write to m or members,
	// and may keep both.
	Publish(topicFilter string, members []string, m *Message)
}

// An Engine holds the rooms of a node. It starts no goroutine. Its methods may
// be called concurrently, but notifications come in the order of the changes
// only if Apply is called by one goroutine.
type Engine struct {
	node      string
	out       Publisher
	standings *standings
	scans     scans
	fences    Fences
	matched   func(took time.Duration, candidates int)
	counts    counts

	mu          sync.RWMutex // guards what follows
	collections map[collectionName]*collection
}

type collectionName struct{ index, collection string }

// A collection has the rooms of one collection.
type collection struct {
	matcher filter.Matcher[*room] // of those whose filters are not momentary
	moments moments
	rooms   map[string]*room // by hash
	names   map[string]Name
}

// A room is one filter of one collection, with those who subscribed to it.
type room struct {
	hash   string
	filter *filter.Filter
	// outlets is in the order of their texts, and replaced, never written, so
	// that a change in progress may read it without a lock.
	outlets []outlet
	named   int // how many names point to it
	// nothing says that no document is ever in it.
	nothing bool
	told    atomic.Int64 // notifications, one for each member
}

// An outlet is one topic filter by which members subscribed to a room: its
// messages arrive on the topic that the members typed.
type outlet struct {
	to      topics.Filter
	members []string // sorted; replaced, never written
	paused  map[string]bool
}

// Options are settings of an Engine.
type Options struct {
	// Standings is of how many documents the engine remembers where they stand,
	// so that their next change costs less: those that changed last. Defaults to
	// 100,000; with a negative number it remembers nothing.
	Standings int
	// StandingBytes is how much memory that may take. Defaults to 64 MiB.
	StandingBytes int
	// Matched is told how long it took to find the rooms that a change concerns, and how many
	// filters were looked at: of one change in [MatchedEvery]. Nil is nobody.
	Matched func(took time.Duration, candidates int)
	// Fences says who is told that documents enter and leave named rooms; nobody by default.
	Fences Fences
}

// New returns an engine without rooms. Notifications name node as their node.
func New(node string, out Publisher, opts Options) *Engine {
	return &Engine{node: node, out: out, standings: newStandings(opts), matched: opts.Matched, fences: opts.Fences, collections: map[collectionName]*collection{}}
}

// Join makes member a member of the room that to, a topics.Room or
// topics.Scope, is about, and returns the room's hash. f is the room's filter,
// for which Check has no error. docs is asked for the documents that f names, if
// it names any; the error is that of docs. Joining again by the same topic filter
// changes nothing.
func (e *Engine) Join(member string, to topics.Filter, f *filter.Filter, docs Documents) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := collectionName{to.Index, to.Collection}
	c := e.collections[name]
	if c == nil {
		c = &collection{rooms: map[string]*room{}}
	}
	r, err := c.room(f, name, docs)
	if err != nil {
		return "", err
	}
	e.collections[name] = c
	r.join(member, to)
	return r.hash, nil
}

// room returns the room of a filter, which is opened if it is not there.
func (c *collection) room(f *filter.Filter, name collectionName, docs Documents) (*room, error) {
	hash := f.Hash(name.index, name.collection)
	if r := c.rooms[hash]; r != nil {
		return r, nil
	}
	r := &room{hash: hash, filter: f, nothing: isNothing(f)}
	return r, c.open(r, name, docs)
}

func (c *collection) open(r *room, name collectionName, docs Documents) error {
	if !r.filter.Momentary() {
		c.matcher.Add(r, r.filter)
	} else if err := c.moments.open(r, name, docs); err != nil {
		return err
	}
	c.rooms[r.hash] = r
	return nil
}

func (c *collection) close(r *room) {
	if r.filter.Momentary() {
		c.moments.close(r)
	} else {
		c.matcher.Remove(r)
	}
	delete(c.rooms, r.hash)
}

// Pause has a member of a room told nothing until it joins again: a room whose
// members are all away is kept, and costs next to nothing.
func (e *Engine) Pause(member string, to topics.Filter, hash string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.collections[collectionName{to.Index, to.Collection}]
	if c != nil && c.rooms[hash] != nil {
		c.rooms[hash].pause(member, to.Text)
	}
}

// Leave undoes Join. It reports whether the member was in the room; a room that
// nobody is in any more, and no name points to, is forgotten.
func (e *Engine) Leave(member string, to topics.Filter, hash string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	name := collectionName{to.Index, to.Collection}
	c := e.collections[name]
	if c == nil || c.rooms[hash] == nil {
		return false
	}
	r := c.rooms[hash]
	was := r.leave(member, to.Text)
	e.closeUnused(c, r, name)
	return was
}

// closeUnused forgets a room that nobody is in, and no name points to.
func (e *Engine) closeUnused(c *collection, r *room, name collectionName) {
	if len(r.outlets) == 0 && r.named == 0 {
		c.close(r)
	}
	if len(c.rooms) == 0 {
		delete(e.collections, name)
		e.standings.forgetCollection(name)
	}
}

// Filter returns the filter of the room with this hash, if there is one.
func (e *Engine) Filter(index, collection, hash string) (*filter.Filter, bool) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c := e.collections[collectionName{index, collection}]
	if c == nil || c.rooms[hash] == nil {
		return nil, false
	}
	return c.rooms[hash].filter, true
}

// Len returns the number of rooms.
func (e *Engine) Len() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	n := 0
	for _, c := range e.collections {
		n += len(c.rooms)
	}
	return n
}

// Apply notifies the members of every room whose scope the changed document
// enters, stays in or leaves.
func (e *Engine) Apply(change *persistence.Change) error {
	e.counts.changes.Add(1)
	affected, err := e.affected(change)
	if err != nil {
		return fmt.Errorf("rooms: match %s/%s/%s: %w", change.Key.Index, change.Key.Collection, change.Key.ID, err)
	}
	e.cross(change, affected)
	for _, a := range affected {
		n := notification{change: change, node: e.node, room: a.hash, filter: a.filter, transition: a.transition}
		for _, o := range a.outlets {
			if len(o.members) == 0 {
				continue
			}
			m, err := n.message(o.to)
			if err != nil {
				return fmt.Errorf("rooms: tell of %s: %w", change.Key, err)
			}
			if m != nil {
				e.counts.told(a.transition, len(o.members))
				a.told.Add(int64(len(o.members)))
				e.out.Publish(o.to.Text, o.members, m)
			}
		}
	}
	return nil
}

// affected is a room that a change concerns, as it was at that moment.
type affected struct {
	hash       string
	filter     *filter.Filter
	transition topics.Transition
	outlets    []outlet
	told       *atomic.Int64
}

// affected says which rooms a change concerns, in the order of their hashes.
func (e *Engine) affected(change *persistence.Change) ([]affected, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	c := e.collections[collectionName{change.Key.Index, change.Key.Collection}]
	if c == nil {
		return nil, nil
	}
	after, err := prepareVersion(change.After)
	if err != nil {
		return nil, err
	}
	before := sync.OnceValues(func() (*filter.Document, error) { return prepareVersion(change.Before) })
	all, err := e.transitions(c, change, before, after)
	if err != nil {
		return nil, err
	}
	if all, err = c.moments.affected(all, change, before, after); err != nil {
		return nil, err
	}
	sortAffected(all)
	return all, nil
}

func sortAffected(all []affected) {
	slices.SortFunc(all, func(a, b affected) int { return strings.Compare(a.hash, b.hash) })
}

// transitions returns the rooms whose scope the document enters, stays in or
// leaves. The version before is read only if too little is remembered of it.
func (e *Engine) transitions(c *collection, change *persistence.Change, before func() (*filter.Document, error), after *filter.Document) ([]affected, error) {
	if len(c.rooms) == c.moments.rooms {
		return nil, nil
	}
	var changes filter.Changes[*room]
	s := e.standings.take(change.Key, change.Before)
	began := e.begin()
	if err := c.matcher.Update(&changes, &s.Standing, before, after); err != nil {
		return nil, err
	}
	e.measure(began, changes.Candidates)
	if after != nil {
		e.standings.keep(s, change.After.Seq)
	}
	all := make([]affected, 0, len(changes.Entered)+len(changes.Stayed)+len(changes.Exited))
	all = appendAffected(all, topics.Enter, changes.Entered)
	all = appendAffected(all, topics.Stay, changes.Stayed)
	return appendAffected(all, topics.Exit, changes.Exited), nil
}

func appendAffected(all []affected, t topics.Transition, rooms []*room) []affected {
	for _, r := range rooms {
		all = append(all, affected{hash: r.hash, filter: r.filter, transition: t, outlets: r.outlets, told: &r.told})
	}
	return all
}

func (r *room) join(member string, to topics.Filter) {
	i, ok := r.find(to.Text)
	if !ok {
		r.outlets = slices.Insert(slices.Clone(r.outlets), i, outlet{to: to, members: []string{member}, paused: map[string]bool{}})
		return
	}
	delete(r.outlets[i].paused, member)
	members := r.outlets[i].members
	at, ok := slices.BinarySearch(members, member)
	if ok {
		return
	}
	r.outlets = slices.Clone(r.outlets)
	r.outlets[i].members = slices.Insert(slices.Clone(members), at, member)
}

func (r *room) pause(member, text string) {
	if i, ok := r.find(text); ok && r.silence(i, member) {
		r.outlets[i].paused[member] = true
	}
}

func (r *room) leave(member, text string) bool {
	i, ok := r.find(text)
	if !ok {
		return false
	}
	was := r.silence(i, member) || r.outlets[i].paused[member]
	delete(r.outlets[i].paused, member)
	if len(r.outlets[i].members)+len(r.outlets[i].paused) == 0 {
		r.outlets = slices.Delete(slices.Clone(r.outlets), i, i+1)
	}
	return was
}

// silence has a member of an outlet told nothing, and reports whether it was.
func (r *room) silence(i int, member string) bool {
	at, ok := slices.BinarySearch(r.outlets[i].members, member)
	if !ok {
		return false
	}
	r.outlets = slices.Clone(r.outlets)
	r.outlets[i].members = slices.Delete(slices.Clone(r.outlets[i].members), at, at+1)
	return true
}

func (r *room) find(text string) (int, bool) {
	return slices.BinarySearchFunc(r.outlets, text, func(o outlet, text string) int {
		return strings.Compare(o.to.Text, text)
	})
}
