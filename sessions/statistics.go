package sessions

import (
	"strconv"
	"time"
)

// statisticsEvery is how often the topics below $SYS are published.
const statisticsEvery = 10 * time.Second

// Statistics publishes the figures of the node below $SYS/broker now, and from
// then on every ten seconds, as retained messages that are in memory only.
func (e *Engine) Statistics(version string) {
	e.mu.RLock()
	sessions := len(e.sessions)
	e.mu.RUnlock()
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d/time.Second)) + " seconds" }
	var f flushes
	for _, s := range []struct{ topic, value string }{
		{"version", version},
		{"uptime", seconds(time.Since(e.counts.started))},
		{"clients/connected", strconv.Itoa(e.Connected())},
		{"clients/total", strconv.Itoa(sessions)},
		{"messages/received", strconv.FormatInt(e.counts.messagesIn.Load(), 10)},
		{"messages/sent", strconv.FormatInt(e.counts.messagesOut.Load(), 10)},
		{"messages/dropped", strconv.FormatInt(e.counts.shed.Load(), 10)},
		{"messages/oversize", strconv.FormatInt(e.counts.oversize.Load(), 10)},
		{"bytes/received", strconv.FormatInt(e.counts.bytesIn.Load(), 10)},
		{"bytes/sent", strconv.FormatInt(e.counts.bytesOut.Load(), 10)},
		{"subscriptions/count", strconv.Itoa(e.tree.len())},
		{"retained messages/count", strconv.FormatInt(e.store.Retained()+int64(e.system.len()), 10)},
	} {
		m := &Message{Topic: "$SYS/broker/" + s.topic, Payload: []byte(s.value), Retain: true, Supersedes: true}
		e.system.put(m)
		e.fanOut(m, nil, &f, nil)
	}
	f.flush()
	e.schedule.at(time.Now().Add(statisticsEvery), func() {
		e.tasks.Go(func() { e.Statistics(version) })
	})
}
