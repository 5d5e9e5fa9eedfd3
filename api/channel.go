package api

import (
	"encoding/json"
	"errors"
	"maps"

	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/topics"
)

// listedMembers is how many members are listed unless a request says how many.
const listedMembers = 1000

// channelActions is the table of the controller channel.
func channelActions() map[string]action {
	return map[string]action{
		"join": joinChannel, "leave": leaveChannel, "update": updateMember,
		"send": sendInChannel, "broadcast": broadcast,
		"members": membersOfChannel, "list": listChannels,
	}
}

// channel returns the channel that a request names, "" if it need not and does not.
func (c *call) channel(needed bool) (string, error) {
	name, err := c.string("channel")
	switch {
	case err != nil:
		return "", err
	case name == "" && needed:
		return "", missing.with("channel")
	case name == "":
		return "", nil
	}
	if err := topics.CheckChannel("channel", name); err != nil {
		return "", invalidValue.with("channel", "a name: "+err.Error())
	}
	return name, nil
}

// client returns the client that asks, which is one of MQTT.
func (c *call) client() (string, error) {
	if c.from.ClientID == "" {
		return "", needsClient.with(c.Controller, c.Action)
	}
	return c.from.ClientID, nil
}

// metadata returns what the body has of a member, nil if there is none.
func (c *call) metadata() ([]byte, error) {
	if c.Body == nil {
		return nil, nil
	}
	body, err := c.object("body", c.Body)
	if err == nil && len(body) > maxMetadataBytes {
		err = invalidValue.with("body", "an object of "+itoa(maxMetadataBytes)+" bytes at most")
	}
	return body, err
}

// echo says whether the client that asks is told of what it causes, or nil if the request does not.
func (c *call) echo() (*bool, error) {
	if _, ok := c.args["echo"]; !ok {
		return nil, nil
	}
	is, err := c.bool("echo")
	return &is, err
}

// joinChannel makes the client that asks a member of a channel.
func joinChannel(c *call) (any, error) {
	name, err := c.channel(true)
	if err == nil {
		err = c.mayListen(name)
	}
	if err != nil {
		return nil, err
	}
	j := channels.Join{Channel: name, User: c.from.User, Now: c.now}
	if j.ClientID, err = c.client(); err != nil {
		return nil, err
	}
	if j.Metadata, err = c.metadata(); err != nil {
		return nil, err
	}
	if j.Echo, err = c.echo(); err != nil {
		return nil, err
	}
	count, err := c.opts.Channels.Join(c.ctx, j)
	if err != nil {
		return nil, c.channelError(err, name)
	}
	return struct {
		Channel string `json:"channel"`
		Topic   string `json:"topic"`
		Count   int    `json:"count"`
	}{name, topics.ChannelEvent(name, "+"), count}, nil
}

// channelError returns an error of package channels as the caller is told it.
func (c *call) channelError(err error, channel string) error {
	switch {
	case errors.Is(err, channels.ErrNotMember):
		return notInChannel.with(c.from.ClientID, channel)
	case errors.Is(err, channels.ErrTooMany):
		return manyChannels.with(c.from.ClientID)
	case errors.Is(err, channels.ErrFull):
		return channelsFull.with()
	}
	return err
}

func leaveChannel(c *call) (any, error) {
	name, err := c.channel(true)
	if err != nil {
		return nil, err
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	echo, err := c.echo()
	if err != nil {
		return nil, err
	}
	if err := c.opts.Channels.Leave(c.ctx, name, client, echo, c.now); err != nil {
		return nil, c.channelError(err, name)
	}
	return struct {
		Channel string `json:"channel"`
	}{name}, nil
}

// updateMember gives the client that asks other metadata in a channel, or in all of its.
func updateMember(c *call) (any, error) {
	name, err := c.channel(false)
	if err != nil {
		return nil, err
	}
	client, err := c.client()
	if err != nil {
		return nil, err
	}
	metadata, err := c.metadata()
	if err == nil && metadata == nil {
		err = bodyRequired.with()
	}
	if err != nil {
		return nil, err
	}
	echo, err := c.echo()
	if err != nil {
		return nil, err
	}
	names, err := c.opts.Channels.Update(c.ctx, name, client, metadata, echo, c.now)
	if err != nil {
		return nil, c.channelError(err, name)
	}
	return struct {
		Channels []string `json:"channels"`
	}{names}, nil
}

// sendInChannel sends a message to those who subscribed to its event of a channel.
func sendInChannel(c *call) (any, error) {
	name, err := c.channel(true)
	if err != nil {
		return nil, err
	}
	return c.send(name)
}

// broadcast sends a message to everyone.
func broadcast(c *call) (any, error) {
	if _, ok := c.args["channel"]; ok {
		return nil, forbidden.with("channel")
	}
	return c.send("")
}

// send sends the body in a channel, or to everyone.
func (c *call) send(channel string) (any, error) {
	event, err := c.string("event")
	if c.nullBody {
		c.Body = json.RawMessage("null")
	}
	switch {
	case err != nil:
		return nil, err
	case event == "":
		return nil, missing.with("event")
	case channels.Reserved(event):
		return nil, invalidValue.with("event", `another one than "`+event+`", which channels tell of themselves`)
	case c.Body == nil:
		return nil, bodyRequired.with()
	case len(c.Body) > c.opts.DocumentBytes:
		return nil, invalidValue.with("body", "a message of "+itoa(c.opts.DocumentBytes)+" bytes at most")
	}
	if err := topics.CheckChannel("event", event); err != nil {
		return nil, invalidValue.with("event", "a name: "+err.Error())
	}
	if err := c.maySend(channel, event); err != nil {
		return nil, err
	}
	s := channels.Sending{
		Channel: channel, Event: event, Message: c.Body, ClientID: c.from.ClientID, User: c.from.User,
		RequestID: c.RequestID, Volatile: c.Volatile, Now: c.now,
	}
	if s.Echo, err = c.echo(); err != nil {
		return nil, err
	}
	return struct {
		Sent bool `json:"sent"`
	}{true}, c.opts.Channels.Send(c.ctx, s)
}

// membersOfChannel says who is in a channel.
func membersOfChannel(c *call) (any, error) {
	name, err := c.channel(true)
	if err == nil {
		err = c.mayListen(name)
	}
	if err != nil {
		return nil, err
	}
	from, size, err := c.window(1<<31-1, min(listedMembers, c.opts.ReadDocuments))
	if err != nil {
		return nil, err
	}
	members, count := c.opts.Channels.Members(name, from, size)
	return struct {
		Count   int               `json:"count"`
		Members []channels.Member `json:"members"`
	}{count, members}, nil
}

// listChannels says how many are in each channel.
func listChannels(c *call) (any, error) {
	all, ok := c.opts.Channels.Channels(c.opts.ReadDocuments)
	if !ok {
		return nil, getLimit.with(c.opts.ReadDocuments)
	}
	maps.DeleteFunc(all, func(name string, _ int) bool { return c.mayListen(name) != nil })
	return struct {
		Channels map[string]int `json:"channels"`
	}{all}, nil
}
