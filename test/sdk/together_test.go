package sdk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	ambit "github.com/ambitmq/ambit/client"
)

// call calls the method that is called so in JavaScript.
func (c *goClient) call(ctx context.Context, s step) (any, error) {
	var text [4]string
	for i, arg := range s.Args[:min(len(s.Args), len(text))] {
		text[i], _ = arg.(string)
	}
	if s.As != "" {
		sub, err := c.hear(ctx, s, text)
		c.subs[s.As] = sub
		return nil, err
	}
	s.Args = append(s.Args, nil, nil, nil, nil)
	presence, channel := c.a.Presence(), c.a.Channel(text[0])
	switch s.Call {
	case "presence.update":
		return nil, presence.Update(ctx, s.Args[0])
	case "presence.get":
		return plainResult(presence.Get(ctx, text[0]))
	case "presence.list":
		return plainResult(presence.List(ctx, text[0], 0, 10))
	case "channel.join":
		count, err := channel.Join(ctx, s.Args[1], channelOptions(s.Args[2]))
		return map[string]any{"count": float64(count)}, err
	case "channel.leave":
		return nil, channel.Leave(ctx)
	case "channel.update":
		if text[1] == "" {
			return nil, c.a.UpdateChannels(ctx, s.Args[0])
		}
		return nil, c.a.Channel(text[1]).Update(ctx, s.Args[0])
	case "channel.send":
		return nil, channel.Send(ctx, text[1], s.Args[2], channelOptions(s.Args[3]))
	case "channel.broadcast":
		return nil, c.a.Broadcast(ctx, text[0], s.Args[1], channelOptions(s.Args[2]))
	case "channel.members":
		return plainResult(channel.Members(ctx, 0, 10))
	}
	return nil, errors.New("there is no " + s.Call)
}

// hear calls a method that takes a function.
func (c *goClient) hear(ctx context.Context, s step, args [4]string) (*ambit.Subscription, error) {
	switch s.Call {
	case "presence.watch":
		return c.a.Presence().Watch(ctx, args[0], func(is ambit.Standing) {
			verb := "was"
			if is.Online {
				verb = "is"
			}
			c.say(s.As, fmt.Sprintf("%s %s there %s", is.ClientID, verb, is.Metadata))
		})
	case "presence.room":
		return c.a.Collection(args[0], args[1]).WatchRoom(ctx, args[2], func(m ambit.Members) {
			names := make([]string, len(m.Members))
			for i, member := range m.Members {
				names[i] = member.ClientID
			}
			c.say(s.As, strings.Join(names, ","))
		})
	case "channel.listen":
		return c.a.Channel(args[0]).Listen(ctx, args[1], func(e *ambit.ChannelEvent) {
			if e.Member.ClientID != "" {
				c.say(s.As, fmt.Sprintf("%s %s %s", e.Event, e.Member.ClientID, e.Member.Metadata))
				return
			}
			c.say(s.As, fmt.Sprintf("%s %s %s", e.Event, e.From.ClientID, e.Message))
		})
	}
	return nil, errors.New("there is no " + s.Call + " that tells")
}

func channelOptions(arg any) (o ambit.ChannelOptions) {
	options, _ := arg.(map[string]any)
	o.NoEcho = options["echo"] == false
	o.Volatile = options["volatile"]
	return o
}

// plainResult returns a result as JSON has it.
func plainResult[T any](result T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	var plain any
	err = json.Unmarshal(text, &plain)
	return plain, err
}
