// Package hooks is where MQTT packets become calls, and errors become reason
// codes: it tells the MQTT engine which messages are documents, what a topic
// filter with a content filter is about, and who may connect.
package hooks

import (
	"encoding/json"
	"iter"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/mappings"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// Options are the settings of a [Hook]. They are not written after [New] or [Hook.Reload].
type Options struct {
	Documents filter.DocumentLimits
	// DocumentBytes bounds a document that is made by patches. 0 is no limit.
	DocumentBytes int
	Filters       filter.Limits
	// AutoCreate lets any index and collection hold documents.
	AutoCreate bool
	// Mappings say which further topics are documents. Nil is none.
	Mappings *mappings.Table
	// Names are those of rooms that are settings of the node.
	Names []rooms.Name
	// Collections are the declared ones, by "<index>/<collection>".
	Collections map[string]Collection
	// AllowLocal and AllowRemote let clients of this machine, and of others, in
	// without signing in.
	AllowLocal, AllowRemote bool
	// Users are those who may sign in; nil is nobody.
	Users *access.Users
	// Tokens and Keys are what clients may show instead of a password; nil is none.
	Tokens *access.Tokens
	Keys   *access.Keys
	// Bans, Guard and Flapping keep out who is banned, has failed to sign in too often, or
	// connects again and again; nil keeps out nobody.
	Bans     *access.Bans
	Guard    access.Guard
	Flapping *access.Flapping
	// Shown returns the certificate of a client, of which its session has kept something. May be nil.
	Shown func(kept json.RawMessage) access.Shown
	// Channels are settings of channels.
	Channels channels.Options
	// Access says who may do what. Nil is no policy: everybody everything.
	Access *access.PolicyFile
	// Rooms are settings of rooms.
	Rooms rooms.Options
	// API are settings of requests; those above hold for them, too.
	API api.Options
	// Presence has the settings of who is taken to be there.
	Presence Presence
	// Log gets what an operator should know.
	Log *slog.Logger
}

// A Collection has the settings of one collection.
type Collection struct {
	// Strict refuses what is not a JSON object.
	Strict bool
	// TTL is how long a document is kept after its last write. 0 is for ever.
	TTL time.Duration
	// Merge says that what is published is a JSON Merge Patch of the document.
	Merge bool
	// Ephemeral keeps the documents in memory only.
	Ephemeral bool
}

// A Hook serves one node. The engine calls its methods, concurrently for
// different clients.
type Hook struct {
	opts   Options
	live   atomic.Pointer[Options] // those that Reload changes
	topics topics.Limits
	store  *persistence.Store
	rooms  *rooms.Engine
	engine *sessions.Engine
	api    *api.Router
	door   *access.Door
	// expired is what clients are told whose time is over.
	expired string
	// presence knows which clients are there, and in which rooms.
	presence *attendance
	// nothing is the filter of names that are deleted.
	nothing *filter.Filter
	// channels knows who is in which.
	channels *channels.Engine
	// following is the publish that Apply is at, if it is followed. Apply alone uses it.
	following sessions.Followed
}

var (
	_ sessions.Handler = (*Hook)(nil)
	_ rooms.Publisher  = (*Hook)(nil)
)

// New returns the hook of a node and the engine that it serves, which keep
// documents and sessions in store. The caller drains the store's tail into
// [Hook.Apply].
func New(store *persistence.Store, o Options, engine sessions.Options) (*Hook, *sessions.Engine) {
	h := &Hook{opts: o, topics: engine.Topics, store: store, expired: tokenExpired(store.NodeID()), door: &access.Door{
		Users: o.Users, Tokens: o.Tokens, Keys: o.Keys, Access: o.Access, Local: o.AllowLocal, Remote: o.AllowRemote, Audit: access.NewAudit(o.Log),
		Bans: o.Bans, Guard: o.Guard, Flapping: o.Flapping, Counts: engine.Quotas.Counts, Profiles: access.NewProfiles(o.Users, NewVault(store)),
		Shown: o.Shown,
	}}
	h.live.Store(&o)
	h.nothing = rooms.Nothing()
	o.Rooms.Fences = h.fences()
	h.rooms = rooms.New(store.NodeID(), h, o.Rooms)
	h.presence = newAttendance(h, store.NodeID(), o.Presence)
	h.engine = sessions.New(store, h, engine)
	h.channels = h.newChannels()
	h.api = api.New(store, h.rooms, h, h.requests())
	return h, h.engine
}

// requests returns the settings of requests: what messages may hold, they may.
func (h *Hook) requests() api.Options {
	now := h.now()
	o := now.API
	o.Door, o.Log = h.door, h.opts.Log
	o.Topics, o.Documents, o.Filters = h.topics, now.Documents, now.Filters
	o.Presence, o.Clients = h.presence, roll{h.engine}
	o.Channels = h.channels
	o.AutoCreate, o.Collections = now.AutoCreate, map[string]api.Collection{}
	for name, c := range now.Collections {
		o.Collections[name] = api.Collection{TTL: c.TTL, Ephemeral: c.Ephemeral}
	}
	return o
}

// Apply takes a batch from the store's tail, in order: it notifies rooms of
// each change, and then does what the operation's author waits for. One goroutine
// calls it.
func (h *Hook) Apply(batch []*persistence.Result) {
	for _, r := range batch {
		h.following, _ = r.Op.Author.(sessions.Followed)
		if r.Change != nil {
			h.traceChange(r.Change)
			if err := h.rooms.Apply(r.Change); err != nil {
				h.opts.Log.Error("notify", "client", r.Change.Origin.ClientID, "request_id", r.Change.Origin.RequestID, "seq", r.Change.Seq, "error", err)
			}
		}
		r.Apply()
		h.following = nil
	}
	h.presence.Flush()
	h.engine.Flush(batch[len(batch)-1].Seq)
}

// Rooms returns the number of rooms.
func (h *Hook) Rooms() int { return h.rooms.Len() }

// Told returns what there is of rooms, and what they have told.
func (h *Hook) Told() rooms.Figures { return h.rooms.Figures() }

// Join makes a session a member of a room, or has it told of a presence.
func (h *Hook) Join(client string, to topics.Filter, t sessions.Target, docs sessions.Documents) error {
	if to.Kind != topics.Presence {
		if _, err := h.rooms.Join(client, to, t.Content.(rooms.View).Filter, docs); err != nil {
			return err
		}
	}
	h.attend(client, to, t)
	return nil
}

// Pause has a session told nothing that stays a member of a room.
func (h *Hook) Pause(client string, to topics.Filter, t sessions.Target) {
	h.rooms.Pause(client, to, t.Hash)
}

// Leave undoes Join.
func (h *Hook) Leave(client string, to topics.Filter, t sessions.Target) {
	if to.Kind != topics.Presence {
		h.rooms.Leave(client, to, t.Hash)
	}
	h.depart(client, to, t)
}

// First yields the documents in scope, or a presence, as retained messages; before that,
// what has left the scope since a change.
func (h *Hook) First(client string, to topics.Filter, t sessions.Target, since uint64, snap *persistence.Snapshot) iter.Seq2[*sessions.Message, error] {
	if to.Kind == topics.Presence {
		return h.firstPresence(client, to, t)
	}
	return roomMessages(h.rooms.Replay(to, t.Content.(rooms.View)).Snapshot(snap, since))
}

// Replay yields the notifications of past changes.
func (h *Hook) Replay(to topics.Filter, t sessions.Target, after, upTo uint64) iter.Seq2[*sessions.Message, error] {
	return roomMessages(h.rooms.Replay(to, t.Content.(rooms.View)).Messages(h.store, after, upTo))
}

// Gap yields a notice, and for a room the documents in scope as notifications.
func (h *Hook) Gap(to topics.Filter, t sessions.Target, from uint64, snap *persistence.Snapshot) iter.Seq2[*sessions.Message, error] {
	return roomMessages(h.rooms.Replay(to, t.Content.(rooms.View)).Gap(snap, from))
}

// Publish gives a room's message to its members.
func (h *Hook) Publish(topicFilter string, members []string, rm *rooms.Message) {
	h.trace(topicFilter, members, rm)
	m := roomMessage(rm)
	if h.following != nil {
		m.Properties = sessions.AppendUser(m.Properties, "traceparent", h.following.Told(topicFilter, len(members)))
	}
	h.engine.Deliver(topicFilter, members, m)
}

// roomMessages returns what a room sends, one by one.
func roomMessages(messages iter.Seq2[*rooms.Message, error]) iter.Seq2[*sessions.Message, error] {
	return func(yield func(*sessions.Message, error) bool) {
		for rm, err := range messages {
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(roomMessage(rm), nil) {
				return
			}
		}
	}
}

// roomMessage returns what a room sends: for MQTT 5, user properties say what a
// payload of the document alone, or of nothing, does not.
func roomMessage(rm *rooms.Message) *sessions.Message {
	if rm.Topic == "" {
		return &sessions.Message{Seq: rm.Seq}
	}
	m := &sessions.Message{
		Cleared: true,
		Topic:   rm.Topic, Payload: rm.Payload, QoS: 2, Retain: rm.Retain, From: rm.From, Silent: rm.Silent,
		Last: rm.Retain && rm.ID == "" && rm.Gap == "", Supersedes: rm.Retain, Seq: rm.Seq,
	}
	if rm.Retain || rm.ID != "" || rm.Gap != "" { // else it is stored nowhere: it is no change
		m.Properties = sessions.AppendUint(m.Properties, "seq", rm.Seq)
	}
	if rm.Gap != "" {
		m.Properties = sessions.AppendUser(m.Properties, "gap", rm.Gap)
	}
	if rm.ID != "" {
		m.Properties = sessions.AppendUser(m.Properties, "transition", rm.Transition.String())
		m.Properties = sessions.AppendUint(m.Properties, "version", rm.Version)
		m.Properties = sessions.AppendUser(m.Properties, "id", rm.ID)
	}
	return m
}
