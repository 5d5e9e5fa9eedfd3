package main

import (
	"encoding/binary"
	"errors"
	"io"
	"time"
)

// packetBytes is the largest packet, sent or received.
const packetBytes = 256

var (
	errTooLarge = errors.New("the packet would have more than 256 bytes")
	errProtocol = errors.New("the broker sent what MQTT 3.1.1 does not allow")
	errRefused  = errors.New("the broker refuses it")
)

// A client speaks MQTT 3.1.1 over a connection, with one packet in each direction at
// a time and no memory but its own: no goroutines, maps or reflection.
type client struct {
	conn      io.ReadWriter // whose Read returns an error if nothing comes in time
	onMessage func(topic, payload []byte)
	id        uint16
	sent      time.Time
	out       [packetBytes]byte
	in        [packetBytes]byte
	used      int // of out
	over      bool
}

// headerBytes are those of a packet of up to 16,383 bytes.
const headerBytes = 3

func (c *client) begin() { c.used, c.over = headerBytes, false }

func (c *client) put(b ...byte) {
	if c.used+len(b) > len(c.out) {
		c.over = true
		return
	}
	c.used += copy(c.out[c.used:], b)
}

func (c *client) putUint16(n uint16) { c.put(byte(n>>8), byte(n)) }

func (c *client) putText(s string) {
	c.putUint16(uint16(len(s)))
	if c.used+len(s) > len(c.out) {
		c.over = true
		return
	}
	c.used += copy(c.out[c.used:], s)
}

// send writes the packet that was put together.
func (c *client) send(first byte) error {
	if c.over {
		return errTooLarge
	}
	start, n := 0, c.used-headerBytes
	if n < 128 {
		start = 1
		c.out[2] = byte(n)
	} else {
		c.out[1], c.out[2] = byte(n)|128, byte(n>>7)
	}
	c.out[start] = first
	c.sent = time.Now()
	_, err := c.conn.Write(c.out[start:c.used])
	return err
}

// read reads a packet. One that is too large is cut.
func (c *client) read() (first byte, body []byte, cut bool, err error) {
	var head [1]byte
	if _, err := io.ReadFull(c.conn, head[:]); err != nil {
		return 0, nil, false, err
	}
	first = head[0]
	size := 0
	for shift := 0; ; shift += 7 {
		if _, err := io.ReadFull(c.conn, head[:]); err != nil {
			return 0, nil, false, err
		}
		size |= int(head[0]&127) << shift
		if head[0] < 128 {
			break
		}
		if shift == 21 {
			return 0, nil, false, errProtocol
		}
	}
	body = c.in[:min(size, len(c.in))]
	if _, err := io.ReadFull(c.conn, body); err != nil {
		return 0, nil, false, err
	}
	var scrap [32]byte
	for rest := size - len(body); rest > 0; rest -= len(scrap) {
		if _, err := io.ReadFull(c.conn, scrap[:min(rest, len(scrap))]); err != nil {
			return 0, nil, false, err
		}
	}
	return first, body, size > len(body), nil
}

// await reads until a packet of this type comes; a message that comes before it is
// handled.
func (c *client) await(first byte) ([]byte, error) {
	for {
		got, body, cut, err := c.read()
		if err != nil {
			return nil, err
		}
		if got == first {
			return body, nil
		}
		if got&0xf0 == 0x30 {
			if err := c.take(got, body, cut); err != nil {
				return nil, err
			}
		}
	}
}

// take handles a message, and acknowledges it. One that was cut is left out, and
// acknowledged, too: the broker would send it for ever.
func (c *client) take(first byte, body []byte, cut bool) error {
	if len(body) < 2 {
		return errProtocol
	}
	end := 2 + int(binary.BigEndian.Uint16(body))
	payload := end
	if first&6 != 0 {
		payload += 2
	}
	if payload > len(body) {
		if cut {
			return nil
		}
		return errProtocol
	}
	if !cut {
		c.onMessage(body[2:end], body[payload:])
	}
	if payload == end {
		return nil
	}
	c.begin()
	c.put(body[end], body[end+1])
	return c.send(0x40)
}

// awaitID reads until the acknowledgement of the last request comes. Older ones
// answer requests that were given up.
func (c *client) awaitID(first byte) ([]byte, error) {
	for {
		body, err := c.await(first)
		if err != nil {
			return nil, err
		}
		if len(body) < 2 {
			return nil, errProtocol
		}
		if binary.BigEndian.Uint16(body) == c.id {
			return body, nil
		}
	}
}

// next begins a request with a packet identifier [MQTT-2.3.1-1].
func (c *client) next() {
	if c.id++; c.id == 0 {
		c.id = 1
	}
}

func (c *client) connect(id string, keepAlive time.Duration) error {
	c.begin()
	c.putText("MQTT")
	c.put(4, 2) // MQTT 3.1.1, a clean session
	c.putUint16(uint16(keepAlive / time.Second))
	c.putText(id)
	if err := c.send(0x10); err != nil {
		return err
	}
	body, err := c.await(0x20)
	switch {
	case err != nil:
		return err
	case len(body) != 2:
		return errProtocol
	case body[1] != 0:
		return errRefused
	}
	return nil
}

// subscribe subscribes with QoS 1.
func (c *client) subscribe(topicFilter string) error {
	c.next()
	c.begin()
	c.putUint16(c.id)
	c.putText(topicFilter)
	c.put(1)
	if err := c.send(0x82); err != nil {
		return err
	}
	body, err := c.awaitID(0x90)
	switch {
	case err != nil:
		return err
	case len(body) != 3:
		return errProtocol
	case body[2] == 0x80:
		return errRefused
	}
	return nil
}

// publish publishes with QoS 1, and returns when the broker has it on disk.
func (c *client) publish(topic string, payload []byte) error {
	c.next()
	c.begin()
	c.putText(topic)
	c.putUint16(c.id)
	c.put(payload...)
	if err := c.send(0x32); err != nil {
		return err
	}
	_, err := c.awaitID(0x40)
	return err
}

// ping asks whether the broker is there, and handles what comes before its answer.
func (c *client) ping() error {
	c.begin()
	if err := c.send(0xc0); err != nil {
		return err
	}
	_, err := c.await(0xd0)
	return err
}
