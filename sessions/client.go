package sessions

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A Client is one connection, from its CONNECT on.
type Client struct {
	Connect
	Remote net.Addr
	Via    Via
	// Protocol is that of a [Subscriber], and "" for MQTT.
	Protocol string
	// User is who the client is, as far as the handler knows, and "" if it did not
	// sign in.
	User string
	// Identity is the handler's own: all that it knows of who the client is.
	Identity any
	// Lapse is set with it, for one that does not hold for ever.
	Lapse Lapse
	// Rights are what it may do, once it is admitted. Nil is everything.
	Rights Rights

	engine  *Engine
	conn    net.Conn
	link    *link
	session *session
	// cause is why the connection ends, if it was not the client's doing.
	cause atomic.Pointer[Error]
	// lapse is when the connection ends, or nil, and asked the topic on which the
	// client was answered last.
	lapse *date
	asked atomic.Pointer[string]
	// said is the DISCONNECT of the client, once it has come.
	said atomic.Pointer[Parting]
	// arrived says that the handler knows of it. Whoever has the turn of the client
	// identifier reads and writes it.
	arrived bool
	// receiving counts the QoS 1 and 2 publishes that are not acknowledged.
	receiving atomic.Int32
	// renewed is who a [Subscriber] is by now, if it was renewed.
	renewed atomic.Pointer[any]
	portion portion
	speed   speed
	effort  effort
	since   time.Time
	counted bool // among the connections of its user
	// handling is held while packets are handled. Once cause is set, no more are.
	handling sync.Mutex

	// What follows is the reader's own.
	received tally
	exchange Exchange // that the client is in, or nil
	proof    []byte   // what CONNACK says of the one before it
	flushes  flushes
	leaves   []*leaf
	matches  []match
	matched  bool // leaves are those of message
	message  Message
	topic    string // of the last message
	name     topics.Name
	nameErr  error
	meaning  uint32 // of the engine, when name was asked for
	aliases  map[uint16]string
	deadline time.Time
}

// A Via is where a connection came in, with the limits that hold there.
type Via struct {
	// Name is that of the listener.
	Name string
	// Peer is the handler's own: what the listener knows of who connects.
	Peer any
	// Full says that it has as many connections as it may have.
	Full bool
	// Crowded says that its address has as many connections as it may have.
	Crowded bool
	// Asked is called once CONNECT has come, or will not. May be nil.
	Asked func()
	// PacketBytes and ConnectTimeout are 0 for those of [Options].
	PacketBytes    int
	ConnectTimeout time.Duration
}

// end ends the connection with a reason, and does not wait for it.
func (c *Client) end(why *Error) {
	b := c.link.box
	b.mu.Lock()
	defer b.mu.Unlock()
	c.link.end(why)
}

// ended is told by the link why it ends.
func (c *Client) ended(why *Error) {
	if !c.cause.CompareAndSwap(nil, why) {
		return
	}
	close(c.speed.stop)
	c.engine.Decided(c.ClientID, "", why.Code, "disconnected: "+clip(why.Text))
	if !why.isMove() {
		c.engine.log.Warn("disconnected", "client", clip(c.ClientID), "remote", address(c.Remote), "reason", why.Text, "code", why.Code)
	}
}

// maxReasonBytes is the longest reason that a client is told: it may quote what
// the client sent.
const maxReasonBytes = 256

// address returns a network address as the log has it.
func address(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}
