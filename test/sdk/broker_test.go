package sdk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A broker is ambit serve on one store, in one process after the other, behind proxies
// whose addresses stay.
type broker struct {
	dir        string
	mqtt, http *proxy

	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
	log    lockedBuffer
}

// startBroker runs a broker until the test ends.
func startBroker(t *testing.T, settings string) *broker {
	t.Helper()
	b := &broker{dir: t.TempDir(), mqtt: startProxy(t), http: startProxy(t)}
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

// data is the directory of the store.
func (b *broker) data() string { return filepath.Join(b.dir, "data") }

// start starts a process, and returns when it listens.
func (b *broker) start(t *testing.T) {
	t.Helper()
	b.cmd = exec.Command(program, "serve", "--mqtt", "127.0.0.1:0", "--http", "127.0.0.1:0",
		"--data", b.data(), "--config", filepath.Join(b.dir, "ambit.yaml"))
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
		b.mqtt.lead(a[0])
		b.http.lead(a[1])
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
	_ = b.cmd.Process.Kill() // it may have ended by itself
	<-b.exited
}

// ask makes a request over HTTP, past the proxies.
func (b *broker) ask(controller, action string, request map[string]any) (json.RawMessage, error) {
	text, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	resp, err := http.Post("http://"+b.http.target()+"/api/"+controller+"/"+action, "application/json", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // it was read
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Message string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != nil {
		return nil, errors.New(answer.Error.Message)
	}
	return answer.Result, nil
}

// A proxy leads connections on, until they are cut.
type proxy struct {
	listener net.Listener

	mu    sync.Mutex // guards what follows
	to    string
	isCut bool
	conns map[net.Conn]bool
}

func startProxy(t *testing.T) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, conns: map[net.Conn]bool{}}
	var done sync.WaitGroup
	done.Go(func() { p.serve(&done) })
	t.Cleanup(func() {
		_ = l.Close() // ends serve
		p.cut()
		done.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) serve(done *sync.WaitGroup) {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return
		}
		done.Go(func() { p.connect(from) })
	}
}

func (p *proxy) connect(from net.Conn) {
	to, err := net.Dial("tcp", p.target())
	if err != nil {
		_ = from.Close() // as the broker's machine would
		return
	}
	p.mu.Lock()
	p.conns[from], p.conns[to] = true, true
	if p.isCut {
		_, _ = from.Close(), to.Close()
	}
	p.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { pipe(from, to) })
	both.Go(func() { pipe(to, from) })
	both.Wait()
	p.mu.Lock()
	delete(p.conns, from)
	delete(p.conns, to)
	p.mu.Unlock()
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from) // it ends with either
	_, _ = to.Close(), from.Close()
}

func (p *proxy) target() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to
}

// lead says where new connections go.
func (p *proxy) lead(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// cut ends every connection, and those that come until mend.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	for c := range p.conns {
		_ = c.Close() // that it ends is all
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = false
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
