package persistence

import "time"

// Keep is what a store keeps of the change log, of the disk, and of each user; see [Options].
type Keep struct {
	LogAge                 time.Duration
	LogBytes, MinFreeBytes int64
	PerUser                Holding
}

// Keep returns what the options say of it.
func (o Options) Keep() Keep { return Keep{o.LogAge, o.LogBytes, o.MinFreeBytes, o.PerUser} }

// Keep has the store keep so much from now on, within a second; LogAge and LogBytes have
// to be more than 0.
func (s *Store) Keep(k Keep) {
	s.space.min.Store(uint64(max(k.MinFreeBytes, 0)))
	s.keep.Store(&k)
}
