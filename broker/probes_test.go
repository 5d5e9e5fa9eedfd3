package broker

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/prometheus/common/expfmt"
)

// page gets a page of a broker, and returns its status and text.
func page(t *testing.T, b *Broker, path, forwarded string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.HTTPAddr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if forwarded != "" {
		r.Header.Set("X-Forwarded-For", forwarded)
	}
	r.Close = true
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestMetricsAreThoseOfPrometheus(t *testing.T) {
	b := start(t, testConfig(t))
	if err := b.Alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Limits().Add(0)
	status, text := page(t, b, "/metrics", "")
	if status != http.StatusOK {
		t.Fatalf("status %d: %s", status, text)
	}
	families, err := new(expfmt.TextParser).TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"ambit_connections", "ambit_rooms", "ambit_publishes_received_total", "ambit_messages_dropped_total",
		"ambit_store_sync_seconds", "ambit_store_disk_bytes", "go_goroutines",
	} {
		if families[name] == nil {
			t.Errorf("there is no %s", name)
		}
	}
	if !strings.Contains(text, `ambit_limits_reached_total{limit="connections"} 1`) {
		t.Error("a limit that was reached is not counted")
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "ambit_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
}

func TestMetricsAreNotForThoseBehindAProxy(t *testing.T) {
	b := start(t, testConfig(t))
	if status, text := page(t, b, "/metrics", "192.0.2.1"); status != http.StatusUnauthorized {
		t.Errorf("status %d: %s", status, text)
	}
}

func TestReadinessShowsAFullDisk(t *testing.T) {
	b := start(t, testConfig(t))
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, text := page(t, b, path, ""); status != http.StatusOK {
			t.Errorf("%s: status %d: %s", path, status, text)
		}
	}
	cfg := testConfig(t)
	cfg.Store.MinFreeBytes = 1 << 50
	full := start(t, cfg)
	if status, text := page(t, full, "/readyz", ""); status != http.StatusServiceUnavailable || !strings.Contains(text, "disk") {
		t.Errorf("status %d: %s", status, text)
	}
	if status, text := page(t, full, "/healthz", ""); status != http.StatusOK {
		t.Errorf("a full disk is no reason for a restart: status %d: %s", status, text)
	}
}

func TestManyWhoAskForHealthCostOneOperation(t *testing.T) {
	var p pulse
	asked := 0
	alive := func(context.Context) error {
		asked++
		return nil
	}
	for range 100 {
		if err := p.feel(t.Context(), alive); err != nil {
			t.Fatal(err)
		}
	}
	p.at = p.at.Add(-pulseEvery)
	sick := errors.New("sick")
	for range 100 {
		if err := p.feel(t.Context(), func(context.Context) error { asked++; return sick }); !errors.Is(err, sick) {
			t.Fatal(err)
		}
	}
	if asked != 2 {
		t.Errorf("%d operations", asked)
	}
}
