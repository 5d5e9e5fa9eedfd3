package integration

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

// A soakSession is a session that outlives its connections, with what it was given.
type soakSession struct {
	soak   *soak
	number int
	client mqtt.Client   // of the connection that there is
	lost   chan struct{} // closed when that has ended by itself

	mu  sync.Mutex // guards got
	got map[int]bool
}

func newSoakSession(s *soak, i int) *soakSession {
	return &soakSession{soak: s, number: i, got: map[int]bool{}}
}

// connect connects with a new client, which is simpler than having one that connects again.
func (s *soakSession) connect() bool {
	lost := make(chan struct{})
	s.lost = lost
	s.client = mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + s.soak.options.mqtt).SetClientID("session-" + strconv.Itoa(s.number)).
		SetCleanSession(false).SetAutoReconnect(false).SetConnectTimeout(10 * time.Second).SetDefaultPublishHandler(s.take).
		SetConnectionLostHandler(func(mqtt.Client, error) { close(lost) }))
	token := s.client.Connect()
	ok := token.WaitTimeout(20*time.Second) && token.Error() == nil
	if ok {
		s.soak.dials.Add(1)
	}
	return ok
}

func (s *soakSession) take(_ mqtt.Client, m mqtt.Message) {
	n, err := strconv.Atoi(string(m.Payload()))
	if err != nil {
		return // it shows in what is missing
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got[n] = true
}

// comeAndGo subscribes once, and is there and away by turns.
func (s *soakSession) comeAndGo() {
	for subscribed := false; s.soak.ctx.Err() == nil; s.soak.wait(rand.N(3 * time.Second)) {
		if !s.connect() {
			continue
		}
		if !subscribed {
			token := s.client.Subscribe(soakTopic(s.number), 1, nil)
			subscribed = token.WaitTimeout(20*time.Second) && token.Error() == nil
		}
		timer := time.NewTimer(10*time.Second + rand.N(20*time.Second))
		select {
		case <-timer.C:
		case <-s.lost:
		case <-s.soak.ctx.Done():
		}
		timer.Stop()
		s.client.Disconnect(50)
	}
}

// await waits until the numbers from 1 to n have come, and returns how many have not. What
// was published before the subscription was acknowledged may be missing from the beginning.
func (s *soakSession) await(n int, deadline time.Time) (missing int) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if missing = s.missing(n); missing == 0 || time.Now().After(deadline) {
			return missing
		}
		<-tick.C
	}
}

func (s *soakSession) missing(n int) (missing int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	first := 1
	for first <= n && !s.got[first] {
		first++
	}
	if n > 0 && first > n {
		return n // nothing has come at all
	}
	for i := first; i <= n; i++ {
		if !s.got[i] {
			missing++
		}
	}
	return missing
}

func (s *soakSession) close() { s.client.Disconnect(50) }

// memory returns the resident memory of the process.
func (b *broker) memory(t testing.TB) int64 {
	t.Helper()
	text, err := os.ReadFile(b.proc("statm"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// sockets returns how many the process has open.
func (b *broker) sockets(t testing.TB) (sockets int) {
	t.Helper()
	all, err := os.ReadDir(b.proc("fd"))
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range all {
		if to, err := os.Readlink(filepath.Join(b.proc("fd"), fd.Name())); err == nil && strings.HasPrefix(to, "socket:") {
			sockets++
		}
	}
	return sockets
}

func (b *broker) proc(name string) string {
	return filepath.Join("/proc", strconv.Itoa(b.cmd.Process.Pid), name)
}

// soakFigures is how much memory the last life of the process took, second by second.
type soakFigures struct{ bytes []int64 }

// watch samples memory until a time.
func (s *soak) watch(until time.Time) (f soakFigures) {
	for time.Now().Before(until) && s.wait(time.Second) {
		f.bytes = append(f.bytes, s.broker.memory(s.t))
	}
	return f
}

// check fails if the last third took more than the second third, by more than a tenth and
// 16 MiB: the first third is for what is made once.
func (f soakFigures) check(t *testing.T) {
	t.Helper()
	if len(f.bytes) < 9 {
		t.Fatal("the last life was too short to say anything of memory")
	}
	third := len(f.bytes) / 3
	before, after := median(f.bytes[third:2*third]), median(f.bytes[2*third:])
	t.Logf("memory in the last life of %d s: median %d MiB in the second third, %d MiB in the last, %d MiB at most", len(f.bytes), before>>20, after>>20, slices.Max(f.bytes)>>20)
	if after > before+before/10+16<<20 {
		t.Errorf("memory grows from %d MiB to %d MiB", before>>20, after>>20)
	}
}

func median(all []int64) int64 {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}
