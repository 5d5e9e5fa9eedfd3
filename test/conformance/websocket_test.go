package conformance

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Chapter 6: MQTT over WebSocket, with frames of our own.

// The types of WebSocket frames.
const (
	textFrame   byte = 1
	binaryFrame byte = 2
	closeFrame  byte = 8
)

// A webSocket is a connection after the handshake.
type webSocket struct {
	c    *check
	conn net.Conn
	in   *bufio.Reader
}

// upgrade opens a WebSocket, and returns the subprotocol that the server chose.
func (c *check) upgrade() (ws *webSocket, protocol string) {
	if c.websocket == "" {
		c.skip("no WebSocket address")
	}
	u, err := url.Parse(c.websocket)
	if err != nil {
		c.fatalf("%v", err)
	}
	conn, err := net.DialTimeout("tcp", u.Host, patience)
	if err != nil {
		c.fatalf("dial: %v", err)
	}
	c.conns = append(c.conns, conn)
	key := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef"))
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: other, mqtt\r\n\r\n", u.Path, u.Host, key)
	_ = conn.SetReadDeadline(time.Now().Add(patience)) // reading fails when this does
	in := bufio.NewReader(conn)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		c.fatalf("handshake: %v", err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		c.fatalf("handshake: %s", answer.Status)
	}
	return &webSocket{c, conn, in}, answer.Header.Get("Sec-WebSocket-Protocol")
}

// send writes one frame, masked with zeros.
func (ws *webSocket) send(kind byte, data []byte) {
	head := []byte{0x80 | kind, 0x80 | byte(len(data))}
	if len(data) > 125 {
		head = append([]byte{0x80 | kind, 0x80 | 126}, u16(uint16(len(data)))...)
	}
	_, _ = ws.conn.Write(cat(head, make([]byte, 4), data)) // reading tells if it fails
}

// read returns the next frame.
func (ws *webSocket) read() (kind byte, data []byte, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(ws.in, head); err != nil {
		return 0, nil, err
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		long := make([]byte, 2)
		if _, err := io.ReadFull(ws.in, long); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(long))
	}
	data = make([]byte, n)
	_, err = io.ReadFull(ws.in, data)
	return head[0] & 15, data, err
}

// packets reads frames until they hold n control packets.
func (ws *webSocket) packets(n int) []packet {
	var stream []byte
	for {
		in := bufio.NewReader(bytes.NewReader(stream))
		var got []packet
		for p, err := readPacket(in); err == nil; p, err = readPacket(in) {
			got = append(got, p)
		}
		if len(got) >= n {
			return got
		}
		kind, data, err := ws.read()
		if err != nil || kind != binaryFrame {
			ws.c.fatalf("frame type %d after %d packets: %v", kind, len(got), err)
		}
		stream = append(stream, data...)
	}
}

func testWebSocketFramesAreBinary(c *check) {
	ws, _ := c.upgrade()
	ws.send(binaryFrame, c.connectBytes(options{}))
	ws.packets(1) // fails for other frames
	for _, after := range [][]byte{nil, c.connectBytes(options{})} {
		ws, _ := c.upgrade()
		if after != nil {
			ws.send(binaryFrame, after)
			ws.packets(1)
		}
		ws.send(textFrame, frame(pingreq, 0))
		if kind, data, err := ws.read(); err == nil && kind != closeFrame {
			c.fatalf("frame type %d with % x in answer to a text frame", kind, data)
		} else if err != nil {
			(&wire{c: c}).closed(err)
		}
	}
}

func testWebSocketFramesAreAStream(c *check) {
	ws, _ := c.upgrade()
	stream := cat(c.connectBytes(options{}), frame(pingreq, 0), frame(pingreq, 0))
	for _, b := range stream[:5] { // a packet in several frames
		ws.send(binaryFrame, []byte{b})
	}
	ws.send(binaryFrame, stream[5:len(stream)-3]) // and several in one
	ws.send(binaryFrame, stream[len(stream)-3:])
	got := ws.packets(3)
	if got[0].kind != connack || got[1].kind != pingresp || got[2].kind != pingresp {
		c.fatalf("packet types %d, %d, %d", got[0].kind, got[1].kind, got[2].kind)
	}
}

func testWebSocketProtocol(c *check) {
	if _, protocol := c.upgrade(); protocol != "mqtt" {
		c.fatalf("subprotocol %q", protocol)
	}
}
