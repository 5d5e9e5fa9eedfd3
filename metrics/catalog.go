package metrics

import "github.com/prometheus/client_golang/prometheus"

// A Description says what there is to know of one metric.
type Description struct {
	Name, Help string
	// Type is "counter", "gauge" or "histogram".
	Type   string
	Labels []string
}

// Catalog describes the metrics whose names begin with ambit_, in the order of what they are
// about.
func Catalog() []Description {
	types := map[prometheus.ValueType]string{counter: "counter", gauge: "gauge"}
	var all []Description
	for _, r := range rows() {
		all = append(all, Description{r.name, r.help, types[r.kind], r.labels})
	}
	for _, h := range distributions() {
		all = append(all, Description{Name: h.Name, Help: h.Help, Type: "histogram"})
	}
	return append(all, Description{Name: syncedOps, Help: syncedOpsHelp, Type: "counter"})
}
