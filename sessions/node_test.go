package sessions_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// deadline is how long a test waits for something that must come.
const deadline = 10 * time.Second

// A node is an engine with its handler and its store, without listeners.
type node struct {
	t       *testing.T
	fs      vfs.FS
	store   *persistence.Store
	hook    *hooks.Hook
	engine  *sessions.Engine
	opts    options
	applied chan struct{}
	serving sync.WaitGroup
}

// options are what a test may change.
type options struct {
	sessions.Options
	hook  hooks.Options
	store persistence.Options
	fs    vfs.FS
}

// startNode starts a node whose store is in memory.
func startNode(t *testing.T, change func(*options)) *node {
	t.Helper()
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	o := options{
		fs: vfs.NewMem(), Options: sessions.Options{
			UserProperties: 32, TopicAliases: 16, ReceiveMaximum: 1024, ConnectBytes: 16 << 10, PacketBytes: 256 << 10,
			QueueBytes: 1 << 20, Connections: 1000, ConnectTimeout: deadline, WriteTimeout: deadline,
			SessionExpiry: time.Hour, Log: log,
		},
		hook: hooks.Options{
			AutoCreate: true, AllowRemote: true, Log: log,
			Collections: map[string]hooks.Collection{"strict/docs": {Strict: true}},
		},
	}
	if change != nil {
		change(&o)
	}
	n := &node{t: t, fs: o.fs, opts: o}
	n.start()
	t.Cleanup(func() { n.stop() })
	return n
}

func (n *node) start() {
	n.t.Helper()
	n.opts.store.FS = n.fs
	store, err := persistence.Open("data", n.opts.store)
	if err != nil {
		n.t.Fatal(err)
	}
	n.store = store
	n.hook, n.engine = hooks.New(store, n.opts.hook, n.opts.Options)
	n.applied = make(chan struct{})
	go func() {
		defer close(n.applied)
		for batch := range store.Tail() {
			n.hook.Apply(batch)
		}
	}()
	if err := n.engine.Restore(); err != nil {
		n.t.Fatal(err)
	}
}

// stop ends everything and waits for it.
func (n *node) stop() {
	n.t.Helper()
	n.engine.Drain(&sessions.Error{Code: packets.ErrServerShuttingDown.Code, Text: "stop"})
	n.serving.Wait()
	n.engine.Close()
	if err := n.store.Close(); err != nil {
		n.t.Error(err)
	}
	<-n.applied
}

// restart stops the node and starts it on the same store.
func (n *node) restart() {
	n.t.Helper()
	n.stop()
	n.start()
}

// A peer is the other end of a connection: a client that speaks in packets.
type peer struct {
	t       *testing.T
	conn    net.Conn
	version byte
	id      uint16
}

// dial opens a connection without CONNECT.
func (n *node) dial(version byte) *peer {
	n.t.Helper()
	ours, theirs := net.Pipe()
	n.serve(theirs)
	n.t.Cleanup(func() { _ = ours.Close() })
	return &peer{t: n.t, conn: ours, version: version}
}

// serve serves a connection until it ends.
func (n *node) serve(conn net.Conn) {
	engine := n.engine
	n.serving.Go(func() { engine.Serve(conn, sessions.Via{Name: "test"}) })
}

// connect opens a connection and expects CONNACK 0. change may alter the CONNECT.
func (n *node) connect(version byte, id string, change func(*packets.Packet)) *peer {
	n.t.Helper()
	p := n.dial(version)
	ack := p.connect(id, change)
	if ack.ReasonCode != 0 {
		n.t.Fatalf("CONNACK 0x%02X %s", ack.ReasonCode, ack.Properties.ReasonString)
	}
	return p
}

func (p *peer) connect(id string, change func(*packets.Packet)) packets.Packet {
	p.t.Helper()
	p.sendConnect(id, change)
	return p.expect(packets.Connack)
}

// sendConnect sends a CONNECT and does not wait for its answer.
func (p *peer) sendConnect(id string, change func(*packets.Packet)) {
	p.t.Helper()
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: id, Clean: true, Keepalive: 60},
	}
	if change != nil {
		change(&pk)
	}
	p.send(pk)
}

// keepSession is for connect: a session that outlives the connection.
func keepSession(pk *packets.Packet) {
	pk.Connect.Clean = false
	pk.Properties.SessionExpiryInterval, pk.Properties.SessionExpiryIntervalFlag = 3600, true
}

func (p *peer) send(pk packets.Packet) {
	p.t.Helper()
	pk.ProtocolVersion = p.version
	buf := new(bytes.Buffer)
	if err := encodeAny(&pk, buf); err != nil {
		p.t.Fatal(err)
	}
	p.raw(buf.Bytes())
}

// raw writes bytes, unless the server has closed the connection already.
func (p *peer) raw(b []byte) {
	p.t.Helper()
	if err := p.conn.SetWriteDeadline(time.Now().Add(deadline)); err != nil {
		return
	}
	_, err := p.conn.Write(b)
	if err != nil && !errors.Is(err, io.ErrClosedPipe) {
		p.t.Fatal(err)
	}
}

func encodeAny(pk *packets.Packet, buf *bytes.Buffer) error {
	switch pk.FixedHeader.Type {
	case packets.Connect:
		return pk.ConnectEncode(buf)
	case packets.Publish:
		return pk.PublishEncode(buf)
	case packets.Puback:
		return pk.PubackEncode(buf)
	case packets.Pubrec:
		return pk.PubrecEncode(buf)
	case packets.Pubrel:
		return pk.PubrelEncode(buf)
	case packets.Pubcomp:
		return pk.PubcompEncode(buf)
	case packets.Subscribe:
		return pk.SubscribeEncode(buf)
	case packets.Unsubscribe:
		return pk.UnsubscribeEncode(buf)
	case packets.Pingreq:
		return pk.PingreqEncode(buf)
	case packets.Disconnect:
		return pk.DisconnectEncode(buf)
	case packets.Auth:
		return pk.AuthEncode(buf)
	}
	return fmt.Errorf("no encoder for type %d", pk.FixedHeader.Type)
}

// read returns the next packet, or an error when the connection has ended.
func (p *peer) read() (packets.Packet, error) {
	p.t.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		return packets.Packet{}, err
	}
	var first [1]byte
	if _, err := io.ReadFull(p.conn, first[:]); err != nil {
		return packets.Packet{}, err
	}
	pk := packets.Packet{ProtocolVersion: p.version}
	if err := pk.FixedHeader.Decode(first[0]); err != nil {
		return pk, err
	}
	n, _, err := packets.DecodeLength(byteReader{p.conn})
	if err != nil {
		return pk, err
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(p.conn, body); err != nil {
		return pk, err
	}
	pk.FixedHeader.Remaining = n
	return pk, decodeAny(&pk, body)
}

func decodeAny(pk *packets.Packet, body []byte) error {
	switch pk.FixedHeader.Type {
	case packets.Connack:
		return pk.ConnackDecode(body)
	case packets.Publish:
		return pk.PublishDecode(body)
	case packets.Puback:
		return pk.PubackDecode(body)
	case packets.Pubrec:
		return pk.PubrecDecode(body)
	case packets.Pubrel:
		return pk.PubrelDecode(body)
	case packets.Pubcomp:
		return pk.PubcompDecode(body)
	case packets.Suback:
		return pk.SubackDecode(body)
	case packets.Unsuback:
		return pk.UnsubackDecode(body)
	case packets.Pingresp:
		return pk.PingrespDecode(body)
	case packets.Disconnect:
		return pk.DisconnectDecode(body)
	case packets.Auth:
		return pk.AuthDecode(body)
	}
	return fmt.Errorf("no decoder for type %d", pk.FixedHeader.Type)
}

type byteReader struct{ io.Reader }

func (r byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

// expect returns the next packet, which must be of this type.
func (p *peer) expect(kind byte) packets.Packet {
	p.t.Helper()
	pk, err := p.read()
	if err != nil {
		p.t.Fatalf("waiting for %s: %v", packets.PacketNames[kind], err)
	}
	if pk.FixedHeader.Type != kind {
		p.t.Fatalf("got %s 0x%02X %s %s, want %s", packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode, pk.TopicName, pk.Payload, packets.PacketNames[kind])
	}
	return pk
}

// expectEnd expects that the server closes the connection, after a DISCONNECT
// with code if that is not 0.
func (p *peer) expectEnd(code byte) {
	p.t.Helper()
	for {
		pk, err := p.read()
		if err != nil {
			if code != 0 {
				p.t.Fatalf("closed without DISCONNECT 0x%02X: %v", code, err)
			}
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
				p.t.Fatalf("the connection is not closed: %v", err)
			}
			return
		}
		if code == 0 || pk.FixedHeader.Type != packets.Disconnect || pk.ReasonCode != code {
			p.t.Fatalf("got %s 0x%02X, want the end of the connection", packets.PacketNames[pk.FixedHeader.Type], pk.ReasonCode)
		}
		code = 0
	}
}

func (p *peer) nextID() uint16 {
	p.id++
	return p.id
}

// publish sends a PUBLISH and returns its packet identifier.
func (p *peer) publish(topic, payload string, qos byte) uint16 {
	p.t.Helper()
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos},
		TopicName:   topic, Payload: []byte(payload),
	}
	if qos > 0 {
		pk.PacketID = p.nextID()
	}
	p.send(pk)
	return pk.PacketID
}

// retain sends a PUBLISH that is to be retained.
func (p *peer) retain(topic, payload string, qos byte) {
	p.t.Helper()
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Publish, Qos: qos, Retain: true},
		TopicName:   topic, Payload: []byte(payload),
	}
	if qos > 0 {
		pk.PacketID = p.nextID()
	}
	p.send(pk)
}

// put publishes at QoS 1 and waits until it is acknowledged.
func (p *peer) put(topic, payload string) {
	p.t.Helper()
	id := p.publish(topic, payload, 1)
	if ack := p.expect(packets.Puback); ack.PacketID != id || ack.ReasonCode != 0 {
		p.t.Fatalf("PUBACK %d 0x%02X %s, want %d", ack.PacketID, ack.ReasonCode, ack.Properties.ReasonString, id)
	}
}

// subscribe subscribes and returns the SUBACK.
func (p *peer) subscribe(qos byte, topicFilters ...string) packets.Packet {
	p.t.Helper()
	pk := packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: p.nextID()}
	for _, f := range topicFilters {
		pk.Filters = append(pk.Filters, packets.Subscription{Filter: f, Qos: qos})
	}
	p.send(pk)
	return p.expect(packets.Suback)
}

// message expects a PUBLISH on topic, acknowledges it, and returns it.
func (p *peer) message(topic string) packets.Packet {
	p.t.Helper()
	pk := p.expect(packets.Publish)
	if pk.TopicName != topic {
		p.t.Fatalf("a message on %s: %s, want one on %s", pk.TopicName, pk.Payload, topic)
	}
	if pk.FixedHeader.Qos == 1 {
		p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Puback}, PacketID: pk.PacketID})
	}
	return pk
}

// quiet expects that nothing comes before the answer to a PINGREQ-like round
// trip: a subscription to a topic of its own.
func (p *peer) quiet() {
	p.t.Helper()
	p.subscribe(0, fmt.Sprintf("quiet/%d", p.id))
}

// truck returns the document fleet/trucks/<id> of the node's store, or nil.
func (n *node) truck(id string) *persistence.Document {
	n.t.Helper()
	doc, err := n.store.Get(persistence.Key{Index: "fleet", Collection: "trucks", ID: id})
	if err != nil && !errors.Is(err, persistence.ErrNotFound) {
		n.t.Fatal(err)
	}
	return doc
}
