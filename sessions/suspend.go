package sessions

// takes says whether a feed is given a message, which is then on its way. A
// client that is away gets it from the change log when it is back.
func (f *feed) takes(m *Message, online bool) bool {
	if !online && f.resumes {
		f.pace = behind
	}
	if f.pace == behind {
		return false
	}
	f.seen = max(f.seen, m.Seq)
	return true
}

// suspend leaves the feeds of a client that is away behind. Everything up to
// applied was given to those that are live, but what is still queued.
func (b *outbox) suspend(feeds []*feed, applied uint64) {
	for _, f := range feeds {
		f.dropShift()
		if f.busy = false; f.pace == live {
			f.seen = max(f.seen, applied)
		}
		f.pace = live
		if f.resumes {
			f.pace, f.most = behind, catchUpChanges
		}
	}
	kept := b.queue[:0]
	for _, d := range b.queue {
		if d.feed == nil || !d.feed.resumes {
			kept = append(kept, d)
			continue
		}
		b.bytes -= d.m.size()
		d.feed.lose(d.m)
	}
	clear(b.queue[len(kept):])
	b.queue = kept
	for i := len(b.sent) - 1; i >= 0; i-- { // what was not sent is as good as queued
		if d := &b.sent[i]; d.feed != nil && d.feed.resumes && !d.tried && !d.released {
			d.feed.lose(d.m)
			b.forget(i)
		}
	}
}

// lacks says whether a part of the snapshot is missing that a scope began with.
func (b *outbox) lacks(f *feed) bool {
	if f == nil {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return !f.whole
}

// lose notes that a message is dropped that an absent client was to get.
func (f *feed) lose(m *Message) {
	f.pace, f.seen = behind, min(f.seen, m.Seq-1)
	f.whole = f.whole && !m.Last
	if f.kept.isRoom() && f.seen < f.from { // a difference was lost, or what came before it
		f.over, f.shifted = f.kept, unfinished
	}
}
