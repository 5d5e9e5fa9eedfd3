package persistence

// Figures are what a [Store] has and has done since it was opened.
type Figures struct {
	// QueuedOps and QueuedBytes wait for the committer.
	QueuedOps, QueuedBytes int
	// DiskBytes is what the database takes on disk, and LogBytes its write-ahead log.
	DiskBytes, LogBytes uint64
	// Compactions and Flushes are how many there were, and CompactionDebtBytes what is left
	// to be compacted.
	Compactions, Flushes int64
	CompactionDebtBytes  uint64
}

// Figures returns the figures of now, or ErrClosed.
func (s *Store) Figures() (Figures, error) {
	if err := s.reads.enter(); err != nil {
		return Figures{}, err
	}
	defer s.reads.leave()
	m := s.db.Metrics()
	f := Figures{
		DiskBytes: m.DiskSpaceUsage(), LogBytes: m.WAL.PhysicalSize,
		Compactions: m.Compact.Count, Flushes: m.Flush.Count, CompactionDebtBytes: m.Compact.EstimatedDebt,
	}
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	f.QueuedOps, f.QueuedBytes = len(s.queue.ops), s.queue.bytes
	return f, nil
}

// DiskIsFull says whether writes are refused with ErrDiskFull.
func (s *Store) DiskIsFull() bool { return s.space.short.Load() }
