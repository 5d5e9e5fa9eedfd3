// Package metrics tells Prometheus what a node has and does.
package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// Sources are where the figures come from. They are read when somebody asks.
type Sources struct {
	Store    *persistence.Store
	Sessions *sessions.Engine
	Rooms    func() int
	Limits   *limits.Counts
}

// Metrics are those of one node, in a registry of their own.
type Metrics struct {
	registry *prometheus.Registry
	syncs    prometheus.Histogram
	ops      prometheus.Counter
}

// New returns metrics of which [Metrics.Synced] may be called, and which tell of the
// rest after [Metrics.Watch].
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		syncs: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "ambit_store_sync_seconds", Help: "Time that the sync of a group of operations took.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16),
		}),
		ops: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ambit_store_synced_operations_total", Help: "Operations in groups that were synced.",
		}),
	}
	m.registry.MustRegister(m.syncs, m.ops, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Synced notes that a group of operations was synced.
func (m *Metrics) Synced(ops int, took time.Duration) {
	m.syncs.Observe(took.Seconds())
	m.ops.Add(float64(ops))
}

// Watch adds what the sources have. It is called once.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(newCollector(s)) }

// Handler answers what Prometheus asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
