package integration

import (
	"context"
	"net"
	"os/exec"
	"testing"

	"github.com/eclipse/paho.golang/paho"
)

// answerRequests has a client of paho.golang answer what comes on a topic, as
// the properties of each request say [MQTT5 4.10].
func answerRequests(t *testing.T, b *broker, topic string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := net.Dial("tcp", b.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	var c *paho.Client
	c = paho.NewClient(paho.ClientConfig{
		Conn: conn,
		OnPublishReceived: []func(paho.PublishReceived) (bool, error){func(m paho.PublishReceived) (bool, error) {
			request := m.Packet.Properties
			_, err := c.Publish(context.Background(), &paho.Publish{
				Topic: request.ResponseTopic, Payload: append([]byte("you said "), m.Packet.Payload...),
				Properties: &paho.PublishProperties{CorrelationData: request.CorrelationData},
			})
			return true, err
		}},
	})
	if _, err := c.Connect(ctx, &paho.Connect{CleanStart: true, KeepAlive: 60}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Subscribe(ctx, &paho.Subscribe{Subscriptions: []paho.SubscribeOptions{{Topic: topic}}}); err != nil {
		t.Fatal(err)
	}
}

func TestMosquittoRRIsAnswered(t *testing.T) {
	t.Parallel()
	need(t, "mosquitto_rr")
	b := startBroker(t, brokerOptions{})
	answerRequests(t, b, "ask/+/now")
	host, port, err := net.SplitHostPort(b.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	for _, qos := range []string{"0", "1", "2"} {
		out, err := exec.CommandContext(t.Context(), "mosquitto_rr", "-h", host, "-p", port, "-V", "5", "-q", qos,
			"-t", "ask/me/now", "-e", "answer/me/now", "-D", "publish", "correlation-data", "one", "-m", "hello",
			"-F", "%t %D %p").CombinedOutput()
		if got, want := string(out), "answer/me/now one you said hello\n"; err != nil || got != want {
			t.Errorf("QoS %s: %q, want %q; %v", qos, got, want, err)
		}
	}
}
