package metrics

import (
	"fmt"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/sessions"
)

// figures are those of one moment.
type figures struct {
	sessions sessions.Figures
	store    persistence.Figures
	rooms    rooms.Figures
	limits   *limits.Counts
	version  string

	polled, webSockets int64 // of Socket.IO
}

// A put tells one figure, with a value for each label.
type put func(value float64, labels ...string)

// A row is one metric that is read when somebody asks.
type row struct {
	name, help string
	kind       prometheus.ValueType
	labels     []string
	read       func(f *figures, to put)
	desc       *prometheus.Desc
}

// number is a row without labels.
func number[N int | int64 | uint64 | float64](name, help string, kind prometheus.ValueType, read func(*figures) N) row {
	return row{name: name, help: help, kind: kind, read: func(f *figures, to put) { to(float64(read(f))) }}
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

// rows returns the metrics of figures.
func rows() []row {
	all := slices.Concat(clientRows(), messageRows(), queueRows(), roomRows(), storeRows(), nodeRows())
	for i := range all {
		all[i].desc = prometheus.NewDesc(all[i].name, all[i].help, all[i].labels, nil)
	}
	return all
}

func clientRows() []row {
	return []row{
		number("ambit_connections", "Clients that are connected.", gauge, func(f *figures) int { return f.sessions.Connected }),
		number("ambit_connections_max", "Clients that were connected at one time, at most.", gauge, func(f *figures) int { return f.sessions.MostConnected }),
		{name: "ambit_socketio_sessions", help: "Sessions of Socket.IO, by what carries them: polling or websocket.", kind: gauge, labels: []string{"transport"},
			read: func(f *figures, to put) {
				to(float64(f.polled), "polling")
				to(float64(f.webSockets), "websocket")
			}},
		number("ambit_sessions", "Sessions, those of absent clients included.", gauge, func(f *figures) int { return f.sessions.Sessions }),
		number("ambit_sessions_expired_total", "Sessions that have ended because their clients stayed away.", counter, func(f *figures) int64 { return f.sessions.ExpiredSessions }),
		number("ambit_subscriptions", "Subscriptions to plain topics.", gauge, func(f *figures) int { return f.sessions.Subscriptions }),
		number("ambit_shared_subscriptions", "Subscriptions that share their messages with others.", gauge, func(f *figures) int { return f.sessions.SharedSubscriptions }),
		{name: "ambit_refusals_total", help: "What clients were refused, by the reason code of MQTT 5: a connect, a publish or a subscribe.", kind: counter,
			labels: []string{"of", "code"}, read: func(f *figures, to put) { putReasons(f.sessions.Refused, to) }},
		{name: "ambit_disconnections_total", help: "Connections that were ended by the server, by the client with DISCONNECT, or that were lost, by reason code.", kind: counter,
			labels: []string{"by", "code"}, read: func(f *figures, to put) {
				putReasons(f.sessions.Ended, to)
				to(float64(f.sessions.LostConnections), "lost", "")
			}},
	}
}

// putReasons tells counts by reason code.
func putReasons(counts map[sessions.Reason]int64, to put) {
	for reason, n := range counts {
		to(float64(n), reason.Of, fmt.Sprintf("0x%02X", reason.Code))
	}
}

func messageRows() []row {
	packets := func(read func(*figures) map[string]int64) func(*figures, put) {
		return func(f *figures, to put) {
			for kind, n := range read(f) {
				to(float64(n), kind)
			}
		}
	}
	return []row{
		{name: "ambit_packets_received_total", help: "MQTT packets of clients, by type.", kind: counter, labels: []string{"type"},
			read: packets(func(f *figures) map[string]int64 { return f.sessions.PacketsIn })},
		{name: "ambit_packets_sent_total", help: "MQTT packets to clients, by type.", kind: counter, labels: []string{"type"},
			read: packets(func(f *figures) map[string]int64 { return f.sessions.PacketsOut })},
		number("ambit_publishes_received_total", "PUBLISH packets of clients that were understood.", counter, func(f *figures) int64 { return f.sessions.MessagesIn }),
		number("ambit_messages_sent_total", "Messages for clients.", counter, func(f *figures) int64 { return f.sessions.MessagesOut }),
		number("ambit_received_bytes_total", "Bytes of MQTT from clients.", counter, func(f *figures) int64 { return f.sessions.BytesIn }),
		number("ambit_sent_bytes_total", "Bytes of MQTT to clients.", counter, func(f *figures) int64 { return f.sessions.BytesOut }),
		number("ambit_retained_messages", "Retained messages in the store.", gauge, func(f *figures) int64 { return f.sessions.Retained }),
		{name: "ambit_messages_dropped_total", help: "Messages that clients were not given: QoS 0 and too slow, larger than they take, no room in the queue of an absent client, or expired.",
			kind: counter, labels: []string{"reason"}, read: func(f *figures, to put) {
				to(float64(f.sessions.Shed), "slow")
				to(float64(f.sessions.Oversize), "oversize")
				to(float64(f.sessions.Lost), "queue_full")
				to(float64(f.sessions.Expired), "expired")
			}},
		{name: "ambit_limits_reached_total", help: "How often a limit was reached.", kind: counter, labels: []string{"limit"}, read: func(f *figures, to put) {
			for kind, n := range f.limits.All() {
				to(float64(n), kind.String())
			}
		}},
	}
}

func queueRows() []row {
	queues := func(read func(q *sessions.QueueFigures) int64) func(*figures) int64 {
		return func(f *figures) int64 { return read(&f.sessions.Queues) }
	}
	return []row{
		number("ambit_queued_messages", "Messages that wait for clients, there or not.", gauge, queues(func(q *sessions.QueueFigures) int64 { return q.Messages })),
		number("ambit_queued_messages_max", "Messages that wait for one client, at most.", gauge, queues(func(q *sessions.QueueFigures) int64 { return q.MostMessages })),
		number("ambit_queued_bytes", "Bytes of messages that wait for clients, there or not.", gauge, queues(func(q *sessions.QueueFigures) int64 { return q.Bytes })),
		number("ambit_queued_bytes_max", "Bytes of messages that wait for one client, at most.", gauge, queues(func(q *sessions.QueueFigures) int64 { return q.MostBytes })),
		number("ambit_slow_clients", "Clients that are there and have taken nothing for a second of what waits for them.", gauge, func(f *figures) int { return f.sessions.Queues.Slow }),
		number("ambit_slow_client_max_seconds", "For how long a client that is there has taken nothing of what waits for it, at most.", gauge, func(f *figures) float64 { return f.sessions.Queues.Oldest.Seconds() }),
	}
}

func roomRows() []row {
	return []row{
		number("ambit_rooms", "Rooms.", gauge, func(f *figures) int { return f.rooms.Rooms }),
		number("ambit_changes_total", "Changes of documents that rooms were asked about.", counter, func(f *figures) int64 { return f.rooms.Changes }),
		{name: "ambit_notifications_total", help: "Notifications of rooms as things happen, one for each member: of documents that enter, stay and exit, and of messages.",
			kind: counter, labels: []string{"kind"}, read: func(f *figures, to put) {
				to(float64(f.rooms.Enter), "enter")
				to(float64(f.rooms.Stay), "stay")
				to(float64(f.rooms.Exit), "exit")
				to(float64(f.rooms.Ephemeral), "message")
			}},
	}
}

func storeRows() []row {
	return []row{
		number("ambit_store_queued_operations", "Operations that wait for the store.", gauge, func(f *figures) int { return f.store.QueuedOps }),
		number("ambit_store_queued_bytes", "Bytes of operations that wait for the store.", gauge, func(f *figures) int { return f.store.QueuedBytes }),
		number("ambit_store_disk_bytes", "Bytes of the store on disk.", gauge, func(f *figures) uint64 { return f.store.DiskBytes }),
		number("ambit_store_disk_full", "Whether writes are refused because the disk is almost full: 1 or 0.", gauge, func(f *figures) int {
			if f.store.DiskFull {
				return 1
			}
			return 0
		}),
		number("ambit_store_log_bytes", "Bytes of the write-ahead log on disk.", gauge, func(f *figures) uint64 { return f.store.LogBytes }),
		number("ambit_store_log_written_bytes_total", "Bytes that were written to the write-ahead log.", counter, func(f *figures) uint64 { return f.store.LogWrittenBytes }),
		number("ambit_store_tables", "Tables of the store on disk.", gauge, func(f *figures) uint64 { return f.store.Tables }),
		number("ambit_store_table_written_bytes_total", "Bytes that flushes and compactions wrote to tables.", counter, func(f *figures) uint64 { return f.store.TableWrittenBytes }),
		number("ambit_store_memory_bytes", "Bytes in memory that are to be flushed to tables.", gauge, func(f *figures) uint64 { return f.store.MemoryBytes }),
		number("ambit_store_compactions_total", "Compactions of the store.", counter, func(f *figures) int64 { return f.store.Compactions }),
		number("ambit_store_flushes_total", "Flushes of memory to tables of the store.", counter, func(f *figures) int64 { return f.store.Flushes }),
		number("ambit_store_compaction_debt_bytes", "Bytes that are to be compacted, estimated.", gauge, func(f *figures) uint64 { return f.store.CompactionDebtBytes }),
		number("ambit_store_read_amplification", "In how many places of the store a key has to be looked for.", gauge, func(f *figures) int { return f.store.ReadAmplification }),
		number("ambit_store_cache_bytes", "Bytes in the cache of blocks.", gauge, func(f *figures) int64 { return f.store.CacheBytes }),
		number("ambit_store_cache_hits_total", "Blocks that were in the cache.", counter, func(f *figures) int64 { return f.store.CacheHits }),
		number("ambit_store_cache_misses_total", "Blocks that were not in the cache.", counter, func(f *figures) int64 { return f.store.CacheMisses }),
		number("ambit_store_snapshots", "Snapshots of the store that are open.", gauge, func(f *figures) int { return f.store.Snapshots }),
		number("ambit_ephemeral_documents", "Documents that are in memory only.", gauge, func(f *figures) int { return f.store.EphemeralDocuments }),
	}
}

func nodeRows() []row {
	return []row{
		{name: "ambit_build_info", help: "The version of Ambit, as a label. Its value is 1.", kind: gauge, labels: []string{"version"},
			read: func(f *figures, to put) { to(1, f.version) }},
	}
}
