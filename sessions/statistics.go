package sessions

import (
	"fmt"
	"math"
	"runtime/metrics"
	"strconv"
	"time"
)

// A statistic is a topic below $SYS/broker with its value.
type statistic struct{ topic, value string }

// Statistics publishes the figures of the node below $SYS/broker now, and from
// then on at an interval, as retained messages that are in memory only. Who has them is
// told of those that have changed. The names, and what they mean, are those of mosquitto(8).
func (e *Engine) Statistics(version string, every time.Duration) {
	(&statistics{engine: e, version: version, every: every, last: time.Now()}).publish()
}

// statistics are what is known from one publication to the next. There is one at a
// time.
type statistics struct {
	engine  *Engine
	version string
	every   time.Duration
	last    time.Time
	loads   map[string]*load
	heapMax uint64
}

func (s *statistics) publish() {
	e, now := s.engine, time.Now()
	f := e.Figures()
	all := s.figures(&f, now)
	all = append(all, s.averages(&f, now)...)
	all = append(all, refusalCounts(&f)...)
	for limit, n := range e.options().Quotas.Counts.All() {
		all = append(all, statistic{"limits/" + limit.String(), strconv.FormatInt(n, 10)})
	}
	var out flushes
	for _, one := range all {
		m := &Message{Topic: "$SYS/broker/" + one.topic, Payload: []byte(one.value), Retain: true, Supersedes: true}
		if e.system.put(m) {
			e.fanOut(m, nil, &out, nil)
		}
	}
	out.flush()
	s.last = now
	e.schedule.at(now.Add(s.every), func() { e.tasks.Go(s.publish) })
}

// figures are the numbers of now.
func (s *statistics) figures(f *Figures, now time.Time) []statistic {
	e, heap := s.engine, heapBytes()
	s.heapMax = max(s.heapMax, heap)
	absent := f.Sessions - f.Connected
	all := []statistic{
		{"version", s.version},
		{"uptime", strconv.Itoa(int(now.Sub(e.counts.started)/time.Second)) + " seconds"},
	}
	for _, n := range []struct {
		topic string
		value int64
	}{
		{"clients/connected", int64(f.Connected)}, {"clients/active", int64(f.Connected)},
		{"clients/disconnected", int64(absent)}, {"clients/inactive", int64(absent)},
		{"clients/total", int64(f.Sessions)}, {"clients/maximum", int64(f.MostConnected)}, {"clients/expired", f.ExpiredSessions},
		{"messages/received", total(f.PacketsIn)}, {"messages/sent", total(f.PacketsOut)},
		{"messages/inflight", f.Queues.InFlight}, {"messages/stored", f.Retained + f.Queues.Messages},
		{"publish/messages/received", f.MessagesIn}, {"publish/messages/sent", f.PacketsOut["publish"]},
		{"publish/messages/dropped", f.Shed + f.Lost}, {"publish/messages/shed", f.Shed}, {"publish/messages/oversize", f.Oversize}, {"publish/messages/expired", f.Expired},
		{"publish/bytes/received", f.PayloadIn}, {"publish/bytes/sent", f.PayloadOut},
		{"bytes/received", f.BytesIn}, {"bytes/sent", f.BytesOut},
		{"subscriptions/count", e.subscriptions.Load()}, {"shared_subscriptions/count", int64(f.SharedSubscriptions)},
		{"store/messages/count", f.Retained + f.Queues.Messages}, {"store/messages/bytes", f.Queues.Bytes},
		{"retained messages/count", f.Retained + int64(e.system.len())},
		{"heap/current", int64(heap)}, {"heap/maximum", int64(s.heapMax)},
	} {
		all = append(all, statistic{n.topic, strconv.FormatInt(n.value, 10)})
	}
	return all
}

func total(counts map[string]int64) int64 {
	sum := int64(0)
	for _, n := range counts {
		sum += n
	}
	return sum
}

// heapBytes is what live and dead objects take, as the runtime has it at hand.
func heapBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// refusalCounts are names that Mosquitto does not have.
func refusalCounts(f *Figures) []statistic {
	var all []statistic
	for of, sum := range f.refusedOf() {
		all = append(all, statistic{"refused/" + of + "/count", strconv.FormatInt(sum, 10)})
	}
	for r, n := range f.Refused {
		all = append(all, statistic{fmt.Sprintf("refused/%s/0x%02X", r.Of, r.Code), strconv.FormatInt(n, 10)})
	}
	return all
}

// refusedOf sums refusals up over their reason codes.
func (f *Figures) refusedOf() map[string]int64 {
	sums := map[string]int64{}
	for _, of := range refusalNames {
		sums[of] = 0
	}
	for r, n := range f.Refused {
		sums[r.Of] += n
	}
	return sums
}

// averagedOver are the times of which there are averages.
var averagedOver = [...]struct {
	name    string
	minutes float64
}{{"1min", 1}, {"5min", 5}, {"15min", 15}}

// A load is how much of something there was in a minute, as moving averages.
type load struct {
	seen     int64
	averages [len(averagedOver)]float64
}

// add takes what a counter is now, after some minutes.
func (l *load) add(seen int64, minutes float64) {
	rate := float64(seen-l.seen) / minutes
	for i, over := range averagedOver {
		fade := math.Exp(-minutes / over.minutes)
		l.averages[i] = rate + fade*(l.averages[i]-rate)
	}
	l.seen = seen
}

// averages are those of the counters of which Mosquitto has them.
func (s *statistics) averages(f *Figures, now time.Time) []statistic {
	if s.loads == nil {
		s.loads = map[string]*load{}
	}
	minutes := now.Sub(s.last).Minutes()
	var all []statistic
	for topic, seen := range map[string]int64{
		"connections":    f.PacketsIn["connect"],
		"sockets":        f.Sockets,
		"bytes/received": f.BytesIn, "bytes/sent": f.BytesOut,
		"messages/received": total(f.PacketsIn), "messages/sent": total(f.PacketsOut),
		"publish/received": f.MessagesIn, "publish/sent": f.PacketsOut["publish"], "publish/dropped": f.Shed + f.Lost,
	} {
		l := s.loads[topic]
		if l == nil {
			l = &load{}
			s.loads[topic] = l
		}
		if minutes > 0 {
			l.add(seen, minutes)
		}
		for i, over := range averagedOver {
			all = append(all, statistic{"load/" + topic + "/" + over.name, strconv.FormatFloat(l.averages[i], 'f', 2, 64)})
		}
	}
	return all
}
