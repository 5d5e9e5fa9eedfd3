package integration

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
)

// A killOp is what write n of a publisher does: it sets or deletes a document,
// or a retained message. Which it is follows from the publisher and n alone.
type killOp struct {
	id     string
	n      int
	speed  int
	delete bool
}

// opOf makes up write n of a publisher, which has five documents of its own.
func opOf(seed uint64, publisher string, n int) killOp {
	random := rand.New(rand.NewPCG(seed+uint64(n), uint64(len(publisher))<<8+uint64(publisher[len(publisher)-1])))
	return killOp{
		id:     fmt.Sprintf("%s-%d", publisher, random.IntN(5)),
		n:      n,
		speed:  random.IntN(100),
		delete: random.IntN(7) == 0,
	}
}

func (o killOp) payload() []byte {
	if o.delete {
		return nil
	}
	return fmt.Appendf(nil, `{"n":%d,"speed":%d}`, o.n, o.speed)
}

// A killDocument is what the clients know of a document.
type killDocument struct{ N, Speed int }

// fast says whether it is in the scope of fastTrucks.
func (d *killDocument) fast() bool { return d != nil && d.Speed > 50 }

// A killChange is one change as the change log tells it to {}.
type killChange struct {
	seq           uint64
	id            string
	before, after *killDocument
}

// transition returns what the change is to fastTrucks, or nothing.
func (c killChange) transition() string {
	switch in, was := c.after.fast(), c.before.fast(); {
	case in && was:
		return "stay"
	case in:
		return "enter"
	case was:
		return "exit"
	}
	return ""
}

// A killTruth is what has happened, as far as it was read from the change log
// while nobody wrote. It is safe for concurrent use.
type killTruth struct {
	mu      sync.Mutex // guards all below
	changes []killChange
	// documents are those at a change that the checker made itself, by seq.
	documents map[uint64]map[string]killDocument
	now       map[string]killDocument
}

func newKillTruth() *killTruth {
	return &killTruth{documents: map[uint64]map[string]killDocument{}, now: map[string]killDocument{}}
}

// last returns the last change that is known.
func (k *killTruth) last() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return uint64(len(k.changes))
}

// add takes the next change from the log, which must fit to those before it.
func (k *killTruth) add(n killTold) (killChange, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := killChange{seq: n.Seq, id: n.Result.ID}
	if n.Seq != uint64(len(k.changes))+1 {
		return c, fmt.Errorf("the change log has seq %d after %d", n.Seq, len(k.changes))
	}
	if before, ok := k.now[c.id]; ok {
		c.before = &before
	}
	source := n.Result.Source
	want := "exit"
	if n.Action != "delete" {
		c.after = &source
		want = map[bool]string{true: "enter", false: "stay"}[c.before == nil]
	} else if c.before == nil || *c.before != source {
		return c, fmt.Errorf("%+v deletes what is %+v", n, c.before)
	}
	if n.Transition != want {
		return c, fmt.Errorf("%+v is not a %s", n, want)
	}
	if c.after == nil {
		delete(k.now, c.id)
	} else {
		k.now[c.id] = source
	}
	k.changes = append(k.changes, c)
	return c, nil
}

// mark keeps the documents as they are after the last change.
func (k *killTruth) mark() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.documents[uint64(len(k.changes))] = maps.Clone(k.now)
}

// at returns the documents at a change that was marked, and whether it was.
func (k *killTruth) at(seq uint64) (map[string]killDocument, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	d, ok := k.documents[seq]
	return d, ok
}

// between returns the changes after one and up to another that fastTrucks is told of.
func (k *killTruth) between(after, upTo uint64) []killChange {
	k.mu.Lock()
	defer k.mu.Unlock()
	var told []killChange
	for _, c := range k.changes[after:min(upTo, uint64(len(k.changes)))] {
		if c.transition() != "" {
			told = append(told, c)
		}
	}
	return told
}

// change returns the change with that seq, if it is known yet.
func (k *killTruth) change(seq uint64) (killChange, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if seq == 0 || seq > uint64(len(k.changes)) {
		return killChange{}, false
	}
	return k.changes[seq-1], true
}

// A killTold is a notification.
type killTold struct {
	Seq        uint64
	Action     string
	Transition string
	Result     struct {
		ID     string       `json:"_id"`
		Source killDocument `json:"_source"`
	}
}

// matches compares a notification of fastTrucks with what happened.
func (n killTold) matches(c killChange) bool {
	d := c.after
	if d == nil {
		d = c.before
	}
	return n.Seq == c.seq && n.Result.ID == c.id && n.Transition == c.transition() && n.Result.Source == *d &&
		(n.Action == "delete") == (c.after == nil)
}
