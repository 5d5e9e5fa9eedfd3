package integration

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
)

// A client is somebody else's MQTT client that is connected to a broker.
type client interface {
	// subscribe asks for all topic filters in one SUBSCRIBE, with QoS 1, and
	// returns the codes of its SUBACK in the order of the filters. It is called
	// once.
	subscribe(topicFilters []string) (codes []byte, err error)
	// publish sends one message with QoS 1 and waits for its acknowledgement.
	publish(topic, payload string, retain bool) error
	close()
}

// A clientKind is one client library in one version of MQTT.
type clientKind struct {
	name string
	v5   bool
	// quick says that tests with -short run it.
	quick bool
	// needs is a program without which there is no such client.
	needs string
	// dial connects a client. It adds the messages that it receives to inbox.
	dial func(b *broker, inbox *transcript) (client, error)
}

// clientKinds are the clients that every promise of a script is kept for.
func clientKinds() []clientKind {
	return []clientKind{
		{name: "mosquitto-3.1.1", quick: true, needs: "mosquitto_sub", dial: mosquittoDialer("311")},
		{name: "mosquitto-5", needs: "mosquitto_sub", v5: true, dial: mosquittoDialer("5")},
		{name: "mqtt.js-3.1.1", needs: "node", dial: mqttJSDialer("3.1.1")},
		{name: "mqtt.js-5", needs: "node", v5: true, quick: true, dial: mqttJSDialer("5")},
		{name: "paho.mqtt.golang-3.1.1", quick: true, dial: dialPaho3},
		{name: "autopaho-5", v5: true, quick: true, dial: dialAutopaho},
	}
}

// available skips a test whose client is not installed.
func (k clientKind) available(t *testing.T) {
	t.Helper()
	if k.needs != "" {
		need(t, k.needs)
	}
	if k.needs == "node" {
		if _, err := os.Stat("node/node_modules/mqtt"); err != nil {
			if os.Getenv("CI") != "" {
				t.Fatalf("in CI mqtt.js must be installed: %v", err)
			}
			t.Skipf("mqtt.js is not installed (make tools): %v", err)
		}
	}
}

// asLine writes a message as scripts show it.
func asLine(topic string, payload []byte, retained bool) string {
	mark := ""
	if retained {
		mark = "retained "
	}
	return strings.TrimSpace(fmt.Sprintf("%s%s %s", mark, topic, payload))
}

func brokerURL(scheme, address, path string) *url.URL {
	return &url.URL{Scheme: scheme, Host: address, Path: path}
}
