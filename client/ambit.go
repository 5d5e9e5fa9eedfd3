package client

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// An Ambit is a connection that is made again when it is lost. What was subscribed
// to by its collections goes on where it was: what was missed comes first, in order.
// All methods may be called concurrently; functions that it calls must not call
// any that waits for the broker.
type Ambit struct {
	opts   Options
	ctx    context.Context // ends with Close: of everything that the Ambit does by itself
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu      sync.Mutex    // guards what follows
	client  *Client       // nil while there is no connection
	up      chan struct{} // closed when there is one
	down    chan struct{} // closed when it has gone
	feeds   map[string]*feed
	pending map[string]chan answer
	asked   uint64
	closed  bool
	refused error // why it is not tried again
	own     own   // what this client says of itself

	saying  chan struct{} // has room for whoever says it, so that the broker knows last what is noted
	onError func(error)
}

// Connect connects. It is an error if the first try fails. onError, which may be nil, is
// told, one call at a time, why each later one does, that a token or key has expired
// ([ErrExpired]), and what of presence and channels is refused on a later connection. When
// the broker refuses who this client says it is, a [*RefusedError], that is final: it is not
// tried again, and everything that is asked or observed fails with that error.
func Connect(ctx context.Context, o Options, onError func(error)) (*Ambit, error) {
	first, err := Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	var telling sync.Mutex
	tell := func(err error) {
		if onError != nil {
			telling.Lock()
			defer telling.Unlock()
			onError(err)
		}
	}
	o.ClientID = first.ClientID() // it stays the same client
	if o.ReconnectWait <= 0 {
		o.ReconnectWait = time.Second
	}
	a := &Ambit{
		opts: o, onError: tell,
		up: make(chan struct{}), feeds: map[string]*feed{}, pending: map[string]chan answer{},
		saying: make(chan struct{}, 1), own: own{channels: map[string]joining{}},
	}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.connected(first)
	a.done.Go(func() { a.run(first) })
	return a, nil
}

// ClientID is the identifier by which the broker knows this client, on every connection.
func (a *Ambit) ClientID() string { return a.opts.ClientID }

// Close ends the connection, and returns when nothing is called any more.
func (a *Ambit) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.cancel()
	a.done.Wait()
}

// spawn does something besides, until Close at the latest.
func (a *Ambit) spawn(f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.closed {
		a.done.Go(f)
	}
}

func (a *Ambit) disconnected() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.client, a.up = nil, make(chan struct{})
	close(a.down)
	for _, f := range a.feeds {
		f.lost()
	}
	for id, to := range a.pending {
		close(to)
		delete(a.pending, id)
	}
}

// online waits for a connection.
func (a *Ambit) online(ctx context.Context) (*Client, error) {
	for {
		a.mu.Lock()
		c, up, closed, refused := a.client, a.up, a.closed, a.refused
		a.mu.Unlock()
		switch {
		case closed:
			return nil, ErrClosed
		case refused != nil:
			return nil, refused
		}
		if c != nil {
			return c, nil
		}
		select {
		case <-up:
		case <-a.ctx.Done():
			return nil, ErrClosed
		case <-ctx.Done():
			return nil, fmt.Errorf("client: not connected: %w", ctx.Err())
		}
	}
}

// Publish is [Client.Publish], once there is a connection.
func (a *Ambit) Publish(ctx context.Context, m Message) error {
	c, err := a.online(ctx)
	if err != nil {
		return err
	}
	return c.Publish(ctx, m)
}

// A Request is one of API.md.
type Request struct {
	Controller, Action    string
	Index, Collection, ID string
	// Body is any JSON value; nil for none.
	Body any
	// Options are all other members.
	Options map[string]any
}

// An APIError is what the broker says is wrong with a request.
type APIError struct {
	ID      string          `json:"id"`
	Code    uint32          `json:"code"`
	Message string          `json:"message"`
	Status  int             `json:"status"`
	Keyword string          `json:"keyword"`
	Errors  json.RawMessage `json:"errors"`
}

func (e *APIError) Error() string { return e.Message }

type answer struct {
	RequestID string          `json:"requestId"`
	Result    json.RawMessage `json:"result"`
	Error     *APIError       `json:"error"`
}

// Request asks, waits for the answer, and stores its result in the value that result
// points to, unless that is nil. Without a connection it waits for one. The error is an
// [*APIError] if the broker refused. After any other error, the request was done, or not.
func (a *Ambit) Request(ctx context.Context, r Request, result any) error {
	c, err := a.online(ctx)
	if err != nil {
		return err
	}
	id, to, err := a.expect(c)
	if err != nil {
		return err
	}
	defer a.forget(id)
	text, err := json.Marshal(r.members(id))
	if err != nil {
		return fmt.Errorf("client: request: %w", err)
	}
	if err := c.Publish(ctx, Message{Topic: topics.RequestName, Payload: text}); err != nil {
		return err
	}
	select {
	case got, ok := <-to:
		return got.into(result, ok)
	case <-ctx.Done():
		return fmt.Errorf("client: request: no answer: %w", ctx.Err())
	}
}

func (r Request) members(id string) map[string]any {
	members := map[string]any{"requestId": id, "controller": r.Controller, "action": r.Action}
	for name, value := range r.Options {
		members[name] = value
	}
	for name, value := range map[string]string{"index": r.Index, "collection": r.Collection, "_id": r.ID} {
		if value != "" {
			members[name] = value
		}
	}
	if r.Body != nil {
		members["body"] = r.Body
	}
	return members
}

func (got answer) into(result any, ok bool) error {
	switch {
	case !ok:
		return ErrConnectionLost
	case got.Error != nil:
		return got.Error
	case result == nil:
		return nil
	}
	if err := json.Unmarshal(got.Result, result); err != nil {
		return fmt.Errorf("client: request: the answer: %w", err)
	}
	return nil
}

// expect makes a place for the answer to a request on a connection.
func (a *Ambit) expect(c *Client) (string, chan answer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.client != c {
		return "", nil, ErrConnectionLost
	}
	a.asked++
	id, to := fmt.Sprintf("%p-%d", a, a.asked), make(chan answer, 1)
	a.pending[id] = to
	return id, to, nil
}

func (a *Ambit) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.pending, id)
}

func (a *Ambit) answered(m Message) {
	var got answer
	if json.Unmarshal(m.Payload, &got) != nil {
		return // it is no answer
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if to, ok := a.pending[got.RequestID]; ok {
		to <- got // has room
		delete(a.pending, got.RequestID)
	}
}
