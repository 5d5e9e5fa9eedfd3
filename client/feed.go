package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// A listener is told what a room tells.
type listener interface {
	notify(n *Notification)
	// fail says that the room tells nothing any more.
	fail(err error)
}

// A feed is one subscription to a room, for all who listen to it. It knows where it
// stands in the sequence of changes, and goes on from there on the next connection.
type feed struct {
	channel string

	mu        sync.Mutex // guards what follows
	listeners []listener
	// seq is the change up to which everything was told. gap is that up to which a gap
	// goes: what is told up to there is in no order, and does not move seq.
	seq, gap uint64
	opening  *opening // nil without a connection
}

// An opening is a SUBSCRIBE.
type opening struct {
	client *Client
	topic  string
	done   chan struct{} // closed when err is set
	err    error
}

// open subscribes a feed on the connection that there is, and does not wait for the
// answer. The caller holds a.mu.
func (a *Ambit) open(f *feed) *opening {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := &opening{client: a.client, topic: f.channel + "&since=" + strconv.FormatUint(f.seq, 10), done: make(chan struct{})}
	f.opening = o
	a.done.Go(func() {
		defer close(o.done)
		_, o.err = o.client.Subscribe(a.ctx, o.topic, 1, func(m Message) { f.receive(o, m) })
	})
	return o
}

// lost says that the connection has gone.
func (f *feed) lost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.opening = nil
}

// remove reports whether nobody is left.
func (f *feed) remove(l listener) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.listeners)
	f.listeners = slices.DeleteFunc(slices.Clone(f.listeners), func(other listener) bool { return other == l })
	return n > 0 && len(f.listeners) == 0
}

func (f *feed) fail(err error) {
	f.mu.Lock()
	listeners := f.listeners
	f.mu.Unlock()
	for _, l := range listeners {
		l.fail(err)
	}
}

func (f *feed) receive(o *opening, m Message) {
	n := &Notification{}
	if json.Unmarshal(m.Payload, n) != nil {
		return // it is no notification
	}
	f.mu.Lock()
	if f.opening != o {
		f.mu.Unlock()
		return
	}
	switch {
	case n.Type == "gap":
		f.gap = n.To
	case n.Seq > max(f.seq, f.gap):
		f.seq = n.Seq
	}
	listeners := f.listeners
	f.mu.Unlock()
	for _, l := range listeners {
		l.notify(n)
	}
}

// listen tells a listener what a room tells after a change, until the function that it
// returns is called. Listeners of one channel share one subscription, unless they are
// alone by choice.
func (a *Ambit) listen(ctx context.Context, ch channel, l listener, alone bool) (leave func(), err error) {
	key := ch.Channel
	if alone {
		key += "&since=" + strconv.FormatUint(ch.Seq, 10)
	}
	a.mu.Lock()
	f := a.feeds[key]
	if f == nil {
		f = &feed{channel: ch.Channel, seq: ch.Seq}
		a.feeds[key] = f
	}
	f.mu.Lock()
	f.listeners = append(slices.Clone(f.listeners), l)
	f.mu.Unlock()
	a.mu.Unlock()
	leave = func() { a.leave(key, f, l) }
	for err = ErrConnectionLost; errors.Is(err, ErrConnectionLost); {
		err = a.opened(ctx, f)
	}
	if err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

// opened waits until a feed is subscribed to, on the connection that there is.
func (a *Ambit) opened(ctx context.Context, f *feed) error {
	if _, err := a.online(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	f.mu.Lock()
	o := f.opening
	f.mu.Unlock()
	if o == nil && a.client != nil && !a.closed {
		o = a.open(f)
	}
	down := a.down
	a.mu.Unlock()
	if o == nil {
		return ErrConnectionLost
	}
	select {
	case <-o.done:
	case <-ctx.Done():
		return fmt.Errorf("client: subscribe: no answer: %w", ctx.Err())
	}
	if errors.Is(o.err, ErrConnectionLost) {
		<-down // the next try is one on the next connection
	}
	return o.err
}

// leave ends the subscription with its last listener.
func (a *Ambit) leave(key string, f *feed, l listener) {
	a.mu.Lock()
	last := f.remove(l)
	if last && a.feeds[key] == f {
		delete(a.feeds, key)
	}
	f.mu.Lock()
	o := f.opening
	if last {
		f.opening = nil
	}
	f.mu.Unlock()
	a.mu.Unlock()
	if !last || o == nil {
		return
	}
	ctx, cancel := context.WithTimeout(a.ctx, packetTimeout)
	defer cancel()
	select {
	case <-o.done:
	case <-ctx.Done():
		return
	}
	if o.err == nil {
		_ = o.client.Unsubscribe(ctx, o.topic) // if this fails it has ended with the connection
	}
}
