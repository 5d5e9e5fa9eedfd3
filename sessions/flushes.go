package sessions

import (
	"sync"
	"time"
)

// A flushes is a list of links that somebody has appended to.
type flushes struct {
	links []*link
	// reader is the outbox of the client whose reader it is that appends, or nil;
	// busy says that it counts as waiting.
	reader *outbox
	busy   bool
	// effort is that of the reader.
	effort *effort
	// credit is for how long he may still wait for clients that do not keep pace:
	// others wait for him. It grows with the time since earned.
	credit time.Duration
	earned time.Time
}

const (
	// creditShare is the part of the time that may be spent on waiting for clients
	// that do not keep pace, and creditMost how much of it can be saved up by whoever
	// is no client's reader.
	creditShare = 0.1
	creditMost  = time.Second
)

// patience returns until when to wait for a client that last took something at
// took. A client's reader holds up its own client, which published too fast, and
// those who wait for the same message: for a client that takes what it is sent he
// may wait always, for those that stall no longer than for one.
func (f *flushes) patience(now, took time.Time) time.Time {
	most := creditMost
	if f.reader != nil {
		most = patience
	}
	if f.earned.IsZero() {
		f.credit = most
	} else {
		f.credit = min(most, f.credit+time.Duration(creditShare*float64(now.Sub(f.earned))))
	}
	f.earned = now
	until := now.Add(min(patience, f.credit))
	if lively := took.Add(patience); f.reader != nil && lively.After(until) {
		until = lively
	}
	return until
}

// waited notes that a wait has ended that patience allowed until a time, or zero.
func (f *flushes) waited(until time.Time) {
	if until.IsZero() {
		return
	}
	if now := time.Now(); f.reader == nil || !now.Before(until) {
		f.credit -= now.Sub(f.earned)
	}
}

// add takes a link on the list, unless somebody has it on his already.
func (f *flushes) add(l *link) {
	if !l.dirty {
		l.dirty = true
		f.links = append(f.links, l)
	}
}

// flush writes to all of them, and empties the list.
func (f *flushes) flush() {
	for i, l := range f.links {
		l.flush()
		f.links[i] = nil
	}
	f.links = f.links[:0]
}

// wait notes that the client's reader waits for somebody, until proceed.
func (f *flushes) wait() {
	if f.reader != nil && !f.busy {
		f.busy = true
		f.effort.end()
		f.reader.addBusy(1)
	}
}

func (f *flushes) proceed() {
	if f.busy {
		f.busy = false
		f.reader.addBusy(-1)
	}
}

// A flusher flushes what is appended to links where nobody may wait: while the
// store commits.
type flusher struct {
	mu      sync.Mutex // guards what follows
	more    *sync.Cond
	list    flushes
	stopped bool
	done    chan struct{}
}

func (f *flusher) start() {
	f.more, f.done = sync.NewCond(&f.mu), make(chan struct{})
	go f.run()
}

func (f *flusher) run() {
	defer close(f.done)
	var list flushes
	for {
		f.mu.Lock()
		for len(f.list.links) == 0 && !f.stopped {
			f.more.Wait()
		}
		if f.stopped && len(f.list.links) == 0 {
			f.mu.Unlock()
			return
		}
		list, f.list = f.list, list
		f.mu.Unlock()
		list.flush()
	}
}

// take has the flusher flush a list, and empties it.
func (f *flusher) take(list *flushes) {
	if len(list.links) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list.links = append(f.list.links, list.links...)
	clear(list.links)
	list.links = list.links[:0]
	f.more.Signal()
}

func (f *flusher) stop() {
	f.mu.Lock()
	f.stopped = true
	f.more.Signal()
	f.mu.Unlock()
	<-f.done
}
