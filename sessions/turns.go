package sessions

import "sync"

// turns serialises what happens to the session of a client identifier: two
// connections that come at once, or one that comes while another goes, take
// turns.
type turns struct {
	mu    sync.Mutex // guards what follows
	given *sync.Cond
	held  map[string]any // by client identifier: who has the turn
	of    map[any]string
}

func newTurns() *turns {
	t := &turns{held: map[string]any{}, of: map[any]string{}}
	t.given = sync.NewCond(&t.mu)
	return t
}

// take waits for the turn of an identifier. Whoever has it may take it again.
func (t *turns) take(id string, who any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.held[id] != nil && t.held[id] != who {
		t.given.Wait()
	}
	t.held[id], t.of[who] = who, id
}

// give gives up the turn that who has, if any.
func (t *turns) give(who any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if id, ok := t.of[who]; ok {
		delete(t.held, id)
		delete(t.of, who)
		t.given.Broadcast()
	}
}
