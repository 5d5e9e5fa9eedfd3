package channels

import (
	"bytes"
	"context"
	"encoding/json"
	"time"
)

// A Sending is a message that somebody sends.
type Sending struct {
	// Channel is "" for everyone.
	Channel, Event string
	// Message is any JSON value.
	Message []byte
	// ClientID and User are whose it is, or "".
	ClientID, User string
	// Echo says whether the client is told, too. Nil is what it said when it joined the
	// channel, and yes if it did not.
	Echo *bool
	// RequestID and Volatile, which may be nil, go on with the message.
	RequestID string
	Volatile  []byte
	Now       time.Time
}

// Send gives a message to those who subscribed to the event of the channel, and returns
// when they have been given it. Whoever sends need not be in the channel.
func (e *Engine) Send(ctx context.Context, s Sending) error {
	type from struct {
		ClientID *string `json:"clientId"`
		User     *string `json:"user"`
	}
	payload := encode(struct {
		Type      string          `json:"type"`
		Channel   *string         `json:"channel"`
		Event     string          `json:"event"`
		Message   json.RawMessage `json:"message"`
		From      from            `json:"from"`
		RequestID *string         `json:"requestId"`
		Timestamp int64           `json:"timestamp"`
		Volatile  json.RawMessage `json:"volatile"`
		Node      string          `json:"node"`
	}{
		"channel", orNull(s.Channel), s.Event, s.Message, from{orNull(s.ClientID), orNull(s.User)},
		orNull(s.RequestID), s.Now.UnixMilli(), s.Volatile, e.o.Node,
	})
	m := &Message{Channel: s.Channel, Event: s.Event, Payload: payload, From: s.ClientID, Echo: e.echo(s)}
	told, err := e.out.Tell(ctx, m)
	return await(ctx, told, err)
}

func (e *Engine) echo(s Sending) bool {
	if s.Echo != nil {
		return *s.Echo
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	m := e.channels[s.Channel][s.ClientID]
	return m == nil || m.echo
}

// tell tells of a change, for which e.order was locked, unless it failed. It unlocks it.
// What cannot be told has not happened.
func (e *Engine) tell(ctx context.Context, c change, failed error, now time.Time) (told <-chan error, err error) {
	defer e.order.Unlock()
	if failed != nil || c.event == "" {
		return nil, failed
	}
	payload := encode(struct {
		Type      string `json:"type"`
		Channel   string `json:"channel"`
		Event     string `json:"event"`
		Member    Member `json:"member"`
		Why       string `json:"why,omitempty"`
		Timestamp int64  `json:"timestamp"`
		Node      string `json:"node"`
	}{"channel", c.channel, c.event, c.Member, c.why, now.UnixMilli(), e.o.Node})
	told, err = e.out.Tell(ctx, &Message{Channel: c.channel, Event: c.event, Payload: payload, From: c.ClientID, Echo: c.echo})
	if err != nil {
		c.undo()
	}
	return told, err
}

// await waits until a message is told, if there is one.
func await(ctx context.Context, told <-chan error, err error) error {
	if err != nil || told == nil {
		return err
	}
	select {
	case err = <-told:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// encode returns the JSON text of v.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // the JSON that it is made of was read before
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
