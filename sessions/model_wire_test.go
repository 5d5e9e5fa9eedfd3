package sessions_test

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"
)

// A wire is one connection of a client of the model. Everything is under the
// model's mutex. What it writes waits in a buffer without a bound: a client that
// does not read may find that the server does not read either.
type wire struct {
	m       *model
	client  *modelClient
	session *session // from CONNACK on
	conn    net.Conn
	version byte
	window  int // its Receive Maximum
	at      int // when CONNACK came
	open    map[uint16]bool

	stalled bool // it does not read
	lazy    bool // it does not acknowledge
	acks    []packets.Packet
	out     []byte
	dead    bool // what comes is lost
	hangUp  bool // it is closed when out is written
	connack *packets.Packet
	answer  *packets.Packet // to what the client waits for
	running sync.WaitGroup
}

// send has a packet written.
func (w *wire) send(pk packets.Packet) {
	pk.ProtocolVersion = w.version
	var buf bytes.Buffer
	if err := encodeAny(&pk, &buf); err != nil {
		w.m.fail("encode: %v", err)
	}
	w.out = append(w.out, buf.Bytes()...)
	w.m.changed.Broadcast()
}

// start reads and writes until the connection ends.
func (w *wire) start() {
	w.running.Go(w.write)
	w.running.Go(w.read)
}

func (w *wire) write() {
	w.m.mu.Lock()
	defer w.m.mu.Unlock()
	for {
		for len(w.out) == 0 && !w.dead && !w.hangUp {
			w.m.changed.Wait()
		}
		if w.dead || len(w.out) == 0 {
			break
		}
		out := w.out
		w.out = nil
		w.m.mu.Unlock()
		_, err := w.conn.Write(out)
		w.m.mu.Lock()
		if err != nil {
			break // its reader says so
		}
	}
	if w.hangUp {
		w.dead = true
		_ = w.conn.Close() // it is what is tested
		w.m.changed.Broadcast()
	}
}

func (w *wire) read() {
	r := bufio.NewReader(w.conn)
	for {
		w.m.mu.Lock()
		for w.stalled && !w.dead {
			w.m.changed.Wait()
		}
		w.m.mu.Unlock()
		pk, err := readPacket(r, w.version)
		w.m.mu.Lock()
		switch {
		case w.dead, w.hangUp && err != nil:
		case err != nil:
			w.m.fail("%s: the connection has ended: %v", w.client.id, err)
		default:
			w.arrived(&pk)
		}
		done := err != nil || w.dead
		w.m.changed.Broadcast()
		w.m.mu.Unlock()
		if done {
			return
		}
	}
}

func readPacket(r *bufio.Reader, version byte) (packets.Packet, error) {
	pk := packets.Packet{ProtocolVersion: version}
	first, err := r.ReadByte()
	if err != nil {
		return pk, err
	}
	if err := pk.FixedHeader.Decode(first); err != nil {
		return pk, err
	}
	n, _, err := packets.DecodeLength(r)
	if err != nil {
		return pk, err
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return pk, err
	}
	pk.FixedHeader.Remaining = n
	return pk, decodeAny(&pk, body)
}

// arrived takes a packet of the server.
func (w *wire) arrived(pk *packets.Packet) {
	if pk.ReasonCode >= 0x80 && pk.ReasonCode != 0x92 { // the packet before was answered, and the answer lost
		w.m.fail("%s: %s 0x%02X %s", w.client.id, packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode, pk.Properties.ReasonString)
		return
	}
	switch pk.FixedHeader.Type {
	case packets.Connack:
		w.connack, w.at = pk, w.m.now()
	case packets.Suback, packets.Unsuback, packets.Pingresp:
		w.answer = pk
	case packets.Publish:
		w.publish(pk)
	case packets.Pubrel:
		delete(w.session.flights, pk.PacketID)
		delete(w.open, pk.PacketID)
		w.acknowledge(packets.Pubcomp, pk.PacketID)
	case packets.Puback, packets.Pubrec, packets.Pubcomp:
		w.acknowledged(pk)
	}
}

func (w *wire) publish(pk *packets.Packet) {
	key, _, _ := strings.Cut(string(pk.Payload), "|")
	h := pk.FixedHeader
	w.m.arrived(w.session, w, key, pk.TopicName, pk.PacketID, h.Qos, h.Dup)
	switch h.Qos {
	case 1:
		w.acknowledge(packets.Puback, pk.PacketID)
	case 2:
		w.acknowledge(packets.Pubrec, pk.PacketID)
	}
}

// acknowledge sends an acknowledgement, now or when the client gets to it.
func (w *wire) acknowledge(kind byte, id uint16) {
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: kind}, PacketID: id}
	w.acks = append(w.acks, pk)
	if !w.lazy {
		w.flushAcks()
	}
}

func (w *wire) flushAcks() {
	for _, pk := range w.acks {
		if pk.FixedHeader.Type == packets.Puback {
			delete(w.session.flights, pk.PacketID)
			delete(w.open, pk.PacketID)
		}
		w.send(pk)
	}
	w.acks = nil
}

// shuffleAcks puts the acknowledgements of QoS 1 into any order, which a client
// should not do and a server survives.
func (w *wire) shuffleAcks(r *rand.Rand) {
	r.Shuffle(len(w.acks), func(i, j int) {
		if w.acks[i].FixedHeader.Type == packets.Puback && w.acks[j].FixedHeader.Type == packets.Puback {
			w.acks[i], w.acks[j] = w.acks[j], w.acks[i]
		}
	})
}

// acknowledged takes an answer to what the client has published.
func (w *wire) acknowledged(pk *packets.Packet) {
	for i, p := range w.session.published {
		if p.id != pk.PacketID {
			continue
		}
		kind := pk.FixedHeader.Type
		if (kind == packets.Puback) != (p.m.qos == 1) || (kind == packets.Pubcomp) != p.released && kind != packets.Pubrec {
			w.m.fail("%s: %s for a message of QoS %d", w.client.id, packets.PacketNames[kind], p.m.qos)
			return
		}
		p.m.acked = true
		if kind == packets.Pubrec {
			p.released = true
			w.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pubrel, Qos: 1}, PacketID: p.id})
			return
		}
		w.session.published = append(w.session.published[:i:i], w.session.published[i+1:]...)
		return
	}
	w.m.fail("%s: %s for %d, which is not in flight", w.client.id, packets.PacketNames[pk.FixedHeader.Type], pk.PacketID)
}
