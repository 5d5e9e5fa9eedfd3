package integration

import (
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// mosquitto is one mosquitto_sub, and one mosquitto_pub for each message.
type mosquitto struct {
	connection []string // flags
	inbox      *transcript
	sub        *exec.Cmd
	exited     chan struct{} // closed when sub has ended
}

func mosquittoDialer(version string) func(*broker, *transcript) (client, error) {
	return func(b *broker, inbox *transcript) (client, error) {
		host, port, err := net.SplitHostPort(b.mqtt)
		if err != nil {
			return nil, err
		}
		return &mosquitto{connection: []string{"-h", host, "-p", port, "-V", version}, inbox: inbox}, nil
	}
}

func (m *mosquitto) subscribe(topicFilters []string) ([]byte, error) {
	// -d says what was granted, but only a message would flush that: hence stdbuf.
	// Messages are told from it by their mark.
	args := append([]string{"-oL", "mosquitto_sub", "-d", "-q", "1", "-F", "> %r %t %p"}, m.connection...)
	for _, f := range topicFilters {
		args = append(args, "-t", f)
	}
	debug := newTranscript()
	m.sub = exec.Command("stdbuf", args...)
	m.sub.Stdout = &lineWriter{add: func(line string) {
		if message, ok := strings.CutPrefix(line, "> "); ok {
			m.deliver(message)
		} else {
			debug.add(line)
		}
	}}
	m.sub.Stderr = &lineWriter{add: debug.add}
	if err := m.sub.Start(); err != nil {
		return nil, err
	}
	m.exited = make(chan struct{})
	go func() {
		defer close(m.exited)
		_ = m.sub.Wait() // it is killed, in the end
	}()
	return m.granted(debug)
}

func (m *mosquitto) deliver(message string) {
	retained, message, _ := strings.Cut(message, " ")
	topic, payload, _ := strings.Cut(message, " ")
	m.inbox.add(asLine(topic, []byte(payload), retained == "1"))
}

// granted reads a line such as "Subscribed (mid: 1): 1, 128".
func (m *mosquitto) granted(debug *transcript) ([]byte, error) {
	timeout := time.After(patience)
	for i := 0; ; i++ {
		line, ok := debug.line(i, m.exited, timeout)
		if !ok {
			return nil, fmt.Errorf("mosquitto_sub had no SUBACK:\n%s", debug)
		}
		if !strings.HasPrefix(line, "Subscribed ") {
			continue
		}
		var codes []byte
		_, list, _ := strings.Cut(line, "): ")
		for word := range strings.SplitSeq(list, ", ") {
			code, err := strconv.ParseUint(word, 10, 8)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", line, err)
			}
			codes = append(codes, byte(code))
		}
		return codes, nil
	}
}

func (m *mosquitto) publish(topic, payload string, retain bool) error {
	args := append([]string{"-q", "1", "-t", topic}, m.connection...)
	if retain {
		args = append(args, "-r")
	}
	if payload == "" {
		args = append(args, "-n")
	} else {
		args = append(args, "-m", payload)
	}
	out, err := exec.Command("mosquitto_pub", args...).CombinedOutput()
	if err != nil || len(out) > 0 {
		return fmt.Errorf("mosquitto_pub %q: %w\n%s", args, err, out)
	}
	return nil
}

func (m *mosquitto) close() {
	if m.sub != nil {
		_ = m.sub.Process.Kill() // it may have ended by itself
		<-m.exited
	}
}
