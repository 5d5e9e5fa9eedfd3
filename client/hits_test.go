package client

import (
	"encoding/json"
	"testing"
)

// TestWhatAPageKnowsIsCountedOnce has what the first page knew told late, when the next
// page was read and does not have the document any more.
func TestWhatAPageKnowsIsCountedOnce(t *testing.T) {
	doc := func(id string) Document { return Document{ID: id, Source: json.RawMessage(`{}`)} }
	tell := func(h *hits, seq uint64, transition, id string) {
		t.Helper()
		n := &Notification{Type: "document", Transition: transition, Seq: seq}
		n.Result.Document = doc(id)
		if err := h.tell(n); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct{ name, transition, id string }{
		{"a document behind the first page comes", "enter", "c"},
		{"a document behind the first page changes", "stay", "c"},
		{"a document of the first page changes", "stay", "b"},
		{"a document has left", "exit", "x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &hits{byID: map[string]*hit{}}
			first := Page{Hits: []Document{doc("a"), doc("b")}, Total: 3, Seq: 7, Cursor: "more"}
			if err := h.replace([]Page{first}); err != nil {
				t.Fatal(err)
			}
			next := Page{Seq: 8}
			h.bound(next)
			tell(h, 7, tt.transition, tt.id)
			tell(h, 8, "exit", "c")
			if h.total != 2 || len(h.docs) != 2 {
				t.Errorf("of 2 documents %d are counted, and %d are there", h.total, len(h.docs))
			}
		})
	}
	t.Run("rights have changed", func(t *testing.T) {
		h := &hits{byID: map[string]*hit{}}
		if err := h.replace([]Page{{Hits: []Document{doc("a"), doc("c")}, Total: 3, Seq: 7, Cursor: "more"}}); err != nil {
			t.Fatal(err)
		}
		tell(h, 7, "exit", "a")
		tell(h, 7, "enter", "b")
		tell(h, 7, "exit", "c")
		if h.total != 2 || len(h.docs) != 1 {
			t.Errorf("%d are counted, and %d are there", h.total, len(h.docs))
		}
	})
}
