package broker

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/limits"
)

func TestQuotasThatCannotBeAreRefused(t *testing.T) {
	if err := testConfig(t).Validate(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		change func(*Quotas)
	}{
		{"half_open", func(q *Quotas) { q.HalfOpen = 0 }},
		{"connections_per_user", func(q *Quotas) { q.ConnectionsPerUser = -1 }},
		{"subscriptions", func(q *Quotas) { q.Subscriptions = 65_535 }},
		{"publish_rates[1]", func(q *Quotas) { q.PublishRates = []string{"1/s", "fast"} }},
		{"flapping", func(q *Quotas) { q.Flapping = "20" }},
		{"sign_in_backoff", func(q *Quotas) { q.SignInBackoff = 0 }},
	} {
		cfg := testConfig(t)
		tt.change(&cfg.Quotas)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "quotas."+tt.name+": ") {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestFiltersAndRequestsBeyondALimitAreCounted(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.FilterDepth, cfg.Limits.RequestRate = 2, 3
	b := start(t, cfg)
	ask := func(body string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+b.HTTPAddr()+"/api/document/search", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for query, n := range map[string]int64{`{"exits":"a"}`: 0, `{"not":{"not":{"not":{"exists":"a"}}}}`: 1} {
		before := b.Limits().Of(limits.Filters)
		if answer := ask(`{"index":"a","collection":"b","body":{"query":` + query + `}}`); !strings.Contains(answer, `"status":400`) {
			t.Errorf("%s is answered %s", query, answer)
		}
		if got := b.Limits().Of(limits.Filters) - before; got != n {
			t.Errorf("%s is counted %d times, want %d", query, got, n)
		}
	}
	for range 20 {
		if strings.Contains(ask(`{"index":"a","collection":"b"}`), `"status":429`) {
			if b.Limits().Of(limits.RequestRate) == 0 {
				t.Error("a request too many is not counted")
			}
			return
		}
	}
	t.Error("no request was one too many")
}
