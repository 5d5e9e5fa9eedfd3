package integration

import (
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var rewrite = flag.Bool("rewrite", false, "write what clients received into the scripts")

// TestEveryClient runs each script of the folder clients with every client
// that there is; with -short, with one version of MQTT of each.
//
// A script may say, beside what testscript offers (cmp, stdout, …):
//
//	broker [FILE]           start a broker; FILE is its ambit.yaml
//	restart                 end it with SIGTERM, and start it on the same store with the same ambit.yaml
//	connect NAME            connect a client
//	sub NAME TOPIC…         subscribe, in one SUBSCRIBE; prints the codes granted
//	pub TOPIC [PAYLOAD]     publish with QoS 1, from a connection of its own
//	retain TOPIC [PAYLOAD]  the same, retained
//	receive NAME N          print the next N messages that the client receives
//	close NAME              disconnect it
//
// The conditions [v5] and [v3] say which MQTT the client speaks. Four things in
// a notification differ from run to run, and are printed as 0: the times
// timestamp, createdAt and updatedAt, and the name of the node.
func TestEveryClient(t *testing.T) {
	for _, kind := range clientKinds() {
		t.Run(kind.name, func(t *testing.T) {
			if testing.Short() && !kind.quick {
				t.Skip("short: another version of this client is tested")
			}
			kind.available(t)
			testscript.Run(t, testscript.Params{
				Dir:           "clients",
				UpdateScripts: *rewrite,
				Setup: func(env *testscript.Env) error {
					s := &script{kind: kind, options: brokerOptions{dir: filepath.Join(env.WorkDir, "store")}, clients: map[string]*scriptClient{}}
					env.Values[scriptKey{}] = s
					env.Defer(s.end)
					return nil
				},
				Condition: kind.condition,
				Cmds:      scriptCommands(),
			})
		})
	}
}

// condition answers [v5] and [v3].
func (k clientKind) condition(cond string) (bool, error) {
	switch cond {
	case "v5":
		return k.v5, nil
	case "v3":
		return !k.v5, nil
	}
	return false, fmt.Errorf("unknown condition %q", cond)
}

type scriptKey struct{}

// A script is one run of one script with one kind of client.
type script struct {
	kind    clientKind
	options brokerOptions
	broker  *broker
	clients map[string]*scriptClient
}

type scriptClient struct {
	client
	inbox *transcript
	read  int // messages that the script has received
}

// publisher is the name of the client that publishes.
const publisher = "\x00publisher"

func scriptCommands() map[string]func(*testscript.TestScript, bool, []string) {
	commands := map[string]func(s *script, args []string) (stdout string, err error){
		"broker":  (*script).startBroker,
		"restart": (*script).restart,
		"connect": (*script).connect,
		"sub":     (*script).sub,
		"pub":     func(s *script, args []string) (string, error) { return "", s.pub(args, false) },
		"retain":  func(s *script, args []string) (string, error) { return "", s.pub(args, true) },
		"receive": (*script).receive,
		"close":   (*script).close,
	}
	wrapped := map[string]func(*testscript.TestScript, bool, []string){}
	for name, command := range commands {
		wrapped[name] = func(ts *testscript.TestScript, neg bool, args []string) {
			s := ts.Value(scriptKey{}).(*script)
			stdout, err := command(s, args)
			_, _ = fmt.Fprint(ts.Stdout(), stdout) // a buffer
			if err == nil && neg {
				ts.Fatalf("%s: succeeded, and should not", name)
			}
			if err != nil && !neg {
				ts.Fatalf("%s: %v\nlog of the broker:\n%s", name, err, s.log())
			}
		}
	}
	return wrapped
}

func (s *script) end() {
	for _, c := range s.clients {
		c.close()
	}
	if s.broker != nil {
		s.broker.kill()
	}
}

func (s *script) log() string {
	if s.broker == nil {
		return "(there is none)"
	}
	return s.broker.log.String()
}

func (s *script) startBroker(args []string) (_ string, err error) {
	if len(args) > 0 {
		s.options.configFile = filepath.Join(filepath.Dir(s.options.dir), args[0])
	}
	s.broker, err = launch(s.options)
	return "", err
}

func (s *script) restart([]string) (_ string, err error) {
	if err := s.broker.stop(); err != nil {
		return "", err
	}
	if c, ok := s.clients[publisher]; ok {
		c.close()
		delete(s.clients, publisher)
	}
	s.broker, err = launch(s.options)
	return "", err
}

func (s *script) connect(args []string) (string, error) {
	_, err := s.named(args[0])
	return "", err
}

// named returns the client of that name; it connects it when it is new.
func (s *script) named(name string) (*scriptClient, error) {
	if c, ok := s.clients[name]; ok {
		return c, nil
	}
	if s.broker == nil {
		return nil, errors.New("there is no broker yet")
	}
	inbox := newTranscript()
	c, err := s.kind.dial(s.broker, inbox)
	if err != nil {
		return nil, err
	}
	s.clients[name] = &scriptClient{client: c, inbox: inbox}
	return s.clients[name], nil
}

func (s *script) sub(args []string) (string, error) {
	c, err := s.named(args[0])
	if err != nil {
		return "", err
	}
	codes, err := c.subscribe(args[1:])
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("% x\n", codes), nil
}

func (s *script) pub(args []string, retain bool) error {
	c, err := s.named(publisher)
	if err != nil {
		return err
	}
	payload := strings.Join(args[1:], " ")
	return c.publish(args[0], payload, retain)
}

func (s *script) receive(args []string) (string, error) {
	c, ok := s.clients[args[0]]
	if !ok {
		return "", fmt.Errorf("there is no client %s", args[0])
	}
	n, err := strconv.Atoi(args[1])
	if err != nil {
		return "", err
	}
	var out strings.Builder
	timeout := time.After(patience)
	for range n {
		line, ok := c.inbox.line(c.read, nil, timeout)
		if !ok {
			return out.String(), fmt.Errorf("%s has received %d messages only:\n%s", args[0], c.read, c.inbox)
		}
		c.read++
		out.WriteString(normal(line) + "\n")
	}
	return out.String(), nil
}

func (s *script) close(args []string) (string, error) {
	c, ok := s.clients[args[0]]
	if !ok {
		return "", fmt.Errorf("there is no client %s", args[0])
	}
	delete(s.clients, args[0])
	c.close()
	return "", nil
}

// normal replaces what differs from run to run.
func normal(line string) string {
	line = regexp.MustCompile(`"(timestamp|createdAt|updatedAt)":\d{13}\b`).ReplaceAllString(line, `"$1":0`)
	return regexp.MustCompile(`"node":"ambit-[0-9a-f]{8}"`).ReplaceAllString(line, `"node":"ambit-0"`)
}
