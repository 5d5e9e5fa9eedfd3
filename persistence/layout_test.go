package persistence

import (
	"bytes"
	"cmp"
	"testing"
)

// Keys are different if their parts are, and sort as their parts do.
func FuzzDocumentKeys(f *testing.F) {
	f.Add("fleet", "trucks", "1", "fleet", "trucks", "2")
	f.Add("a", "b", "c", "a\x00", "b", "c")
	f.Add("a\x00\x01", "b", "c", "a", "\x01b", "c")
	f.Add("", "", "\x00", "", "\x00", "")
	f.Add("\x00\xff", "\xff", "\xff", "\x00", "\xff", "\x02")
	f.Fuzz(func(t *testing.T, index1, collection1, id1, index2, collection2, id2 string) {
		k1, k2 := Key{index1, collection1, id1}, Key{index2, collection2, id2}
		b1, b2 := appendDocumentKey(nil, k1), appendDocumentKey(nil, k2)
		want := cmp.Or(cmp.Compare(index1, index2), cmp.Compare(collection1, collection2), cmp.Compare(id1, id2))
		if got := bytes.Compare(b1, b2); got != want {
			t.Errorf("%q and %q compare as %d, want %d", k1, k2, got, want)
		}
		if got, ok := cutDocumentKey(b1); !ok || got != k1 {
			t.Errorf("%q came back as %q, %v", k1, got, ok)
		}
		prefix := appendCollection(nil, index2, collection2)
		inside := bytes.Compare(prefix, b1) <= 0 && bytes.Compare(b1, prefixEnd(prefix)) < 0
		if same := index1 == index2 && collection1 == collection2; inside != same {
			t.Errorf("%q within the bounds of collection %q/%q: got %v, want %v", k1, index2, collection2, inside, same)
		}
	})
}

// What is not a document key is refused, and what is comes back the same.
func FuzzCutDocumentKey(f *testing.F) {
	f.Add(appendDocumentKey(nil, Key{"a\x00", "b", "c"}))
	f.Add([]byte("d\x00"))
	f.Add([]byte("da\x00\x02"))
	f.Fuzz(func(t *testing.T, key []byte) {
		k, ok := cutDocumentKey(key)
		if ok && !bytes.Equal(appendDocumentKey(nil, k), key) {
			t.Errorf("%q was read as %q, whose key is %q", key, k, appendDocumentKey(nil, k))
		}
	})
}
