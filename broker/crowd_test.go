package broker

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/ambitmq/ambit/limits"
)

// Whoever floods a listener with connections that say nothing loses those that have waited the
// longest, and one that says something in time is let in.
func TestConnectionsThatSayNothingMakeRoom(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quotas.HalfOpen, cfg.Quotas.HalfOpenPerAddress = 10, 10
	b := start(t, cfg)
	connect(t, b, 5, "before")
	var silent []net.Conn
	for range 30 {
		silent = append(silent, dial(t, b))
	}
	connect(t, b, 5, "after")
	for _, c := range silent[:20] {
		expectEnd(t, c)
	}
	last := silent[29]
	expectConnack(t, last, "last", 0)
	if n := b.Limits().Of(limits.HalfOpen); n < 20 || n > 21 {
		t.Errorf("%d connections were closed, want 20", n)
	}
}

// An address that has too many loses one after the other, though not those that have just come.
func TestAnAddressLosesConnectionsThatHaveSaidNothingForAWhile(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quotas.HalfOpenPerAddress = 5
	b := start(t, cfg)
	first := dial(t, b)
	for range 20 {
		dial(t, b)
	}
	connect(t, b, 5, "other") // they are accepted
	if n := b.Limits().Of(limits.HalfOpen); n != 0 {
		t.Errorf("%d connections are closed that have just come", n)
	}
	waitFor(t, "the first one to be closed", func() bool {
		_ = dial(t, b).Close()
		return b.Limits().Of(limits.HalfOpen) > 0
	})
	expectEnd(t, first)
}

func TestConnectionsToHTTPThatSayNothingMakeRoom(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quotas.HalfOpen = 5
	b := start(t, cfg)
	var silent []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", b.HTTPAddr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		send(t, c, []byte("POST /api/server/now HTTP/1.1\r\n")) // and the rest never comes
		silent = append(silent, c)
	}
	httpAsk(t, b, http.StatusOK)
	for _, c := range silent[:14] {
		_, err := io.Copy(io.Discard, c)
		if err != nil && !strings.Contains(err.Error(), "reset") {
			t.Error(err)
		}
	}
}

// httpAsk makes a request by a connection of its own.
func httpAsk(t *testing.T, b *Broker, want int) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: deadline}
	answer, err := client.Post("http://"+b.HTTPAddr()+"/api/server/now", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != want {
		t.Errorf("HTTP status %d, want %d", answer.StatusCode, want)
	}
}

func TestAnAddressHasNoMoreConnectionsThanItMay(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quotas.ConnectionsPerAddress = 2
	b := start(t, cfg)
	first := connect(t, b, 5, "one")
	connect(t, b, 5, "two")
	for version, code := range map[byte]byte{5: 0x97, 4: 3} {
		c := dial(t, b)
		send(t, c, connectPacket(t, version, "three"))
		if got := receive(t, c); got[0] != 0x20 || got[3] != code {
			t.Errorf("% X, want CONNACK 0x%02X", got, code)
		}
		expectEnd(t, c)
	}
	httpAsk(t, b, http.StatusTooManyRequests)
	if n := b.Limits().Of(limits.AddressConnections); n != 2 {
		t.Errorf("the limit was reached %d times, want 2", n)
	}
	_ = first.Close()
	waitFor(t, "room for a connection", func() bool { return b.engine.Connected() == 1 && b.listeners.crowd.sockets.Load() == 1 })
	httpAsk(t, b, http.StatusOK)
}

func TestNothingIsLeftOfACrowdThatHasGone(t *testing.T) {
	b := start(t, testConfig(t))
	for i := range 20 {
		c := dial(t, b)
		if i%2 == 0 {
			expectConnack(t, c, string(rune('a'+i)), 0)
		}
		_ = c.Close()
		httpAsk(t, b, http.StatusOK)
		webSocketURL := strings.Replace(b.webSocketURL(), "ws://", "http://", 1)
		r, err := http.Get(webSocketURL) // which is no upgrade
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
	crowd := b.listeners.crowd
	waitFor(t, "everybody to be gone", func() bool {
		crowd.mu.Lock()
		defer crowd.mu.Unlock()
		left := len(crowd.of) + len(crowd.most) + crowd.waiting + int(crowd.sockets.Load())
		b.listeners.met.Range(func(any, any) bool { left++; return true })
		return left == 0
	})
}

// The first in the heap is what one finds who looks at all addresses.
func TestTheAddressThatHasTheMostIsAlwaysKnown(t *testing.T) {
	cfg := testConfig(t)
	cfg.Quotas.HalfOpen = 50
	c := newCrowd(cfg)
	random := rand.New(rand.NewPCG(1, 2))
	var guests []*guest
	for step := range 20_000 {
		if len(guests) == 0 || random.IntN(5) < 3 {
			address := netip.AddrFrom4([4]byte{10, 0, 0, byte(random.ExpFloat64() * 5)})
			guests = append(guests, &guest{crowd: c, conn: io.NopCloser(nil), from: netip.PrefixFrom(address, 32)})
			guests[len(guests)-1].wait()
		} else {
			guests[random.IntN(len(guests))].asked()
		}
		waiting, most := 0, 0
		for _, own := range c.of {
			waiting, most = waiting+own.Len(), max(most, own.Len())
		}
		if waiting != c.waiting || waiting > cfg.Quotas.HalfOpen || len(c.most) != len(c.of) || most > 0 && c.most[0].Len() != most {
			t.Fatalf("step %d: %d wait, of %d addresses %d at most; counted are %d, of %d", step, waiting, len(c.of), most, c.waiting, len(c.most))
		}
	}
	if c.counts.Of(limits.HalfOpen) == 0 {
		t.Error("nobody made room")
	}
}

func TestAnAddressOfIPv6IsANetwork(t *testing.T) {
	for _, tt := range []struct{ one, other string }{{"[2001:db8::1]:1", "[2001:db8::ffff:1]:2"}, {"10.0.0.1:1", "10.0.0.1:2"}, {"[::ffff:10.0.0.1]:1", "10.0.0.1:1"}} {
		if a, b := network(t, tt.one), network(t, tt.other); a != b {
			t.Errorf("%s and %s are two", a, b)
		}
	}
	if network(t, "[2001:db8:0:1::1]:1") == network(t, "[2001:db8:0:2::1]:1") || network(t, "10.0.0.1:1") == network(t, "10.0.0.2:1") {
		t.Error("two networks are one")
	}
	if limits.NetworkOf(&net.UnixAddr{}).IsValid() {
		t.Error("a Unix socket has a network")
	}
}

// waitFor polls for what no event announces.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for end := time.After(deadline); !ok(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

func network(t *testing.T, address string) string {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	return limits.NetworkOf(addr).String()
}
