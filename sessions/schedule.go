package sessions

import (
	"container/heap"
	"sync"
	"time"
)

// A schedule calls functions when their times come, one after the other. It
// costs one timer, and nothing for what is not due.
type schedule struct {
	mu      sync.Mutex // guards what follows
	queue   dates
	timer   *time.Timer
	stopped bool
	running sync.WaitGroup
}

// A date is a call that a schedule is to make.
type date struct {
	at    time.Time
	call  func()
	place int // in the queue, or -1
}

// at has a function called at a time. It may be cancelled until then.
func (s *schedule) at(t time.Time, call func()) *date {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &date{at: t, call: call}
	if s.stopped {
		d.place = -1
		return d
	}
	heap.Push(&s.queue, d)
	if d.place == 0 {
		s.set()
	}
	return d
}

// cancel takes back a date, if it is still to come. It may be nil.
func (s *schedule) cancel(d *date) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d != nil && d.place >= 0 {
		heap.Remove(&s.queue, d.place)
	}
}

// stop cancels all dates and waits for the call that is being made.
func (s *schedule) stop() {
	s.mu.Lock()
	s.stopped = true
	for _, d := range s.queue {
		d.place = -1
	}
	s.queue = nil
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// set sets the timer to the first date.
func (s *schedule) set() {
	wait := max(0, time.Until(s.queue[0].at))
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.run)
		return
	}
	s.timer.Reset(wait)
}

// run makes the calls that are due.
func (s *schedule) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 && !s.queue[0].at.After(time.Now()) {
		d := heap.Pop(&s.queue).(*date)
		s.running.Add(1)
		s.mu.Unlock()
		d.call()
		s.running.Done()
		s.mu.Lock()
	}
	if len(s.queue) > 0 {
		s.set()
	}
}

// dates is a heap: the first date is the next one.
type dates []*date

func (q dates) Len() int           { return len(q) }
func (q dates) Less(i, j int) bool { return q[i].at.Before(q[j].at) }

func (q dates) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *dates) Push(d any) {
	d.(*date).place = len(*q)
	*q = append(*q, d.(*date))
}

func (q *dates) Pop() any {
	old := *q
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*q, d.place = old[:len(old)-1], -1
	return d
}
