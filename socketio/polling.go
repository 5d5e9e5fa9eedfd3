package socketio

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"time"
)

// beginPolling begins a session over HTTP.
func (s *Server) beginPolling(w http.ResponseWriter, host Host) {
	c := s.begin(w, host, nil)
	if c == nil {
		return
	}
	c.answer(w, c.open(webSocket))
}

// answer answers a poll.
func (c *Conn) answer(w http.ResponseWriter, payload []byte) {
	c.say(w, "text/plain; charset=UTF-8", http.StatusOK, payload)
}

func (c *Conn) say(w http.ResponseWriter, kind string, status int, text []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	limit := time.Now().Add(c.server.opts.WriteTimeout)
	err := http.NewResponseController(w).SetWriteDeadline(limit)
	if err == nil || errors.Is(err, http.ErrNotSupported) {
		w.WriteHeader(status)
		_, err = w.Write(text)
	}
	if err != nil {
		c.Close() // what it has not got is lost
	}
}

// poll answers with what waits for the client, when there is something.
func (c *Conn) poll(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	if c.polled {
		c.mu.Unlock()
		c.Close()
		c.say(w, "text/plain; charset=UTF-8", http.StatusBadRequest, []byte("another request polls this session"))
		return
	}
	c.polled = true
	for len(c.waiting) == 0 && !c.over && !c.leaving && !c.proven {
		changed := c.changed
		c.mu.Unlock()
		select {
		case <-changed:
		case <-r.Context().Done():
			c.Close()
		}
		c.mu.Lock()
	}
	payload := c.take()
	ends := len(payload) == 0 && (c.over || c.leaving) // behind the last packets, for clients handle those later than the end
	if c.polled = false; ends {
		payload = []byte{typeClose}
	} else if len(payload) == 0 {
		payload = []byte{typeNoop}
	}
	c.mu.Unlock()
	c.answer(w, payload)
	if ends {
		c.end()
	}
}

// post handles a payload of the client.
func (c *Conn) post(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	overlap, leaving := c.posted || c.over, c.leaving
	c.posted = true
	c.mu.Unlock()
	switch {
	case leaving:
		c.end() // it has heard that
		c.say(w, "text/html", http.StatusOK, []byte("ok"))
		return
	case overlap:
		c.Close()
		c.say(w, "text/plain; charset=UTF-8", http.StatusBadRequest, []byte("another request sends for this session"))
		return
	}
	status, text := c.read(w, r)
	c.mu.Lock()
	c.posted = false
	c.mu.Unlock()
	c.say(w, "text/html", status, []byte(text))
	if status != http.StatusOK {
		c.Close()
	}
}

// read reads a payload and handles it. What it says of it is told.
func (c *Conn) read(w http.ResponseWriter, r *http.Request) (status int, text string) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "application/octet-stream" {
		return http.StatusUnsupportedMediaType, "a payload of Engine.IO 4 is text"
	}
	conn := http.NewResponseController(w)
	if err := conn.SetReadDeadline(time.Now().Add(c.server.opts.ReadTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return http.StatusBadRequest, "the connection is gone"
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, c.payloadBytes()))
	if long := (*http.MaxBytesError)(nil); errors.As(err, &long) {
		return http.StatusRequestEntityTooLarge, "the payload is too long"
	}
	if err == nil {
		err = conn.SetReadDeadline(time.Time{})
	}
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return http.StatusRequestTimeout, "the payload did not come in time"
	}
	for packet := range packets(payload) {
		if !c.handle(packet) {
			c.Close()
			break
		}
	}
	return http.StatusOK, "ok" // as Engine.IO answers one that ends the session, too
}
