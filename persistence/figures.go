package persistence

// Figures are what a [Store] has and has done since it was opened.
type Figures struct {
	// QueuedOps and QueuedBytes wait for the committer.
	QueuedOps, QueuedBytes int
	// DiskBytes is what the database takes on disk, and LogBytes its write-ahead log.
	DiskBytes, LogBytes uint64
	// LogWrittenBytes were written to the write-ahead log, and TableWrittenBytes to tables,
	// by flushes and compactions.
	LogWrittenBytes, TableWrittenBytes uint64
	// Compactions and Flushes are how many there were, and CompactionDebtBytes what is left
	// to be compacted.
	Compactions, Flushes int64
	CompactionDebtBytes  uint64
	// Tables are the files of data on disk. What is in memory alone until it is flushed
	// takes MemoryBytes.
	Tables      uint64
	MemoryBytes uint64
	// CacheBytes is what the cache of blocks holds, and CacheHits and CacheMisses are how
	// often a block was there, and was not.
	CacheBytes, CacheHits, CacheMisses int64
	// ReadAmplification is in how many places a key has to be looked for.
	ReadAmplification int
	// EphemeralDocuments are in memory only.
	EphemeralDocuments int
	// Snapshots are open.
	Snapshots int
	// DiskFull says that writes are refused with ErrDiskFull.
	DiskFull bool
}

// Figures returns the figures of now, or ErrClosed.
func (s *Store) Figures() (Figures, error) {
	if err := s.reads.enter(); err != nil {
		return Figures{}, err
	}
	defer s.reads.leave()
	m := s.db.Metrics()
	total := m.Total()
	f := Figures{
		DiskBytes: m.DiskSpaceUsage(), LogBytes: m.WAL.PhysicalSize,
		LogWrittenBytes: m.WAL.BytesWritten, TableWrittenBytes: total.TableBytesFlushed + total.TableBytesCompacted,
		Compactions: m.Compact.Count, Flushes: m.Flush.Count, CompactionDebtBytes: m.Compact.EstimatedDebt,
		Tables: m.Table.Local.LiveCount, MemoryBytes: m.MemTable.Size,
		CacheBytes: m.BlockCache.Size, CacheHits: m.BlockCache.Hits, CacheMisses: m.BlockCache.Misses,
		ReadAmplification: m.ReadAmp(), Snapshots: m.Snapshots.Count, DiskFull: s.DiskIsFull(),
	}
	if memory := s.memory.Load(); memory != nil {
		f.EphemeralDocuments = memory.documents.Len()
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	f.QueuedOps, f.QueuedBytes = len(s.queue.ops), s.queue.bytes
	return f, nil
}

// DiskIsFull says whether writes are refused with ErrDiskFull.
func (s *Store) DiskIsFull() bool { return s.space.short.Load() }
