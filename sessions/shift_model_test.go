package sessions_test

import (
	"bufio"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"
)

// A shiftRun is one random test. The model is docs and names: a document is a number,
// and a name an interval of them, or nothing.
type shiftRun struct {
	t    *testing.T
	n    *node
	dev  *peer
	rand *rand.Rand

	mu        sync.Mutex // guards what follows, and listeners
	changed   *sync.Cond
	docs      map[string]int
	names     map[string][2]int
	listeners []*listener
	now       string
}

var (
	shiftNames   = []string{"a", "b"}
	shiftFilters = []string{"i/c/@a", "i/c/@a&transition=enter,exit", "$scope/i/c/@a/+", "i/c/@b&payload=none", "$scope/i/c/@b/#"}
)

// TestWhatAClientKnowsOfANameIsRightAtTheEnd edits names and documents at random, while
// clients come, go and dawdle, and the server crashes. AMBIT_MODEL_STEPS is how many
// steps, and AMBIT_MODEL_SEED where the first round begins.
func TestWhatAClientKnowsOfANameIsRightAtTheEnd(t *testing.T) {
	steps, seed := 4000, uint64(time.Now().UnixNano())
	if s := os.Getenv("AMBIT_MODEL_STEPS"); s != "" {
		steps, _ = strconv.Atoi(s)
	}
	if s := os.Getenv("AMBIT_MODEL_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	const round = 2000
	for ; steps > 0 && !t.Failed(); steps, seed = steps-round, seed+1 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			n := startNode(t, func(o *options) { o.fs = vfs.NewCrashableMem() })
			r := &shiftRun{t: t, n: n, rand: rand.New(rand.NewPCG(seed, 2)), docs: map[string]int{}, names: map[string][2]int{}}
			r.changed = sync.NewCond(&r.mu)
			r.dev = n.connect(5, "dev", nil)
			for i := range 3 {
				r.listeners = append(r.listeners, &listener{id: fmt.Sprint("listener", i), subs: map[string]*knowledge{}})
			}
			for step := range min(round, steps) {
				r.step()
				if step%40 == 39 {
					r.check(step)
				}
			}
			for _, l := range r.listeners {
				r.hangUp(l)
			}
		})
	}
}

// expected returns what is in scope of a name.
func (r *shiftRun) expected(name string) map[string]bool {
	in, bounds := map[string]bool{}, r.names[name]
	for id, v := range r.docs {
		if v >= bounds[0] && v < bounds[1] {
			in[id] = true
		}
	}
	return in
}

func (r *shiftRun) step() {
	l := r.listeners[r.rand.IntN(len(r.listeners))]
	r.mu.Lock()
	conn, lazy := l.conn, l.lazy
	r.mu.Unlock()
	switch p := r.rand.IntN(100); {
	case p < 35:
		r.put()
	case p < 50:
		r.rename()
	case p < 70 && conn == nil:
		r.connect(l)
	case p < 60 && conn != nil:
		r.subscribe(l)
	case p < 74:
		r.hangUp(l)
	case p < 75:
		r.takeOver(l)
	case p < 90:
		r.beLazy(l, !lazy)
	case p == 99:
		r.crash()
	}
}

func (r *shiftRun) put() {
	id, v := fmt.Sprint(r.rand.IntN(8)), r.rand.IntN(10)
	r.note("%s is %d", id, v)
	if v == 0 {
		delete(r.docs, id)
		r.dev.put("i/c/"+id, "")
		return
	}
	r.docs[id] = v
	r.dev.put("i/c/"+id, fmt.Sprintf(`{"v":%d}`, v))
}

func (r *shiftRun) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now += fmt.Sprintf(format, args...) + "; "
}

// rename creates, edits or deletes a name.
func (r *shiftRun) rename() {
	name := shiftNames[r.rand.IntN(len(shiftNames))]
	_, there := r.names[name]
	low := r.rand.IntN(9)
	bounds := [2]int{low, low + 1 + r.rand.IntN(6)}
	action, body := "create", fmt.Sprintf(`{"range":{"v":{"gte":%d,"lt":%d}}}`, bounds[0], bounds[1])
	r.names[name] = bounds
	if there {
		if action = "update"; r.rand.IntN(4) == 0 {
			action, body = "delete", "null"
			delete(r.names, name)
		}
	}
	r.note("%s %s %v", action, name, bounds)
	r.dev.publish("$ambit/request", fmt.Sprintf(`{"controller":"room","action":%q,"index":"i","collection":"c","name":%q,"body":%s}`, action, name, body), 0)
	if m := r.dev.message("$ambit/response"); !strings.Contains(string(m.Payload), `"status":200`) {
		r.t.Fatalf("room:%s: %s", action, m.Payload)
	}
}

// connect connects a listener, which may have little room for what is unacknowledged.
func (r *shiftRun) connect(l *listener) {
	r.note("%s connects", l.id)
	ours, theirs := net.Pipe()
	r.n.serve(theirs)
	r.mu.Lock()
	l.conn, l.lazy, l.owes, l.ack, l.out = ours, r.rand.IntN(2) == 0, nil, nil, make(chan packets.Packet, 10_000)
	clean := r.rand.IntN(8) == 0
	if clean {
		clear(l.subs)
	}
	r.mu.Unlock()
	go send(ours, l.out)
	go r.listen(l, ours)
	pk := packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Connect},
		Connect:     packets.ConnectParams{ProtocolName: []byte("MQTT"), ClientIdentifier: l.id},
	}
	keepSession(&pk)
	pk.Connect.Clean = clean
	pk.Properties.ReceiveMaximum = []uint16{1, 2, 5, 1000}[r.rand.IntN(4)]
	r.ask(l, pk)
}

// ask sends a packet and waits for its answer.
func (r *shiftRun) ask(l *listener, pk packets.Packet) *packets.Packet {
	r.mu.Lock()
	l.ack = nil
	l.out <- pk
	r.mu.Unlock()
	r.wait("an answer to "+l.id, func() bool { return l.ack != nil })
	return l.ack
}

// wait waits until something is so, which is asked under the mutex.
func (r *shiftRun) wait(what string, ok func() bool, shown ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	late := false
	timer := time.AfterFunc(deadline, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		late = true
		r.changed.Broadcast()
	})
	defer timer.Stop()
	for !ok() {
		if late {
			r.t.Fatalf("waited too long for %s %v, after: %s", what, shown, r.now)
		}
		r.changed.Wait()
	}
}

// listen reads what a connection brings.
func (r *shiftRun) listen(l *listener, conn net.Conn) {
	for in := bufio.NewReader(conn); ; {
		pk, err := readPacket(in, 5)
		if err != nil {
			return
		}
		r.hear(l, conn, pk)
	}
}

func (r *shiftRun) hear(l *listener, conn net.Conn, pk packets.Packet) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.conn != conn {
		return // the client has given it up
	}
	defer r.changed.Broadcast()
	answer := packets.Packet{PacketID: pk.PacketID}
	r.now += fmt.Sprintf("%s<%d %s %s %s %s q%d #%d dup%v; ", l.id, pk.FixedHeader.Type, pk.TopicName, property(pk, "id"), property(pk, "transition"), property(pk, "seq"), pk.FixedHeader.Qos, pk.PacketID, pk.FixedHeader.Dup)
	switch pk.FixedHeader.Type {
	case packets.Publish:
		for text, k := range l.subs {
			if pk.TopicName == text || strings.HasPrefix(text, "$scope/") && strings.HasPrefix(pk.TopicName, strings.TrimRight(text, "+#")) {
				k.hear(&pk)
			}
		}
		answer.FixedHeader.Type = packets.Puback
		if pk.FixedHeader.Qos == 2 {
			answer.FixedHeader.Type = packets.Pubrec
		}
	case packets.Pubrel:
		answer.FixedHeader.Type = packets.Pubcomp
	default:
		l.ack = &pk
		return
	}
	if l.owes = append(l.owes, answer); !l.lazy {
		l.settle()
	}
}

func (r *shiftRun) subscribe(l *listener) {
	text := shiftFilters[r.rand.IntN(len(shiftFilters))]
	name := text[strings.IndexByte(text, '@')+1:][:1]
	r.mu.Lock()
	r.now += fmt.Sprintf("%s subscribes to %s; ", l.id, text)
	known := l.subs[text] != nil
	if !known {
		l.subs[text] = &knowledge{name: name, in: map[string]bool{}}
		if !strings.HasPrefix(text, "$scope/") { // it has asked what is in scope now
			l.subs[text].in = r.expected(name)
		}
	}
	r.mu.Unlock()
	ack := r.ask(l, packets.Packet{
		FixedHeader: packets.FixedHeader{Type: packets.Subscribe, Qos: 1}, PacketID: 1,
		Filters: packets.Subscriptions{{Filter: text, Qos: byte(1 + r.rand.IntN(2))}},
	})
	_, there := r.names[name]
	if granted := ack.ReasonCodes[0] <= 2; granted != there {
		r.t.Fatalf("SUBACK 0x%02X, there is such a name: %v, after: %s", ack.ReasonCodes[0], there, r.now)
	}
	if !there && !known {
		r.mu.Lock()
		delete(l.subs, text)
		r.mu.Unlock()
	}
}

func (r *shiftRun) hangUp(l *listener) {
	r.mu.Lock()
	conn := l.leave()
	r.now += l.id + " goes; "
	r.mu.Unlock()
	if conn != nil {
		_ = conn.Close()
		r.n.absent(l.id)
	}
}

// takeOver has a client come back before its connection is known to be gone.
func (r *shiftRun) takeOver(l *listener) {
	r.mu.Lock()
	conn := l.leave()
	r.mu.Unlock()
	r.connect(l)
	if conn != nil {
		_ = conn.Close()
	}
}

func (r *shiftRun) beLazy(l *listener, lazy bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.lazy = lazy; !lazy {
		l.settle()
	}
}

// crash takes the power away: nothing that was not synced need be there.
func (r *shiftRun) crash() {
	r.note("crash")
	var conns []net.Conn
	r.mu.Lock()
	for _, l := range r.listeners {
		if conn := l.leave(); conn != nil {
			conns = append(conns, conn)
		}
	}
	r.mu.Unlock()
	crashed := r.n.fs.(*vfs.MemFS).CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: r.rand.IntN(101), RNG: r.rand})
	for _, conn := range conns {
		_ = conn.Close()
	}
	r.dev.hangUp()
	r.n.stop()
	r.n.fs = crashed
	r.n.start()
	r.dev = r.n.connect(5, "dev", nil)
}

// check has all connect and acknowledge, and compares what they know with the model.
func (r *shiftRun) check(step int) {
	for _, l := range r.listeners {
		r.mu.Lock()
		away := l.conn == nil
		r.mu.Unlock()
		if away {
			r.connect(l)
		}
		r.beLazy(l, false)
	}
	for _, l := range r.listeners {
		for text, k := range l.subs {
			want := r.expected(k.name)
			what := fmt.Sprintf("%s to know what is in %s, step %d: it is %v of %v, and not", l.id, text, step, slices.Sorted(maps.Keys(want)), r.docs)
			r.wait(what, func() bool { return maps.Equal(k.in, want) }, k.in)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.now = ""
}
