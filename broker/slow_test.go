package broker

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestClientsThatDoNotKeepPaceAreListedTheSlowestFirst(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.WriteTimeout = time.Minute
	b := start(t, cfg)
	for _, id := range []string{"fine", "stalled", "unsure"} {
		c := connect(t, b, 4, id)
		topic, qos := "load", "\x00"
		if id == "unsure" {
			topic, qos = "quiet", "\x01"
		}
		send(t, c, pack(0x82, "\x00\x01", text(topic), qos))
		receive(t, c)
		if id == "fine" {
			go func() {
				for one := make([]byte, 1<<16); ; {
					if _, err := c.Read(one); err != nil {
						return
					}
				}
			}()
		}
	}
	p := connect(t, b, 4, "publisher")
	payload := strings.Repeat("x", 200_000)
	message := append([]byte{0x30, 0xC6, 0x9A, 0x0C}, text("load")+payload...) // 200,006 bytes
	type client struct {
		ID                                       string `json:"_id"`
		Waiting, Dropped, HeldUp, QueuedMessages int64
		Slow                                     bool
	}
	var list struct{ Hits []client }
	for until := time.Now().Add(deadline); len(list.Hits) == 0 || list.Hits[0].Waiting < 1000 || list.Hits[0].Dropped == 0; {
		if time.Now().After(until) {
			t.Fatalf("nobody is slow: %+v", list)
		}
		send(t, p, message)
		if err := Ask(t.Context(), cfg.Data, "client", "list", map[string]any{"slow": true}, &list); err != nil {
			t.Fatal(err)
		}
	}
	send(t, p, pack(0x32, text("quiet"), "\x00\x02", "?"))
	receive(t, p)
	if err := Ask(t.Context(), cfg.Data, "client", "list", map[string]any{"slow": true}, &list); err != nil {
		t.Fatal(err)
	}
	// Who reads well may have held somebody up for a moment, and comes last then.
	if len(list.Hits) < 2 || list.Hits[0].ID != "stalled" || list.Hits[1].ID != "unsure" {
		t.Fatalf("%+v", list.Hits)
	}
	if s := list.Hits[0]; !s.Slow || s.HeldUp == 0 || s.QueuedMessages == 0 {
		t.Errorf("%+v", s)
	}
	if u := list.Hits[1]; u.Slow || u.QueuedMessages != 1 || u.Dropped != 0 {
		t.Errorf("who has not acknowledged: %+v", u)
	}
	for _, c := range list.Hits[2:] {
		if c.ID != "fine" || c.Slow || c.Dropped > 0 {
			t.Errorf("who reads well: %+v", c)
		}
	}
	status, text := page(t, b, "/metrics", "")
	if status != http.StatusOK || !strings.Contains(text, "\nambit_slow_clients 1\n") {
		t.Errorf("status %d, and no client is slow", status)
	}
}
