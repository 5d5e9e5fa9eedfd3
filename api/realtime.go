package api

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// realtimeActions is the table of the controller realtime.
func realtimeActions() map[string]action {
	return map[string]action{
		"subscribe": subscribe, "join": join, "unsubscribe": unsubscribe,
		"count": countMembers, "list": listRooms, "publish": publish,
		"validate": validateFilter, "explain": explain,
	}
}

// A channel is where a room is listened to: an MQTT client has to subscribe to
// it, as with Kuzzle.
type channel struct {
	RoomID  string `json:"roomId"`
	Channel string `json:"channel"`
	// Seq is the last change by then, for a request that asks for it.
	Seq *uint64 `json:"seq,omitempty"`
}

// options returns those of a channel as they stand in a topic filter.
func (c *call) options() (string, error) {
	scope, err := c.string("scope")
	if err != nil {
		return "", err
	}
	users, err := c.string("users")
	if err != nil {
		return "", err
	}
	rule, err := c.string("rule")
	if err != nil {
		return "", err
	}
	options := ""
	switch rule {
	case "", "list":
	case "view":
		options = "&rule=view"
	default:
		return "", invalidValue.with(rule, "list or view")
	}
	switch scope {
	case "", "all":
	case "in", "out", "none":
		options += "&scope=" + scope
	default:
		return "", invalidScope.with()
	}
	switch users {
	case "", "none":
		return options, nil
	case "all", "in", "out":
		return options + "&users=" + users, nil
	}
	return "", invalidUsers.with()
}

// subscribe names the topic filter of a room.
func subscribe(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	if c.Body == nil {
		return nil, bodyRequired.with()
	}
	f, err := filter.ParseWithin(c.Body, c.opts.Filters)
	if err != nil {
		return nil, err
	}
	ch := channel{Channel: c.Index + "/" + c.Collection + "/?" + inTopic(f.String()) + options}
	to, err := topics.ParseFilter(ch.Channel, c.opts.Topics)
	if err == nil {
		err = rooms.Check(to, f)
	}
	if err != nil {
		return nil, badFilter.with(err)
	}
	under := c.rights.Under
	if to.Room.Options.View {
		under = c.rights.UnderView
	}
	ruled, err := under(c.Index, c.Collection, f)
	if err != nil {
		return nil, err
	}
	ch.RoomID = ruled.Hash(c.Index, c.Collection)
	return c.enter(c.asOf(ch))
}

// asOf adds to a channel where the sequence of changes is, if the request asks for
// it: who subscribes with that as since misses nothing that comes after the answer.
func (c *call) asOf(ch channel) (channel, error) {
	asks, err := c.bool("seq")
	if asks {
		snap := c.store.Snapshot()
		defer snap.Close()
		seq := snap.Seq()
		ch.Seq = &seq
	}
	return ch, err
}

// inTopic returns a filter as it may stand in a topic: + and # only as escapes.
func inTopic(text string) string {
	var b strings.Builder
	inString, escaped := false, false
	for _, r := range []byte(text) {
		switch {
		case r == '+' && inString:
			b.WriteString(`\u002b`)
		case r == '+': // of an exponent, where it says nothing
		case r == '#':
			b.WriteString(`\u0023`)
		default:
			b.WriteByte(r)
		}
		if r == '"' && !escaped {
			inString = !inString
		}
		escaped = r == '\\' && !escaped
	}
	return b.String()
}

// room returns the id that the body names.
func (c *call) room() (string, error) {
	body, err := c.body()
	if err != nil {
		return "", err
	}
	text, ok := body["roomId"]
	if !ok {
		return "", missing.with("roomId")
	}
	var id string
	if json.Unmarshal(text, &id) != nil {
		return "", invalidType.with("roomId", "string")
	}
	return id, nil
}

func join(c *call) (any, error) {
	id, err := c.room()
	if err != nil {
		return nil, err
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	room, topic, ok := c.find(id)
	if !ok || !c.shares(room) {
		return nil, roomNotFound.with(id)
	}
	return c.enter(c.asOf(channel{RoomID: room.Hash, Channel: topic + options}))
}

func countMembers(c *call) (any, error) {
	id, err := c.room()
	if err != nil {
		return nil, err
	}
	hash, err := c.known(id)
	if err != nil {
		return nil, err
	}
	return struct {
		Count int `json:"count"`
	}{c.opts.Presence.Count(hash)}, nil
}

// listRooms lists the rooms by index and collection.
func listRooms(c *call) (any, error) {
	list := slices.DeleteFunc(slices.Collect(c.rooms.All()), func(room rooms.Occupancy) bool { return !c.shares(room) })
	if len(list) > c.opts.ReadDocuments {
		return nil, getLimit.with(c.opts.ReadDocuments)
	}
	all := map[string]map[string]map[string]int{}
	for _, room := range list {
		if all[room.Index] == nil {
			all[room.Index] = map[string]map[string]int{}
		}
		if all[room.Index][room.Collection] == nil {
			all[room.Index][room.Collection] = map[string]int{}
		}
		all[room.Index][room.Collection][room.Hash] = c.opts.Presence.Count(room.Hash)
	}
	return all, nil
}

// publish tells rooms, and whoever subscribed to the topic of the collection, of a
// message that is stored nowhere.
func publish(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	if c.ID != "" {
		if _, err := c.key(c.ID); err != nil {
			return nil, err
		}
	}
	body, err := c.object("body", c.Body)
	if err != nil {
		return nil, err
	}
	if err := c.rights.MayPublish(c.Index + "/" + c.Collection); err != nil {
		return nil, err
	}
	m := &rooms.Ephemeral{
		Index: c.Index, Collection: c.Collection, ID: c.ID, Body: body, Time: c.now,
		Origin: c.write(persistence.Key{}, nil).Origin,
	}
	done := make(chan error, 1)
	op := &persistence.Op{Bytes: len(body), Applied: func(*persistence.Result) { done <- c.rooms.Tell(m) }}
	c.out.Announce(op, m.Index+"/"+m.Collection, body, c.from.ClientID)
	if err := c.store.Append(c.ctx, op); err != nil {
		return nil, err
	}
	select {
	case err = <-done:
	case <-c.ctx.Done():
		err = c.ctx.Err()
	}
	return struct {
		Published bool `json:"published"`
	}{true}, err
}

// validateFilter says whether a filter can be read, and how it reads.
func validateFilter(c *call) (any, error) {
	type answer struct {
		Valid         bool            `json:"valid"`
		RoomID        string          `json:"roomId,omitempty"`
		Filter        json.RawMessage `json:"filter,omitempty"`
		ErrorMessages []string        `json:"errorMessages,omitempty"`
	}
	if err := c.collection(); err != nil {
		return nil, err
	}
	if c.Body == nil {
		return nil, bodyRequired.with()
	}
	f, err := filter.ParseWithin(c.Body, c.opts.Filters)
	if err != nil {
		return answer{ErrorMessages: []string{c.errorOf(err).Message}}, nil
	}
	return answer{Valid: true, RoomID: f.Hash(c.Index, c.Collection), Filter: json.RawMessage(f.String())}, nil
}

// explain says clause by clause why a document matches a filter, or does not: the
// one that is stored under an id, or the one in the body.
func explain(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	f, err := c.queryOrName(body)
	if err != nil {
		return nil, err
	}
	d, err := c.subject(body["document"])
	if err != nil {
		return nil, err
	}
	return struct {
		Matches bool               `json:"matches"`
		RoomID  string             `json:"roomId"`
		Explain filter.Explanation `json:"explain"`
	}{f.Match(d), f.Hash(c.Index, c.Collection), f.Explain(d)}, nil
}

// subject returns the document that is to be explained.
func (c *call) subject(text json.RawMessage) (*filter.Document, error) {
	if text != nil {
		body, err := c.object("document", text)
		if err != nil {
			return nil, err
		}
		d, err := filter.ParseDocument(body, c.opts.Documents)
		if err == nil && c.ID != "" {
			d.Set("_id", c.ID)
		}
		return d, err
	}
	doc, err := c.stored()
	if err != nil {
		return nil, err
	}
	return c.prepared(doc)
}
