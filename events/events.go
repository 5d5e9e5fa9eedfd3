// Package events tells rooms over HTTP by Server-Sent Events, so that whoever has curl or a
// browser is in a room: a client of the engine like any other, without MQTT.
package events

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/web"
)

// protocol is what notifications call it.
const protocol = "sse"

// Options are the settings of a [Server]. They are not written after [New].
type Options struct {
	// WriteTimeout is how long a client may leave its socket unread.
	WriteTimeout time.Duration
	// CommentEvery is how often a line is written that says nothing, so that nothing between
	// takes the connection to be dead. Defaults to 15 s.
	CommentEvery time.Duration
}

// A Server tells rooms of a node. It may be used by many goroutines at once.
type Server struct {
	hook   *hooks.Hook
	opts   Options
	format *sessions.Format
}

// New returns a server of the rooms of a node.
func New(hook *hooks.Hook, o Options) *Server {
	if o.CommentEvery == 0 {
		o.CommentEvery = 15 * time.Second
	}
	return &Server{hook: hook, opts: o, format: sessions.NewFormat(notification)}
}

// Serve answers GET /api/rooms/<index>/<collection> for as long as the client and the broker are
// there. site is where the request came in.
func (s *Server) Serve(w http.ResponseWriter, r *http.Request, site *web.Server, via sessions.Via) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed) // HEAD has no text
		return
	}
	a, err := site.Arrive(w, r)
	var who *access.Identity
	if err == nil {
		who, err = s.hook.Door().Enter(a)
	}
	if err != nil {
		site.TurnAway(w, "realtime", "subscribe", err)
		return
	}
	asked, err := read(r)
	if err != nil {
		site.Answer(w, s.hook.API().Refuse("realtime", "subscribe", refusal(err)))
		return
	}
	m := &member{Server: s, who: who, asked: asked, via: via, arrival: a, stream: NewStream(w, s.opts.WriteTimeout), ended: make(chan *sessions.Error, 1)}
	defer m.close()
	answer := s.hook.API().Serve(r.Context(), m.caller(), "realtime", "subscribe", asked.request)
	if answer.Status != http.StatusOK {
		site.Answer(w, answer)
		return
	}
	if err := m.begin(answer.Body); err == nil {
		m.stay(r.Context())
	}
}

// begin tells the client which room it is in and what it knows by then, and then what comes.
func (m *member) begin(answer []byte) error {
	var told struct {
		Result struct {
			RoomID string  `json:"roomId"`
			Seq    *uint64 `json:"seq"`
		} `json:"result"`
	}
	if err := json.Unmarshal(answer, &told); err != nil {
		return err
	}
	if told.Result.Seq == nil {
		return errors.New("events: the answer does not say what is known")
	}
	known := *told.Result.Seq
	if m.asked.since != nil {
		known = *m.asked.since // what came behind that is told next
	}
	m.stream.Open()
	text, err := json.Marshal(map[string]any{"room": told.Result.RoomID, "seq": known})
	if err != nil {
		return err
	}
	m.last = known
	if err := m.stream.Write(appendEvent(nil, "subscribed", known, text)); err != nil {
		return err
	}
	m.Answered()
	return nil
}

// stay waits until the client, its session or the broker ends.
func (m *member) stay(ctx context.Context) {
	ticker := time.NewTicker(m.opts.CommentEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case why := <-m.ended:
			e := hooks.Told(why)
			text, err := json.Marshal(map[string]any{"status": e.Status, "id": e.ID, "message": e.Message})
			if err == nil {
				_ = m.stream.Write(appendEvent(nil, "end", 0, text)) // fails when the client has gone
			}
			return
		case <-ticker.C:
			if m.stream.Write([]byte(":\n\n")) != nil {
				return
			}
		}
	}
}

// caller is who asks to be in the room.
func (m *member) caller() api.Caller {
	from := web.CallerOf(protocol, m.who, m.arrival)
	from.Member = func(*access.Identity) (api.Member, error) {
		var err error
		m.Subscriber, err = m.hook.Attach(m, sessions.Attachment{Protocol: protocol, Format: m.format, Remote: m.arrival.From, Via: m.via, Identity: m.who})
		return m, err
	}
	return from
}
