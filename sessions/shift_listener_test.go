package sessions_test

import (
	"bytes"
	"net"
	"strings"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A knowledge is what a client takes for in scope by one subscription: what it was told
// and nothing else.
type knowledge struct {
	name string // of the room
	in   map[string]bool
}

// hear takes one message.
func (k *knowledge) hear(pk *packets.Packet) {
	id, out := property(*pk, "id"), property(*pk, "transition") == "exit"
	switch level := pk.TopicName[strings.LastIndexByte(pk.TopicName, '/')+1:]; {
	case level == "$synced":
		return
	case property(*pk, "gap") != "":
		k.in = map[string]bool{}
		return
	case strings.HasPrefix(pk.TopicName, "$scope/"):
		id, out = level, len(pk.Payload) == 0
	}
	if k.in[id] = true; out {
		delete(k.in, id)
	}
}

// A listener is a client that listens by names, whatever becomes of its connection.
type listener struct {
	id   string
	subs map[string]*knowledge // by topic filter
	conn net.Conn              // nil while it is away
	lazy bool                  // it does not acknowledge
	owes []packets.Packet
	out  chan packets.Packet // of the connection
	ack  *packets.Packet     // the last SUBACK or UNSUBACK
}

// send writes packets, in order, until there are no more.
func send(conn net.Conn, out <-chan packets.Packet) {
	for pk := range out {
		pk.ProtocolVersion = 5
		var buf bytes.Buffer
		if encodeAny(&pk, &buf) == nil {
			_, _ = conn.Write(buf.Bytes()) // the connection may have ended
		}
	}
}

// settle acknowledges what is owed, in order [MQTT-4.6.0-2].
func (l *listener) settle() {
	if l.conn != nil {
		for _, pk := range l.owes {
			l.out <- pk
		}
	}
	l.owes = nil
}

// leave gives the connection up, and returns it, or nil.
func (l *listener) leave() net.Conn {
	conn := l.conn
	if conn != nil {
		close(l.out)
	}
	l.conn, l.owes = nil, nil
	return conn
}
