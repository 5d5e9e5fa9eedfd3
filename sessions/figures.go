package sessions

// Figures are what an [Engine] has and has done since it was made.
type Figures struct {
	Connected, Sessions, Subscriptions int
	Retained                           int64
	MessagesIn, MessagesOut            int64
	BytesIn, BytesOut                  int64
	// Shed are messages of QoS 0 for clients that did not keep pace, and Oversize those
	// that were larger than their client takes.
	Shed, Oversize int64
	// QueuedBytes wait for clients, there or not.
	QueuedBytes int64
}

// Figures returns the figures of now.
func (e *Engine) Figures() Figures {
	e.mu.RLock()
	sessions := make([]*session, 0, len(e.sessions))
	for _, s := range e.sessions {
		sessions = append(sessions, s)
	}
	f := Figures{Connected: len(e.clients), Sessions: len(sessions)}
	e.mu.RUnlock()
	for _, s := range sessions {
		s.box.mu.Lock()
		f.QueuedBytes += int64(s.box.bytes)
		s.box.mu.Unlock()
	}
	f.Subscriptions, f.Retained = e.tree.len(), e.store.Retained()
	f.MessagesIn, f.MessagesOut = e.counts.messagesIn.Load(), e.counts.messagesOut.Load()
	f.BytesIn, f.BytesOut = e.counts.bytesIn.Load(), e.counts.bytesOut.Load()
	f.Shed, f.Oversize = e.counts.shed.Load(), e.counts.oversize.Load()
	return f
}

// Draining says whether nobody is let in any more.
func (e *Engine) Draining() bool { return e.away() != nil }
