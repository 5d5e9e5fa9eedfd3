package sessions

import "time"

// Figures are what an [Engine] has and has done since it was made.
type Figures struct {
	Connected, Sessions, Subscriptions int
	// MostConnected is how many clients were connected at one time, at most.
	MostConnected int
	// SharedSubscriptions are those that share their messages with others.
	SharedSubscriptions int
	Retained            int64
	// MessagesIn are the PUBLISH packets of clients, and MessagesOut the messages for them.
	MessagesIn, MessagesOut int64
	BytesIn, BytesOut       int64
	// PayloadIn and PayloadOut are bytes of the payloads of PUBLISH.
	PayloadIn, PayloadOut int64
	// Sockets is how many connections have come in, whatever became of them.
	Sockets int64
	// Shed are messages of QoS 0 for clients that did not keep pace, Oversize those
	// that were larger than their client takes, Lost those for which the queue of an absent
	// client had no room, and Expired those that waited for too long.
	Shed, Oversize, Lost, Expired int64
	// ExpiredSessions are those whose clients have stayed away.
	ExpiredSessions int64
	Queues          QueueFigures
	// PacketsIn and PacketsOut are packets by their type, in lower case.
	PacketsIn, PacketsOut map[string]int64
	// Refused are the refusals of a connect, a publish or a subscribe, by reason code.
	Refused map[Reason]int64
	// Ended are connections that the server, or the client by DISCONNECT, ended, by
	// reason code, and LostConnections those that just ended.
	Ended           map[Reason]int64
	LostConnections int64
}

// A Reason is a reason code, and of what.
type Reason struct {
	Of   string
	Code byte
}

// QueueFigures are about what waits for clients, there or not.
type QueueFigures struct {
	// Messages and Bytes are those of all queues, MostMessages and MostBytes those of
	// the longest, and the largest one.
	Messages, MostMessages, Bytes, MostBytes int64
	// InFlight are the messages that await an acknowledgement.
	InFlight int64
	// Slow are the clients that are there and have taken nothing for [SlowAfter], though
	// something waits for them. Oldest is how long that is, at most.
	Slow   int
	Oldest time.Duration
}

// SlowAfter is how long a client may take nothing of what waits for it before it counts
// as slow.
const SlowAfter = time.Second

// everySession returns the sessions of now.
func (e *Engine) everySession() []*session {
	e.mu.RLock()
	defer e.mu.RUnlock()
	sessions := make([]*session, 0, len(e.sessions))
	for _, s := range e.sessions {
		sessions = append(sessions, s)
	}
	return sessions
}

// Figures returns the figures of now.
func (e *Engine) Figures() Figures {
	sessions, now, n := e.everySession(), time.Now(), &e.counts
	f := Figures{
		Connected: e.Connected(), Sessions: len(sessions), MostConnected: int(n.mostConnected.Load()),
		Subscriptions: e.tree.len(), Retained: e.store.Retained(),
		MessagesIn: n.messagesIn.Load(), MessagesOut: n.messagesOut.Load(), BytesIn: n.bytesIn.Load(), BytesOut: n.bytesOut.Load(),
		PayloadIn: n.packetsIn.payload.Load(), PayloadOut: n.packetsOut.payload.Load(), Sockets: n.sockets.Load(),
		Shed: n.shed.Load(), Oversize: n.oversize.Load(), Lost: n.lost.Load(), Expired: n.lapsed.Load(),
		ExpiredSessions: n.expiredSessions.Load(), LostConnections: n.lostConnections.Load(),
		PacketsIn: map[string]int64{}, PacketsOut: map[string]int64{}, Refused: map[Reason]int64{}, Ended: map[Reason]int64{},
	}
	for _, s := range sessions {
		f.Queues.add(s.box.depth(now))
		f.SharedSubscriptions += s.sharedSubscriptions()
	}
	for kind, count := range n.packetsIn.all() {
		f.PacketsIn[kind] = count
	}
	for kind, count := range n.packetsOut.all() {
		f.PacketsOut[kind] = count
	}
	addReasons(f.Refused, refusalNames[:], n.refused[:])
	addReasons(f.Ended, endingNames[:], n.ended[:])
	return f
}

func addReasons(to map[Reason]int64, names []string, counts []codeCounts) {
	for i, of := range names {
		for code, count := range counts[i].all() {
			to[Reason{of, code}] = count
		}
	}
}

// A depth says how much waits in one queue, and for how long its client has taken
// nothing of it.
type depth struct {
	messages, inFlight, bytes int
	waiting                   time.Duration
	slow                      bool
	toll                      toll
}

func (b *outbox) depth(now time.Time) depth {
	b.mu.Lock()
	defer b.mu.Unlock()
	d := depth{messages: len(b.queue) + len(b.sent), inFlight: len(b.sent) - b.resend, bytes: b.bytes, toll: b.toll}
	l := b.online()
	d.slow = l != nil && l.slow
	// A write that is not by the link's goroutine does not wait, and dirty, the waiting has just begun.
	if l != nil && (len(l.rest) > 0 || l.writing && l.working || d.messages > 0 && !l.dirty) {
		d.waiting = max(0, now.Sub(l.took))
	}
	return d
}

func (q *QueueFigures) add(d depth) {
	q.Messages += int64(d.messages)
	q.InFlight += int64(d.inFlight)
	q.Bytes += int64(d.bytes)
	q.MostMessages, q.MostBytes = max(q.MostMessages, int64(d.messages)), max(q.MostBytes, int64(d.bytes))
	q.Oldest = max(q.Oldest, d.waiting)
	if d.waiting >= SlowAfter {
		q.Slow++
	}
}

// sharedSubscriptions returns how many of a session's subscriptions are shared.
func (s *session) sharedSubscriptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, sub := range s.subs {
		if sub.To.Share != "" {
			n++
		}
	}
	return n
}

// Draining says whether nobody is let in any more.
func (e *Engine) Draining() bool { return e.away() != nil }
