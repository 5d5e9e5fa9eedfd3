package sessions

import "sync"

// maxPortion is how many bytes of one connection's publishes may be in the pipeline.
// Everybody's publishes wait behind those that came before: without a bound, one
// client that floods the store would make all others wait for a full queue, and
// with this one for a few milliseconds. It is room for about as many small documents as
// the Receive Maximum allows.
const maxPortion = 256 << 10

// A portion is what a connection has in the pipeline.
type portion struct {
	mu    sync.Mutex // guards what follows
	bytes int
	room  *sync.Cond // nil until somebody has waited
}

// take adds to the portion, and waits while it is full; before that it calls
// waits. An empty one has room for anything.
func (p *portion) take(bytes int, waits func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.fits(bytes) {
		p.mu.Unlock()
		waits()
		p.mu.Lock()
		if p.room == nil {
			p.room = sync.NewCond(&p.mu)
		}
	}
	for !p.fits(bytes) {
		p.room.Wait()
	}
	p.bytes += bytes
}

func (p *portion) fits(bytes int) bool { return p.bytes == 0 || p.bytes+bytes <= maxPortion }

// give undoes take.
func (p *portion) give(bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes -= bytes
	if p.room != nil {
		p.room.Signal()
	}
}
