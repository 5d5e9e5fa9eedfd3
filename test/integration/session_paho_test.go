package integration

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/eclipse/paho.golang/paho"
	mqtt3 "github.com/eclipse/paho.mqtt.golang"
)

// paho3Session does what the programs in session/ do, on paho.mqtt.golang.
func paho3Session(b *broker, run string) (string, error) {
	var conn net.Conn
	inbox := make(chan string, 10)
	options := mqtt3.NewClientOptions().AddBroker(brokerURL("tcp", b.mqtt, "").String()).
		SetClientID("session").SetCleanSession(false).SetAutoReconnect(false).SetConnectTimeout(patience).
		SetWill("session/will", "gone", 1, false).
		SetCustomOpenConnectionFn(func(uri *url.URL, _ mqtt3.ClientOptions) (c net.Conn, err error) {
			conn, err = net.Dial("tcp", uri.Host)
			return conn, err
		}).
		SetDefaultPublishHandler(func(_ mqtt3.Client, m mqtt3.Message) {
			inbox <- fmt.Sprintf("qos %d %s\n", m.Qos(), m.Payload())
		})
	c := mqtt3.NewClient(options)
	token := c.Connect()
	if err := wait(token); err != nil {
		return "", err
	}
	var printed strings.Builder
	sayPresent(&printed, token.(*mqtt3.ConnectToken).SessionPresent())
	if run == "again" {
		defer c.Disconnect(uint(patience / time.Millisecond))
		err := listen(&printed, inbox, 2)
		return printed.String(), err
	}
	if err := wait(c.Subscribe("session/in", 2, nil)); err != nil {
		return "", err
	}
	for qos := range byte(3) {
		if err := wait(c.Publish("session/in", qos, false, toMyself(qos))); err != nil {
			return "", err
		}
		if err := listen(&printed, inbox, 1); err != nil {
			return printed.String(), err
		}
	}
	defer c.Disconnect(0) // ends its goroutines; there is nobody to tell
	return printed.String(), conn.Close()
}

// paho5Session does the same on paho.golang.
func paho5Session(b *broker, run string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := net.Dial("tcp", b.mqtt)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	inbox := make(chan string, 10)
	c := paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(m paho.PublishReceived) (bool, error) {
			inbox <- fmt.Sprintf("qos %d %s\n", m.Packet.QoS, m.Packet.Payload)
			return true, nil
		}},
	})
	expiry := uint32(3600)
	ack, err := c.Connect(ctx, &paho.Connect{
		ClientID: "session", KeepAlive: 60, Properties: &paho.ConnectProperties{SessionExpiryInterval: &expiry},
		WillMessage: &paho.WillMessage{Topic: "session/will", Payload: []byte("gone"), QoS: 1},
	})
	if err != nil {
		return "", err
	}
	var printed strings.Builder
	sayPresent(&printed, ack.SessionPresent)
	if run == "again" {
		if err := listen(&printed, inbox, 2); err != nil {
			return printed.String(), err
		}
		return printed.String(), c.Disconnect(&paho.Disconnect{})
	}
	filters := []paho.SubscribeOptions{{Topic: "session/in", QoS: 2}}
	if _, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: filters}); err != nil {
		return "", err
	}
	for qos := range byte(3) {
		if _, err := c.Publish(ctx, &paho.Publish{Topic: "session/in", QoS: qos, Payload: []byte(toMyself(qos))}); err != nil {
			return "", err
		}
		if err := listen(&printed, inbox, 1); err != nil {
			return printed.String(), err
		}
	}
	return printed.String(), nil
}

func toMyself(qos byte) string { return fmt.Sprintf("to myself %d", qos) }

func sayPresent(to *strings.Builder, present bool) {
	n := 0
	if present {
		n = 1
	}
	fmt.Fprintf(to, "session present %d\n", n)
}

// listen adds so many messages to what is printed.
func listen(to *strings.Builder, inbox <-chan string, messages int) error {
	for range messages {
		select {
		case m := <-inbox:
			to.WriteString(m)
		case <-time.After(patience):
			return errors.New("no message")
		}
	}
	return nil
}
