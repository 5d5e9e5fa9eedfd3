package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A killRun is one store, the clients of it, and what must be true of them. The
// process is killed at the end of each cycle.
type killRun struct {
	t      *testing.T
	seed   uint64
	random *rand.Rand // of the test's own goroutine
	dir    string
	cycle  int
	truth  *killTruth
	marker atomic.Uint64 // seq of the marker of this cycle
	last   atomic.Bool   // nobody is killed any more

	documents []*killPublisher       // publish documents
	flags     *killPublisher         // sets retained messages
	plain     []*killPublisher       // publish on plain topics
	receivers []*killPlainSubscriber // of the plain ones, in the same order
	rooms     []*killSubscriber      // of fastTrucks
	churner   *killChurner
	committed map[*killPublisher]int  // the last write of each that is in the change log
	retained  map[string]killDocument // what was retained at the last check
	killing   atomic.Bool             // connections may end
	acks      atomic.Int64            // in this cycle
	began     time.Time               // of this cycle
	quota     int64                   // of acks after which it may be killed
	reached   chan struct{}           // closed when the quota is

	mu     sync.Mutex // guards all below
	conns  []net.Conn
	faults map[string][]string // by kind
	found  chan struct{}       // closed with the first fault
	awaits map[any]bool        // who has not seen the marker
	allSaw chan struct{}       // closed when awaits is empty
}

// fault notes a broken promise.
func (r *killRun) fault(kind, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.faults) == 0 {
		close(r.found)
	}
	r.faults[kind] = append(r.faults[kind], fmt.Sprintf("cycle %d: ", r.cycle)+fmt.Sprintf(format, args...))
}

func (r *killRun) broken() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.faults) > 0
}

// acknowledged counts an acknowledgement that a publisher has noted.
func (r *killRun) acknowledged() {
	if r.acks.Add(1) == r.quota {
		close(r.reached)
	}
}

// enough says whether so much was published in this cycle that what follows has
// a chance to be read.
func (r *killRun) enough() bool {
	const perMillisecond = 2
	return r.acks.Load() > r.quota+500+perMillisecond*time.Since(r.began).Milliseconds() && !r.killing.Load()
}

// seen notes that a subscriber has seen everything up to a marker.
func (r *killRun) seen(who any, seq uint64) {
	if seq < r.marker.Load() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.awaits[who] {
		if delete(r.awaits, who); len(r.awaits) == 0 {
			close(r.allSaw)
		}
	}
}

// waiting returns who has not seen the marker.
func (r *killRun) waiting() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for who := range r.awaits {
		switch who := who.(type) {
		case *killSubscriber:
			all = append(all, who.o.id)
		case *killChurner:
			all = append(all, who.o.id)
		case *killPlainSubscriber:
			all = append(all, who.o.id)
		}
	}
	return all
}

// newKillRun makes the clients.
func newKillRun(t *testing.T, seed uint64) *killRun {
	t.Helper()
	r := &killRun{
		t: t, seed: seed, random: rand.New(rand.NewPCG(seed, 0)), dir: filepath.Join(t.TempDir(), "store"),
		truth: newKillTruth(), committed: map[*killPublisher]int{}, retained: map[string]killDocument{},
		faults: map[string][]string{}, found: make(chan struct{}),
	}
	for i := range 6 {
		r.documents = append(r.documents, r.publisher(fmt.Sprintf("pub%d", i), "fleet/trucks/", byte(1+i/2%2), i%2 == 0))
	}
	r.flags = r.publisher("flag", "flags/a/b/", 1, true)
	for i, qos := range []byte{1, 2} {
		name := fmt.Sprintf("plain%d", qos)
		p := r.publisher(name, "plain/a/b/", qos, i == 0)
		p.packet = func(n int) message {
			return message{topic: "plain/a/b/" + name, payload: fmt.Appendf(nil, `{"n":%d}`, n)}
		}
		r.plain = append(r.plain, p)
		r.receivers = append(r.receivers, &killPlainSubscriber{killClient: r.client(name+"-sub", i == 1), qos: qos, received: map[uint16]bool{}})
	}
	for _, s := range []killSubscriber{
		{killClient: r.client("room4", false), topicFilter: fastTrucks},
		{killClient: r.client("room5", true), topicFilter: fastTrucks},
		{killClient: r.client("scope", true), topicFilter: "$scope/" + fastTrucks + "/+", scope: map[string]inScope{}},
		{killClient: r.client("since", false), topicFilter: fastTrucks, token: true},
		{killClient: r.client("away", true), topicFilter: fastTrucks, every: 4},
	} {
		s.told = map[uint64]killTold{}
		s.o.keep = !s.token
		r.rooms = append(r.rooms, &s)
	}
	r.churner = &killChurner{killClient: r.client("churn", true), unsure: map[string]bool{}, dropped: map[string]bool{}}
	return r
}

func (r *killRun) client(id string, v5 bool) killClient {
	return killClient{run: r, o: connectOptions{id: id, v5: v5, keep: true, expiry: 3600},
		random: rand.New(rand.NewPCG(r.seed, r.random.Uint64()))}
}

func (r *killRun) publisher(name, prefix string, qos byte, v5 bool) *killPublisher {
	p := &killPublisher{killClient: r.client(name, v5), name: name, qos: qos, next: 1, from: 1}
	p.packet = func(n int) message {
		o := opOf(r.seed, name, n)
		return message{topic: prefix + o.id, payload: o.payload(), retain: prefix == "flags/a/b/"}
	}
	return p
}

func (r *killRun) publishers() []*killPublisher {
	return append(append(slices.Clone(r.documents), r.flags), r.plain...)
}

// introduce subscribes everybody once, before there is anything to tell.
func (r *killRun) introduce(b *broker) error {
	defer r.closeAll()
	for _, s := range r.rooms {
		if s.token {
			continue
		}
		w, err := s.dial(b)
		if err != nil {
			return err
		}
		if err := s.subscribe(w, 1, s.topicFilter); err != nil {
			return err
		}
	}
	for i, s := range r.receivers {
		w, err := s.dial(b)
		if err != nil {
			return err
		}
		if err := s.subscribe(w, s.qos, "plain/a/b/"+r.plain[i].name); err != nil {
			return err
		}
	}
	return nil
}

// A killed process may be killed while it starts, too.
func (r *killRun) killWhileItStarts() error {
	args, err := serveArgs(brokerOptions{dir: r.dir})
	if err != nil {
		return err
	}
	cmd := exec.Command(filepath.Join(programs, "ambit"), args...)
	if err := cmd.Start(); err != nil {
		return err
	}
	r.moment(60 * time.Millisecond)
	err = cmd.Process.Kill()
	_ = cmd.Wait() // it was killed
	return err
}

// load lets all clients come, and kills the broker at some moment: mostly after
// so many acknowledgements, and when all that were there have caught up.
func (r *killRun) load(b *broker) {
	r.begin()
	var clients sync.WaitGroup
	for _, live := range r.lives() {
		clients.Go(func() {
			if err := live(b); err != nil && !errors.Is(err, errFault) && !r.killing.Load() {
				r.fault("connection", "%v", err)
			}
		})
	}
	early := r.random.IntN(5) == 0 && !r.last.Load()
	if !early {
		patient := time.After(patience)
		for _, done := range []chan struct{}{r.reached, r.allSaw} {
			select {
			case <-done:
			case <-patient:
				r.fault("progress", "%d of %d publishes are acknowledged, and subscribers have not seen the marker: %v",
					r.acks.Load(), r.quota, r.waiting())
			case <-r.found:
			}
		}
	}
	if r.random.IntN(4) == 0 { // long enough for the broker to note on disk what was acknowledged
		<-time.After(time.Second)
		r.moment(time.Second)
	}
	r.moment(10 * time.Millisecond)
	r.killing.Store(true)
	b.kill()
	r.closeAll()
	clients.Wait()
}

// begin prepares a cycle, and lives returns what its clients do.
func (r *killRun) begin() {
	r.killing.Store(false)
	r.acks.Store(0)
	r.began = time.Now()
	r.quota = 1 << r.random.IntN(12)
	r.reached, r.allSaw = make(chan struct{}), make(chan struct{})
	for _, p := range r.publishers() {
		p.begin()
	}
	r.awaits = map[any]bool{r.churner: true}
	for i, s := range r.receivers {
		s.target = r.plain[i].acked
		r.awaits[s] = true
	}
	for _, s := range r.rooms {
		if s.isThere() {
			r.awaits[s] = true
		}
	}
}

func (r *killRun) lives() []func(*broker) error {
	lives := []func(*broker) error{r.churner.live}
	for _, p := range r.publishers() {
		lives = append(lives, p.live)
	}
	for _, s := range r.receivers {
		lives = append(lives, s.live)
	}
	for _, s := range r.rooms {
		if s.isThere() {
			lives = append(lives, s.live)
		}
	}
	return lives
}

func (s *killSubscriber) isThere() bool {
	return s.every == 0 || s.run.cycle%s.every == 0 || s.run.last.Load()
}
