package rooms

import (
	"container/list"
	"sync"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// Standings remember what the rooms know of the documents that changed last:
// those that have not changed for the longest time are forgotten first. It may be
// used by many goroutines at once.
type standings struct {
	max, maxBytes int

	mu     sync.Mutex // guards what follows
	byName map[collectionName]map[string]*standing
	recent list.List // of *standing, the one that was kept last in front
	bytes  int
}

// A standing is what is remembered of one version of a document.
type standing struct {
	filter.Standing
	key   persistence.Key
	seq   uint64        // of the change that made the version; 0 for none
	bytes int           // that were counted
	place *list.Element // in recent, or nil while it is in use
}

// standingBytes is about what the maps and lists take for a standing.
const standingBytes = 256

func newStandings(opts Options) *standings {
	s := &standings{max: opts.Standings, maxBytes: opts.StandingBytes, byName: map[collectionName]map[string]*standing{}}
	if s.max == 0 {
		s.max = 100_000
	}
	if s.maxBytes == 0 {
		s.maxBytes = 64 << 20
	}
	return s
}

// take returns what is remembered of a version of a document, if anything. It
// forgets it: a change that comes at the same time finds nothing.
func (s *standings) take(k persistence.Key, version *persistence.Document) *standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.byName[collectionName{k.Index, k.Collection}][k.ID]
	if known == nil {
		return &standing{key: k}
	}
	s.forget(known)
	if version == nil || version.Seq == 0 || version.Seq != known.seq {
		known.Reset()
	}
	return known
}

// keep remembers a standing of a version that a change made.
func (s *standings) keep(kept *standing, seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := kept.key
	name := collectionName{k.Index, k.Collection}
	if s.byName[name] == nil {
		s.byName[name] = map[string]*standing{}
	}
	if other := s.byName[name][k.ID]; other != nil {
		s.forget(other)
	}
	kept.seq, kept.bytes = seq, standingBytes+len(k.ID)+kept.SizeBytes()
	s.bytes += kept.bytes
	kept.place = s.recent.PushFront(kept)
	s.byName[name][k.ID] = kept
	for s.recent.Len() > max(0, s.max) || s.bytes > s.maxBytes {
		s.forget(s.recent.Back().Value.(*standing))
	}
}

func (s *standings) forget(known *standing) {
	name := collectionName{known.key.Index, known.key.Collection}
	s.recent.Remove(known.place)
	s.bytes -= known.bytes
	if delete(s.byName[name], known.key.ID); len(s.byName[name]) == 0 {
		delete(s.byName, name)
	}
}

// forgetCollection forgets the documents of a collection that has no room any
// more.
func (s *standings) forgetCollection(name collectionName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, known := range s.byName[name] {
		s.forget(known)
	}
}
