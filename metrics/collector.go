package metrics

import "github.com/prometheus/client_golang/prometheus"

// A collector reads the sources when Prometheus asks.
type collector struct {
	sources Sources
	rows    []row
}

var _ prometheus.Collector = (*collector)(nil)

// Describe tells which metrics there are.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, r := range c.rows {
		to <- r.desc
	}
}

// Collect reads the sources. Of a store that is closed nothing is told.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	store, err := c.sources.Store.Figures()
	if err != nil {
		to <- prometheus.NewInvalidMetric(c.rows[0].desc, err)
		return
	}
	f := figures{
		sessions: c.sources.Sessions.Figures(), store: store, rooms: c.sources.Rooms(),
		limits: c.sources.Limits, version: c.sources.Version,
	}
	f.polled, f.webSockets = c.sources.SocketIO()
	for _, r := range c.rows {
		r.read(&f, func(value float64, labels ...string) {
			to <- prometheus.MustNewConstMetric(r.desc, r.kind, value, labels...)
		})
	}
}
