package sessions

import (
	"crypto/rand"
	"encoding/binary"
	"io"
	"iter"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A Subscriber is a client of another protocol than MQTT. It has a session that ends with
// it, for which hold the limits, the rights and the bans of any other; what it is told comes
// at QoS 0, and one that does not keep pace is ended rather than told less. Its
// methods are called by one goroutine at a time, but for Close.
type Subscriber struct {
	c       *Client
	closing sync.Once
}

// A Wire is the way out to a subscriber. All of it is called by the engine.
type Wire interface {
	// Write writes what a [Format] has made of some messages, one behind the other. It may
	// wait until the deadline; after an error nothing more is written.
	io.Writer
	SetWriteDeadline(time.Time) error
	// Ended is told once why a subscriber is none any more that was not closed.
	Ended(why *Error)
}

// A Format says how the clients of a protocol are told messages. What it makes of a message is
// made once for all who are told it one after the other.
type Format struct {
	write func(m *Message) []byte
	last  atomic.Pointer[formatted]
}

type formatted struct {
	m    *Message
	text []byte
}

// NewFormat returns the format that write is, which returns nil for what is not told. It
// keeps nothing of the message.
func NewFormat(write func(m *Message) []byte) *Format { return &Format{write: write} }

// of returns a message in the format. One whose text is only lent may be followed by another
// one at the same place.
func (f *Format) of(m *Message) []byte {
	if m.borrowed {
		return f.write(m)
	}
	if last := f.last.Load(); last != nil && last.m == m {
		return last.text
	}
	text := f.write(m)
	f.last.Store(&formatted{m, text})
	return text
}

// Frame returns text with its length before it, for a wire that has to tell messages apart.
func Frame(text []byte) []byte {
	return append(binary.BigEndian.AppendUint32(make([]byte, 0, frameHeader+len(text)), uint32(len(text))), text...)
}

// Frames yields the texts that [Frame] has put into what a wire writes.
func Frames(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(b) >= frameHeader {
			size := frameHeader + int(binary.BigEndian.Uint32(b))
			if !yield(b[frameHeader:size]) {
				return
			}
			b = b[size:]
		}
	}
}

const frameHeader = 4

// An Attachment is how a subscriber comes in.
type Attachment struct {
	// Protocol begins its client identifier, which nobody else has had.
	Protocol string
	Format   *Format
	Remote   net.Addr
	Via      Via
	// Identity is who it is, for the handler's Admit: as [Client.Identity].
	Identity any
}

// Attach lets a client of another protocol in, as if it had sent CONNECT.
func (e *Engine) Attach(to Wire, a Attachment) (*Subscriber, error) {
	c := &Client{
		Connect: Connect{ClientID: a.Protocol + "-" + rand.Text(), Clean: true, assigned: true},
		Remote:  a.Remote, Via: a.Via, Protocol: a.Protocol, Identity: a.Identity,
		engine: e, speed: newSpeed(&e.options().Quotas), since: time.Now(),
	}
	s := &Subscriber{c: c}
	c.link = newLink(wire{to}, &c.Connect, e.options().WriteTimeout, func(why *Error) {
		c.ended(why)
		e.tasks.Go(func() {
			s.Close()
			to.Ended(why)
		})
	})
	c.link.format = a.Format
	err := c.admit()
	if err == nil {
		err = c.takeUser()
	}
	if err == nil {
		err = c.establish()
	}
	if err != nil {
		if c.session != nil {
			s.Close()
		} else {
			c.giveUser()
		}
		e.countLimit(errorOf(err))
		e.log.Warn("connection refused", "client", clip(c.ClientID), "protocol", a.Protocol, "remote", address(c.Remote), "reason", errorOf(err).Text)
		return nil, errorOf(err)
	}
	return s, nil
}

// A wire is never closed: whoever attached the subscriber does that.
type wire struct{ Wire }

func (wire) Close() error { return nil }

// ClientID returns the client identifier.
func (s *Subscriber) ClientID() string { return s.c.ClientID }

// Subscribe subscribes to a topic filter, as SUBSCRIBE would at QoS 0. What the subscriber is told
// is held back until Answered is called.
func (s *Subscriber) Subscribe(topicFilter string, volatile []byte) error {
	c := s.c
	c.handling.Lock()
	defer c.handling.Unlock()
	if why := c.cause.Load(); why != nil {
		return why
	}
	c.speed.subscribes.Take(1)
	sub, err := c.mayGrant(request{topicFilter: topicFilter}, 0, nil)
	if err != nil {
		return err
	}
	sub.Target.Volatile = volatile
	c.link.hold(true)
	if err := c.grant([]*Subscription{sub}); err != nil {
		return errorOf(err)
	}
	c.session.box.startSources()
	if c.engine.isBehind(c.session) {
		c.engine.proceed(c.session, c.link)
	}
	return nil
}

// Answered has the subscriber told what came since it subscribed: it knows of that now.
func (s *Subscriber) Answered() {
	s.c.link.hold(false)
	s.c.link.flush()
}

// Unsubscribe ends a subscription, and reports whether there was one.
func (s *Subscriber) Unsubscribe(topicFilter string, volatile []byte) bool {
	s.c.handling.Lock()
	defer s.c.handling.Unlock()
	s.c.speed.subscribes.Take(1)
	_, existed := s.c.drop(topicFilter, volatile)
	return existed
}

// Busy notes that the subscriber's reader waits for somebody, who may wait for it in turn, until
// done is called.
func (s *Subscriber) Busy() (done func()) { return s.c.session.box.waits() }

// Pause waits, if the subscriber subscribes faster than it may. An error says that it would have
// to wait for too long.
func (s *Subscriber) Pause() error {
	v := &s.c.speed
	if v.bound && v.holds(packets.Subscribe, 0) {
		return s.c.pause()
	}
	return nil
}

// MaySend counts a message of so many bytes that the subscriber sends. The error says that it comes
// faster than it may, and then it does not count.
func (s *Subscriber) MaySend(size int) error { return s.takes(packets.Publish, size) }

// MaySubscribe says whether the subscriber may subscribe, or unsubscribe, now. In place of an error,
// Pause would wait.
func (s *Subscriber) MaySubscribe() error { return s.takes(packets.Subscribe, 0) }

func (s *Subscriber) takes(kind byte, size int) error {
	v := &s.c.speed
	if !v.bound || !v.holds(kind, size) {
		return nil
	}
	wait := v.wait
	v.wait = 0
	return s.c.engine.reached(v.kind, packets.ErrMessageRateTooHigh.Code, "the client is too fast: it may go on in %v", wait.Round(time.Millisecond))
}

// Renew has the subscriber be who shows that it still is the same user, with rights and for a time of
// its own.
func (s *Subscriber) Renew(identity any, rights Rights, lapse Lapse) {
	c := s.c
	c.handling.Lock()
	defer c.handling.Unlock()
	if c.cause.Load() != nil {
		return
	}
	c.Rights = rights
	c.renewed.Store(&identity)
	c.session.box.grant(rights)
	c.engine.schedule.cancel(c.lapse)
	c.Lapse = lapse
	c.engine.setLapse(c)
}

// Who returns who the client is by now: Identity, or who renewed it.
func (c *Client) Who() any {
	if who := c.renewed.Load(); who != nil {
		return *who
	}
	return c.Identity
}

// Close ends the session. Those who are in its rooms are told at once: nobody comes
// back by its client identifier.
func (s *Subscriber) Close() {
	s.closing.Do(func() {
		c := s.c
		c.handling.Lock()
		defer c.handling.Unlock()
		for _, sub := range c.session.subscriptions() {
			c.drop(sub.request.topicFilter, nil)
		}
		c.link.close()
		c.engine.disconnected(c)
		c.giveUser()
	})
}

// IsOver says of why a subscriber has ended that it may not be who it was for any longer.
func (e *Error) IsOver() bool {
	return e.Code == packets.ErrNotAuthorized.Code || e.Code == packets.ErrMaxConnectTime.Code
}

// hold has messages wait, or go out.
func (l *link) hold(on bool) {
	l.box.mu.Lock()
	defer l.box.mu.Unlock()
	if l.held = on; !on && !l.ended {
		l.next()
	}
}

// encodeAs appends a message in the link's format, and reports whether there is anything to
// be told.
func (l *link) encodeAs(m *Message) bool {
	if m.Silent || m.mortal && time.Until(m.expires) <= 0 {
		return false
	}
	text := l.format.of(m)
	l.out = append(l.room(), text...)
	return len(text) > 0
}
