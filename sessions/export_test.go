package sessions

import (
	"iter"

	"github.com/ambitmq/ambit/topics"
)

// A Held is what tests see of a session.
type Held struct{ s *session }

// Session returns the session of a client identifier, if there is one.
func (e *Engine) Session(id string) (Held, bool) {
	s := e.session(id)
	return Held{s}, s != nil
}

// Empty says whether no session, subscription, turn or early connection is left.
func (e *Engine) Empty() bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	e.turns.mu.Lock()
	defer e.turns.mu.Unlock()
	return len(e.sessions)+len(e.clients)+len(e.early)+len(e.turns.held)+len(e.turns.of)+e.tree.len() == 0
}

// Subscriptions returns how many there are, as the quota counts them.
func (e *Engine) Subscriptions() int64 { return e.subscriptions.Load() }

// Tasks waits for what dates that were due have begun.
func (e *Engine) Tasks() { e.tasks.wait() }

// Dates returns what is to come of an absent client: its will, and the end of
// its session.
func (h Held) Dates() (publishWill, expire func()) {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return h.s.delayed.call, h.s.expiring.call
}

// HasWill says whether the connection would leave a will behind.
func (h Held) HasWill() bool {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return h.s.will != nil
}

// Break has the next QoS 2 publish of the client panic.
func (h Held) Break() {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.received = nil
}

// Connected says whether the session has a connection.
func (h Held) Connected() bool { return h.s.connected() }

// Pending returns how many publishes are in the pipeline.
func (h Held) Pending() int { return int(h.s.pending.Load()) }

// Bytes returns how many wait for the client.
func (h Held) Bytes() int {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	return h.s.box.bytes
}

// Unread returns how many bytes are encoded for the client and not written.
func (h Held) Unread() int {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	if h.s.box.link == nil {
		return 0 // CONNACK is written before there is one
	}
	return len(h.s.box.link.out) + len(h.s.box.link.rest)
}

// Online says whether the client is written to.
func (h Held) Online() bool {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	return h.s.box.online() != nil
}

// Busy says whether the client's reader waits for somebody.
func (h Held) Busy() bool {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	return h.s.box.busy > 0
}

// Sources returns how many snapshots the client reads.
func (h Held) Sources() int {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	if h.s.box.link == nil {
		return 0
	}
	return len(h.s.box.link.sources)
}

// Queued returns how many messages are queued.
func (h Held) Queued() int {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	return len(h.s.box.queue)
}

// Expiry returns for how many seconds the session is kept.
func (h Held) Expiry() uint32 {
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	return h.s.record.ExpirySeconds
}

// Append appends a message at QoS 1 to what the link writes next, as somebody
// does who is going to flush it but is held up.
func (h Held) Append(m *Message) { h.s.box.push(delivery{m: m, qos: 1}, new(flushes)) }

// Give gives the session a message that is not in the store.
func (h Held) Give(m *Message) {
	var f flushes
	h.s.box.push(delivery{m: m, qos: m.QoS, life: h.s.box.life.Load()}, &f)
	f.flush()
}

// GiveStored gives the session a message that is in the store for a life of it.
func (h Held) GiveStored(m *Message, number, life uint64) {
	h.s.box.push(delivery{m: m, qos: m.QoS, number: number, life: life}, new(flushes))
}

// Push sends a message at QoS 0.
func (h Held) Push(m *Message) {
	var f flushes
	h.s.box.push(delivery{m: m}, &f)
	f.flush()
}

// Tell has the session told messages first, as if it had subscribed to a topic
// filter. It reports whether the client is there.
func (h Held) Tell(topicFilter string, messages iter.Seq2[*Message, error], release func()) bool {
	sub := &Subscription{To: topics.Filter{Text: topicFilter}, Target: Target{Kind: topics.Scope}}
	defer h.s.box.startSources()
	return h.s.box.addSource(newSource(sub, messages, release))
}

// TakeTurn and GiveTurn hold up what happens to the session of an identifier.
func (e *Engine) TakeTurn(id string, who any) { e.turns.take(id, who) }
func (e *Engine) GiveTurn(who any)            { e.turns.give(who) }

// Early returns how many connections have not said CONNECT.
func (e *Engine) Early() int {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return len(e.early)
}

// MaxSources is how many snapshots a client may read.
const MaxSources = maxSources

// Promised returns how many messages are on their way to the client in the pipeline.
func (h Held) Promised() int { return int(h.s.box.promised.messages.Load()) }

// Waiting returns how many messages wait for the client, or for its acknowledgement.
func (h Held) Waiting() int {
	h.s.box.mu.Lock()
	defer h.s.box.mu.Unlock()
	return len(h.s.box.sent) + len(h.s.box.queue)
}
