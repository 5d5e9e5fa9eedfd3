package sessions

// A scope begins with a snapshot. The client that was not told all of it, because its
// connection has ended, is told a new one; so is one that subscribes again, or was away for
// longer than the change log goes back. What it was told before may have left since: the
// feed knows by which target it was told, and since which change it was not told what
// leaves, so that the new snapshot says that, too.

// goLive makes the feed of a scope live as of a change: the snapshot that the
// client is told says everything up to it. A client that has gone is told when it
// is back.
func (e *Engine) goLive(s *session, sub *Subscription, seen uint64) {
	b, f := s.box, sub.feed
	b.mu.Lock()
	f.dropShift() // it is too early
	m := b.mark(f, e.applied.Load())
	f.base, f.kept, f.over = m.seen, f.targetAt(m), Target{}
	f.from, f.shifted = seen, seen
	f.pace, f.seen, f.whole, f.busy, f.trimmed = behind, seen, false, false, false
	if b.online() != nil {
		f.pace = live
	}
	b.mu.Unlock()
	e.rejoin(s, sub)
}

// toldOf returns the target by which the client of a subscription was told what it may
// know of a scope, and the change since which it was not told what has left.
func (e *Engine) toldOf(s *session, sub *Subscription) (Target, uint64) {
	f := sub.feed
	if f == nil {
		return sub.Target, 0
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	return f.targetAt(mark{}), f.base
}
