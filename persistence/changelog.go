package persistence

import (
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// The change log is trimmed by segments: this many make up LogBytes or LogAge.
const segmentsPerLog = 64

// A segment is a run of changes, from first up to that of the next segment.
type segment struct {
	first        uint64
	bytes        int64
	began, ended time.Time // on the clock of the committer; ended of a closed one
}

// A changeLog knows where the change log begins and ends and how large it is.
// It belongs to the committer.
type changeLog struct {
	maxAge   time.Duration
	maxBytes int64

	last    uint64 // the last seq that was given out
	logged  uint64 // the last one that is on disk
	trimmed uint64 // changes up to here are gone
	queued  uint64 // the last number of a message that was given out
	closed  []segment
	open    segment
	bytes   int64 // of all segments
}

// loadChangeLog reads the state that the last batch left.
func loadChangeLog(db *pebble.DB, o Options) (changeLog, error) {
	l := changeLog{maxAge: o.LogAge, maxBytes: o.LogBytes}
	state, err := readLogState(db)
	if err != nil {
		return l, err
	}
	l.last, l.trimmed, l.open, l.queued = state.last, state.trimmed, state.open, state.queued
	l.logged = state.logged
	l.bytes = l.open.bytes
	it, err := db.NewIter(&pebble.IterOptions{
		LowerBound: []byte{spaceSegments},
		UpperBound: spaceEnd(spaceSegments),
	})
	if err != nil {
		return l, err
	}
	for ok := it.First(); ok; ok = it.Next() {
		s, err := decodeSegment(it.Key(), it.Value())
		if err != nil {
			_ = it.Close() // the first error is the one to tell
			return l, err
		}
		l.closed = append(l.closed, s)
		l.bytes += s.bytes
	}
	return l, it.Close()
}

// note counts a change of size bytes on disk, the one with the seq l.last.
func (l *changeLog) note(size int, now time.Time) {
	l.logged = l.last
	if l.open.bytes == 0 {
		l.open.first, l.open.began = l.last, now
	}
	l.open.bytes += int64(size)
	l.bytes += int64(size)
}

// retain closes the open segment if it is long enough and trims what is too
// old or too much, in b.
func (l *changeLog) retain(b *pebble.Batch, now time.Time) {
	before := l.trimmed
	l.roll(b, now)
	n := 0
	for ; n < len(l.closed); n++ {
		s := l.closed[n]
		if l.bytes <= l.maxBytes && now.Sub(s.ended) <= l.maxAge {
			break
		}
		l.bytes -= s.bytes
		next := l.open.first
		if n+1 < len(l.closed) {
			next = l.closed[n+1].first
		}
		l.trimmed = next - 1
		batchDelete(b, appendSeqKey(nil, spaceSegments, s.first))
	}
	l.closed = l.closed[n:]
	if l.trimmed != before {
		batchDeleteRange(b, appendSeqKey(nil, spaceChanges, before+1), appendSeqKey(nil, spaceChanges, l.trimmed+1))
	}
}

func (l *changeLog) roll(b *pebble.Batch, now time.Time) {
	s := l.open
	full := s.bytes >= l.maxBytes/segmentsPerLog || now.Sub(s.began) >= l.maxAge/segmentsPerLog
	if s.bytes == 0 || !full {
		return
	}
	s.ended = now
	l.closed = append(l.closed, s)
	l.open = segment{first: l.last + 1}
	batchSet(b, appendSeqKey(nil, spaceSegments, s.first), appendSegment([]byte{valueFormat}, s))
}

func appendSegment(b []byte, s segment) []byte {
	b = appendUint(b, uint64(s.bytes))
	b = appendTime(b, s.began)
	return appendTime(b, s.ended)
}

func (r *reader) segment(first uint64) segment {
	return segment{first: first, bytes: int64(r.uint()), began: r.time(), ended: r.time()}
}

func decodeSegment(key, value []byte) (segment, error) {
	first, ok := seqOf(key)
	r := reader{rest: value}
	r.format()
	s := r.segment(first)
	if err := r.end(); err != nil || !ok {
		return segment{}, fmt.Errorf("segment %x of the change log: %w", key, errMalformed)
	}
	return s, nil
}

// A logState is what of the changeLog is written with every batch.
type logState struct {
	last, trimmed uint64
	open          segment
	queued        uint64
	logged        uint64
}

func appendLogState(b []byte, l *changeLog) []byte {
	b = append(b, valueFormat)
	b = appendUint(b, l.last)
	b = appendUint(b, l.trimmed)
	b = appendUint(b, l.open.first)
	b = appendSegment(b, l.open)
	b = appendUint(b, l.queued)
	return appendUint(b, l.logged)
}

func decodeLogState(value []byte) (logState, error) {
	r := reader{rest: value}
	format := r.format()
	s := logState{last: r.uint(), trimmed: r.uint()}
	s.open = r.segment(r.uint())
	if format >= 3 {
		s.queued = r.uint()
		s.logged = r.uint()
	} else {
		s.logged = s.last
	}
	if err := r.end(); err != nil {
		return logState{}, fmt.Errorf("state of the change log: %w", err)
	}
	return s, nil
}
