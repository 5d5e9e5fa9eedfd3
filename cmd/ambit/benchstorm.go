package main

import (
	"fmt"
	"sync"
	"time"
)

// storm connects clients when they are due.
func (b *benchRun) storm() error {
	lag, connected, subscribed := b.recorder("lag"), b.recorder("connected"), b.recorder("subscribed")
	b.begin = time.Now().Add(50 * time.Millisecond)
	b.expected.Store(int64(b.o.subscribers))
	var clients sync.WaitGroup
	var failure error // the first one, for those who look for a reason
	var once sync.Once
	over := make(chan struct{})
	for i := range b.o.subscribers {
		if !b.waitUntil(b.due(i)) {
			break
		}
		lag.record(time.Since(b.due(i)))
		clients.Go(func() {
			r, err := b.join(i, connected, subscribed)
			if err != nil {
				b.refused.Add(1)
				once.Do(func() { failure = err })
				return
			}
			b.delivered.Add(1)
			<-over
			r.close()
		})
	}
	last := waitForMessages(&b.sent, b.expected.Load())
	b.took = last.Sub(b.begin)
	b.ending.Store(true)
	close(over)
	clients.Wait()
	if failure != nil && b.delivered.Load() == 0 {
		return failure
	}
	return b.ctx.Err()
}

// join connects the ith client of a storm, and subscribes it.
func (b *benchRun) join(i int, connected, subscribed *recorder) (*benchReader, error) {
	defer b.sent.Add(1)
	due := b.due(i)
	conn, err := b.connect("storm", i)
	if err != nil {
		return nil, err
	}
	connected.record(time.Since(due))
	b.acknowledged.Add(1)
	r := b.read(conn, func([]byte) {})
	if err := r.subscribe(b.ctx, fmt.Sprintf("bench/storm/%d", i), b.o.qos); err != nil {
		_ = conn.Close() // the error is the one that matters
		return nil, err
	}
	subscribed.record(time.Since(due))
	return r, nil
}
