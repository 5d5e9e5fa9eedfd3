package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
	"github.com/eclipse/paho.golang/paho/session"

	"github.com/ambitmq/ambit/topics"
)

// A subscription routes messages to a handler.
type subscription struct {
	topicFilter string // without $share/<group>/
	handler     func(Message)
}

// A Grant is the broker's answer to a SUBSCRIBE.
type Grant struct {
	// QoS is the highest that messages will have.
	QoS byte
	// Room is the hash of the room's filter, or "" when the topic filter is not
	// that of a room.
	Room string
}

// Subscribe asks for the messages of one topic filter, which may be a room
// (fleet/trucks/?{"range":{"speed":{"gt":50}}}), and waits for the answer, at
// most 30 s. If the broker does not grant it, the error is a [*RefusedError]
// whose Reason says what is wrong with the filter; the connection goes on.
//
// handler is called for every message whose topic matches, also before
// Subscribe returns. Calls of all handlers of a client are made one at a time,
// in the order of arrival; a message of QoS 1 is acknowledged when they have
// returned. While a handler runs, the client reads at most 1,024 messages
// ahead: one that blocks for long holds up everything else, and it must wait
// neither for Publish, Flush or Subscribe nor for Close.
func (c *Client) Subscribe(ctx context.Context, topicFilter string, qos byte, handler func(Message)) (Grant, error) {
	unroute := c.route(topicFilter, handler)
	grant, err := c.askToSubscribe(ctx, topicFilter, qos)
	if err != nil {
		unroute()
	}
	return grant, err
}

// askToSubscribe subscribes, for the handlers that there are.
func (c *Client) askToSubscribe(ctx context.Context, topicFilter string, qos byte) (Grant, error) {
	sub := &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topicFilter, QoS: qos}}}
	resp, err := c.request(ctx, sub.Packet())
	if err != nil {
		return Grant{}, fmt.Errorf("client: subscribe: %w", err)
	}
	ack, ok := resp.Content.(*packets.Suback)
	if !ok || len(ack.Reasons) != 1 {
		return Grant{}, errors.New("client: subscribe: the broker's answer is no SUBACK for one topic filter")
	}
	if code := ack.Reasons[0]; code >= 0x80 {
		return Grant{}, &RefusedError{Packet: "SUBSCRIBE", Code: code, Reason: subscribeReason(ack.Properties)}
	}
	return Grant{QoS: ack.Reasons[0], Room: userProperty(ack.Properties, "room-0")}, nil
}

// Unsubscribe ends the subscriptions to a topic filter, spelled as it was for
// Subscribe. Messages that are on their way are dropped.
func (c *Client) Unsubscribe(ctx context.Context, topicFilter string) error {
	c.unroute(topicFilter)
	unsub := &paho.Unsubscribe{Topics: []string{topicFilter}}
	resp, err := c.request(ctx, unsub.Packet())
	if err != nil {
		return fmt.Errorf("client: unsubscribe: %w", err)
	}
	ack, ok := resp.Content.(*packets.Unsuback)
	if ok && len(ack.Reasons) == 1 && ack.Reasons[0] >= 0x80 {
		return &RefusedError{Packet: "UNSUBSCRIBE", Code: ack.Reasons[0], Reason: subscribeReason(ack.Properties)}
	}
	return nil
}

// request sends a packet that is answered, and waits for the answer. Paho's own
// calls do not notice that a connection ends while they wait.
func (c *Client) request(ctx context.Context, p session.Packet) (packets.ControlPacket, error) {
	ctx, cancel := context.WithTimeout(ctx, packetTimeout)
	defer cancel()
	answer := make(chan packets.ControlPacket, 1)
	if err := c.session.AddToSession(ctx, p, answer); err != nil {
		return packets.ControlPacket{}, lostIfNoConnection(err)
	}
	if _, err := p.WriteTo(c.conn); err != nil {
		return packets.ControlPacket{}, fmt.Errorf("%w: %w", ErrConnectionLost, err)
	}
	select {
	case resp := <-answer:
		return resp, nil
	case <-c.done:
		return packets.ControlPacket{}, c.Err()
	case <-ctx.Done():
		return packets.ControlPacket{}, fmt.Errorf("no answer: %w", ctx.Err())
	}
}

// lostIfNoConnection gives paho's error for a connection that has ended the
// name that callers know.
func lostIfNoConnection(err error) error {
	if errors.Is(err, session.ErrNoConnection) {
		return ErrConnectionLost
	}
	return err
}

// subscribeReason returns what the broker says about the first topic filter of
// a SUBSCRIBE.
func subscribeReason(props *packets.Properties) string {
	if reason := userProperty(props, "error-0"); reason != "" || props == nil {
		return reason
	}
	return props.ReasonString
}

func userProperty(props *packets.Properties, name string) string {
	if props != nil {
		for _, u := range props.User {
			if u.Key == name {
				return u.Value
			}
		}
	}
	return ""
}

// route returns what takes the handler away again, and no other of the same topic filter.
func (c *Client) route(topicFilter string, handler func(Message)) (unroute func()) {
	s := &subscription{matched(topicFilter), handler}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers = append(c.handlers, s)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.handlers = slices.DeleteFunc(slices.Clone(c.handlers), func(other *subscription) bool { return other == s })
	}
}

func (c *Client) unroute(topicFilter string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers = slices.DeleteFunc(slices.Clone(c.handlers), func(s *subscription) bool {
		return s.topicFilter == matched(topicFilter)
	})
}

// matched returns the part of a topic filter that topics are matched with: all
// but the group of a shared subscription [MQTT-4.8.2-1].
func matched(topicFilter string) string {
	if rest, ok := strings.CutPrefix(topicFilter, "$share/"); ok {
		_, topicFilter, _ = strings.Cut(rest, "/")
	}
	return topicFilter
}

// deliver hands one message to the handlers whose topic filter matches it.
func (c *Client) deliver(in paho.PublishReceived) (bool, error) {
	m := Message{Topic: in.Packet.Topic, Payload: in.Packet.Payload, QoS: in.Packet.QoS, Retain: in.Packet.Retain}
	if in.Packet.Properties != nil {
		for _, p := range in.Packet.Properties.User {
			m.Properties = append(m.Properties, Property{p.Key, p.Value})
		}
	}
	c.mu.Lock()
	handlers := c.handlers
	c.mu.Unlock()
	for _, s := range handlers {
		if topics.Match(s.topicFilter, m.Topic) {
			s.handler(m)
		}
	}
	return true, nil
}
