package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	sdk "github.com/ambitmq/ambit/client"
)

// How many clients of each kind a soak has: 2,000 together.
const (
	soakDevices    = 1000 // publish a document every two seconds, and stay
	soakDashboards = 200  // are members of rooms, and stay
	soakSessions   = 300  // have sessions that outlive connections, and come and go
	soakChurners   = 500  // connect, subscribe, and go again
	soakGroups     = 100  // of devices: a dashboard sees one
	soakPublishers = 10   // write to the sessions
	soakPace       = 2 * time.Second
)

// A soak is a broker under load for a long time, which is killed and restarted meanwhile.
type soak struct {
	t       *testing.T
	options brokerOptions
	ctx     context.Context // of the load
	running sync.WaitGroup

	mu     sync.Mutex // guards broker
	broker *broker

	acked    [soakDevices]atomic.Int64 // the last number of each device that was acknowledged
	queued   [soakSessions]atomic.Int64
	sessions [soakSessions]*soakSession

	dials, publishes, told, lost atomic.Int64
}

// TestSoak runs for SOAK (make soak: ten minutes): 2,000 clients, of which many come and
// go, and kill -9 and SIGTERM by turns. Nothing that was acknowledged may be lost, memory has
// to stay flat in the last life of the process, and all sockets have to be gone at the end.
func TestSoak(t *testing.T) {
	long, err := time.ParseDuration(os.Getenv("SOAK"))
	if err != nil {
		t.Skip("SOAK says for how long, such as 10m: make soak")
	}
	s := &soak{t: t, options: brokerOptions{dir: t.TempDir() + "/store"}}
	s.broker = startBroker(t, s.options)
	s.options.mqtt = s.broker.mqtt
	idle := s.broker.sockets(t)
	ctx, stop := context.WithCancel(t.Context())
	s.ctx = ctx
	s.load()
	begun := time.Now()
	// Half of the time belongs to restarts, the other one to a life that lasts.
	for n, lives := 1, 6; n < lives; n++ {
		s.pause(begun.Add(long / 2 * time.Duration(n) / time.Duration(lives-1)))
		s.restart(n%2 == 1)
	}
	figures := s.watch(begun.Add(long))
	stop()
	s.running.Wait()
	s.drain()
	s.checkDocuments()
	t.Logf("%v: %d connections, %d publishes acknowledged, %d messages told, %d connections lost", long, s.dials.Load(), s.publishes.Load(), s.told.Load(), s.lost.Load())
	figures.check(t)
	s.checkSockets(idle)
	if err := s.broker.stop(); err != nil {
		t.Error(err)
	}
}

// load starts all clients, a little apart from each other.
func (s *soak) load() {
	for i := range soakDevices {
		s.running.Go(func() { s.stay(i, func(c *sdk.Client) error { return s.device(c, i) }) })
	}
	for i := range soakDashboards {
		s.running.Go(func() { s.stay(i, func(c *sdk.Client) error { return s.dashboard(c, i) }) })
	}
	for i := range soakChurners {
		s.running.Go(func() { s.stay(i, s.churn) })
	}
	for i := range soakSessions {
		s.sessions[i] = newSoakSession(s, i)
		s.running.Go(s.sessions[i].comeAndGo)
	}
	for i := range soakPublishers {
		s.running.Go(func() { s.stay(i, func(c *sdk.Client) error { return s.fill(c, i) }) })
	}
}

// stay connects and calls use, again and again.
func (s *soak) stay(i int, use func(*sdk.Client) error) {
	s.wait(time.Duration(i%1000) * time.Millisecond)
	for s.ctx.Err() == nil {
		dialing, cancel := context.WithTimeout(s.ctx, 10*time.Second)
		c, err := sdk.Dial(dialing, sdk.Options{Broker: s.options.mqtt})
		cancel()
		if err == nil {
			s.dials.Add(1)
			if use(c) != nil {
				s.lost.Add(1)
			}
			c.Close()
		}
		s.wait(100*time.Millisecond + rand.N(400*time.Millisecond))
	}
}

// wait lets time pass, unless the load ends.
func (s *soak) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *soak) device(c *sdk.Client, i int) error {
	for n := s.acked[i].Load() + 1; s.ctx.Err() == nil; n++ {
		body := fmt.Sprintf(`{"n":%d,"group":%d,"speed":%d,"position":{"lat":%.4f,"lon":%.4f}}`, n, i%soakGroups, rand.N(120), 48+rand.Float64(), 11+rand.Float64())
		if err := s.publish(c, fmt.Sprintf("soak/devices/%d", i), body); err != nil {
			return err
		}
		s.acked[i].Store(n)
		s.wait(soakPace)
	}
	return nil
}

// publish returns nil if it was acknowledged.
func (s *soak) publish(c *sdk.Client, topic, body string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), 20*time.Second)
	defer cancel()
	err := c.Publish(ctx, sdk.Message{Topic: topic, Payload: []byte(body), QoS: 1})
	if err == nil {
		s.publishes.Add(1)
	}
	return err
}

func (s *soak) dashboard(c *sdk.Client, i int) error {
	topicFilter := fmt.Sprintf(`soak/devices/?{"and":[{"equals":{"group":%d}},{"range":{"speed":{"gt":60}}}]}`, i%soakGroups)
	if i%2 == 0 {
		topicFilter = "$scope/" + topicFilter + "/+"
	}
	if _, err := c.Subscribe(s.ctx, topicFilter, byte(i%2), func(sdk.Message) { s.told.Add(1) }); err != nil {
		return err
	}
	select {
	case <-c.Done():
		return c.Err()
	case <-s.ctx.Done():
		return nil
	}
}

func (s *soak) churn(c *sdk.Client) error {
	topicFilter := fmt.Sprintf(`soak/devices/?{"geoDistance":{"position":{"lat":%.2f,"lon":%.2f},"distance":"500m"}}`, 48+rand.Float64(), 11+rand.Float64())
	if rand.N(3) == 0 {
		topicFilter = fmt.Sprintf("soak/devices/%d", rand.N(soakDevices))
	}
	if _, err := c.Subscribe(s.ctx, topicFilter, 1, func(sdk.Message) { s.told.Add(1) }); err != nil {
		return err
	}
	s.wait(rand.N(4 * time.Second))
	return nil
}

// fill writes numbers to the sessions of one publisher, each until it is acknowledged.
func (s *soak) fill(c *sdk.Client, publisher int) error {
	for s.ctx.Err() == nil {
		for i := publisher; i < soakSessions; i += soakPublishers {
			n := s.queued[i].Load() + 1
			if err := s.publish(c, soakTopic(i), fmt.Sprint(n)); err != nil {
				return err
			}
			s.queued[i].Store(n)
		}
		s.wait(soakPace)
	}
	return nil
}

func soakTopic(i int) string { return fmt.Sprintf("soak-queue/%d", i) }

// pause lets the load go on until a time.
func (s *soak) pause(until time.Time) { s.wait(time.Until(until)) }

// restart ends the process, by kill -9 or SIGTERM, and starts another one in its place.
func (s *soak) restart(kill bool) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	rss := s.broker.memory(s.t)
	how := "SIGTERM"
	if kill {
		how = "kill -9"
		s.broker.kill()
	} else if err := s.broker.stop(); err != nil {
		s.t.Error(err)
	}
	begun := time.Now()
	s.broker = startBroker(s.t, s.options)
	s.t.Logf("%s with %d MiB, and again after %v", how, rss>>20, time.Since(begun).Round(time.Millisecond))
}

// drain waits until every session has been given everything that was acknowledged.
func (s *soak) drain() {
	s.t.Helper()
	deadline := time.Now().Add(time.Minute)
	for _, session := range s.sessions {
		if !session.connect() {
			s.t.Errorf("session %d cannot connect any more", session.number)
		}
	}
	for i, session := range s.sessions {
		if missing := session.await(int(s.queued[i].Load()), deadline); missing > 0 {
			s.t.Errorf("session %d: %d of %d acknowledged messages never came", i, missing, s.queued[i].Load())
		}
		session.close()
	}
}

// checkDocuments compares what is stored with what was acknowledged. A device may have sent
// one more.
func (s *soak) checkDocuments() {
	s.t.Helper()
	out, stderr, err := ambit("doc", "search", "soak/devices", "--json", "--data", s.options.dir)
	if err != nil {
		s.t.Fatalf("%v: %s", err, stderr)
	}
	stored := map[string]int64{}
	for line := range strings.Lines(out) {
		var doc struct {
			ID     string `json:"_id"`
			Source struct{ N int64 }
		}
		if err := json.Unmarshal([]byte(strings.Replace(line, `"_source"`, `"Source"`, 1)), &doc); err != nil {
			s.t.Fatal(err)
		}
		stored[doc.ID] = doc.Source.N
	}
	for i := range s.acked {
		if got, acked := stored[fmt.Sprint(i)], s.acked[i].Load(); got < acked || got > acked+1 {
			s.t.Errorf("device %d: %d is stored, %d was acknowledged", i, got, acked)
		}
	}
}

// checkSockets waits until the broker has no more sockets than when nobody had come.
func (s *soak) checkSockets(idle int) {
	s.t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	now := s.broker.sockets(s.t)
	for tick := time.NewTicker(100 * time.Millisecond); now > idle && time.Now().Before(deadline); now = s.broker.sockets(s.t) {
		<-tick.C
	}
	s.t.Logf("sockets: %d at the start, %d at the end", idle, now)
	if now > idle {
		s.t.Errorf("the broker has %d sockets, and had %d when nobody had come", now, idle)
	}
	if err := s.broker.cmd.Process.Signal(syscall.Signal(0)); err != nil {
		s.t.Errorf("the broker does not run any more: %v", err)
	}
}
