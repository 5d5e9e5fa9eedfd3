package rooms

import (
	"fmt"
	"iter"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/topics"
)

const (
	// A replay reads the change log in pieces, so that a slow reader holds nothing
	// of the store: so many changes, or so many messages of so many bytes.
	pieceChanges  = 1024
	pieceMessages = 64
	pieceBytes    = 256 << 10
)

// A Replay tells one topic filter again what it missed. It is for one goroutine
// at a time.
type Replay struct {
	node, hash string
	to         topics.Filter
	view       View
	scans      *scans
	// neighbours are where the documents that the filter names were, at the change
	// that is told. Nil until the first one.
	neighbours map[filter.Neighbour]filter.Position
}

// Replay returns a replay for to, a topics.Room or topics.Scope, by the view of who
// is told. Nobody needs to be in the room.
func (e *Engine) Replay(to topics.Filter, v View) *Replay {
	return &Replay{node: e.node, hash: v.Filter.Hash(to.Index, to.Collection), to: to, view: v, scans: &e.scans}
}

// Messages yields what was told, or would have been, of the changes after one
// up to another, in order: the same messages, from the change log. Now and then
// it yields one with nothing but Seq: there was nothing more up to that, and at
// last one for upTo. It yields persistence.ErrTrimmed if the change log does not,
// or no longer, reach back that far, for ephemeral documents of the room's collection
// either; an error ends it.
func (r *Replay) Messages(store *persistence.Store, after, upTo uint64) iter.Seq2[*Message, error] {
	return func(yield func(*Message, error) bool) {
		for after < upTo {
			piece, err := r.piece(store, after, upTo)
			for _, m := range piece {
				if !yield(m, nil) {
					return
				}
				after = m.Seq
			}
			if err != nil {
				yield(nil, fmt.Errorf("rooms: replay of %s: %w", r.to.Text, err))
				return
			}
		}
	}
}

// piece reads the next messages. The last one says up to where it has read.
func (r *Replay) piece(store *persistence.Store, after, upTo uint64) ([]*Message, error) {
	snap := store.Snapshot()
	defer snap.Close()
	if snap.Lost(r.to.Index, r.to.Collection) > after {
		return nil, persistence.ErrTrimmed
	}
	if err := r.place(snap, after); err != nil {
		return nil, err
	}
	var piece []*Message
	changes, size, at := 0, 0, upTo // the log may end before upTo: it has nothing but changes
	for c, err := range snap.Changes(after) {
		if err != nil {
			return piece, err
		}
		if c.Seq > upTo {
			break
		}
		m, err := r.message(c)
		if err != nil {
			return piece, err
		}
		if m != nil {
			piece = append(piece, m)
			size += len(m.Payload)
		}
		if changes++; c.Seq < upTo && (changes >= pieceChanges || len(piece) >= pieceMessages || size >= pieceBytes) {
			at = c.Seq
			break
		}
	}
	return append(piece, &Message{Seq: at}), nil
}

// message returns what is told of a change, or nil for nothing.
func (r *Replay) message(c *persistence.Change) (*Message, error) {
	if !r.isOf(c.Key) {
		return nil, nil
	}
	t, err := r.transition(c)
	if err != nil {
		return nil, fmt.Errorf("change %d: %w", c.Seq, err)
	}
	if t == 0 {
		return nil, nil
	}
	n := notification{change: c, node: r.node, room: r.hash, filter: r.view.Filter, transition: t}
	return n.message(r.to)
}

// transition says how the changed document stood to the room, 0 for not at all. Of
// what may have been taken for in scope by an earlier filter, it is told that it is, or
// that it is not.
func (r *Replay) transition(c *persistence.Change) (topics.Transition, error) {
	before, err := prepareVersion(c.Before)
	if err != nil {
		return 0, err
	}
	after, err := prepareVersion(c.After)
	if err != nil {
		return 0, err
	}
	maybe, surely := r.view.standing(before)
	is := holds(r.view.Filter, after)
	moment := topics.Transition(0)
	if r.view.Filter.Momentary() {
		moment = r.moment(c, before, after)
	}
	switch {
	case surely && is:
		return topics.Stay, nil
	case is:
		return topics.Enter, nil
	case maybe: // of a moment, he would not conclude that it has left the scope
		return topics.Exit, nil
	}
	return moment, nil
}

// moment is transition for a filter that is momentary. From then on the
// document is where the change has put it.
func (r *Replay) moment(c *persistence.Change, before, after *filter.Document) (t topics.Transition) {
	if after != nil {
		after.Follow(before)
		after.Among(func(n filter.Neighbour) filter.Position { return r.neighbours[n] })
		if r.view.Filter.Match(after) {
			t = topics.Enter
		}
	}
	report(r.neighbours, c.Key.ID, after)
	return t
}

// place finds where the documents that the filter names were after a change:
// where the next change of each found it, or where it is now if there is none.
func (r *Replay) place(snap *persistence.Snapshot, after uint64) error {
	if r.neighbours != nil || len(r.view.Filter.Neighbours()) == 0 {
		return nil
	}
	neighbours, err := r.positions(snap)
	if err != nil {
		return err
	}
	missing := map[string]bool{}
	for n := range neighbours {
		missing[n.ID] = true
	}
	for c, err := range snap.Changes(after) {
		if err != nil {
			return err
		}
		if !missing[c.Key.ID] || !r.isOf(c.Key) {
			continue
		}
		before, err := prepareVersion(c.Before)
		if err != nil {
			return err
		}
		report(neighbours, c.Key.ID, before)
		if delete(missing, c.Key.ID); len(missing) == 0 {
			break
		}
	}
	r.neighbours = neighbours
	return nil
}

// positions returns where the documents are that the filter names.
func (r *Replay) positions(docs Documents) (map[filter.Neighbour]filter.Position, error) {
	positions := map[filter.Neighbour]filter.Position{}
	for _, n := range r.view.Filter.Neighbours() {
		d, err := fetch(docs, persistence.Key{Index: r.to.Index, Collection: r.to.Collection, ID: n.ID})
		if err != nil {
			return nil, err
		}
		positions[n] = positionIn(d, n.Path)
	}
	return positions, nil
}

// report notes where a document is; nil is nowhere.
func report(neighbours map[filter.Neighbour]filter.Position, id string, d *filter.Document) {
	for n := range neighbours {
		if n.ID == id {
			neighbours[n] = positionIn(d, n.Path)
		}
	}
}

func positionIn(d *filter.Document, path string) (p filter.Position) {
	if d != nil {
		p = d.Position(path)
	}
	return p
}

// isOf says whether a document is of the room's collection.
func (r *Replay) isOf(k persistence.Key) bool {
	return k.Index == r.to.Index && k.Collection == r.to.Collection
}
