package client

import (
	"encoding/json"
	"reflect"
	"slices"
	"sort"

	"github.com/ambitmq/ambit/sorting"
)

// An event is what an [Observed] tells of one document, or of a gap.
type event struct {
	id      string
	changes map[string]any
	deleted bool
	gap     *Notification
}

// hits are the documents that an [Observed] knows, in order. The caller guards them.
type hits struct {
	order  sorting.Order
	docs   []*hit
	byID   map[string]*hit
	total  int
	seq    uint64            // the change as of which the first page was read
	first  *sorting.Position // where the first page ended, nil if it was the last
	cursor string            // of the next page, "" for none
	end    *sorting.Position // of the pages that were read, if there are more
	events []event           // that were not told yet
}

type hit struct {
	Document
	at     sorting.Position
	source map[string]any
	read   uint64 // the change as of which it was read, rather than told
}

// find returns the place of a position.
func (h *hits) find(at sorting.Position) int {
	return sort.Search(len(h.docs), func(i int) bool { return h.order.Compare(h.docs[i].at, at) >= 0 })
}

// put puts a document where it belongs. read says as of which change it was read, 0 if
// it was told.
func (h *hits) put(d Document, read uint64) error {
	next := &hit{Document: d, read: read}
	if err := json.Unmarshal(d.Source, &next.source); err != nil {
		return err
	}
	next.at = positionIn(h.order, d.ID, next.source)
	known := h.byID[d.ID]
	if read == 0 {
		next.read = h.readOf(d.ID)
	}
	var before map[string]any
	if known != nil {
		before = known.source
		i := h.find(known.at)
		h.docs = slices.Delete(h.docs, i, i+1)
	}
	h.docs = slices.Insert(h.docs, h.find(next.at), next)
	h.byID[d.ID] = next
	if changes := difference(before, next.source); known == nil || len(changes) > 0 {
		h.events = append(h.events, event{id: d.ID, changes: changes})
	}
	return nil
}

func (h *hits) remove(id string) {
	known := h.byID[id]
	if known == nil {
		return
	}
	i := h.find(known.at)
	h.docs = slices.Delete(h.docs, i, i+1)
	delete(h.byID, id)
	h.events = append(h.events, event{id: id, deleted: true})
}

// readOf returns the change up to which everything about a document is known.
func (h *hits) readOf(id string) uint64 {
	if known := h.byID[id]; known != nil {
		return known.read
	}
	return h.seq
}

// tell applies a notification about a document.
func (h *hits) tell(n *Notification) error {
	if n.Type != "document" || n.Seq == 0 {
		return nil
	}
	if n.Seq > h.seq {
		h.total += map[string]int{"enter": 1, "exit": -1}[n.Transition]
	}
	id := n.Result.ID
	if n.Seq < h.readOf(id) {
		return nil
	}
	before := len(h.docs)
	if n.Transition == "exit" {
		h.remove(id)
	} else if err := h.place(n.Result.Document); err != nil {
		return err
	}
	if n.Seq == h.seq && !h.isCounted(id) {
		h.total += len(h.docs) - before
	}
	return nil
}

// isCounted says that a document which is there was behind the first page: as of that it
// was counted, though it may be new here. Of others, those that come as of the same change
// come by a change of rights.
func (h *hits) isCounted(id string) bool {
	known := h.byID[id]
	return known != nil && h.first != nil && h.order.Compare(known.at, *h.first) > 0
}

// place puts a document where it belongs, unless that is on a page that was not read.
func (h *hits) place(d Document) error {
	if h.end != nil {
		var source map[string]any
		if err := json.Unmarshal(d.Source, &source); err != nil {
			return err
		}
		if h.order.Compare(positionIn(h.order, d.ID, source), *h.end) > 0 {
			h.remove(d.ID)
			return nil
		}
	}
	return h.put(d, 0)
}

// add adds a page that was read.
func (h *hits) add(p Page) error {
	for _, d := range p.Hits {
		if err := h.put(d, p.Seq); err != nil {
			return err
		}
	}
	return nil
}

// bound notes where the pages that were read end.
func (h *hits) bound(p Page) {
	h.cursor = p.Cursor
	switch {
	case p.Cursor == "":
		h.end = nil
	case len(p.Hits) > 0:
		h.end = h.lastOf(p)
	}
}

// lastOf returns where the last document of a page that was added is.
func (h *hits) lastOf(p Page) *sorting.Position {
	last := h.byID[p.Hits[len(p.Hits)-1].ID].at
	return &last
}

// replace takes pages for all that there is, from the first one on.
func (h *hits) replace(pages []Page) error {
	known, found := slices.Clone(h.docs), map[string]bool{}
	h.total, h.seq, h.first = pages[0].Total, pages[0].Seq, nil
	for i, p := range pages {
		for _, d := range p.Hits {
			found[d.ID] = true
		}
		if err := h.add(p); err != nil {
			return err
		}
		if i == 0 && p.Cursor != "" && len(p.Hits) > 0 {
			h.first = h.lastOf(p)
		}
	}
	for _, doc := range known {
		if !found[doc.ID] {
			h.remove(doc.ID)
		}
	}
	h.bound(pages[len(pages)-1])
	return nil
}

// isCutShort says that a search has ended early because it has looked at enough: what
// it has not found yet may be anywhere behind.
func (h *hits) isCutShort(p Page) bool { return len(h.order) == 0 && p.Partial }

// difference returns the members that are new or other, and nil for those that are
// gone.
func difference(before, after map[string]any) map[string]any {
	changes := map[string]any{}
	for name, value := range after {
		if was, ok := before[name]; name != "_kuzzle_info" && (!ok || !reflect.DeepEqual(was, value)) {
			changes[name] = value
		}
	}
	for name := range before {
		if _, ok := after[name]; !ok {
			changes[name] = nil
		}
	}
	return changes
}
