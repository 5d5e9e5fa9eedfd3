package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// A stream says what is published at a pace, and who is told.
type stream struct {
	collection string // <index>/<collection>
	// topicFilters are those of a subscriber, each subscribed to by itself.
	topicFilters func(subscriber int) []string
	// position is what is published as such, "" for none.
	position func(publisher, n int) string
	// told is how many subscribers are told of a message.
	told int
	// filters says that the broker has to know filters.
	filters bool
}

// telemetryStream is devices whose messages every subscriber is told of.
func telemetryStream(o benchOptions, dashboards bool) stream {
	s := stream{collection: "bench/telemetry", told: o.subscribers, filters: o.rooms}
	if dashboards {
		s.collection = "bench/dashboard"
	}
	topicFilter := s.collection + "/+"
	if o.rooms {
		topicFilter = s.collection + `/?{"range":{"n":{"gte":0}}}&payload=document`
	}
	s.topicFilters = func(int) []string { return []string{topicFilter} }
	s.position = func(int, int) string { return "" }
	return s
}

// geofenceStream is vehicles of which each position is in another fence than the one before.
// The fences are circles of 100 m in a grid of 0.01°, and share no point.
func geofenceStream(o benchOptions) stream {
	const columns = 300
	place := func(i int) string {
		return fmt.Sprintf(`{"lat":%.2f,"lon":%.2f}`, 45+float64(i/columns)*0.01, 5+float64(i%columns)*0.01)
	}
	return stream{
		collection: "bench/vehicles", told: 1, filters: true,
		topicFilters: func(s int) (all []string) {
			for i := s; i < o.fences; i += o.subscribers {
				all = append(all, `bench/vehicles/?{"geoDistance":{"position":`+place(i)+`,"distance":"100m"}}&transition=enter&payload=document`)
			}
			return all
		},
		position: func(publisher, n int) string { return place((publisher*7 + n) % o.fences) },
	}
}

// A streamer is one publisher of a stream.
type streamer struct {
	b       *benchRun
	conn    net.Conn
	topic   string
	reading sync.WaitGroup

	mu  sync.Mutex // guards due
	due map[uint16]time.Time
}

// stream connects everybody, publishes at the pace, and waits for the last message.
func (b *benchRun) stream(s stream) error {
	if s.filters {
		if err := b.needFilters(); err != nil {
			return err
		}
	}
	lag, delivered := b.recorder("lag"), b.recorder("delivered")
	acknowledged := (*recorder)(nil)
	if b.o.qos > 0 {
		acknowledged = b.recorder("acknowledged")
	}
	subscribers, err := connectEach(b.o.subscribers, func(i int) (*benchReader, error) {
		return b.subscriber(i, s.topicFilters(i), delivered)
	})
	defer b.end(func() { closeAll(subscribers) })
	if err != nil {
		return err
	}
	publishers, err := connectEach(b.o.publishers, func(i int) (*streamer, error) {
		return b.publisher(fmt.Sprintf("%s/%d", s.collection, i), i)
	})
	defer b.end(func() { closeAll(publishers) })
	if err != nil {
		return err
	}
	total := int((b.o.warmup + b.o.duration).Seconds() * b.o.rate)
	b.expected.Store(int64(total) * int64(s.told))
	b.begin = time.Now().Add(50 * time.Millisecond)
	b.counted.Store(int64(b.begin.Add(b.o.warmup).Sub(b.epoch)))
	var publishing sync.WaitGroup
	for i, p := range publishers {
		p.start(acknowledged)
		publishing.Go(func() { p.publish(s, i, total, lag) })
	}
	publishing.Wait()
	if err := b.ctx.Err(); err != nil {
		return err
	}
	b.settle(int64(total))
	for _, p := range publishers {
		p.clear()
	}
	return nil
}

// settle waits until everything was acknowledged and delivered, or nothing came for a while.
func (b *benchRun) settle(total int64) {
	if b.o.qos > 0 {
		_ = waitForMessages(&b.acknowledged, total)
	}
	last := waitForMessages(&b.delivered, b.expected.Load())
	b.took = last.Sub(b.begin)
}

// end closes connections of which that is no fault.
func (b *benchRun) end(f func()) {
	b.ending.Store(true)
	f()
}

// closeAll closes what was opened; nil is what was not.
func closeAll[T interface {
	comparable
	close()
}](all []T) {
	for _, c := range all {
		if c != *new(T) {
			c.close()
		}
	}
}

// needFilters asks whether the broker knows filters: it refuses one that is none.
func (b *benchRun) needFilters() error {
	conn, err := b.connect("probe", 0)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }() // nothing is lost
	answer, err := exchange(conn, subscribePacket(`bench/vehicles/?{"no such keyword":1}`, 0), 5)
	if err == nil && answer[4] < 0x80 {
		err = errors.New("the broker does not know filters; this needs Ambit")
	}
	return err
}

// publisher connects one.
func (b *benchRun) publisher(topic string, i int) (*streamer, error) {
	conn, err := b.connect("pub", i)
	if err != nil {
		return nil, err
	}
	return &streamer{b: b, conn: conn, topic: topic, due: map[uint16]time.Time{}}, nil
}

// start reads acknowledgements.
func (p *streamer) start(acknowledged *recorder) {
	p.reading.Go(func() {
		readPackets(p.conn, func(first byte, body []byte) {
			if first>>4 == 4 && len(body) >= 2 {
				p.acknowledge(binary.BigEndian.Uint16(body), acknowledged)
			}
		}, func() {})
		p.b.closed()
	})
}

func (p *streamer) acknowledge(id uint16, to *recorder) {
	p.mu.Lock()
	due, ok := p.due[id]
	delete(p.due, id)
	p.mu.Unlock()
	if !ok {
		return // it is of the end
	}
	p.b.acknowledged.Add(1)
	if p.b.counts(due.Sub(p.b.epoch)) {
		to.record(time.Since(due))
	}
}

// publish sends every message of this publisher when it is due. If the broker does not take
// it, those behind it are late, and that counts.
func (p *streamer) publish(s stream, i, total int, lag *recorder) {
	b, buf := p.b, []byte(nil)
	id := uint16(0)
	for k := i; k < total; k += b.o.publishers {
		due := b.due(k)
		if !b.waitUntil(due) {
			return
		}
		if id++; id == 0 {
			id = 1
		}
		if b.o.qos > 0 && !p.note(id, due) {
			b.refused.Add(1) // 65,535 wait for their acknowledgements
			continue
		}
		buf = b.appendPayload(buf[:0], k, due, s.position(i, k/b.o.publishers))
		if _, err := p.conn.Write(p.packet(buf, id, b.o.qos, false)); err != nil {
			return // reading says so
		}
		b.sent.Add(1)
		if b.counts(due.Sub(b.epoch)) {
			lag.record(time.Since(due))
		}
	}
}

// note remembers when a message was due, unless its identifier is taken.
func (p *streamer) note(id uint16, due time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, taken := p.due[id]; taken {
		return false
	}
	p.due[id] = due
	return true
}

func (p *streamer) packet(payload []byte, id uint16, qos byte, retain bool) []byte {
	first := 0x30 | qos<<1
	if retain {
		first |= 1
	}
	body := appendText(make([]byte, 0, len(p.topic)+len(payload)+4), p.topic)
	if qos > 0 {
		body = binary.BigEndian.AppendUint16(body, id)
	}
	return appendPacket(nil, first, append(body, payload...))
}

// clear deletes the document or retained message of the publisher.
func (p *streamer) clear() {
	_, _ = p.conn.Write(p.packet(nil, 0, 0, true)) // who is not connected leaves it there
}

func (p *streamer) close() {
	_ = p.conn.Close() // nothing is lost
	p.reading.Wait()
}
