package integration

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"time"
)

// mqttJS is mqtt.js over a WebSocket, in a process that runs node/client.js.
type mqttJS struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	inbox  *transcript
	events chan mqttJSEvent // all but messages
	exited chan struct{}    // closed when cmd has ended
}

type mqttJSEvent struct {
	Event          string
	Codes          []int
	Topic, Payload string
	Retain         bool
	Error          string
}

func mqttJSDialer(version string) func(*broker, *transcript) (client, error) {
	return func(b *broker, inbox *transcript) (client, error) {
		return dialMQTTJS(brokerURL("ws", b.http, "/mqtt").String(), version, inbox)
	}
}

func dialMQTTJS(url, version string, inbox *transcript) (client, error) {
	c := &mqttJS{
		cmd:    exec.Command("node", "node/client.js", url, version),
		inbox:  inbox,
		events: make(chan mqttJSEvent, 100),
		exited: make(chan struct{}),
	}
	c.cmd.Stdout = &lineWriter{add: c.read}
	c.cmd.Stderr = &lineWriter{add: func(line string) { c.report(mqttJSEvent{Event: "error", Error: line}) }}
	stdin, err := c.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	c.stdin = stdin
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(c.exited)
		_ = c.cmd.Wait() // it is killed, in the end
	}()
	if _, err := c.await("connected"); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// read takes one line that node has printed.
func (c *mqttJS) read(line string) {
	var e mqttJSEvent
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		e = mqttJSEvent{Event: "error", Error: line}
	}
	if e.Event == "message" {
		c.inbox.add(asLine(e.Topic, []byte(e.Payload), e.Retain))
		return
	}
	c.report(e)
}

// report passes an event on; when nobody has read a hundred, one more tells
// nothing new.
func (c *mqttJS) report(e mqttJSEvent) {
	select {
	case c.events <- e:
	default:
	}
}

func (c *mqttJS) await(event string) (mqttJSEvent, error) {
	select {
	case e := <-c.events:
		if e.Event != event {
			return e, fmt.Errorf("mqtt.js: %+v instead of %s", e, event)
		}
		return e, nil
	case <-time.After(patience):
		return mqttJSEvent{}, fmt.Errorf("mqtt.js: no %s", event)
	}
}

func (c *mqttJS) do(command map[string]any) error {
	line, err := json.Marshal(command)
	if err != nil {
		return err
	}
	_, err = c.stdin.Write(append(line, '\n'))
	return err
}

func (c *mqttJS) subscribe(topicFilters []string) ([]byte, error) {
	if err := c.do(map[string]any{"do": "subscribe", "topics": topicFilters}); err != nil {
		return nil, err
	}
	e, err := c.await("granted")
	if err != nil {
		return nil, err
	}
	var codes []byte
	for _, code := range e.Codes {
		codes = append(codes, byte(code))
	}
	return codes, nil
}

func (c *mqttJS) publish(topic, payload string, retain bool) error {
	if err := c.do(map[string]any{"do": "publish", "topic": topic, "payload": payload, "retain": retain}); err != nil {
		return err
	}
	_, err := c.await("published")
	return err
}

func (c *mqttJS) close() {
	_ = c.cmd.Process.Kill() // it may have ended by itself
	<-c.exited
}
