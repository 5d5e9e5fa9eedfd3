package hooks

import (
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

// maxKeepAlive is the longest whose grace time of one and a half still fits
// into the 16 bits that mochi computes it in.
const maxKeepAlive = math.MaxUint16 / 3 * 2

// takeOverTimeout is how long a connection that is taken over may go on writing.
const takeOverTimeout = 500 * time.Millisecond

// maxClientIDBytes is the longest client identifier.
const maxClientIDBytes = 256

// OnConnect refuses a CONNECT before a session is made for it: by its client
// identifier, by its will, or because the broker drains.
func (h *Hook) OnConnect(cl *mqtt.Client, pk packets.Packet) error {
	if h.isDraining() {
		code := packets.ErrServerShuttingDown
		if cl.Properties.ProtocolVersion < 5 {
			code = packets.Err3ServerUnavailable
		}
		_ = h.server.SendConnack(cl, code, false, nil) // the connection ends either way
		return packets.ErrServerShuttingDown
	}
	if cl.State.Keepalive > maxKeepAlive {
		cl.State.Keepalive, cl.State.ServerKeepalive = maxKeepAlive, true // [MQTT-3.2.2-21]
	}
	if err := h.checkConnect(&pk); err != nil {
		r := refuse(err)
		h.log.Warn("connection refused", "client", clip(cl.ID), "remote", cl.Net.Remote, "reason", r.text)
		code := packets.Code{Code: r.code, Reason: r.text}
		if cl.Properties.ProtocolVersion < 5 {
			code = packets.Err3NotAuthorized
		}
		if err := h.server.SendConnack(cl, code, false, nil); err != nil {
			return fmt.Errorf("hooks: refuse connection: %w", err)
		}
		return code
	}
	return nil
}

func (h *Hook) checkConnect(pk *packets.Packet) error {
	if strings.ContainsAny(pk.Connect.ClientIdentifier, "+#/\x00") {
		return &refusal{packets.ErrClientIdentifierNotValid.Code, "a client identifier must not contain + # / or NUL"}
	}
	if n := len(pk.Connect.ClientIdentifier); n > maxClientIDBytes {
		return &refusal{packets.ErrClientIdentifierNotValid.Code,
			fmt.Sprintf("the client identifier has %d bytes, the limit is %d", n, maxClientIDBytes)}
	}
	if n := max(len(pk.Properties.User), len(pk.Connect.WillProperties.User)); n > h.opts.UserProperties {
		return tooManyProperties(n, h.opts.UserProperties)
	}
	if pk.Connect.WillFlag {
		if _, err := topics.ParseName(pk.Connect.WillTopic, h.opts.Topics); err != nil {
			return badTopic(fmt.Errorf("will: %w", err))
		}
	}
	return nil
}

func tooManyProperties(n, limit int) *refusal {
	return &refusal{packets.ErrQuotaExceeded.Code, fmt.Sprintf("%d user properties, the limit is %d", n, limit)}
}

// OnConnectAuthenticate lets in whoever may connect without signing in.
func (h *Hook) OnConnectAuthenticate(cl *mqtt.Client, _ packets.Packet) bool {
	if h.opts.AllowRemote {
		return true
	}
	host, _, err := net.SplitHostPort(cl.Net.Remote)
	ip := net.ParseIP(host)
	if err == nil && ip != nil && ip.IsLoopback() {
		return true
	}
	h.log.Warn("connection refused", "client", cl.ID, "remote", cl.Net.Remote,
		"reason", "anonymous clients may connect from this machine only (see the setting anonymous)")
	return false
}

// OnSessionEstablish makes or resumes the session before mochi does, and has it
// on disk before CONNACK says that it is there. The connection has the turn of
// its client identifier from here until it is established, or is closed.
func (h *Hook) OnSessionEstablish(cl *mqtt.Client, pk packets.Packet) {
	h.turns.take(cl.ID, cl.Net.Conn)
	h.mu.Lock()
	h.conns[cl.Net.Conn] = cl
	h.mu.Unlock()
	expiry := h.expiry(cl)
	s, resumed, stored := h.begin(cl, pk.Connect.Clean, expiry > 0)
	h.takeOver(s, cl, &pk)
	record := s.keep(func(r *persistence.Session) {
		*r = persistence.Session{
			ClientID: cl.ID, ProtocolVersion: cl.Properties.ProtocolVersion,
			Clean: cl.Properties.Clean, ExpirySeconds: expiry,
		}
	})
	var records []persistence.Record
	if stored && (!resumed || expiry == 0) {
		records = append(records, persistence.DeleteSession(cl.ID))
	}
	if expiry > 0 {
		records = append(records, record)
	}
	if expiry > 0 && resumed && !stored {
		records = append(records, s.subscriptionRecords()...)
	}
	if len(records) == 0 {
		return
	}
	if err := h.submit(&persistence.Op{Records: records}); err != nil {
		h.log.Error("keep session", "client", cl.ID, "error", err)
		r := refuse(err)
		_ = h.server.SendConnack(cl, packets.Code{Code: r.code, Reason: r.text}, false, nil) // the connection ends either way
		cl.Stop(err)
	}
}

// takeOver gives a session to a connection. If it has another one, that ends,
// and its will is due now or never.
func (h *Hook) takeOver(s *session, cl *mqtt.Client, pk *packets.Packet) {
	s.mu.Lock()
	old := s.client
	s.stopWill(h)
	left := s.will
	if s.willDelay > 0 {
		left = nil // [MQTT-3.1.3-9]: the session goes on before the delay has passed
	}
	s.client = cl
	s.will, s.willDelay = willOf(cl, pk)
	s.mu.Unlock()
	cl.Properties.Will = mqtt.Will{} // ours alone: mochi's skips every check
	h.publishMessage(s.id, left)
	if old != nil {
		s.leaveUnfinished(s.retire(old))
	}
}

// expiry returns for how many seconds the session of a client is kept.
func (h *Hook) expiry(cl *mqtt.Client) uint32 {
	most := h.mostExpiry()
	if cl.Properties.ProtocolVersion == 5 {
		return min(most, cl.Properties.Props.SessionExpiryInterval)
	}
	if cl.Properties.Clean {
		return 0
	}
	return most
}

// mostExpiry is the longest that any session is kept, in seconds.
func (h *Hook) mostExpiry() uint32 {
	return uint32(min(h.opts.SessionExpiry/time.Second, math.MaxUint32-1))
}

// OnSessionEstablished starts to send to a client that has its CONNACK.
func (h *Hook) OnSessionEstablished(cl *mqtt.Client, _ packets.Packet) {
	defer h.turns.give(cl.Net.Conn)
	s := h.session(cl.ID)
	if s == nil {
		return // it is over already
	}
	h.log.Debug("connected", "client", cl.ID, "remote", cl.Net.Remote, "protocol", cl.Properties.ProtocolVersion)
	lost := s.box.takeLost()
	if lost > 0 {
		h.log.Warn("messages of an absent client were dropped", "client", cl.ID, "messages", lost)
	}
	s.mu.Lock()
	persistent := s.persistent
	s.mu.Unlock()
	s.box.open(cl, persistent)
	if again := s.takeUnfinished(lost > 0); len(again) > 0 {
		if err := h.tellFirst(s, again, &persistence.Op{}); err != nil {
			h.log.Error("resume snapshot", "client", cl.ID, "error", err)
			cl.Stop(err)
		}
		s.box.startSources()
	}
}

// OnDisconnect ends a connection, and its session if it ends with it.
func (h *Hook) OnDisconnect(cl *mqtt.Client, err error, expire bool) {
	h.turns.take(cl.ID, cl.Net.Conn) // until Closed
	s := h.session(cl.ID)
	if s == nil || !s.has(cl) {
		return // another connection has taken the session over
	}
	s.mu.Lock()
	s.client = nil
	s.ended = expire
	persistent := s.persistent
	s.mu.Unlock()
	s.leaveUnfinished(s.box.close(cl))
	h.log.Debug("disconnected", "client", cl.ID, "reason", err)
	h.willDue(s, expire)
	if expire {
		h.end(s)
	}
	if persistent {
		h.keepDisconnected(s, cl, expire)
	}
}

// keepDisconnected has the store know that a session is without a connection.
func (h *Hook) keepDisconnected(s *session, cl *mqtt.Client, expire bool) {
	record := persistence.DeleteSession(cl.ID)
	if !expire {
		record = s.keep(func(r *persistence.Session) {
			r.DisconnectedAt = time.Now()
			r.ExpirySeconds = h.expiry(cl) // DISCONNECT may have changed it
		})
	}
	err := h.append(&persistence.Op{Records: []persistence.Record{record}})
	if err != nil && !errors.Is(err, persistence.ErrClosed) {
		h.log.Error("keep session", "client", cl.ID, "error", err)
	}
}

// Closed is called at the very end of every connection. It does what the server
// did not: for a connection whose goroutine panicked, or that broke off before
// its CONNACK.
func (h *Hook) Closed(conn net.Conn) {
	h.mu.Lock()
	cl := h.conns[conn]
	delete(h.conns, conn)
	h.mu.Unlock()
	defer h.turns.give(conn)
	if cl == nil {
		return
	}
	if s := h.session(cl.ID); s == nil || !s.has(cl) {
		return
	}
	expire := h.expiry(cl) == 0
	h.OnDisconnect(cl, packets.ErrMalformedPacket, expire)
	if expire && !cl.IsTakenOver() {
		h.server.UnsubscribeClient(cl)
		h.server.Clients.Delete(cl.ID)
	}
}

// OnClientExpired ends a session whose client was away for too long. mochi
// forgets the client but not its subscriptions.
func (h *Hook) OnClientExpired(cl *mqtt.Client) {
	h.turns.take(cl.ID, cl)
	defer h.turns.give(cl)
	s := h.session(cl.ID)
	if s == nil || s.connected() {
		return
	}
	h.end(s)
	h.server.UnsubscribeClient(cl)
	if err := h.append(&persistence.Op{Records: []persistence.Record{persistence.DeleteSession(cl.ID)}}); err != nil {
		h.log.Error("forget session", "client", cl.ID, "error", err)
	}
}

// OnPacketEncode completes what CONNACK says of the server.
func (h *Hook) OnPacketEncode(_ *mqtt.Client, pk packets.Packet) packets.Packet {
	if pk.FixedHeader.Type == packets.Connack && pk.ReasonCode == packets.CodeSuccess.Code {
		pk.Properties.TopicAliasMaximum = h.opts.TopicAliases
		pk.Properties.MaximumPacketSize = h.opts.PacketBytes
	}
	return pk
}

// OnPacketRead takes the client's acknowledgements, which are for the outbox,
// and refuses what must not get any further.
func (h *Hook) OnPacketRead(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	s := h.session(cl.ID)
	if s == nil {
		return pk, nil // CONNECT
	}
	s.box.pace(cl)
	if n := len(pk.Properties.User); n > h.opts.UserProperties {
		h.log.Warn("disconnected", "client", cl.ID, "reason", tooManyProperties(n, h.opts.UserProperties).text)
		h.Disconnect(cl, packets.ErrQuotaExceeded)
		return pk, packets.ErrRejectPacket
	}
	switch pk.FixedHeader.Type {
	case packets.Puback, packets.Pubrec, packets.Pubcomp:
		s.box.acknowledged(cl, &pk)
		return nothing(pk), nil
	case packets.Disconnect:
		if pk.ReasonCode == packets.CodeDisconnect.Code {
			s.forgetWill(cl) // [MQTT-3.14.4-3]
		}
		pk.Properties.SessionExpiryInterval = min(pk.Properties.SessionExpiryInterval, h.mostExpiry())
	case packets.Pubrel:
		s.release(cl, pk.PacketID)
		return nothing(pk), nil
	case packets.Publish:
		if s.resent(cl, &pk) {
			return nothing(pk), nil
		}
		return h.readPublish(cl, pk)
	default:
	}
	return pk, nil
}

// nothing turns a packet that needs no more of mochi into one that it ignores:
// a PUBACK of an identifier that it does not know.
func nothing(pk packets.Packet) packets.Packet {
	pk.FixedHeader.Type, pk.PacketID = packets.Puback, 0
	return pk
}

// readPublish refuses a PUBLISH that mochi would drop without an answer.
func (h *Hook) readPublish(cl *mqtt.Client, pk packets.Packet) (packets.Packet, error) {
	if strings.ContainsAny(pk.TopicName, "+#") { // [MQTT-3.3.2-2]
		h.Disconnect(cl, packets.ErrTopicNameInvalid)
		return pk, packets.ErrRejectPacket
	}
	if len(pk.TopicName) >= 4 && strings.EqualFold(pk.TopicName[:4], "$SYS") {
		pk.TopicName = "$/" + pk.TopicName // refused in OnPublish like every other that begins with $
	}
	return pk, nil
}
