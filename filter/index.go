package filter

import (
	"hash/maphash"
	"sync/atomic"
)

// An index finds the filters that match a document, without counting what of
// each holds: a filter is noted under conditions of which at least one holds if
// it matches, and what remains of it is tested when one does.
//
// Filters and the conditions under which they are noted are its entries, each
// there once. What finds the conditions that hold:
//
//   - equals, in, ids, anyOf, and exists with an element: a hash table;
//   - range, and its negation: a tree of intervals for each field;
//   - before, after and cidr: such a tree for the numbers of strings, see scale;
//   - geo clauses: a geofilter.Index for each field;
//   - regexp, prefix, suffix and contains: a hash table of three bytes of a
//     literal, then the string;
//   - exists: the field;
//   - changed: the field, if it differs; crossed: a geofilter.Index of fences for
//     each field; near: the documents that are named, and a tree of distances
//     from each;
//   - a negation, and everything: it holds by default. What is negated is an
//     entry, which when it holds makes an exception.
//
// So a document costs its fields and its matches, but for these, which are
// walked: the defaults, which match unless excepted; and for a document with the
// field, its regexps and the like without a literal of three bytes, matches with
// objects and arrays, selects, and the documents that near names.
type index struct {
	generation atomic.Uint64 // see pool

	entries      slab[entry]
	entryPool    pool
	known        directory // of the entries, by the fingerprint of their text
	sets         slab[set]
	setPool      pool
	fields       slab[atomic.Pointer[field]]
	fieldPool    pool
	fieldNumbers table // fields by the fingerprint of their path
	programs     map[fingerprint]*program
	text         []byte // the writer's, to be used again

	values        table         // entries by the fingerprints of field and value
	outsides      set           // the fields with an entry in outside
	defaults      set           // entries that hold unless they are excepted
	defaultsAdded atomic.Uint64 // how often something was added to defaults
	moments       atomic.Int32  // how many entries are in the moments of fields

	sample sample
	homes  homes

	reads         reach         // all that filters read
	defaultsReach reach         // what the defaults lead to
	fieldsOpened  atomic.Uint64 // how many fields there were so far
}

// An entry is a filter, or a condition under which filters are noted.
type entry struct {
	state   atomic.Uint64           // what follows when the entry holds: see noted, negation, subscribed
	program atomic.Pointer[program] // what is to be tested when one of those holds under which it is noted
	reads   reach                   // what decides whether the entry holds
	reach   reach                   // of what is noted under it, too

	detail atomic.Pointer[detail] // nil for equals and geo clauses, of which there may be most
	print  [2]atomic.Uint64       // the fingerprint of its text
	users  uint32                 // reasons to keep it
	field  uint32                 // of an entry without detail
	isGeo  bool                   // whether that is a geo clause
}

// is reports whether f is the entry's fingerprint.
func (e *entry) is(f fingerprint) bool { return e.print[0].Load() == f[0] && e.print[1].Load() == f[1] }

// A detail is what equals and geo clauses do not need. It is never changed, but
// for text, which is the writer's.
type detail struct {
	node   node     // of a condition; nil of a filter that is more than one
	access []uint32 // the entries under which this one is noted
	text   string   // of a filter that could be noted under others; shared with its Filter
}

// The state of an entry: from the lowest bit 32 of who is noted under it, 31 of
// the entry of its negation, and 1 that says whether it is a filter.
type state uint64

const (
	manyUsers  = 1 << 31 // the rest is the number of a set
	subscribed = 1 << 63
)

func (s state) noted() uint32    { return uint32(s) }
func (s state) negation() uint32 { return uint32(s >> 32 &^ (1 << 31)) }

func (e *entry) load() state       { return state(e.state.Load()) }
func (e *entry) setNoted(n uint32) { e.state.Store(uint64(e.load())>>32<<32 | uint64(n)) }
func (e *entry) setNegation(n uint32) {
	e.state.Store(uint64(e.load())&(subscribed|1<<32-1) | uint64(n)<<32)
}

// subscribe makes an entry count as a filter: it is found from now on.
func (x *index) subscribe(id uint32) {
	e := x.entries.at(id)
	e.state.Store(e.state.Load() | subscribed)
}

func (x *index) unsubscribe(id uint32) {
	e := x.entries.at(id)
	e.state.Store(e.state.Load() &^ subscribed)
}

// intern returns the entry of a condition, for one more user.
func (x *index) intern(n node) uint32 { return x.internAs(x.printOf(n), n) }

// internFilter returns the entry of a filter, for one more user.
func (x *index) internFilter(f *Filter) uint32 {
	print := fingerprintOf(f.text)
	if l, ok := f.root.(leaf); ok {
		print = x.printOf(l)
	}
	id := x.internAs(print, f.root)
	if d := x.entries.at(id).detail.Load(); d != nil && d.node == nil && hasChoice(f.root) {
		d.text = f.text
	}
	return id
}

func (x *index) internAs(print fingerprint, n node) uint32 {
	if id := x.entryOf(print); id != 0 {
		x.entries.at(id).users++
		return id
	}
	id := x.newEntry(print)
	x.known.insert(id, x.hash)
	x.link(id, n)
	x.noteReads(id, n)
	return id
}

// entryOf returns the entry of a fingerprint, or 0.
func (x *index) entryOf(print fingerprint) uint32 {
	return x.known.find(print[0], func(id uint32) bool { return x.entries.at(id).is(print) })
}

// hash is that of an entry, for known.
func (x *index) hash(id uint32) uint64 { return x.entries.at(id).print[0].Load() }

func (x *index) newEntry(print fingerprint) uint32 {
	id := x.entryPool.take(&x.generation)
	x.entries.reserve(id)
	e := x.entries.at(id)
	e.print[0].Store(print[0])
	e.print[1].Store(print[1])
	e.users = 1
	return id
}

// release ends a use of an entry.
func (x *index) release(id uint32) {
	e := x.entries.at(id)
	if e.users--; e.users > 0 {
		return
	}
	x.known.remove(id, x.hash)
	x.unlink(id)
	x.dismiss(e.program.Load())
	e.program.Store(nil)
	e.detail.Store(nil)
	e.state.Store(0)
	e.reads.bits.Store(0)
	e.reach.bits.Store(0)
	e.field, e.isGeo = 0, false
	x.entryPool.giveBack(id)
}

// printOf returns the fingerprint of a filter or condition. That of equals, and
// of an element, is what a document with the value has.
func (x *index) printOf(n node) fingerprint {
	switch n := n.(type) {
	case membership:
		if len(n.values) == 1 {
			return fingerprintOf(n.field).with(printOfScalar(n.values[0]))
		}
	case element:
		if len(n.values) == 1 {
			return elementPrint(fingerprintOf(n.field)).with(printOfScalar(n.values[0]))
		}
	case geo:
		return fingerprintOf(n.text)
	}
	return x.printOfText(n)
}

// printOfText returns the fingerprint of a condition's text.
func (x *index) printOfText(n node) fingerprint {
	x.text = n.appendText(x.text[:0])
	return fingerprint{maphash.Bytes(seeds[0], x.text), maphash.Bytes(seeds[1], x.text)}
}

// note puts an entry under another: it is looked at when that holds.
func (x *index) note(id, under uint32) {
	e := x.entries.at(under)
	noted := e.load().noted()
	if noted&manyUsers != 0 {
		x.sets.at(noted &^ manyUsers).add(id)
		return
	}
	if noted == 0 {
		e.setNoted(id)
		return
	}
	number := x.setPool.take(&x.generation)
	x.sets.reserve(number)
	many := x.sets.at(number)
	many.add(noted)
	many.add(id)
	e.setNoted(number | manyUsers)
}

// unnote takes an entry from under another.
func (x *index) unnote(id, under uint32) {
	e := x.entries.at(under)
	noted := e.load().noted()
	if noted&manyUsers == 0 {
		e.setNoted(0)
		return
	}
	many := x.sets.at(noted &^ manyUsers)
	many.remove(id)
	if many.n == 0 {
		e.setNoted(0)
		x.setPool.giveBack(noted &^ manyUsers)
	}
}
