package integration

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/eclipse/paho.golang/autopaho"
	"github.com/eclipse/paho.golang/paho"
	mqtt3 "github.com/eclipse/paho.mqtt.golang"
)

// paho3 is paho.mqtt.golang, MQTT 3.1.1. Like Telegraf and Grafana it hands on
// only the messages whose topic matches, letter for letter, a topic filter that
// it has subscribed to.
type paho3 struct {
	mqtt3.Client
	inbox *transcript
}

func dialPaho3(b *broker, inbox *transcript) (client, error) {
	options := mqtt3.NewClientOptions().
		AddBroker(brokerURL("tcp", b.mqtt, "").String()).
		SetProtocolVersion(4).
		SetConnectTimeout(patience).
		SetAutoReconnect(false).
		SetDefaultPublishHandler(func(_ mqtt3.Client, m mqtt3.Message) { inbox.add("unrouted " + m.Topic()) })
	c := &paho3{mqtt3.NewClient(options), inbox}
	return c, wait(c.Connect())
}

func wait(token mqtt3.Token) error {
	if !token.WaitTimeout(patience) {
		return errors.New("paho.mqtt.golang: no answer")
	}
	return token.Error()
}

func (c *paho3) subscribe(topicFilters []string) ([]byte, error) {
	asked := map[string]byte{}
	for _, f := range topicFilters {
		asked[f] = 1
	}
	token := c.SubscribeMultiple(asked, func(_ mqtt3.Client, m mqtt3.Message) {
		c.inbox.add(asLine(m.Topic(), m.Payload(), m.Retained()))
	})
	// A refused filter is an error too; the codes say which.
	err := wait(token)
	granted := token.(*mqtt3.SubscribeToken).Result()
	var codes []byte
	for _, f := range topicFilters {
		code, ok := granted[f]
		if !ok {
			return nil, fmt.Errorf("paho.mqtt.golang: no code for %s: %w", f, err)
		}
		codes = append(codes, code)
	}
	return codes, nil
}

func (c *paho3) publish(topic, payload string, retain bool) error {
	return wait(c.Publish(topic, 1, retain, payload))
}

func (c *paho3) close() { c.Disconnect(0) }

// autopaho5 is paho.golang with autopaho, MQTT 5, and its router, which matches
// topics as paho3 does.
type autopaho5 struct {
	*autopaho.ConnectionManager
	router *paho.StandardRouter
	inbox  *transcript
}

func dialAutopaho(b *broker, inbox *transcript) (client, error) {
	router := paho.NewStandardRouterWithDefault(func(m *paho.Publish) { inbox.add("unrouted " + m.Topic) })
	cm, err := autopaho.NewConnection(context.Background(), autopaho.ClientConfig{
		ServerUrls:                    []*url.URL{brokerURL("mqtt", b.mqtt, "")},
		KeepAlive:                     20,
		CleanStartOnInitialConnection: true,
		ClientConfig: paho.ClientConfig{
			OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(m paho.PublishReceived) (bool, error) {
				router.Route(m.Packet.Packet())
				return true, nil
			}},
		},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return &autopaho5{cm, router, inbox}, cm.AwaitConnection(ctx)
}

func (c *autopaho5) subscribe(topicFilters []string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	request := &paho.Subscribe{}
	for _, f := range topicFilters {
		c.router.RegisterHandler(f, func(m *paho.Publish) { c.inbox.add(asLine(m.Topic, m.Payload, m.Retain)) })
		request.Subscriptions = append(request.Subscriptions, paho.SubscribeOptions{Topic: f, QoS: 1})
	}
	// A refused filter is an error too; the codes say which.
	answer, err := c.Subscribe(ctx, request)
	if answer == nil {
		return nil, err
	}
	return answer.Reasons, nil
}

func (c *autopaho5) publish(topic, payload string, retain bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := c.Publish(ctx, &paho.Publish{Topic: topic, Payload: []byte(payload), QoS: 1, Retain: retain})
	return err
}

func (c *autopaho5) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = c.Disconnect(ctx) // the broker may be gone
}
