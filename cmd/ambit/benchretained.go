package main

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// errNotKept says that what was published did not stay.
var errNotKept = errors.New("the broker has not acknowledged the retained messages")

// retained publishes retained messages, and has subscribers come for them.
func (b *benchRun) retained() error {
	lag, first, last := b.recorder("lag"), b.recorder("first"), b.recorder("last")
	if err := b.retain(func(n int) []byte { return b.appendPayload(nil, n, b.epoch, "") }); err != nil {
		return err
	}
	b.expected.Store(int64(b.o.messages) * int64(b.o.subscribers))
	b.begin = time.Now().Add(50 * time.Millisecond)
	over := make(chan struct{})
	var subscribers sync.WaitGroup
	var failed atomic.Pointer[error]
	for i := range b.o.subscribers {
		if !b.waitUntil(b.due(i)) {
			break
		}
		lag.record(time.Since(b.due(i)))
		subscribers.Go(func() {
			r, err := b.snapshot(i, first, last)
			if err != nil {
				b.refused.Add(1)
				failed.CompareAndSwap(nil, &err)
				return
			}
			<-over
			r.close()
		})
	}
	end := waitForMessages(&b.delivered, b.expected.Load())
	b.took = end.Sub(b.begin)
	b.ending.Store(true)
	close(over)
	subscribers.Wait()
	if err := failed.Load(); err != nil && b.delivered.Load() == 0 {
		return *err
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	return b.retain(func(int) []byte { return nil })
}

// snapshot connects the ith subscriber, which counts what it is given.
func (b *benchRun) snapshot(i int, first, last *recorder) (*benchReader, error) {
	due, n := b.due(i), 0
	conn, err := b.connect("sub", i)
	if err != nil {
		return nil, err
	}
	r := b.read(conn, func(payload []byte) {
		if _, ours := b.dueOf(payload); !ours {
			return
		}
		b.delivered.Add(1)
		if n++; n == 1 {
			first.record(time.Since(due))
		}
		if n == b.o.messages {
			last.record(time.Since(due))
		}
	})
	if err := r.subscribe(b.ctx, "bench/retained/+", b.o.qos); err != nil {
		_ = conn.Close() // the error is the one that matters
		return nil, err
	}
	return r, nil
}

// retain publishes a retained message on every topic, with some hundred in flight, and waits
// until all are acknowledged.
func (b *benchRun) retain(payload func(n int) []byte) error {
	conn, err := b.connect("pub", 0)
	if err != nil {
		return err
	}
	const inFlight = 100 // which no broker minds
	window := make(chan struct{}, inFlight)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		readPackets(conn, func(byte, []byte) { <-window }, func() {})
	}()
	defer func() {
		_ = conn.Close() // everything is acknowledged
		<-ended
	}()
	for n := range b.o.messages {
		select {
		case window <- struct{}{}:
		case <-ended:
			return errNotKept
		case <-b.ctx.Done():
			return b.ctx.Err()
		}
		if err := b.retainOne(conn, n, payload(n)); err != nil {
			return err
		}
	}
	for range inFlight {
		select {
		case window <- struct{}{}:
		case <-ended:
			return errNotKept
		case <-b.ctx.Done():
			return b.ctx.Err()
		}
	}
	return nil
}

func (b *benchRun) retainOne(conn net.Conn, n int, payload []byte) error {
	p := streamer{topic: fmt.Sprintf("bench/retained/%d", n)}
	_, err := conn.Write(p.packet(payload, uint16(n%0xffff)+1, 1, true))
	if err == nil && len(payload) > 0 {
		b.sent.Add(1)
		b.acknowledged.Add(1)
	}
	return err
}
