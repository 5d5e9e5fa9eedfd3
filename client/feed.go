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

// A listener is told what is told on a topic filter.
type listener interface {
	// notify has what a room tells; n is nil if it is no room.
	notify(m Message, n *Notification)
	// fail says that nothing is told any more.
	fail(err error)
}

// A feed is one subscription, for all who listen to it. That to a room knows where it
// stands in the sequence of changes, and goes on from there on the next connection.
type feed struct {
	key    string // the topic filter, of a room without the number that follows since=
	isRoom bool

	mu        sync.Mutex // guards what follows
	listeners []listener
	// seq is the change up to which everything was told. gap is that up to which a gap
	// goes: what is told up to there is in no order, and does not move seq.
	seq, gap uint64
	opening  *opening      // nil without a connection
	closing  chan struct{} // nil, until nobody listens; closed when the subscription has ended
}

// An opening is a SUBSCRIBE.
type opening struct {
	client *Client
	topic  string
	done   chan struct{} // closed when err is set
	err    error
}

func (f *feed) topic() string {
	if !f.isRoom {
		return f.key
	}
	return f.key + strconv.FormatUint(f.seq, 10)
}

// open subscribes a feed on the connection that there is, and does not wait for the
// answer. The caller holds a.mu, and f.mu.
func (a *Ambit) open(f *feed) *opening {
	o := &opening{client: a.client, topic: f.topic(), done: make(chan struct{})}
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

func (f *feed) fail(err error) {
	f.mu.Lock()
	listeners := f.listeners
	f.mu.Unlock()
	for _, l := range listeners {
		l.fail(err)
	}
}

func (f *feed) receive(o *opening, m Message) {
	var n *Notification
	if f.isRoom {
		n = &Notification{}
		if json.Unmarshal(m.Payload, n) != nil {
			return // it is no notification
		}
	}
	f.mu.Lock()
	if f.opening != o {
		f.mu.Unlock()
		return
	}
	switch {
	case n == nil:
	case n.Type == "gap":
		f.gap = n.To
	case n.Seq > max(f.seq, f.gap):
		f.seq = n.Seq
	}
	listeners := f.listeners
	f.mu.Unlock()
	for _, l := range listeners {
		l.notify(m, n)
	}
}

// listen tells a listener what a room tells after a change, until the function that it
// returns is called. Listeners of one channel share one subscription, unless they are
// alone by choice.
func (a *Ambit) listen(ctx context.Context, room roomChannel, l listener, alone bool) (leave func(), err error) {
	f := &feed{key: room.Channel + "&since=", isRoom: true, seq: room.Seq}
	return a.join(ctx, f, l, alone)
}

// follow tells a listener of the messages of a topic filter, and of what is retained. The
// others who follow it are told of that again.
func (a *Ambit) follow(ctx context.Context, topicFilter string, l listener) (leave func(), err error) {
	return a.join(ctx, &feed{key: topicFilter}, l, false)
}

// join adds a listener to the feed that there is, or to the one given.
func (a *Ambit) join(ctx context.Context, given *feed, l listener, alone bool) (leave func(), err error) {
	f, err := a.feedFor(ctx, given, l, alone)
	if err != nil {
		return nil, err
	}
	isNew := f == given
	for err = ErrConnectionLost; errors.Is(err, ErrConnectionLost); {
		err = a.opened(ctx, f, !isNew && !f.isRoom)
	}
	if err != nil {
		if a.remove(f, l) {
			a.spawn(func() { a.end(f) })
		}
		return nil, err
	}
	return func() {
		if a.remove(f, l) {
			a.end(f)
		}
	}, nil
}

// feedFor waits while an earlier subscription to the same topic filter ends: the broker has one
// of each, and would end the new one.
func (a *Ambit) feedFor(ctx context.Context, given *feed, l listener, alone bool) (*feed, error) {
	for {
		a.mu.Lock()
		for alone && a.feeds[given.key] != nil {
			given.key += "0" // the same number in another topic filter
		}
		f := a.feeds[given.key]
		if f == nil {
			f = given
			a.feeds[f.key] = f
		}
		f.mu.Lock()
		closing := f.closing
		if closing == nil {
			f.listeners = append(slices.Clone(f.listeners), l)
		}
		f.mu.Unlock()
		a.mu.Unlock()
		if closing == nil {
			return f, nil
		}
		select {
		case <-closing:
		case <-ctx.Done():
			return nil, fmt.Errorf("client: subscribe: %w", ctx.Err())
		}
	}
}

// opened waits until a feed is subscribed to, on the connection that there is. If that was
// done before it is done again, if asked, for the sake of what is retained.
func (a *Ambit) opened(ctx context.Context, f *feed, again bool) error {
	if _, err := a.online(ctx); err != nil {
		return err
	}
	a.mu.Lock()
	f.mu.Lock()
	o := f.opening
	if o == nil && a.client != nil && !a.closed {
		o, again = a.open(f), false
	}
	f.mu.Unlock()
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
	err := o.err
	if err == nil && again {
		_, err = o.client.askToSubscribe(ctx, o.topic, 1)
	}
	if errors.Is(err, ErrConnectionLost) {
		<-down // the next try is one on the next connection
	}
	return err
}

// remove reports whether nobody listens any more: then the feed is to be ended.
func (a *Ambit) remove(f *feed, l listener) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.listeners)
	f.listeners = slices.DeleteFunc(slices.Clone(f.listeners), func(other listener) bool { return other == l })
	if n == 0 || len(f.listeners) > 0 {
		return false
	}
	f.closing = make(chan struct{})
	return true
}

// end ends the subscription of a feed to which nobody listens.
func (a *Ambit) end(f *feed) {
	f.mu.Lock()
	o := f.opening
	f.mu.Unlock()
	if o != nil {
		a.unsubscribe(o)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.feeds[f.key] == f {
		delete(a.feeds, f.key)
	}
	close(f.closing)
}

func (a *Ambit) unsubscribe(o *opening) {
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
