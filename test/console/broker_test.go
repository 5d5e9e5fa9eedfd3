package console

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A broker is ambit serve on one store, in one process after the other, at the same
// addresses.
type broker struct {
	dir        string
	mqtt, http string // host:port, once it has listened

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
	log    lockedBuffer
}

// policies are what settings name by the names of their files.
var policies = map[string]string{
	// A part of the documents, and few requests.
	"policy.yaml": `
roles:
  user:
    api: ["document:*", "realtime:*"]
    collections:
      fleet/trucks: {list: {equals: {tenant: acme}}, view: {equals: {tenant: acme}}, create: {}, hide: [secret]}
`,
	// One may read one of two collections, and another nothing.
	"partial.yaml": `
roles:
  reader:
    api: ["index:list", "collection:list", "document:*", "realtime:*", "room:list"]
    collections:
      fleet/trucks: {list: {}, view: {}}
  boss:
    topics: [{allow: [publish, subscribe], topic: "#"}]
    api: ["*:*"]
    collections:
      fleet/trucks: {list: {}, view: {}, create: {}, update: {}, delete: {}}
      fleet/vans: {list: {}, view: {}, create: {}, update: {}, delete: {}}
`,
}

// startBroker runs a broker until the test ends. The user anna has the password
// "correct horse" and the role admin.
func startBroker(t testing.TB, settings string) *broker {
	t.Helper()
	b := &broker{dir: t.TempDir(), mqtt: "127.0.0.1:0", http: "127.0.0.1:0"}
	passwd := exec.CommandContext(t.Context(), program, "passwd", filepath.Join(b.dir, "users.txt"), "anna", "--role", "admin")
	passwd.Stdin = strings.NewReader("correct horse\n")
	if out, err := passwd.CombinedOutput(); err != nil {
		t.Fatalf("ambit passwd: %v\n%s", err, out)
	}
	for name, policy := range policies {
		path := filepath.Join(b.dir, name)
		if err := os.WriteFile(path, []byte(policy), 0o600); err != nil {
			t.Fatal(err)
		}
		settings = strings.Replace(settings, name, path, 1)
	}
	settings += fmt.Sprintf("\nusers: %s\n", filepath.Join(b.dir, "users.txt"))
	if err := os.WriteFile(filepath.Join(b.dir, "ambit.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.kill()
		if t.Failed() {
			t.Logf("log of the broker:\n%s", b.log.String())
		}
	})
	b.start(t)
	return b
}

// start starts a process, and returns when it listens.
func (b *broker) start(t testing.TB) {
	t.Helper()
	b.cmd = exec.Command(program, "serve", "--mqtt", b.mqtt, "--http", b.http,
		"--data", filepath.Join(b.dir, "data"), "--config", filepath.Join(b.dir, "ambit.yaml"))
	out, err := b.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b.exited = make(chan struct{})
	addresses := make(chan [2]string, 1)
	go b.read(b.cmd, out, addresses, b.exited)
	select {
	case a := <-addresses:
		b.mqtt, b.http = a[0], a[1]
	case <-b.exited:
		t.Fatalf("the broker has ended:\n%s", b.log.String())
	case <-time.After(patience):
		t.Fatal("the broker did not say where it listens")
	}
}

// read keeps the log, and looks in it for the addresses.
func (b *broker) read(cmd *exec.Cmd, out io.Reader, addresses chan<- [2]string, exited chan struct{}) {
	defer close(exited)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		b.log.write(lines.Text())
		var says struct{ MQTT, WebSocket string }
		if json.Unmarshal(lines.Bytes(), &says) != nil || says.MQTT == "" || says.WebSocket == "" {
			continue
		}
		if u, err := url.Parse(says.WebSocket); err == nil {
			addresses <- [2]string{says.MQTT, u.Host}
		}
	}
	_ = cmd.Wait() // it is killed, in the end
}

// kill ends the process at once.
func (b *broker) kill() {
	if b.cmd == nil || b.cmd.Process == nil {
		return // it was never started
	}
	_ = b.cmd.Process.Kill() // it may have ended by itself
	<-b.exited
}

type lockedBuffer struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (b *lockedBuffer) write(line string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	fmt.Fprintln(&b.buf, line)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
