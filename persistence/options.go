package persistence

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options are the settings of a store. The zero value is good.
type Options struct {
	// LogAge is how long a change stays in the change log. Defaults to 24 hours.
	LogAge time.Duration
	// LogBytes is how large the change log may grow, before compression. The
	// oldest changes go first. Defaults to 1 GiB.
	LogBytes int64
	// EphemeralBytes is how much memory ephemeral documents may take, beyond which a
	// write of one fails with ErrMemoryFull, and EphemeralLogBytes how much their changes:
	// the oldest go first. Default to 256 MiB and 64 MiB.
	EphemeralBytes, EphemeralLogBytes int64
	// Indexes are those that collections have. One that is not among them any more is
	// dropped by [Open], and a new one built in the background. Terms says what is in
	// them; without it there are none.
	Indexes []Index
	Terms   Terms
	// KeepIndexes leaves the indexes as they are, instead of Indexes.
	KeepIndexes bool
	// PerUser is how much one user may keep on disk, by who is the author of a document. A
	// write beyond it fails with a [QuotaError], of which Refused is told, if it is not nil. 0 is
	// no limit.
	PerUser Holding
	Refused func()
	// MinFreeBytes is the free space of the disk below which [Store.Append]
	// refuses with ErrDiskFull. 0 switches the check off.
	MinFreeBytes int64
	// QueueOps and QueueBytes bound what waits for the committer. Default to
	// 8,192 and 32 MiB.
	QueueOps, QueueBytes int
	// CacheBytes is the size of the cache of blocks read from disk. Raise it
	// when the documents in use do not fit. Defaults to 64 MiB.
	CacheBytes int64
	// MustExist has [Open] fail where there is no store, instead of making one.
	MustExist bool
	// Synced is told of each group of ops that was synced, by the committer. Nil is nobody.
	Synced func(ops int, took time.Duration)
	// Log gets what the store does at debug level, what it does to indexes at info, and
	// its troubles at warn.
	// Defaults to no log.
	Log *slog.Logger
	// FS is the file system of the directory. Defaults to the machine's.
	FS vfs.FS

	// noSync acknowledges without a sync: the negative control of the crash test.
	noSync bool
}

func (o Options) withDefaults() Options {
	if o.LogAge <= 0 {
		o.LogAge = 24 * time.Hour
	}
	if o.LogBytes <= 0 {
		o.LogBytes = 1 << 30
	}
	if o.EphemeralBytes <= 0 {
		o.EphemeralBytes = 256 << 20
	}
	if o.EphemeralLogBytes <= 0 {
		o.EphemeralLogBytes = 64 << 20
	}
	if o.QueueOps <= 0 {
		o.QueueOps = 8192
	}
	if o.QueueBytes <= 0 {
		o.QueueBytes = 32 << 20
	}
	if o.CacheBytes <= 0 {
		o.CacheBytes = 64 << 20
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.FS == nil {
		o.FS = vfs.Default
	}
	return o
}

// pebble returns the options of one pebble.Open.
func (o Options) pebble(lock *pebble.Lock, log *pebbleLog) *pebble.Options {
	p := &pebble.Options{
		FormatMajorVersion: pebble.FormatNewest,
		FS:                 orderedFS{o.FS},
		Lock:               lock,
		Logger:             log,
		EventListener:      log.events(),
		CacheSize:          o.CacheBytes,
		// A batch of the committer stays below half of a memtable, or Pebble
		// would flush it by itself.
		MemTableSize:                16 << 20,
		MemTableStopWritesThreshold: 4,
		// Level 0 may pile up while compactions catch up with a burst of writes;
		// Pebble's 12 would stop the writers.
		L0StopWritesThreshold:      256,
		CompactionConcurrencyRange: func() (int, int) { return 1, 2 },
		// Trimming the change log gives its space back without waiting for writes.
		FlushDelayDeleteRange: 10 * time.Second,
	}
	// Most looked-up documents of a growing fleet are absent.
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return p
}
