package limits

import "sync"

// Shares count how many of something each of many has at a time. The zero value is
// ready. They may be used concurrently, and hold no more keys than there is something of.
type Shares[K comparable] struct {
	mu   sync.Mutex // guards held
	held map[K]int
}

// Take counts one more of a key, and says whether that is within most; if not, nothing is
// counted. 0 is no limit.
func (s *Shares[K]) Take(key K, most int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if most > 0 && s.held[key] >= most {
		return false
	}
	if s.held == nil {
		s.held = map[K]int{}
	}
	s.held[key]++
	return true
}

// Give undoes a Take that was within the limit.
func (s *Shares[K]) Give(key K) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[key]--; s.held[key] <= 0 {
		delete(s.held, key)
	}
}

// Of returns how many a key has.
func (s *Shares[K]) Of(key K) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[key]
}
