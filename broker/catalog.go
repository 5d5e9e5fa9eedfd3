package broker

import "github.com/ambitmq/ambit/metrics"

// A Metric is one of those at /metrics.
type Metric = metrics.Description

// Metrics describes the metrics whose names begin with ambit_.
func Metrics() []Metric { return metrics.Catalog() }
