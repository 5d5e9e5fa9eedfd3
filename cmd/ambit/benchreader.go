package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"time"
)

// A benchReader is one subscriber of a preset. It acknowledges what comes.
type benchReader struct {
	conn    net.Conn
	granted chan byte // codes of SUBACK
	reading sync.WaitGroup
	done    chan struct{} // closed when the connection has ended
}

// read starts a reader, which calls told with each payload, and ended at its end.
func (b *benchRun) read(conn net.Conn, told func(payload []byte)) *benchReader {
	r := &benchReader{conn: conn, granted: make(chan byte, 1), done: make(chan struct{})}
	r.reading.Go(func() {
		defer close(r.done)
		var acks []byte
		readPackets(conn, func(first byte, body []byte) {
			switch first >> 4 {
			case 3:
				rest := body[2+int(binary.BigEndian.Uint16(body)):]
				if first>>1&3 > 0 {
					acks = append(acks, 0x40, 2, rest[0], rest[1])
					rest = rest[2:]
				}
				told(rest)
			case 9:
				r.granted <- body[2]
			}
		}, func() {
			if len(acks) > 0 {
				_, _ = conn.Write(acks) // the end of the connection shows in reading
				acks = acks[:0]
			}
		})
		b.closed()
	})
	return r
}

// subscribe subscribes and waits for the answer.
func (r *benchReader) subscribe(ctx context.Context, topicFilter string, qos byte) error {
	if _, err := r.conn.Write(subscribePacket(topicFilter, qos)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	select {
	case code := <-r.granted:
		if code >= 0x80 {
			return fmt.Errorf("SUBACK 0x%02X for %s", code, topicFilter)
		}
		return nil
	case <-r.done:
		return fmt.Errorf("the broker has closed the connection, after SUBSCRIBE to %s", topicFilter)
	case <-ctx.Done():
		return fmt.Errorf("no SUBACK for %s: %w", topicFilter, ctx.Err())
	}
}

func (r *benchReader) close() {
	_ = r.conn.Close() // nothing is lost
	r.reading.Wait()
}

// subscriber connects one, which counts the messages of the run.
func (b *benchRun) subscriber(i int, topicFilters []string, delivered *recorder) (*benchReader, error) {
	conn, err := b.connect("sub", i)
	if err != nil {
		return nil, err
	}
	r := b.read(conn, func(payload []byte) {
		due, ours := b.dueOf(payload)
		if !ours {
			return
		}
		b.delivered.Add(1)
		if b.counts(due) {
			delivered.record(time.Since(b.epoch) - due)
		}
	})
	for _, topicFilter := range topicFilters {
		if err := r.subscribe(b.ctx, topicFilter, b.o.qos); err != nil {
			b.ending.Store(true)
			r.close()
			return nil, err
		}
	}
	return r, nil
}
