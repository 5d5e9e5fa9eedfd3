package hooks

import (
	"bytes"
	"iter"
	"sync/atomic"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// A source is what a new subscription is told first: the documents in scope, or
// the retained messages. The writer of the outbox pulls it at the client's
// pace, one batch at a time, so that it has no size.
//
// Messages that arrive meanwhile are newer than the snapshot. They go out as
// they come; the source then leaves the same topic out.
type source struct {
	topicFilter string
	qos         byte
	ids         []int
	next        func() (*message, error, bool)
	stop        func()
	client      *mqtt.Client // the connection that it goes to

	// Under the outbox's mutex:
	started   bool            // it may be pulled
	overtaken map[string]bool // topics that a newer message went out on
	cancelled bool
}

// newSource returns a source of messages for one subscription. release is
// called once when no more of it is needed.
func newSource(sub *subscription, messages iter.Seq2[*message, error], release func()) *source {
	next, stop := iter.Pull2(messages)
	return &source{
		topicFilter: sub.to.Text, qos: sub.qos, ids: sub.ids, overtaken: map[string]bool{},
		next: next,
		stop: func() { stop(); release() },
	}
}

// addSource makes the outbox send a source once it is started, in place of one for the same topic
// filter. It reports whether the client was still there.
func (b *outbox) addSource(s *source) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil {
		return false
	}
	b.cancel(s.topicFilter)
	s.client = b.client
	b.sources = append(b.sources, s)
	return true
}

// startSources lets the writer pull what was added.
func (b *outbox) startSources() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.sources {
		s.started = true
	}
	b.changed.Broadcast()
}

// dropSource ends the source of a topic filter.
func (b *outbox) dropSource(topicFilter string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.cancel(topicFilter)
}

// cancel leaves it to the writer, who may be pulling, to stop the source.
func (b *outbox) cancel(topicFilter string) {
	for _, s := range b.sources {
		if s.topicFilter == topicFilter {
			s.cancelled = true
		}
	}
}

// pull encodes a batch of a source. Only the writer pulls, and not under the
// mutex, since it reads the store.
func (b *outbox) pull(s *source, cl *mqtt.Client, buf *bytes.Buffer) {
	for buf.Len() < batchBytes {
		m, err, ok := s.next()
		more := b.offer(s, m, err, ok, cl, buf)
		if err != nil {
			b.hook.log.Error("snapshot", "client", cl.ID, "topic_filter", s.topicFilter, "error", err)
			b.hook.Disconnect(cl, packets.ErrUnspecifiedError) // so that it subscribes again
		}
		if !more {
			return
		}
	}
}

// offer encodes one message of a source, unless a newer one went out on its
// topic. It reports whether the source may be pulled again now.
func (b *outbox) offer(s *source, m *message, err error, ok bool, cl *mqtt.Client, buf *bytes.Buffer) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != cl || s.cancelled || err != nil || !ok {
		b.remove(s)
		return false
	}
	if s.overtaken[m.topic] {
		return true
	}
	d := delivery{m: m, qos: min(m.qos, s.qos), retain: true, ids: s.ids, arrived: time.Now()}
	if m.synced {
		b.queue = append(b.queue, d) // behind what has overtaken the snapshot
		b.bytes += d.size()
		return true
	}
	b.dispatch(d, cl, buf)
	return b.room(s.qos) && b.bytes < b.limitBytes/2
}

func (b *outbox) remove(s *source) {
	for i := range b.sources {
		if b.sources[i] == s {
			b.sources = append(b.sources[:i:i], b.sources[i+1:]...)
			break
		}
	}
	s.stop()
}

// first returns what a new subscription is told first, as of a snapshot of the
// store, or nil if that is nothing.
func (h *Hook) first(sub *subscription, snap *persistence.Snapshot) iter.Seq2[*message, error] {
	switch {
	case sub.to.Share != "" || sub.to.Kind == topics.Room:
		return nil // [MQTT-4.8.2] shared subscriptions get no retained messages
	case sub.to.Kind == topics.Scope:
		return scopeMessages(sub, snap)
	}
	return h.retainedMessages(sub.to.Text, snap)
}

// shared counts the users of a snapshot and closes it after the last one.
type shared struct {
	snap  *persistence.Snapshot
	users atomic.Int32
}

func (s *shared) release() {
	if s.users.Add(-1) == 0 {
		s.snap.Close()
	}
}
