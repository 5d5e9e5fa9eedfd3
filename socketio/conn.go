package socketio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// ErrClosed says that a session is over.
var ErrClosed = errors.New("socketio: the session is over")

// ErrSlow says that a client has not fetched in time what waits for it.
var ErrSlow = errors.New("socketio: the client does not keep pace")

// A Conn is a session. It may be used by many goroutines at once.
type Conn struct {
	server *Server
	id     string // a secret of the client's: whoever knows it goes on with the session
	client Client
	limits Limits

	handling  sync.Mutex  // held while packets of the client are handled; guards skip
	skip      int         // how many binary attachments come next
	connected atomic.Bool // the client is in the namespace

	writing sync.Mutex // held while something is written; taken before mu
	mu      sync.Mutex // guards what follows
	ws      *websocket.Conn
	changed chan struct{} // is closed, and another one, when any of it changes
	waiting [][]byte      // packets for the next poll
	bytes   int           // of them
	polled  bool          // a poll waits
	posted  bool          // a payload is read
	tried   bool          // a WebSocket is tried
	proven  bool          // and works: polls do not wait any more
	asked   bool          // the client has yet to answer a ping
	leaving bool          // it is over when the client has fetched what waits
	over    bool
	begun   bool // the client is there, and the timers are; until then an end waits
	ending  bool // it is over when it has begun

	heart, entry *time.Timer
	unwatch      func() bool
}

// tell wakes those who wait for a change. The caller holds c.mu.
func (c *Conn) tell() {
	close(c.changed)
	c.changed = make(chan struct{})
}

func (c *Conn) hasWebSocket() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ws != nil
}

// beat asks the client whether it is there, or ends the session of one that has not answered.
func (c *Conn) beat() {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	if c.asked {
		c.mu.Unlock()
		c.Close()
		return
	}
	c.asked = true
	c.heart.Reset(c.server.opts.PingTimeout)
	c.mu.Unlock()
	if !c.client.Stays() {
		c.Disconnect()
		return
	}
	c.send([]byte{typePing})
}

// answered notes that the client is there.
func (c *Conn) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked && !c.over {
		c.asked = false
		c.heart.Reset(c.server.opts.PingInterval)
	}
}

// late ends the session of a client that has not come in. One that is in is ended by whoever
// let it in.
func (c *Conn) late() {
	if !c.connected.Load() {
		c.Close()
	}
}

// Write sends packets that are whole, each as [AppendEvent] makes it, and keeps none of them. It waits
// until the deadline; the error is [ErrSlow] then.
func (c *Conn) Write(deadline time.Time, texts iter.Seq[[]byte]) error {
	for text := range texts {
		if err := c.write(deadline, text, false); err != nil {
			return err
		}
	}
	return nil
}

// Emit sends an event.
func (c *Conn) Emit(name string, args ...any) {
	all := make([][]byte, len(args))
	for i, arg := range args {
		all[i] = encode(arg)
	}
	c.send(AppendEvent(nil, name, all...))
}

// send sends a packet that is small and not one of many. A client that does not take it is not there.
func (c *Conn) send(text []byte) {
	if c.write(time.Now().Add(c.server.opts.WriteTimeout), text, true) != nil {
		c.Close()
	}
}

// write sends a packet. One that is urgent does not wait for room between polls.
func (c *Conn) write(deadline time.Time, text []byte, urgent bool) error {
	for {
		c.writing.Lock()
		c.mu.Lock()
		if c.over || c.leaving {
			c.mu.Unlock()
			c.writing.Unlock()
			return ErrClosed
		}
		if ws := c.ws; ws != nil {
			c.mu.Unlock()
			err := writeTo(ws, deadline, text)
			c.writing.Unlock()
			return err
		}
		room := c.bytes == 0 || c.bytes+len(text) <= c.server.opts.BufferBytes || urgent && c.bytes+len(text) <= 2*c.server.opts.BufferBytes
		if room {
			c.keep(bytes.Clone(text))
		}
		changed := c.changed
		c.mu.Unlock()
		c.writing.Unlock()
		if room {
			return nil
		}
		select {
		case <-changed:
		case <-time.After(time.Until(deadline)):
			return ErrSlow
		}
	}
}

// keep has a packet wait for the next poll. The caller holds c.mu.
func (c *Conn) keep(text []byte) {
	c.waiting = append(c.waiting, text)
	c.bytes += len(text) + 1
	c.tell()
}

// take returns what waits, as one payload. The caller holds c.mu.
func (c *Conn) take() []byte {
	payload := bytes.Join(c.waiting, []byte{separator})
	c.waiting, c.bytes = nil, 0
	c.tell()
	return payload
}

func writeTo(ws *websocket.Conn, deadline time.Time, text []byte) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	return ws.Write(ctx, websocket.MessageText, text)
}

// handle handles a packet of Engine.IO, and reports whether the session goes on.
func (c *Conn) handle(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	switch text[0] {
	case typePong:
		c.answered()
	case typeMessage:
		c.handling.Lock()
		defer c.handling.Unlock()
		return c.receive(text[1:])
	case typeBinary:
		return c.attachment()
	case typeNoop:
	default: // it ends, or says what only the server says
		return false
	}
	return true
}

// attachment passes over binary data that was announced.
func (c *Conn) attachment() bool {
	c.handling.Lock()
	defer c.handling.Unlock()
	c.skip--
	return c.skip >= 0
}

// receive handles a packet of Socket.IO, and reports whether the session goes on.
func (c *Conn) receive(text []byte) bool {
	p, err := parsePacket(text)
	if err != nil || c.skip > 0 {
		return false
	}
	in := c.connected.Load()
	switch {
	case p.kind == kindConnect && p.namespace != root:
		p = packet{kind: kindConnectError, namespace: p.namespace, data: encode(Refusal{Message: "Invalid namespace"})}
		c.send(p.message())
		return len(p.namespace) <= maxNamespaceBytes
	case p.kind == kindConnect && !in:
		c.client.Connect(p.data)
		return true
	case !in || p.namespace != root:
		return false
	}
	switch p.kind {
	case kindEvent, kindBinaryEvent:
		return c.event(&p)
	case kindAck:
		return true // nothing was asked
	case kindBinaryAck:
		c.skip = p.attachments
		return true
	case kindConnect, kindConnectError, kindDisconnect:
	}
	return false
}

// maxNamespaceBytes is how long the name of a namespace may be of whoever may try another one.
const maxNamespaceBytes = 256

// Admit lets the client in. The id is what it is called from then on, which others may know.
func (c *Conn) Admit(id string) {
	c.mu.Lock()
	c.connected.Store(true)
	c.entry.Stop()
	ws := c.ws
	c.mu.Unlock()
	if ws != nil {
		ws.SetReadLimit(int64(c.limits.PayloadBytes))
	}
	p := packet{kind: kindConnect, namespace: root, data: encode(map[string]string{"sid": id})}
	c.send(p.message())
}

// Refuse tells the client why it does not come in. It may try again.
func (c *Conn) Refuse(why Refusal) {
	p := packet{kind: kindConnectError, namespace: root, data: encode(why)}
	c.send(p.message())
}

// payloadBytes is how long the next packet may be, or the next payload of several.
func (c *Conn) payloadBytes() int64 {
	if c.connected.Load() {
		return int64(c.limits.PayloadBytes)
	}
	return int64(min(c.limits.SignInBytes, c.limits.PayloadBytes))
}

// event has the client's event handled.
func (c *Conn) event(p *packet) bool {
	name, args, err := p.event()
	if err != nil {
		return false
	}
	e := Event{Name: name, Args: args, Binary: p.kind == kindBinaryEvent}
	c.skip = p.attachments
	if id := p.id; p.hasID {
		e.Ack = func(args ...any) {
			p := packet{kind: kindAck, namespace: root, id: id, hasID: true, data: encode(append([]any{}, args...))}
			c.send(p.message())
		}
	}
	c.client.Event(e)
	return true
}

// Disconnect ends the session, and tells the client that it is not to come back by itself.
func (c *Conn) Disconnect() {
	p := packet{kind: kindDisconnect, namespace: root}
	c.leave(p.message())
}

// Close ends the session. A client that was not told otherwise comes back. A [Host] may close a session that it is
// about to begin.
func (c *Conn) Close() { c.leave() }

// leave ends the session behind some last packets. Without a WebSocket, these wait for a poll.
func (c *Conn) leave(last ...[]byte) {
	c.mu.Lock()
	if c.over || c.leaving || !c.begun {
		c.ending = c.ending || !c.begun
		c.mu.Unlock()
		return
	}
	ws := c.ws
	if ws == nil && len(last) > 0 {
		c.leaving = true
		for _, text := range last {
			c.keep(text)
		}
		c.heart.Stop()
		c.entry.Stop()
		c.entry = time.AfterFunc(c.server.opts.WriteTimeout, c.end)
		c.mu.Unlock()
		c.client.Closed()
		return
	}
	c.mu.Unlock()
	for _, text := range last {
		_ = writeTo(ws, time.Now().Add(c.server.opts.WriteTimeout), text) // fails when the client has gone
	}
	c.end()
}

// end ends the session at once.
func (c *Conn) end() {
	c.mu.Lock()
	if c.over {
		c.mu.Unlock()
		return
	}
	c.over = true
	told := c.leaving
	c.heart.Stop()
	c.entry.Stop()
	ws := c.ws
	c.tell()
	c.mu.Unlock()
	c.unwatch()
	c.server.forget(c.id)
	c.server.counted(ws).Add(-1)
	if !told {
		c.client.Closed()
	}
	if ws != nil {
		_ = ws.Close(websocket.StatusNormalClosure, "") // whether the client says so, too, does not matter
	}
}

// encode returns the JSON text of v.
func encode(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // what the broker says is JSON
	}
	return text
}
