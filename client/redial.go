package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// maxReconnectWait bounds the wait for the next try.
const maxReconnectWait = 30 * time.Second

// A backoff says how long to wait for the next try.
type backoff struct {
	first time.Duration
	tries int
}

// next returns a wait between a half and the whole of what doubles with each call.
func (b *backoff) next() time.Duration {
	wait, longest := b.first, max(b.first, maxReconnectWait)
	for i := 0; i < b.tries && wait < longest; i++ {
		wait = min(2*wait, longest)
	}
	b.tries++
	return wait/2 + rand.N(wait/2+1)
}

// lasted notes for how long there was a connection: one that the broker ends at once, since another
// client has the same name, for example, counts as a try that has failed.
func (b *backoff) lasted(d time.Duration) {
	if d >= 10*b.first {
		b.tries = 0
	}
}

// run makes the connection again and again.
func (a *Ambit) run(c *Client) {
	waits := &backoff{first: a.opts.ReconnectWait}
	for {
		since := time.Now()
		select {
		case <-c.Done():
			c.Close() // to wait for its handlers
			a.disconnected()
			if err := c.Err(); errors.Is(err, ErrExpired) {
				a.onError(err)
			}
		case <-a.ctx.Done():
			c.Close()
			a.disconnected()
			return
		}
		waits.lasted(time.Since(since))
		if c = a.redial(waits); c == nil {
			return
		}
		a.connected(c)
	}
}

// redial tries until it is connected. It returns nil after Close, and if that is refused
// for good.
func (a *Ambit) redial(waits *backoff) *Client {
	for {
		select {
		case <-time.After(waits.next()):
		case <-a.ctx.Done():
			return nil
		}
		o := a.opts
		err := o.askPassword(a.ctx)
		if err == nil {
			var c *Client
			if c, err = Dial(a.ctx, o); err == nil {
				return c
			}
		}
		if a.ctx.Err() != nil {
			return nil
		}
		final := isFinal(err) && !a.hasOther(o.Password)
		if final {
			a.refuse(err)
		}
		a.onError(err)
		if final {
			return nil
		}
	}
}

// hasOther says that there is another password than the one that was refused.
func (a *Ambit) hasOther(refused string) bool {
	o := a.opts
	if o.PasswordFunc == nil {
		return false
	}
	err := o.askPassword(a.ctx)
	return err != nil || o.Password != refused // if it is not known, it is asked for again
}

// refuse ends everything that waits for a connection.
func (a *Ambit) refuse(err error) {
	a.mu.Lock()
	a.refused = err
	feeds := a.feeds
	a.feeds = map[string]*feed{}
	close(a.up)
	a.mu.Unlock()
	for _, f := range feeds {
		f.fail(err)
	}
}

// connected has the feeds go on with a new connection, and says again what this client has
// said of itself.
func (a *Ambit) connected(c *Client) {
	c.route(topics.ResponseName, a.answered) // they come without a subscription
	a.mu.Lock()
	defer a.mu.Unlock()
	a.client, a.down = c, make(chan struct{})
	for _, f := range a.feeds {
		f.mu.Lock()
		if f.closing == nil {
			opened := a.open(f)
			a.done.Go(func() { a.await(f, opened) })
		}
		f.mu.Unlock()
	}
	close(a.up)
	if !a.own.isEmpty() {
		a.done.Go(func() { a.sayAgain(c) })
	}
}

// await ends a feed that is refused. One that is not answered is subscribed to again: the broker
// may be busy.
func (a *Ambit) await(f *feed, o *opening) {
	for {
		<-o.done
		switch {
		case o.err == nil, errors.Is(o.err, ErrConnectionLost), a.ctx.Err() != nil:
			return
		case !errors.Is(o.err, context.DeadlineExceeded):
			a.drop(f)
			f.fail(o.err)
			return
		}
		if o = a.reopen(f, o); o == nil {
			return
		}
	}
}

// reopen subscribes a feed again if what was not answered is what counts. It returns nil if it is not.
func (a *Ambit) reopen(f *feed, o *opening) *opening {
	a.mu.Lock()
	defer a.mu.Unlock()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.opening != o || f.closing != nil || a.closed {
		return nil
	}
	return a.open(f)
}

// drop has a feed that has failed forgotten.
func (a *Ambit) drop(f *feed) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.feeds[f.key] == f {
		delete(a.feeds, f.key)
	}
}
