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
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
)

// Sources are where the figures come from. They are read when somebody asks.
type Sources struct {
	Store    *persistence.Store
	Sessions *sessions.Engine
	Rooms    func() rooms.Figures
	Limits   *limits.Counts
	// SocketIO returns how many sessions of Socket.IO are polled, and how many have a WebSocket.
	SocketIO func() (polled, webSockets int64)
	Version  string
}

// Metrics are those of one node, in a registry of their own.
type Metrics struct {
	registry   *prometheus.Registry
	ops        prometheus.Counter
	histograms [histograms]prometheus.Histogram
}

// The histograms, by what is measured.
const (
	syncTime = iota
	groupOps
	matchTime
	candidates
	histograms
)

// distributions describes the histograms. Their buckets span what is usual and what is
// worth an alert, each twice or four times the one before.
func distributions() [histograms]prometheus.HistogramOpts {
	return [histograms]prometheus.HistogramOpts{
		syncTime: {Name: "ambit_store_sync_seconds", Help: "Time that the sync of a group of operations took.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 16)},
		groupOps: {Name: "ambit_store_group_operations", Help: "Operations in a group that was synced at once.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 13)},
		matchTime: {Name: "ambit_match_seconds", Help: "Time that it took to find the rooms that a change concerns, of one change in 17.",
			Buckets: prometheus.ExponentialBuckets(0.000001, 4, 11)},
		candidates: {Name: "ambit_match_candidates", Help: "Filters that were looked at to find the rooms that a change concerns, of one change in 17.",
			Buckets: append([]float64{0}, prometheus.ExponentialBuckets(1, 4, 11)...)},
	}
}

// syncedOps is the name of the counter of operations that were synced.
const (
	syncedOps     = "ambit_store_synced_operations_total"
	syncedOpsHelp = "Operations in groups that were synced."
)

// New returns metrics of which [Metrics.Synced] and [Metrics.Matched] may be called, and which tell of the
// rest after [Metrics.Watch].
func New() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		ops:      prometheus.NewCounter(prometheus.CounterOpts{Name: syncedOps, Help: syncedOpsHelp}),
	}
	m.registry.MustRegister(m.ops, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for i, o := range distributions() {
		m.histograms[i] = prometheus.NewHistogram(o)
		m.registry.MustRegister(m.histograms[i])
	}
	return m
}

// Synced notes that a group of operations was synced.
func (m *Metrics) Synced(ops int, took time.Duration) {
	m.histograms[syncTime].Observe(took.Seconds())
	m.histograms[groupOps].Observe(float64(ops))
	m.ops.Add(float64(ops))
}

// Matched notes that the rooms were found that a change concerns, after a look at some
// filters.
func (m *Metrics) Matched(took time.Duration, looked int) {
	m.histograms[matchTime].Observe(took.Seconds())
	m.histograms[candidates].Observe(float64(looked))
}

// Watch adds what the sources have. It is called once.
func (m *Metrics) Watch(s Sources) { m.registry.MustRegister(&collector{s, rows()}) }

// Handler answers what Prometheus asks.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4})
}
