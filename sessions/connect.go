package sessions

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// maxClientIDBytes is the longest client identifier.
const maxClientIDBytes = 256

// connect reads CONNECT and answers it. It returns false if the connection ends
// with that.
func (c *Client) connect(in *inbound) bool {
	c.engine.greet(c.conn, c.Via.ConnectTimeout)
	defer c.engine.greeted(c.conn)
	f, size, err := c.readConnect(in)
	if c.Via.Asked != nil {
		c.Via.Asked()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.engine.options().Quotas.Counts.Add(limits.ConnectTime)
	}
	c.engine.counts.packetsIn.of[f.kind&15].Add(1)
	if f.kind != packets.Connect {
		return false // [MQTT-3.1.0-1]: whoever does not say CONNECT is told nothing
	}
	var pk *Connect
	if err == nil {
		pk, err = decodeConnect(f.body)
		c.Connect = *pk
	}
	if err == nil {
		in.drop(size)
		c.traceConnect()
		err = c.admit()
	}
	if err == nil && c.Method != "" {
		err = c.authenticate(in)
	}
	if err == nil {
		err = c.mayWill()
	}
	if err == nil {
		err = c.takeUser()
	}
	if err == nil {
		c.engine.greeted(c.conn) // from here on it is told why it ends
		_ = c.conn.SetReadDeadline(time.Time{})
		err = c.establish()
	}
	if err != nil && !errors.Is(err, errNoAnswer) {
		c.refuse(errorOf(err))
	}
	return err == nil
}

// errNoAnswer says that CONNACK cannot be written.
var errNoAnswer = errors.New("CONNACK cannot be written")

// readConnect reads the first packet.
func (c *Client) readConnect(in *inbound) (f frame, size int, err error) {
	o := c.engine.options()
	for {
		if _, err := in.read(); err != nil {
			return frame{}, 0, err
		}
		f, size, err = cut(in.buf[:in.n], o.ConnectBytes)
		if f.kind == 0 && in.n > 0 {
			f.kind = in.buf[0] >> 4
		}
		if err != nil || size > 0 || f.kind != packets.Connect {
			return f, size, err
		}
	}
}

// admit decides whether the client is let in.
func (c *Client) admit() error {
	e := c.engine
	if why := e.away(); why != nil {
		return why
	}
	if e.Connected() >= e.options().Connections && !e.isConnected(c.ClientID) { // who replaces a connection adds none
		return e.full(fmt.Sprintf("%d clients are connected, that is the limit", e.options().Connections))
	}
	if c.Via.Crowded {
		return e.reached(limits.AddressConnections, packets.ErrQuotaExceeded.Code, "the address has as many connections as it may have")
	}
	if c.Via.Full {
		return e.full("the listener has as many connections as it may have")
	}
	if err := c.checkUsers(c.UserCount); err != nil {
		return err
	}
	if err := c.identify(); err != nil {
		return err
	}
	if c.Will != nil {
		name, err := e.h.Name(c.Will.Topic)
		if err == nil && name.Kind == topics.Request {
			err = errors.New("nobody is there for the answer to a request")
		}
		if err != nil {
			return &Error{packets.ErrTopicNameInvalid.Code, "will: " + err.Error()}
		}
	}
	if c.Method != "" {
		return nil // that is up to the exchange
	}
	return e.h.Admit(c)
}

// full returns why a client is not let in for which there is no room.
func (e *Engine) full(text string) *Error {
	e.options().Quotas.Counts.Add(limits.Connections)
	if e.options().Redirect != "" {
		return &Error{packets.ErrUseAnotherServer.Code, text}
	}
	return &Error{packets.ErrServerBusy.Code, text}
}

// reference returns the Server Reference that goes with a reason code (section
// 4.11 of MQTT 5), or "".
func (e *Engine) reference(code byte) string {
	if code == packets.ErrUseAnotherServer.Code {
		return e.options().Redirect
	}
	return ""
}

// identify checks the client identifier, or makes one [MQTT-3.1.3-6].
func (c *Client) identify() error {
	invalid := packets.ErrClientIdentifierNotValid.Code
	switch n := len(c.ClientID); {
	case n == 0 && c.Version < 5 && !c.Clean: // [MQTT-3.1.3-8] of MQTT 3.1.1
		return &Error{invalid, "a session that is to be kept needs a client identifier"}
	case n == 0:
		c.ClientID = "auto-" + rand.Text()
		c.assigned = true
		if c.Will != nil {
			c.Will.From = c.ClientID
		}
	case n > maxClientIDBytes:
		return &Error{invalid, fmt.Sprintf("the client identifier has %d bytes, the limit is %d", n, maxClientIDBytes)}
	case strings.ContainsAny(c.ClientID, "+#/"):
		return &Error{invalid, "a client identifier must not contain + # or /"}
	}
	return nil
}

// refuse answers CONNECT with an error, where the client's protocol has a word
// for it [MQTT-3.1.4-1].
func (c *Client) refuse(err *Error) {
	c.engine.countLimit(err)
	c.engine.counts.refused[refusedConnect][err.Code].Add(1)
	c.engine.Decided(c.ClientID, "", err.Code, "refused: "+clip(err.Text))
	c.engine.log.Warn("connection refused", "client", clip(c.ClientID), "remote", address(c.Remote), "reason", err.Text, "code", err.Code)
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connack}, ReasonCode: err.Code,
		Properties: packets.Properties{ReasonString: clip(err.Text), ServerReference: c.engine.reference(err.Code)},
	}
	if c.Version < 5 {
		if pk.ReasonCode = connackCode(err.Code); pk.ReasonCode == 0 {
			return
		}
	}
	p := newPeer(&c.Connect)
	c.engine.counts.packetsOut.of[packets.Connack].Add(1)
	_ = c.write(p.appendRare(nil, &pk), farewell) // the connection ends either way
}

// establish makes or resumes the session, has it on disk, and answers CONNECT.
// The connection has the turn of its client identifier until it is done.
func (c *Client) establish() error {
	e := c.engine
	e.turns.take(c.ClientID, c)
	defer e.turns.give(c)
	if c.Version < 5 {
		c.Expiry = 0
		if !c.Clean {
			c.Expiry = math.MaxUint32
		}
	}
	if c.Will != nil {
		c.Will.User = c.User
	}
	if c.link == nil {
		c.link = newLink(c.conn, &c.Connect, e.options().WriteTimeout, c.ended)
	}
	s, resumed, err := e.begin(c)
	if err != nil {
		return err
	}
	e.setLapse(c)
	if err := c.acceptConnect(resumed); err != nil {
		e.log.Debug("connection lost", "client", clip(c.ClientID), "error", err)
		return errNoAnswer
	}
	lost := s.box.takeLost()
	if lost > 0 {
		e.log.Warn("messages of an absent client were dropped", "client", c.ClientID, "messages", lost)
	}
	s.box.open(c.link, s.persistent.Load(), &c.flushes)
	c.flushes.flush()
	e.log.Debug("connected", "client", c.ClientID, "remote", address(c.Remote), "protocol", c.Version)
	if again := s.takeUnfinished(); len(again) > 0 {
		defer s.box.waits()()
		if err := e.tellFirst(s, again, &persistence.Op{}); err != nil {
			c.end(errorOf(err))
		}
		s.box.startSources()
	}
	if e.isBehind(s) {
		e.proceed(s, c.link)
	}
	return nil
}

// acceptConnect writes CONNACK, with all that the server says of itself.
func (c *Client) acceptConnect(resumed bool) error {
	if c.link.format != nil {
		return nil // whoever speaks its protocol has accepted it
	}
	o := c.engine.options()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Connack}, SessionPresent: resumed}
	if c.Version == 5 {
		props := &pk.Properties
		props.ReceiveMaximum, props.TopicAliasMaximum = o.ReceiveMaximum, o.TopicAliases
		props.MaximumPacketSize = uint32(c.Via.PacketBytes)
		if c.ResponseInfo { // [MQTT-3.1.2-28]
			props.ResponseInfo = "response/" + c.ClientID
		}
		props.AuthenticationMethod, props.AuthenticationData = c.Method, c.proof // [MQTT-4.12.0-5]
		if c.boundKeepAlive() {
			props.ServerKeepAlive, props.ServerKeepAliveFlag = c.KeepAlive, true // [MQTT-3.1.2-21]
		}
		if c.assigned {
			props.AssignedClientID = c.ClientID // [MQTT-3.2.2-16]
		}
		if expiry := c.engine.expiry(c); expiry != c.Expiry {
			props.SessionExpiryInterval, props.SessionExpiryIntervalFlag = expiry, true // [MQTT-3.2.2-21]
		}
	}
	connack := c.link.peer.appendRare(nil, &pk)
	if len(connack) == 0 {
		return errNoAnswer // it is larger than the client takes
	}
	c.engine.counts.packetsOut.of[packets.Connack].Add(1)
	c.engine.traceOut(c.ClientID, packets.Connack, 0, 0, fmt.Sprintf("user %q, session present %v", c.User, resumed))
	return c.write(connack, o.WriteTimeout)
}

// write writes to a connection whose link is not open.
func (c *Client) write(b []byte, limit time.Duration) error {
	if err := c.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := c.conn.Write(b); err != nil {
		return err
	}
	return c.conn.SetWriteDeadline(time.Time{}) // else it ends a later write that does not wait
}

// boundKeepAlive shortens a keep-alive that is longer than the server's, and
// reports whether it was.
func (c *Client) boundKeepAlive() bool {
	most := uint16(c.engine.options().KeepAlive / time.Second)
	if most == 0 || c.KeepAlive > 0 && c.KeepAlive <= most {
		return false
	}
	c.KeepAlive = most
	return true
}

// expiry returns for how many seconds the session of a client is kept.
func (e *Engine) expiry(c *Client) uint32 { return min(e.mostExpiry(), c.Expiry) }

// mostExpiry is the longest that any session is kept, in seconds.
func (e *Engine) mostExpiry() uint32 {
	return uint32(min(e.options().SessionExpiry/time.Second, math.MaxUint32-1))
}

// disconnected ends a connection, and its session if it ends with it.
func (e *Engine) disconnected(c *Client) {
	e.turns.take(c.ClientID, c)
	defer e.turns.give(c)
	e.mu.Lock()
	delete(e.clients, c)
	e.mu.Unlock()
	e.schedule.cancel(c.lapse)
	s := c.session
	e.letGo(s, c.link)
	if !s.has(c) {
		return // another connection has taken the session over
	}
	expiry := e.expiry(c)
	s.mu.Lock()
	s.client = nil
	s.ended = expiry == 0
	s.mu.Unlock()
	e.log.Debug("disconnected", "client", c.ClientID)
	e.part(c)
	e.willDue(s, expiry == 0)
	if expiry == 0 {
		e.finish(s)
	} else {
		e.expireAfter(s, time.Duration(expiry)*time.Second)
	}
	if s.persistent.Load() && (!s.unstored || expiry == 0) {
		e.keepDisconnected(s, expiry)
	}
}

// keepDisconnected has the store know that a session is without a connection.
func (e *Engine) keepDisconnected(s *session, expiry uint32) {
	records := []persistence.Record{persistence.DeleteSession(s.id)}
	if expiry > 0 {
		if err := e.tellDone(s.box); err != nil && !errors.Is(err, persistence.ErrClosed) {
			e.log.Error("keep acknowledgements", "client", s.id, "error", err)
		}
		records = s.marks(e.applied.Load(), true)
		records = append(records, s.keep(func(r *persistence.Session) {
			r.DisconnectedAt = time.Now()
			r.ExpirySeconds = expiry // DISCONNECT may have changed it
		}))
	}
	err := e.append(&persistence.Op{Records: records})
	if err != nil && !errors.Is(err, persistence.ErrClosed) {
		e.log.Error("keep session", "client", s.id, "error", err)
	}
}

// expireAfter has a session end when its client stays away.
func (e *Engine) expireAfter(s *session, after time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	absence := s.connections
	s.expiring = e.schedule.at(time.Now().Add(after), func() {
		e.tasks.Go(func() { e.expire(s, absence) })
	})
}

// expire ends a session whose client was away for too long, if it has not come
// back since.
func (e *Engine) expire(s *session, absence int) {
	e.turns.take(s.id, s)
	defer e.turns.give(s)
	s.mu.Lock()
	over := s.connections != absence || s.ended
	s.mu.Unlock()
	if over {
		return
	}
	e.finish(s)
	e.counts.expiredSessions.Add(1)
	if err := e.append(&persistence.Op{Records: []persistence.Record{persistence.DeleteSession(s.id)}}); err != nil {
		e.log.Error("forget session", "client", s.id, "error", err)
	}
}

// clip shortens a text for a packet or a log line.
func clip(text string) string {
	if len(text) <= maxReasonBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxReasonBytes], "") + "…"
}
