package socketio

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// beginWebSocket begins a session on a WebSocket, and serves it.
func (s *Server) beginWebSocket(w http.ResponseWriter, r *http.Request, host Host) {
	ws := host.Upgrade(w, r)
	if ws == nil {
		return
	}
	c := s.begin(nil, host, ws)
	if c == nil {
		_ = ws.Close(websocket.StatusTryAgainLater, "") // whether the client says so, too, does not matter
		return
	}
	c.send(c.open())
	c.serve(ws)
}

// serve handles what comes on a WebSocket until it ends.
func (c *Conn) serve(ws *websocket.Conn) {
	defer c.end()
	ws.SetReadLimit(c.payloadBytes())
	for {
		kind, text, err := ws.Read(context.Background())
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			_ = ws.Close(websocket.StatusMessageTooBig, "a packet is too long") // and reads the rest, so that the client gets to read that
			return
		case err != nil:
			return
		case kind == websocket.MessageBinary:
			if !c.attachment() {
				return
			}
		case !c.handle(text):
			return
		}
	}
}

// upgradeTimeout is how long a WebSocket may be tried.
const upgradeTimeout = 10 * time.Second

// upgrade has a session that is polled go on by a WebSocket, once the client has tried that.
func (c *Conn) upgrade(w http.ResponseWriter, r *http.Request, host Host) {
	c.mu.Lock()
	refused := c.ws != nil || c.tried || c.over || c.leaving
	if !refused {
		c.tried = true
	}
	c.mu.Unlock()
	if refused {
		faultRequest.answer(w)
		return
	}
	ws := host.Upgrade(w, r)
	if ws == nil || !c.try(ws) {
		c.mu.Lock()
		c.tried, c.proven = false, false
		c.mu.Unlock()
		if ws != nil {
			_ = ws.CloseNow() // the client goes on polling
		}
		return
	}
	c.client.Moved(r)
	c.serve(ws)
}

// try has the client show that a WebSocket works, and makes it the session's. Polls are answered
// at once from then on, for the client waits for the last one.
func (c *Conn) try(ws *websocket.Conn) bool {
	deadline := time.Now().Add(upgradeTimeout)
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	ws.SetReadLimit(maxProbeBytes)
	_, text, err := ws.Read(ctx)
	if err != nil || string(text) != string(typePing)+probe {
		return false
	}
	if writeTo(ws, deadline, append([]byte{typePong}, probe...)) != nil {
		return false
	}
	c.mu.Lock()
	c.proven = true
	c.tell()
	c.mu.Unlock()
	if _, text, err = ws.Read(ctx); err != nil || string(text) != string(typeUpgrade) {
		return false
	}
	return c.move(ws, deadline)
}

const maxProbeBytes = 64

// move makes a WebSocket the session's, and writes what waits for a poll.
func (c *Conn) move(ws *websocket.Conn, deadline time.Time) bool {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	if c.over || c.leaving {
		c.mu.Unlock()
		return false
	}
	waiting := c.waiting
	c.waiting, c.bytes, c.ws = nil, 0, ws
	c.server.polled.Add(-1)
	c.server.webSockets.Add(1)
	c.tell()
	c.mu.Unlock()
	for _, text := range waiting {
		if writeTo(ws, deadline, text) != nil {
			return true // its reader sees that, and ends the session
		}
	}
	return true
}
