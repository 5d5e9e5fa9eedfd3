package api

import (
	"iter"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

const (
	// minFound is how many candidates an index may have at least, however few
	// documents a search may look at: filters may name that many ids.
	minFound = 1000
	// foundAtATime is how many candidates are read together.
	foundAtATime = 256
)

// A finder finds the candidates of one search: documents after an id, of which all
// that match are some.
type finder struct {
	*call
	snap  *persistence.Snapshot
	after string
	has   map[filter.Index]bool // what is known of indexes
	err   error
}

// candidates yields documents that may match, in the order of their ids, and says
// by which indexes they are found. Without one it is the whole collection.
func (c *call) candidates(snap *persistence.Snapshot, q query, after string) (docs iter.Seq2[*persistence.Document, error], by string, err error) {
	f := &finder{call: c, snap: snap, after: after, has: map[filter.Index]bool{}}
	access, ok := q.filter.Access(f.hasIndex)
	if f.err != nil {
		return nil, "", f.err
	}
	if ok {
		lookups, ok, err := access.Best(max(c.opts.ScanDocuments, minFound), f.count)
		if err != nil {
			return nil, "", err
		}
		if ok {
			ids, err := f.ids(lookups)
			return snap.Named(c.Index, c.Collection, ids), namesOf(lookups), err
		}
		if l, ok := access.InOrder(); ok {
			return f.inOrder(l), namesOf([]filter.Lookup{l}), nil
		}
	}
	return snap.Documents(c.Index, c.Collection, after), "", nil
}

// namesOf returns the paths of the fields by which documents are looked up.
func namesOf(lookups []filter.Lookup) string {
	var names []string
	for _, l := range lookups {
		if !slices.Contains(names, l.Index.Path) {
			names = append(names, l.Index.Path)
		}
	}
	return strings.Join(names, ",")
}

func (f *finder) index(x filter.Index) persistence.Index {
	return persistence.Index{Collection: persistence.Collection{Index: f.Index, Name: f.Collection}, Name: x.Name()}
}

func (f *finder) hasIndex(x filter.Index) bool {
	has, known := f.has[x]
	if !known && f.err == nil {
		has, f.err = f.snap.HasIndex(f.index(x))
		f.has[x] = has
	}
	return has
}

// found yields what a lookup finds, some ids more than once.
func (f *finder) found(l filter.Lookup) iter.Seq2[string, error] {
	if !l.IsIDs() {
		return f.snap.Found(f.index(l.Index), l.Ranges, f.after)
	}
	return func(yield func(string, error) bool) {
		for _, r := range l.Ranges {
			if id := string(r[0]); id > f.after && !yield(id, nil) {
				return
			}
		}
	}
}

func (f *finder) count(l filter.Lookup, most int) (n int, err error) {
	for _, err := range f.found(l) {
		if err != nil {
			return n, err
		}
		if n++; n > most {
			break
		}
	}
	return n, f.ctx.Err()
}

// ids returns what lookups find together, sorted, each once.
func (f *finder) ids(lookups []filter.Lookup) ([]string, error) {
	var ids []string
	for _, l := range lookups {
		for id, err := range f.found(l) {
			if err != nil {
				return nil, err
			}
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// inOrder yields the documents that a lookup of a single term finds, which are in the
// order of their ids.
func (f *finder) inOrder(l filter.Lookup) iter.Seq2[*persistence.Document, error] {
	return func(yield func(*persistence.Document, error) bool) {
		var ids []string
		some := func() bool {
			for doc, err := range f.snap.Named(f.Index, f.Collection, ids) {
				if !yield(doc, err) || err != nil {
					return false
				}
			}
			ids = ids[:0]
			return true
		}
		for id, err := range f.found(l) {
			if err != nil {
				yield(nil, err)
				return
			}
			if ids = append(ids, id); len(ids) == foundAtATime && !some() {
				return
			}
		}
		some()
	}
}
