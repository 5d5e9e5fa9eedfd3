package agnost

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/jsonobject"
	"github.com/ambitmq/ambit/socketio"
	"github.com/ambitmq/ambit/topics"
)

// A payload is what an event of a client has.
type payload struct {
	Channel   string
	EventName string
	Message   json.RawMessage
	Data      json.RawMessage
	Echo      any
}

// Event implements [socketio.Client].
func (c *client) Event(e socketio.Event) {
	defer c.seat.Busy()()
	defer c.seat.Answered()
	if !c.Stays() {
		c.conn.Disconnect()
		return
	}
	result, err := any(nil), error(refuse(http.StatusBadRequest, badRequest, "binary data is not taken: messages are JSON"))
	if !e.Binary {
		result, err = c.event(e.Name, e.Args)
	}
	switch {
	case err != nil:
		told := *errorOf(err)
		if told.Event = e.Name; e.Ack == nil {
			c.conn.Emit("error", told)
			return
		}
		e.Ack(object{"error": told})
	case e.Ack != nil && result != nil:
		e.Ack(result)
	case e.Ack != nil:
		e.Ack()
	}
}

func (c *client) event(name string, args []json.RawMessage) (result any, err error) {
	do, ok := map[string]func(*client, *payload) (any, error){
		"join": join, "leave": leave, "message": send, "update": update, "members": members,
	}[name]
	if !ok {
		return nil, refuse(http.StatusBadRequest, badRequest, "there is no such event: there are join, leave, message, update and members")
	}
	if len(args) == 0 {
		args = []json.RawMessage{nil}
	}
	p, err := readPayload(args[0])
	if err != nil {
		return nil, refuse(http.StatusBadRequest, badRequest, err.Error())
	}
	return do(c, p)
}

// readPayload reads what an event has. Names are told apart by their case, and null is as good as nothing.
func readPayload(argument []byte) (*payload, error) {
	members := map[string]json.RawMessage{}
	if !jsonobject.Is(argument) || json.Unmarshal(argument, &members) != nil {
		return nil, errors.New("the argument of the event has to be an object")
	}
	p := &payload{Message: members["message"], Data: members["data"]}
	for name, to := range map[string]*string{"channel": &p.Channel, "eventName": &p.EventName} {
		if value, ok := members[name]; ok && json.Unmarshal(value, to) != nil {
			return nil, fmt.Errorf("%s has to be a text", name)
		}
	}
	if echo, ok := members["echo"]; ok {
		if err := json.Unmarshal(echo, &p.Echo); err != nil {
			return nil, fmt.Errorf("echo: %w", err)
		}
	}
	return p, nil
}

// hears says whether the client is told itself of what it does.
func (c *client) hears(p *payload) bool {
	if p.Echo == nil {
		return c.echo
	}
	return isTrue(p.Echo)
}

// checkChannel says whether there can be a channel of this name.
func (p *payload) checkChannel() error {
	if !isText(p.Channel) {
		return refuse(http.StatusBadRequest, badRequest, "the channel has to be a text that is not empty")
	}
	return nil
}

// join makes the client a member of a channel, or has it be in a room.
func join(c *client, p *payload) (any, error) {
	if err := p.checkChannel(); err != nil {
		return nil, err
	}
	if _, in := c.joined[p.Channel]; in {
		return nil, nil
	}
	if err := c.seat.MaySubscribe(); err != nil {
		return nil, hooks.Told(err)
	}
	topicFilter := topics.ChannelEvent(levelOf(p.Channel), "+")
	if isRoom(p.Channel) {
		topicFilter = p.Channel
	}
	if err := c.seat.Subscribe(topicFilter, nil); err != nil {
		return nil, hooks.Told(err)
	}
	if !isRoom(p.Channel) {
		request := object{"channel": levelOf(p.Channel), "echo": c.hears(p)}
		if c.profile != nil {
			request["body"] = c.profile
		}
		if err := c.ask("join", request, nil); err != nil {
			c.seat.Unsubscribe(topicFilter, nil)
			return nil, err
		}
	}
	c.joined[p.Channel] = topicFilter
	return nil, nil
}

// leave undoes join.
func leave(c *client, p *payload) (any, error) {
	if err := p.checkChannel(); err != nil {
		return nil, err
	}
	topicFilter, in := c.joined[p.Channel]
	if !in {
		return nil, nil
	}
	if err := c.seat.MaySubscribe(); err != nil {
		return nil, hooks.Told(err)
	}
	if !isRoom(p.Channel) {
		if err := c.ask("leave", object{"channel": levelOf(p.Channel), "echo": c.hears(p)}, nil); err != nil {
			return nil, err
		}
	}
	c.seat.Unsubscribe(topicFilter, nil)
	delete(c.joined, p.Channel)
	return nil, nil
}

// send sends a message in a channel, or to everyone.
func send(c *client, p *payload) (any, error) {
	switch {
	case !isText(p.EventName):
		return nil, refuse(http.StatusBadRequest, badRequest, "eventName has to be a text that is not empty")
	case isReserved(p.EventName):
		return nil, refuse(http.StatusBadRequest, badRequest, p.EventName+" is an event that only the server sends")
	case p.Channel != "" && isRoom(p.Channel):
		return nil, refuse(http.StatusBadRequest, badRequest, "a room tells of documents: nobody sends messages there")
	}
	if err := c.seat.MaySend(len(p.Message)); err != nil {
		return nil, hooks.Told(err)
	}
	if len(p.Message) == 0 {
		p.Message = json.RawMessage("null")
	}
	request, action := object{"event": levelOf(p.EventName), "body": p.Message, "echo": c.hears(p)}, "broadcast"
	if p.Channel != "" {
		request["channel"], action = levelOf(p.Channel), "send"
	}
	return nil, c.ask(action, request, nil)
}

// update gives the client another profile, in all of its channels.
func update(c *client, p *payload) (any, error) {
	profile := p.Data
	switch {
	case len(profile) == 0 || bytes.Equal(profile, []byte("null")):
		profile = json.RawMessage("{}")
	case !jsonobject.Is(profile):
		return nil, refuse(http.StatusBadRequest, badRequest, "a profile has to be an object")
	}
	if err := c.seat.MaySend(len(profile)); err != nil {
		return nil, hooks.Told(err)
	}
	if err := c.ask("update", object{"body": profile, "echo": c.hears(p)}, nil); err != nil {
		return nil, err
	}
	c.profile = bytes.Clone(profile)
	return nil, nil
}

// members returns who is in a channel.
func members(c *client, p *payload) (any, error) {
	if err := p.checkChannel(); err != nil {
		return nil, err
	}
	return membersOf(p.Channel, c.ask)
}
