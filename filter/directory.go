package filter

// A directory finds entries by their fingerprints. It is the writer's alone, and
// holds the numbers only, 5 to 16 bytes each: the fingerprints are in the
// entries.
type directory struct {
	slots []uint32 // a hash table with linear probing
	n     int
}

// find returns the slot of a fingerprint, or the empty one where it would be.
func (t *directory) find(x *index, print fingerprint) int {
	mask := len(t.slots) - 1
	i := int(print[0]>>1) & mask
	for t.slots[i] != 0 && !x.entries.at(t.slots[i]).is(print) {
		i = (i + 1) & mask
	}
	return i
}

func (t *directory) get(x *index, print fingerprint) uint32 {
	if t.n == 0 {
		return 0
	}
	return t.slots[t.find(x, print)]
}

// insert adds an entry that is not there.
func (t *directory) insert(x *index, id uint32) {
	if t.n >= len(t.slots)*3/4 {
		old := t.slots
		t.slots = make([]uint32, max(minSlots, 2*len(old)))
		for _, id := range old {
			if id != 0 {
				t.slots[t.find(x, x.entries.at(id).name())] = id
			}
		}
	}
	t.slots[t.find(x, x.entries.at(id).name())] = id
	t.n++
}

// remove removes an entry that is there. Those after it move up, so that none
// is behind an empty slot.
func (t *directory) remove(x *index, id uint32) {
	mask := len(t.slots) - 1
	i := t.find(x, x.entries.at(id).name())
	t.slots[i] = 0
	t.n--
	for i = (i + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		moved := t.slots[i]
		t.slots[i] = 0
		t.slots[t.find(x, x.entries.at(moved).name())] = moved
	}
}
