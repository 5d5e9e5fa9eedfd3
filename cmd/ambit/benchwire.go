package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/client"
)

// The load generator speaks MQTT 3.1.1 in raw bytes: it must not cost more than
// what it measures.

const (
	benchBuffer = 64 << 10
	// firstBenchBuffer is what a connection reads at once until that is too little.
	firstBenchBuffer = 4 << 10
	benchTimeout     = 10 * time.Second
)

// connectBench opens a connection and waits for its CONNACK. Of o it takes where the broker
// is, and who connects.
func connectBench(ctx context.Context, o client.Options, id string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	conn, err := client.DialConn(ctx, o.Broker, o.TLS)
	if err != nil {
		return nil, err
	}
	body := []byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0} // a clean session, no keep-alive
	body = appendText(body, id)
	if o.Username != "" {
		body[7] |= 0xC0
		body = appendText(appendText(body, o.Username), o.Password)
	}
	answer, err := exchange(conn, appendPacket(nil, 0x10, body), 4)
	if err == nil && answer[3] != 0 {
		err = fmt.Errorf("CONNACK %d", answer[3])
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// exchange writes a packet and reads an answer of n bytes.
func exchange(conn net.Conn, packet []byte, n int) ([]byte, error) {
	if err := conn.SetDeadline(time.Now().Add(benchTimeout)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(packet); err != nil {
		return nil, err
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	return answer, conn.SetDeadline(time.Time{})
}

// appendText appends a text with its length.
func appendText(b []byte, text string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(text))), text...)
}

func appendPacket(b []byte, first byte, body []byte) []byte {
	b = binary.AppendUvarint(append(b, first), uint64(len(body)))
	return append(b, body...)
}

// subscribePacket returns a SUBSCRIBE with packet identifier 1.
func subscribePacket(topicFilter string, qos byte) []byte {
	return appendPacket(nil, 0x82, append(appendText([]byte{0, 1}, topicFilter), qos))
}

// packetsIn calls f with the first byte and body of each complete packet, and
// returns what is left.
func packetsIn(b []byte, f func(first byte, body []byte)) []byte {
	for len(b) >= 2 {
		length, n := binary.Uvarint(b[1:])
		if n <= 0 || len(b) < 1+n+int(length) {
			break
		}
		f(b[0], b[1+n:1+n+int(length)])
		b = b[1+n+int(length):]
	}
	return b
}

// readPackets calls f with each packet and then, for what was read at once,
// done, until the connection ends.
func readPackets(conn net.Conn, f func(first byte, body []byte), done func()) {
	buf, n := make([]byte, firstBenchBuffer), 0
	for {
		if n == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
		m, err := conn.Read(buf[n:])
		n += m
		rest := packetsIn(buf[:n], f)
		n = copy(buf, rest)
		done()
		if err != nil {
			return
		}
	}
}

// A benchPublisher is one publisher's connection.
type benchPublisher struct {
	conn   net.Conn
	topic  string
	qos    byte
	window chan struct{} // a place for each message in flight
	acks   sync.WaitGroup
}

func dialBench(ctx context.Context, o client.Options, id, topic string, qos byte, inFlight int) (*benchPublisher, error) {
	conn, err := connectBench(ctx, o, id)
	if err != nil {
		return nil, err
	}
	p := &benchPublisher{conn: conn, topic: topic, qos: qos, window: make(chan struct{}, max(1, inFlight))}
	p.acks.Go(func() {
		readPackets(conn, func(byte, []byte) { <-p.window }, func() {})
	})
	return p, nil
}

func (p *benchPublisher) close() {
	_ = p.conn.Close() // nothing is lost
	p.acks.Wait()
}

// publish sends the publisher's share of a load.
func (p *benchPublisher) publish(l load, begin time.Time) {
	total := l.messages / l.publishers
	every := time.Duration(0)
	if l.perSec > 0 {
		every = time.Second * time.Duration(l.publishers) / time.Duration(l.perSec)
	}
	buf := make([]byte, 0, benchBuffer)
	for i := range total {
		due := time.Now()
		if every > 0 {
			due = begin.Add(every * time.Duration(i))
			time.Sleep(time.Until(due)) // the pace
		}
		if p.qos > 0 {
			select {
			case p.window <- struct{}{}:
			default:
				if p.write(&buf) != nil {
					return
				}
				p.window <- struct{}{}
			}
		}
		buf = p.appendPublish(buf, l, uint16(i%0xffff)+1, due, i)
		if (every > 0 || len(buf) > benchBuffer/2) && p.write(&buf) != nil {
			return
		}
	}
	_ = p.write(&buf) // what does not arrive is counted
}

func (p *benchPublisher) write(buf *[]byte) error {
	_, err := p.conn.Write(*buf)
	*buf = (*buf)[:0]
	return err
}

func (p *benchPublisher) appendPublish(b []byte, l load, id uint16, due time.Time, n int) []byte {
	var payload [payloadBytes]byte
	text := payload[:]
	if l.room {
		text = append(strconv.AppendInt(append(payload[:0], `{"n":`...), int64(n), 10), '}')
	} else {
		binary.BigEndian.PutUint64(payload[:], uint64(due.UnixNano()))
	}
	length := 2 + len(p.topic) + len(text)
	if p.qos > 0 {
		length += 2
	}
	b = binary.AppendUvarint(append(b, 0x30|p.qos<<1), uint64(length))
	b = append(binary.BigEndian.AppendUint16(b, uint16(len(p.topic))), p.topic...)
	if p.qos > 0 {
		b = binary.BigEndian.AppendUint16(b, id)
	}
	return append(b, text...)
}

// A benchSubscriber counts what comes on one topic filter.
type benchSubscriber struct {
	conn    net.Conn
	paced   bool
	reading sync.WaitGroup

	mu   sync.Mutex // guards took
	took []time.Duration
}

func subscribeBench(ctx context.Context, o client.Options, id, topicFilter string, l load, seen *atomic.Int64) (*benchSubscriber, error) {
	conn, err := connectBench(ctx, o, id)
	if err != nil {
		return nil, err
	}
	answer, err := exchange(conn, subscribePacket(topicFilter, l.subscribeQoS()), 5)
	if err == nil && answer[4] != l.subscribeQoS() {
		err = fmt.Errorf("SUBACK 0x%02X for %s", answer[4], topicFilter)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s := &benchSubscriber{conn: conn, paced: l.perSec > 0}
	s.reading.Go(func() { s.read(seen) })
	return s, nil
}

// read counts messages, and acknowledges those of QoS 1, batch by batch.
func (s *benchSubscriber) read(seen *atomic.Int64) {
	var acks []byte
	n := int64(0)
	readPackets(s.conn, func(first byte, body []byte) {
		if first>>4 != 3 {
			return
		}
		n++
		topic := int(binary.BigEndian.Uint16(body))
		rest := body[2+topic:]
		if first>>1&3 > 0 {
			acks = append(acks, 0x40, 2, rest[0], rest[1])
			rest = rest[2:]
		}
		s.note(rest)
	}, func() {
		seen.Add(n)
		n = 0
		if len(acks) > 0 {
			_, _ = s.conn.Write(acks) // the end of the connection shows in reading
			acks = acks[:0]
		}
	})
}

// note takes the latency of a message from its payload.
func (s *benchSubscriber) note(payload []byte) {
	if !s.paced || len(payload) < 8 {
		return
	}
	due := time.Unix(0, int64(binary.BigEndian.Uint64(payload)))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, time.Since(due))
}

func (s *benchSubscriber) latencies() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took
}

func (s *benchSubscriber) close() {
	_ = s.conn.Close() // nothing is lost
	s.reading.Wait()
}
