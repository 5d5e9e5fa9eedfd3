package broker

import (
	"strings"
	"testing"
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
