package client

import (
	"context"
	"fmt"

	"github.com/eclipse/paho.golang/packets"
	"github.com/eclipse/paho.golang/paho"
)

// A Message is one that is published or was received.
type Message struct {
	Topic   string
	Payload []byte
	QoS     byte
	// Retain asks the broker to keep the message; on a received one it says that
	// it was kept, and is not news.
	Retain bool
	// Properties are the user properties, in their order.
	Properties []Property
}

// A Property is one user property of MQTT 5.
type Property struct{ Name, Value string }

// Property returns the value of the first user property of that name, or "".
func (m Message) Property(name string) string {
	for _, p := range m.Properties {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// A pending message waits for its acknowledgement.
type pending struct {
	resp     chan packets.ControlPacket // nil: nothing will come, it is done when it is sent
	reported func(error)
}

// Publish sends m and waits for its acknowledgement. The error is a
// [*RefusedError] if the broker did not take the message. After any other
// error, it may or may not have taken it.
func (c *Client) Publish(ctx context.Context, m Message) error {
	result := make(chan error, 1)
	if err := c.Send(ctx, m, func(err error) { result <- err }); err != nil {
		return err
	}
	select {
	case err := <-result:
		return err
	case <-ctx.Done():
		return fmt.Errorf("client: publish: no acknowledgement: %w", ctx.Err())
	}
}

// Send sends m and does not wait for its acknowledgement. It blocks while
// InFlight messages are not acknowledged; messages leave in the order of the
// calls, and whoever calls it concurrently gets some order.
//
// If Send returns nil, reported is called exactly once: with nil when the
// broker has acknowledged the message (at QoS 0: when it is written), with a
// [*RefusedError] when it did not take it, and with the error of [Client.Err]
// when the connection ended before it answered. Calls are made one at a time, in the
// order of the messages. reported must not block, nor call a method of c.
// m.Payload is not read after Send returns.
func (c *Client) Send(ctx context.Context, m Message, reported func(error)) error {
	if m.QoS > 2 {
		return fmt.Errorf("client: QoS %d: must be 0, 1 or 2", m.QoS)
	}
	pb := publishPacket(m)
	c.send.Lock()
	defer c.send.Unlock()
	if err := c.reserve(ctx); err != nil {
		return err
	}
	p := pending{reported: reported}
	if m.QoS > 0 {
		p.resp = make(chan packets.ControlPacket, 1)
		if err := c.session.AddToSession(ctx, pb, p.resp); err != nil {
			<-c.window
			return fmt.Errorf("client: publish: %w", lostIfNoConnection(err))
		}
	}
	_, err := pb.WriteTo(c.conn)
	if err != nil && p.resp == nil {
		<-c.window
		return fmt.Errorf("%w: %w", ErrConnectionLost, err)
	}
	// At QoS 1 a failed write is told by the end of the connection.
	c.queue <- p // has room for as many as the window
	return nil
}

// reserve takes one place of the window.
func (c *Client) reserve(ctx context.Context) error {
	select {
	case <-c.done:
		return c.Err()
	default:
	}
	select {
	case c.window <- struct{}{}:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return fmt.Errorf("client: publish: %w", ctx.Err())
	}
}

// Flush waits until every message that was sent before has been reported, and
// their callbacks have returned. Its error is not about them: it is that of
// ctx, or of a client that has ended.
func (c *Client) Flush(ctx context.Context) error {
	flushed := make(chan struct{})
	c.send.Lock()
	err := c.reserve(ctx)
	if err == nil {
		c.queue <- pending{reported: func(error) { close(flushed) }}
	}
	c.send.Unlock()
	if err != nil {
		return err
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("client: flush: %w", ctx.Err())
	}
}

// collect reports the acknowledgements in the order in which the messages were
// sent, which is that in which a broker answers [MQTT-4.6.0-2].
func (c *Client) collect() {
	defer close(c.collected)
	for {
		select {
		case p := <-c.queue:
			p.reported(c.await(p))
			<-c.window
		case <-c.done:
			c.collectRest()
			return
		}
	}
}

// collectRest reports what is left when the connection has ended. Send may
// still be adding its last one, and holds its lock while it does.
func (c *Client) collectRest() {
	for {
		c.send.Lock()
		n := len(c.queue)
		c.send.Unlock()
		if n == 0 {
			return
		}
		for range n {
			p := <-c.queue
			p.reported(c.await(p))
			<-c.window
		}
	}
}

// await returns the outcome of one message.
func (c *Client) await(p pending) error {
	if p.resp == nil {
		return nil
	}
	select {
	case resp := <-p.resp:
		return c.outcome(resp)
	case <-c.done:
	}
	select {
	case resp := <-p.resp: // it came before the end
		return c.outcome(resp)
	default:
		return c.Err()
	}
}

func (c *Client) outcome(resp packets.ControlPacket) error {
	switch ack := resp.Content.(type) {
	case *packets.Puback:
		return publishError(ack.ReasonCode, ack.Properties)
	case *packets.Pubrec: // only a refusal ends a QoS 2 exchange here
		return publishError(ack.ReasonCode, ack.Properties)
	case *packets.Pubcomp:
		return publishError(ack.ReasonCode, ack.Properties)
	}
	return ErrConnectionLost // paho's word for a session that is given up
}

func publishError(code byte, props *packets.Properties) error {
	if code < 0x80 {
		return nil
	}
	refused := &RefusedError{Packet: "PUBLISH", Code: code}
	if props != nil {
		refused.Reason = props.ReasonString
	}
	return refused
}

func publishPacket(m Message) *packets.Publish {
	p := &paho.Publish{Topic: m.Topic, Payload: m.Payload, QoS: m.QoS, Retain: m.Retain, Properties: &paho.PublishProperties{}}
	for _, prop := range m.Properties {
		p.Properties.User.Add(prop.Name, prop.Value)
	}
	return p.Packet()
}
