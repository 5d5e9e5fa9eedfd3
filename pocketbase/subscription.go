package pocketbase

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/web"
)

const (
	// connected is the name of the first event. Subscribing to it is no subscription.
	connected            = "PB_CONNECT"
	maxSubscriptions     = 1000
	maxSubscriptionBytes = 2500
	maxClientID          = 255
)

// A subscription is what one text asks for.
type subscription struct {
	text              string // by which the client knows it
	index, collection string
	filter            any    // Koncorde's
	rule              string // list, or view of one record
	fields            fields
	leave             string // the action by which is told that a record has left the filter, "" for none
	topic             string // the topic filter, once it is subscribed to
}

func errNoClient() error { return notFound("Missing or invalid client id.") }

// setSubscriptions answers POST /api/realtime.
func (s *Server) setSubscriptions(q *request) (int, any, error) {
	var id string
	if json.Unmarshal(q.body["clientId"], &id) != nil || id == "" {
		return 0, nil, invalid("clientId", "validation_required", "Cannot be blank.")
	}
	if len(id) > maxClientID {
		return 0, nil, invalid("clientId", "validation_length_out_of_range", "The length must be between 1 and 255.")
	}
	var texts []string
	if raw, ok := q.body["subscriptions"]; ok && json.Unmarshal(raw, &texts) != nil {
		return 0, nil, invalid("subscriptions", "validation_invalid_format", "Must be a list of texts.")
	}
	if len(texts) > maxSubscriptions {
		return 0, nil, invalid("subscriptions", "validation_length_too_long", "The length must be no more than 1000.")
	}
	for _, text := range texts {
		if len(text) > maxSubscriptionBytes || strings.ContainsAny(text, "\r\n") {
			return 0, nil, invalid("subscriptions", "validation_length_too_long", "A subscription is one line of no more than 2500 bytes.")
		}
	}
	s.mu.Lock()
	c := s.connections[id]
	s.mu.Unlock()
	if c == nil {
		return 0, nil, errNoClient()
	}
	if web.AddressOf(c.from) != web.AddressOf(q.arrival.From) {
		return 0, nil, badRequest("Invalid realtime client.")
	}
	return http.StatusNoContent, nil, c.set(q, texts)
}

// readSubscription reads COLLECTION/* or COLLECTION/RECORD, with its options.
func (s *Server) readSubscription(text string) (*subscription, error) {
	topic, query, _ := strings.Cut(text, "?")
	name, id, _ := strings.Cut(topic, "/")
	sub := &subscription{text: text, rule: "list", leave: "delete"}
	var err error
	if sub.index, sub.collection, err = s.collection(name); err != nil {
		return nil, invalid("subscriptions", "validation_invalid_collection", text+": "+err.Error())
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, invalid("subscriptions", "validation_invalid_options", text+": "+err.Error())
	}
	var options struct{ Query map[string]any }
	if raw := values.Get("options"); raw != "" && json.Unmarshal([]byte(raw), &options) != nil {
		return nil, invalid("subscriptions", "validation_invalid_options", text+": the options are no JSON object.")
	}
	if err := sub.readOptions(options.Query); err != nil {
		return nil, err
	}
	if id != "" && id != "*" {
		sub.rule = "view"
		only := object{"ids": object{"values": []any{id}}}
		if o, ok := sub.filter.(object); ok && len(o) == 0 {
			sub.filter = only
		} else {
			sub.filter = object{"and": []any{only, sub.filter}}
		}
	}
	return sub, nil
}

// readOptions reads the options of a subscription. Others than these are for rules that ask about
// the request, which have no meaning here.
func (sub *subscription) readOptions(query map[string]any) (err error) {
	option := func(name string) string {
		if value, ok := query[name]; ok && value != nil {
			return fmt.Sprint(value) // numbers and booleans are texts, as PocketBase takes them
		}
		return ""
	}
	if sub.filter, err = koncorde(option("filter")); err != nil {
		return err
	}
	if sub.fields, err = readFields(option("fields")); err != nil {
		return err
	}
	if option("expand") != "" {
		return badRequest("expand: there are no relations.")
	}
	switch leave := option("leave"); leave {
	case "":
	case "delete", "leave":
		sub.leave = leave
	case "none":
		sub.leave = ""
	default:
		return badRequest("leave: a record that leaves the filter is told as \"delete\", \"leave\" or \"none\".")
	}
	return nil
}

// appendEvent appends what a subscription is told of a record. No action is that it has left the filter.
func (sub *subscription) appendEvent(c *connection, b []byte, action string, record []byte) []byte {
	if action == "" {
		action = sub.leave
	}
	if action == "" {
		return b
	}
	b = append(append(c.appendHead(b, sub.text), `{"action":"`...), action...)
	b = append(append(b, `","record":`...), sub.fields.of(record)...)
	return append(b, "}\n\n"...)
}

// notification returns what rooms tell as the topic filter, the action and the record, for a wire that
// knows under which names its client subscribed.
func (s *Server) notification(m *sessions.Message) []byte {
	var n struct {
		Type, Action, Transition, Event, Index, Collection string
		Result                                             hit
	}
	if json.Unmarshal(m.Payload, &n) != nil || n.Type != "document" || n.Transition == "" {
		return nil // it is about no record
	}
	action := "update"
	switch {
	case n.Event == "delete":
		action = "delete"
	case n.Transition == "exit":
		action = ""
	case n.Action == "create":
		action = "create"
	}
	record, err := n.Result.record(s.nameOf(n.Index, n.Collection))
	if err != nil {
		return nil // it is none
	}
	b := bytes.NewBufferString(m.Topic + "\x00" + action + "\x00")
	if json.Compact(b, record) != nil { // an event is one line
		return nil
	}
	return sessions.Frame(b.Bytes())
}

// partsOf returns what stands in a frame. Neither a topic nor JSON has a NUL.
func partsOf(frame []byte) (topic, action, record []byte) {
	topic, rest, _ := bytes.Cut(frame, []byte{0})
	action, record, _ = bytes.Cut(rest, []byte{0})
	return topic, action, record
}

// nameOf returns what a collection is called.
func (s *Server) nameOf(index, collection string) string {
	if index == s.opts.Index && !strings.Contains(collection, ".") {
		return collection
	}
	return index + "." + collection
}
