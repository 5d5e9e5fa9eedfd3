package conformance

import (
	"bufio"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// patience is how long a check waits for what must happen.
const patience = 4 * time.Second

// A server is what is tested.
type server struct {
	addr      string
	websocket string // URL; empty when there is none
	run       int    // tells clients and topics of several runs apart
}

// check returns a check that has not run yet.
func (s server) check(v byte, n int) *check {
	return &check{server: s, v: v, name: fmt.Sprintf("c%dx%dx", s.run, n)}
}

// A check is one run of the test of one statement. It is no testing.T, because
// a statement that the server is known to violate has to fail.
type check struct {
	server
	v       byte   // the version of MQTT that the clients speak
	name    string // of its own, in client identifiers and topics
	conns   []net.Conn
	clients int // identifiers made up
	asides  int // topics made up

	skipped string // why the statement was not tested
	failure string // empty when the statement holds
}

// run tests a statement, and returns when all its connections are closed.
func (c *check) run(test func(*check)) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			for _, conn := range c.conns {
				conn.Close()
			}
		}()
		test(c)
	}()
	<-done
}

// An example is one of several that a test tries.
type example struct {
	name string
	test func(*check)
}

// each tries all examples side by side, and fails with the failures of all.
func (c *check) each(examples []example) {
	checks := make([]*check, len(examples))
	var all sync.WaitGroup
	for i, e := range examples {
		checks[i] = &check{server: c.server, v: c.v, name: fmt.Sprint(c.name, i)}
		all.Go(func() { checks[i].run(e.test) })
	}
	all.Wait()
	var failures []string
	for i, e := range examples {
		if checks[i].failure != "" {
			failures = append(failures, e.name+": "+checks[i].failure)
		}
	}
	if failures != nil {
		slices.Sort(failures)
		c.failure = strings.Join(failures, "; ")
		runtime.Goexit()
	}
}

// A sample is a packet that is wrong in some way.
type sample struct {
	fault  string
	packet []byte
}

// eachEnds sends each packet as a connected client, and wants the connection
// closed, for one of the reasons if the server gives any.
func (c *check) eachEnds(codes []byte, samples []sample) {
	var examples []example
	for _, s := range samples {
		examples = append(examples, example{s.fault, func(c *check) {
			w := c.plain()
			w.send(s.packet)
			w.ends(codes...)
		}})
	}
	c.each(examples)
}

// eachRefused sends each packet as the first of a connection.
func (c *check) eachRefused(codes []byte, samples []sample) {
	var examples []example
	for _, s := range samples {
		examples = append(examples, example{s.fault, func(c *check) { c.refused(s.packet, codes...) }})
	}
	c.each(examples)
}

// fatalf ends the check: the statement does not hold.
func (c *check) fatalf(format string, args ...any) {
	c.failure = c.line() + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// skip ends the check: what it needs is not there.
func (c *check) skip(why string) {
	c.skipped = why
	runtime.Goexit()
}

// line says which line of a test is being run.
func (c *check) line() string {
	callers := make([]uintptr, 20)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		f, more := frames.Next()
		if strings.Contains(f.Function, "conformance.test") {
			return fmt.Sprintf("%s:%d: ", filepath.Base(f.File), f.Line)
		}
		if !more {
			return ""
		}
	}
}

// id returns a client identifier of at most 23 letters and digits that no other
// check uses.
func (c *check) id(name string) string { return c.name + name }

// topic returns a topic that no other check uses.
func (c *check) topic(name string) string { return c.name + "/" + name }

// aside returns a topic that is new, and that no filter made of [check.topic]
// matches.
func (c *check) aside() string {
	c.asides++
	return fmt.Sprintf("%s-aside/%d", c.name, c.asides)
}

// letPass waits for an interval that is part of what is tested to be over.
// Nothing else in this package waits for time.
func (c *check) letPass(d time.Duration) { <-time.After(d) }

// options are what a CONNECT says. The zero value is a new session that ends
// with its connection.
type options struct {
	id        string // made up when it is empty
	nameless  bool   // the empty client identifier
	resume    bool   // clean start 0
	keepAlive uint16 // seconds
	expiry    uint32 // of the session, seconds; MQTT 3.1.1 has resume alone
	props     []byte // further properties
	will      *message
	user      string
	password  string

	protocol string // instead of MQTT
	level    byte   // instead of the check's
	flip     byte   // connect flags that are turned over
	payload  []byte // instead of the right one
}

// kept returns options of a session that outlives its connection.
func (c *check) kept(name string) options {
	return options{id: c.id(name), resume: true, expiry: 60}
}

// dial opens a connection without a word.
func (c *check) dial() *wire {
	conn, err := net.DialTimeout("tcp", c.addr, patience)
	if err != nil {
		c.fatalf("dial: %v", err)
	}
	c.conns = append(c.conns, conn)
	return &wire{c: c, conn: conn, in: bufio.NewReader(conn)}
}

// client returns a connection that the server has accepted.
func (c *check) client(o options) *wire {
	w := c.try(o)
	if w.ack.code != 0 {
		c.fatalf("CONNACK %#x", w.ack.code)
	}
	return w
}

// plain is a client of which the check asks nothing special.
func (c *check) plain() *wire { return c.client(options{}) }

// try sends CONNECT and waits for CONNACK.
func (c *check) try(o options) *wire {
	w := c.dial()
	w.send(c.connectBytes(o))
	w.connacked(w.next())
	return w
}

// refused sends a CONNECT that the server must not accept: it closes the
// connection, and may say one of the codes before.
func (c *check) refused(packet []byte, codes ...byte) {
	w := c.dial()
	w.send(packet)
	p, err := w.read()
	if err == nil {
		w.connacked(p)
		if w.ack.code == 0 {
			c.fatalf("the server accepts it")
		}
		w.oneOf(w.ack.code, codes)
		_, err = w.read()
	}
	w.closed(err)
}

func (c *check) connectBytes(o options) []byte {
	flags, protocol, level, id := byte(2), "MQTT", c.v, o.id
	if o.protocol != "" {
		protocol = o.protocol
	}
	if o.level != 0 {
		level = o.level
	}
	if o.resume {
		flags = 0
	}
	if id == "" && !o.nameless {
		c.clients++
		id = c.id(fmt.Sprint("n", c.clients))
	}
	var own []byte
	if o.expiry > 0 {
		own = prop(sessionExpiry, u32(o.expiry))
	}
	payload := str(id)
	if o.will != nil {
		flags |= 4 | o.will.qos<<3
		if o.will.retain {
			flags |= 0x20
		}
		payload = cat(payload, props(c.v, o.will.props), str(o.will.topic), str(o.will.payload))
	}
	if o.user != "" {
		flags |= 0x80
		payload = append(payload, str(o.user)...)
	}
	if o.password != "" {
		flags |= 0x40
		payload = append(payload, str(o.password)...)
	}
	if o.payload != nil {
		payload = o.payload
	}
	return frame(connect, 0, str(protocol), []byte{level, flags ^ o.flip}, u16(o.keepAlive), props(c.v, own, o.props), payload)
}
