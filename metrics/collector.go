package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
)

// figures are those of one moment.
type figures struct {
	sessions sessions.Figures
	store    persistence.Figures
	rooms    int
}

// A row is one metric without labels.
type row struct {
	name, help string
	kind       prometheus.ValueType
	read       func(*figures) float64
	desc       *prometheus.Desc
}

// rows returns the metrics of figures.
func rows() []row {
	const counter, gauge = prometheus.CounterValue, prometheus.GaugeValue
	all := []row{
		{"ambit_connections", "Clients that are connected.", gauge, func(f *figures) float64 { return float64(f.sessions.Connected) }, nil},
		{"ambit_sessions", "Sessions, those of absent clients included.", gauge, func(f *figures) float64 { return float64(f.sessions.Sessions) }, nil},
		{"ambit_subscriptions", "Subscriptions to plain topics.", gauge, func(f *figures) float64 { return float64(f.sessions.Subscriptions) }, nil},
		{"ambit_retained_messages", "Retained messages in the store.", gauge, func(f *figures) float64 { return float64(f.sessions.Retained) }, nil},
		{"ambit_rooms", "Rooms.", gauge, func(f *figures) float64 { return float64(f.rooms) }, nil},
		{"ambit_publishes_received_total", "PUBLISH packets of clients.", counter, func(f *figures) float64 { return float64(f.sessions.MessagesIn) }, nil},
		{"ambit_messages_sent_total", "Messages for clients.", counter, func(f *figures) float64 { return float64(f.sessions.MessagesOut) }, nil},
		{"ambit_received_bytes_total", "Bytes of MQTT from clients.", counter, func(f *figures) float64 { return float64(f.sessions.BytesIn) }, nil},
		{"ambit_sent_bytes_total", "Bytes of MQTT to clients.", counter, func(f *figures) float64 { return float64(f.sessions.BytesOut) }, nil},
		{"ambit_queued_bytes", "Bytes of messages that wait for clients, there or not.", gauge, func(f *figures) float64 { return float64(f.sessions.QueuedBytes) }, nil},
		{"ambit_store_queued_operations", "Operations that wait for the store.", gauge, func(f *figures) float64 { return float64(f.store.QueuedOps) }, nil},
		{"ambit_store_queued_bytes", "Bytes of operations that wait for the store.", gauge, func(f *figures) float64 { return float64(f.store.QueuedBytes) }, nil},
		{"ambit_store_disk_bytes", "Bytes of the store on disk.", gauge, func(f *figures) float64 { return float64(f.store.DiskBytes) }, nil},
		{"ambit_store_log_bytes", "Bytes of the write-ahead log on disk.", gauge, func(f *figures) float64 { return float64(f.store.LogBytes) }, nil},
		{"ambit_store_compactions_total", "Compactions of the store.", counter, func(f *figures) float64 { return float64(f.store.Compactions) }, nil},
		{"ambit_store_flushes_total", "Flushes of memory to tables of the store.", counter, func(f *figures) float64 { return float64(f.store.Flushes) }, nil},
		{"ambit_store_compaction_debt_bytes", "Bytes that are to be compacted, estimated.", gauge, func(f *figures) float64 { return float64(f.store.CompactionDebtBytes) }, nil},
	}
	for i := range all {
		all[i].desc = prometheus.NewDesc(all[i].name, all[i].help, nil, nil)
	}
	return all
}

// A collector reads the sources when Prometheus asks.
type collector struct {
	sources         Sources
	rows            []row
	dropped, limits *prometheus.Desc
}

var _ prometheus.Collector = (*collector)(nil)

func newCollector(s Sources) *collector {
	return &collector{
		sources: s, rows: rows(),
		dropped: prometheus.NewDesc("ambit_messages_dropped_total", "Messages that clients were not given: QoS 0 and too slow, or larger than they take.", []string{"reason"}, nil),
		limits:  prometheus.NewDesc("ambit_limits_reached_total", "How often a limit was reached.", []string{"limit"}, nil),
	}
}

// Describe tells which metrics there are.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		to <- r.desc
	}
	to <- c.dropped
	to <- c.limits
}

// Collect reads the sources. Of a store that is closed nothing is told.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	store, err := c.sources.Store.Figures()
	if err != nil {
		to <- prometheus.NewInvalidMetric(c.rows[0].desc, err)
		return
	}
	f := figures{sessions: c.sources.Sessions.Figures(), store: store, rooms: c.sources.Rooms()}
	for _, r := range c.rows {
		to <- prometheus.MustNewConstMetric(r.desc, r.kind, r.read(&f))
	}
	to <- prometheus.MustNewConstMetric(c.dropped, prometheus.CounterValue, float64(f.sessions.Shed), "slow")
	to <- prometheus.MustNewConstMetric(c.dropped, prometheus.CounterValue, float64(f.sessions.Oversize), "oversize")
	for kind, n := range c.sources.Limits.All() {
		to <- prometheus.MustNewConstMetric(c.limits, prometheus.CounterValue, float64(n), kind.String())
	}
}
