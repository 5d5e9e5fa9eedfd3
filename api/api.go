// Package api turns requests into calls: one router for controller:action, with
// Kuzzle's request and response envelopes, error ids and codes, whatever a
// request comes in by.
//
// API.md is its manual. Each controller has its file, and in it a table of its
// actions.
package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// An Outlet gives what the API does to those who subscribed to its topic, as if it
// had been published there.
type Outlet interface {
	// Announce has an op, which is about to be appended and has an Applied, be told on
	// a topic: the body that its write makes, if it has one, and else payload. From is
	// the client that caused it, or "".
	Announce(op *persistence.Op, topic string, payload []byte, from string)
	// GoOver has members of rooms told by the filters that their names point to now, as of
	// a result with a snapshot, which it closes. Whoever drains the store's tail calls it.
	GoOver(name rooms.Name, members []rooms.Membership, r *persistence.Result)
	// LeaveRoom ends the subscriptions of a client to the room with a hash, and reports
	// whether there were any.
	LeaveRoom(client, hash string) (bool, error)
	// TellUser tells a user of something. told gets a value when he has been told.
	TellUser(user string, e UserEvent) (told <-chan error)
}

// Options are the settings of a [Router]. They are not written after [New].
type Options struct {
	Topics    topics.Limits
	Documents filter.DocumentLimits
	Filters   filter.Limits
	// AutoCreate lets any index and collection hold documents. Collections are
	// those that were declared, by "<index>/<collection>".
	AutoCreate  bool
	Collections map[string]Collection
	// Timeout is how long a request may take. Defaults to 10 s.
	Timeout time.Duration
	// Rate is how many requests a second a caller may make, and in a burst. 0 is no
	// limit.
	Rate float64
	// WriteDocuments is how many documents a request may name to be written, and
	// ReadDocuments how many it may ask for, or write by a filter. Default to 200
	// and 10,000.
	WriteDocuments, ReadDocuments int
	// ScanDocuments is how many documents a search may look at. Defaults to
	// 100,000.
	ScanDocuments int
	// RoomNames is how many names the rooms of a collection may have. Defaults to 10,000.
	RoomNames int
	// DocumentBytes is the longest body that an update may make. Defaults to 256
	// KiB.
	DocumentBytes int
	// PageBytes is how many bytes of documents an answer may have. Defaults to 4
	// MiB.
	PageBytes int
	// Door says who callers are; nil is one that takes no tokens and no keys.
	Door *access.Door
	// Presence says who is there.
	Presence Presence
	// Clients are those of MQTT. Nil is none.
	Clients Clients
	// Channels are those of the node.
	Channels *channels.Engine
	// Version is what server:info says.
	Version string
	// Listeners are what server:info says of where clients can connect.
	Listeners []Listener
	// Log gets requests: what the broker could not do, and all others at debug level. Nil is
	// nobody.
	Log *slog.Logger
	// Reload reads the settings of the node again. Nil is a node that has none to read.
	Reload func(context.Context) (Reloaded, error)
}

// A Listener is where clients can connect: at a host and a port, by TCP ("tcp"), TLS ("tls"), or
// WebSocket ("ws", "wss").
type Listener struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Address string `json:"address"`
}

// A Collection has the settings of one collection.
type Collection struct {
	// TTL is how long a document is kept after its last write. 0 is for ever.
	TTL time.Duration
	// Ephemeral keeps the documents in memory only.
	Ephemeral bool
}

func (o Options) withDefaults() Options {
	for _, n := range []struct {
		value *int
		or    int
	}{
		{&o.WriteDocuments, 200}, {&o.ReadDocuments, 10_000}, {&o.ScanDocuments, 100_000}, {&o.RoomNames, 10_000},
		{&o.DocumentBytes, 256 << 10}, {&o.PageBytes, 4 << 20},
		{&o.Documents.Depth, 32}, {&o.Documents.Members, 1000}, {&o.Documents.Elements, 10_000}, {&o.Documents.Digits, 1000},
	} {
		if *n.value == 0 {
			*n.value = n.or
		}
	}
	if o.Door == nil {
		o.Door = &access.Door{}
	}
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	return o
}

// A Router answers requests. It may be used by many goroutines at once, though
// not by whoever drains the store's tail: it waits for that.
type Router struct {
	store   *persistence.Store
	rooms   *rooms.Engine
	out     Outlet
	options atomic.Pointer[Options]
	started time.Time
	rates   rates
	scans   chan struct{}                // bounds how many read whole collections at a time
	actions map[string]map[string]action // by controller
	naming  sync.Mutex                   // held while a name is set
}

// An action does what a request asks for. Its result is what the answer has.
type action func(*call) (result any, err error)

// New returns a router of a node.
func New(store *persistence.Store, engine *rooms.Engine, out Outlet, o Options) *Router {
	r := &Router{
		store: store, rooms: engine, out: out, started: time.Now(),
		rates: rates{buckets: map[string]*bucket{}}, scans: make(chan struct{}, max(2, runtime.GOMAXPROCS(0))),
		actions: allActions(),
	}
	r.Reload(o)
	return r
}

// allActions returns the actions by their controllers.
func allActions() map[string]map[string]action {
	return map[string]map[string]action{
		"document": documentActions(), "index": indexActions(), "collection": collectionActions(),
		"realtime": realtimeActions(), "room": roomActions(), "server": serverActions(),
		"auth": authActions(), "security": securityActions(),
		"presence": presenceActions(), "channel": channelActions(),
		"bulk": bulkActions(), "ban": banActions(), "client": clientActions(),
	}
}

// Has says whether there is an action, or one of Kuzzle's that is refused with a reason. "*" is any.
func Has(controller, action string) bool {
	if _, ok := refused(controller, action); ok {
		return true
	}
	for name, actions := range allActions() {
		if _, ok := actions[action]; (controller == "*" || controller == name) && (action == "*" || ok) {
			return true
		}
	}
	return false
}

// A Caller is who makes a request.
type Caller struct {
	// Name is whose rate the request counts for.
	Name string
	// ClientID is that of an MQTT client, User who signed in, Protocol "mqtt",
	// "websocket", "http" or "control". They go into notifications.
	ClientID, User, Protocol string
	// Identity is who User is, nil for an operator.
	Identity *access.Identity
	// Arrival is how the caller came in, by which another one may sign in.
	Arrival access.Arrival
	// MaxBytes is how long the answer may be. 0 is as long as it is.
	MaxBytes int
	// Streams says that it can be answered by a stream.
	Streams bool
	// Member returns the client that the caller is as somebody, who is nil if the caller has not
	// come in: then it says why. It is nil for those whose protocol has more than requests.
	Member func(who *access.Identity) (Member, error)
	// Operator says that it is whoever runs the broker, who may do everything.
	Operator bool
}

// A Response is the answer to a request.
type Response struct {
	Status int
	// Body is the JSON text of the envelope.
	Body []byte
	// Stream writes what is answered in its stead, of the media type Type, if it is not nil.
	Stream func(context.Context, io.Writer) error
	Type   string
}

// Serve answers a request, whose text it does not keep. A controller and an action,
// where they are not empty, are the ones that were asked for, whatever the text
// says.
func (r *Router) Serve(ctx context.Context, from Caller, controller, action string, text []byte) Response {
	opts := r.options.Load()
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	c := &call{Router: r, opts: opts, ctx: ctx, from: from, now: time.Now().UTC()}
	c.Controller, c.Action = controller, action
	var err error
	if !from.Operator {
		if err = r.rates.take(from.Name, opts.Rate, c.now); err != nil {
			c.reached(limits.RequestRate)
		}
	}
	unread := c.parse(text) // at any rate: the answer says which request it refuses
	if err == nil {
		err = unread
	}
	if err == nil {
		err = c.identify()
	}
	if c.RequestID == "" {
		c.RequestID = rand.Text()
	}
	var result any
	if err == nil {
		result, err = c.do()
	}
	answer := c.answer(result, err)
	c.log(answer, err)
	return answer
}

// Refuse answers a request that does not come as far as its text.
func (r *Router) Refuse(controller, action string, why *Error) Response {
	c := &call{Router: r, opts: r.options.Load(), RequestID: rand.Text(), Controller: controller, Action: action}
	return c.answer(nil, why)
}

// do has the action do what it does.
func (c *call) do() (any, error) {
	if c.Controller == "" {
		return nil, missing.with("controller")
	}
	controller, ok := c.actions[c.Controller]
	if !ok {
		return nil, noController.with(c.Controller)
	}
	if c.Action == "" {
		return nil, missing.with("action")
	}
	do, ok := controller[c.Action]
	if !ok {
		if why, known := refused(c.Controller, c.Action); known {
			return nil, notSupported.with(c.Controller, c.Action, why)
		}
		return nil, noAction.with(c.Controller, c.Action)
	}
	if err := c.entitle(); err != nil {
		return nil, err
	}
	silent, err := c.bool("silent")
	if err != nil || silent && c.member == nil {
		return nil, forbidden.with("silent") // who subscribed over MQTT is told of every change
	}
	c.silent = silent
	return do(c)
}

// An envelope is a response as Kuzzle writes it.
type envelope struct {
	RequestID  string          `json:"requestId"`
	Status     int             `json:"status"`
	Error      *Error          `json:"error"`
	Controller *string         `json:"controller"`
	Action     *string         `json:"action"`
	Index      *string         `json:"index"`
	Collection *string         `json:"collection"`
	Volatile   json.RawMessage `json:"volatile"`
	Headers    struct{}        `json:"headers"`
	Result     any             `json:"result"`
	Node       string          `json:"node"`
	// Deprecations is what has no meaning of what was asked for, and Room what Kuzzle's clients
	// know an answer by.
	Deprecations []warning `json:"deprecations,omitempty"`
	Room         string    `json:"room,omitempty"`
}

func (c *call) answer(result any, err error) Response {
	if x, ok := result.(*export); ok && err == nil {
		return Response{Status: 200, Stream: x.write, Type: x.media()}
	}
	e := envelope{
		RequestID: c.RequestID, Status: 200, Result: result, Node: c.store.NodeID(), Volatile: c.Volatile,
		Controller: orNull(c.Controller), Action: orNull(c.Action), Index: orNull(c.Index), Collection: orNull(c.Collection),
	}
	e.Deprecations = c.warnings
	if c.from.Member != nil {
		e.Room = c.RequestID
	}
	if err != nil {
		e.fail(c.errorOf(err))
	}
	body := encode(e)
	if most := c.from.MaxBytes; most > 0 && len(body) > most {
		e.fail(longAnswer.with(len(body), most))
		e.Volatile = nil
		body = encode(e)
	}
	return Response{Status: e.Status, Body: body}
}

func (e *envelope) fail(err *Error) {
	if e.Error, e.Status, e.Result = err, err.Status, nil; e.Room != "" {
		told := *err
		if told.Props = told.args; told.Props == nil {
			told.Props = []any{}
		}
		e.Error = &told
	}
}

// encode returns the JSON text of v.
func encode(v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err) // a result that is not JSON is a bug
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
