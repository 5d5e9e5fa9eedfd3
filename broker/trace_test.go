package broker

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// traced begins a trace and returns what ends it and returns its events, as JSON lines.
func traced(t *testing.T, b *Broker, data string, o TraceOptions) func() (lines []string, end string) {
	t.Helper()
	type result struct {
		lines []string
		end   string
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		r.end, r.err = Trace(t.Context(), data, o, func(ev TraceEvent) error {
			line, err := json.Marshal(ev)
			r.lines = append(r.lines, string(line))
			return err
		})
		done <- r
	}()
	for until := time.Now().Add(deadline); !b.engine.IsTraced(); {
		if time.Now().After(until) {
			t.Fatal("there is no trace")
		}
	}
	return func() ([]string, string) {
		t.Helper()
		select {
		case r := <-done:
			if r.err != nil {
				t.Fatal(r.err)
			}
			return r.lines, r.end
		case <-time.After(deadline):
			t.Fatal("the trace does not end")
		}
		return nil, ""
	}
}

func TestATraceTellsOfOneClientWhatIsDecidedAndNoSecret(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	// CONNECT, CONNACK, SUBSCRIBE, granted, SUBACK, PUBLISH, stored, matched, PUBLISH out, PUBACK, PUBLISH, refused, PUBACK, DISCONNECT
	end := traced(t, b, cfg.Data, TraceOptions{Client: "dash", Time: time.Minute, Count: 14})
	other := connect(t, b, 5, "other")
	send(t, other, pack(0x32, text("fleet/trucks/9"), "\x00\x01\x00", `{"speed":99}`))
	receive(t, other)
	c := dial(t, b)
	send(t, c, pack(0x10, text("MQTT"), "\x05\xC2\x00\x3c\x00", text("dash"), text("ann"), text("topsecret")))
	receive(t, c)
	send(t, c, pack(0x82, "\x00\x01\x00", text(`fleet/trucks/?{"range":{"speed":{"gt":50}}}`), "\x00"))
	receiveAny(t, c)
	send(t, c, pack(0x32, text("fleet/trucks/1"), "\x00\x02\x00", `{"speed":60,"pin":"4711"}`))
	receiveAny(t, c)
	receiveAny(t, c)
	send(t, c, pack(0x32, text("$bad"), "\x00\x03\x00", `x`))
	receiveAny(t, c)
	send(t, c, []byte{0xE0, 0})
	lines, why := end()
	all := strings.Join(lines, "\n")
	for _, want := range []string{
		`"packet":"connect"`, `"packet":"connack"`, `"packet":"suback"`, `subscribed, QoS 0, room `, `"stored: create, change 2, version 1"`,
		`matched: enter of fleet/trucks/?`, `"code":144,"text":"refused: `, `"packet":"puback"`, `"packet":"disconnect"`,
		`"what":"in","packet":"publish","topic":"fleet/trucks/1","qos":1,"id":2,"bytes":25`,
	} {
		if !strings.Contains(all, want) {
			t.Errorf("missing: %s", want)
		}
	}
	for _, secret := range []string{"topsecret", "4711", `"client":"other"`} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is told", secret)
		}
	}
	if len(lines) != 14 || !strings.Contains(why, "events") || t.Failed() {
		t.Errorf("%d lines, and the end is %q:\n%s", len(lines), why, all)
	}
	if b.engine.IsTraced() {
		t.Error("the trace goes on")
	}
}

func TestATraceOfATopicTellsOfAllClients(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	end := traced(t, b, cfg.Data, TraceOptions{Topic: "home/+/lamp", Time: time.Minute, Count: 3})
	a, c := connect(t, b, 4, "a"), connect(t, b, 4, "c")
	send(t, c, pack(0x82, "\x00\x01", text("home/#"), "\x00"))
	receiveAny(t, c)
	send(t, a, pack(0x30, text("home/door"), "1"))
	send(t, a, pack(0x30, text("home/hall/lamp"), "1"))
	receiveAny(t, c)
	receiveAny(t, c)
	send(t, c, pack(0x30, text("home/hall/lamp"), "2"))
	lines, _ := end()
	if has := func(text string) bool {
		return slices.ContainsFunc(lines, func(l string) bool { return strings.Contains(l, text) })
	}; !has(`"client":"a","what":"in"`) || !has(`"client":"c","what":"out"`) || has("door") {
		t.Errorf("%q", lines)
	}
}

func TestATraceIsBounded(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	end := traced(t, b, cfg.Data, TraceOptions{Client: "nobody", Time: 50 * time.Millisecond, Count: 10})
	if lines, why := end(); len(lines) > 0 || why != "the time is up" {
		t.Errorf("%q, %s", lines, why)
	}
	for _, o := range []TraceOptions{
		{}, {Client: "a", Time: 2 * time.Hour, Count: 1}, {Client: "a", Time: time.Second}, {Topic: "a/#/b", Time: time.Second, Count: 1},
		{Topic: "a", Time: time.Second, Count: MaxTraceCount + 1},
	} {
		if _, err := Trace(t.Context(), cfg.Data, o, nil); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	for range 16 {
		trace, err := b.engine.Trace("x", "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(trace.Close)
	}
	if _, err := Trace(t.Context(), cfg.Data, TraceOptions{Client: "a", Time: time.Second, Count: 1}, nil); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a 17th trace: %v", err)
	}
}

func TestATraceThatNobodyReadsHoldsNobodyUp(t *testing.T) {
	b := start(t, testConfig(t))
	trace, err := b.engine.Trace("busy", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trace.Close)
	c := connect(t, b, 4, "busy")
	for range 5000 {
		send(t, c, []byte{0xC0, 0})
		receive(t, c)
	}
	for len(trace.Events()) > 0 {
		<-trace.Events()
	}
	send(t, c, []byte{0xC0, 0})
	receive(t, c)
	select {
	case ev := <-trace.Events():
		if ev.Dropped < 5000 {
			t.Errorf("%d events are said to be left out", ev.Dropped)
		}
	case <-time.After(deadline):
		t.Fatal("nothing more is told")
	}
}

func TestATraceEndsWithWhoReadsIt(t *testing.T) {
	cfg := testConfig(t)
	b := start(t, cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := Trace(ctx, cfg.Data, TraceOptions{Client: "a", Time: time.Hour, Count: 1}, nil)
		done <- err
	}()
	until := time.Now().Add(deadline)
	for !b.engine.IsTraced() && time.Now().Before(until) {
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for b.engine.IsTraced() {
		if time.Now().After(until) {
			t.Fatal("the trace goes on")
		}
	}
}
