package filter

// A directory finds numbers by a hash of what they stand for. It is the writer's
// alone, and holds the numbers only, 5 to 11 bytes each: whoever asks knows what
// is meant by a number.
type directory struct {
	slots []uint32 // a hash table with linear probing
	n     int
}

// find returns the number that is meant, or 0.
func (t *directory) find(hash uint64, meant func(number uint32) bool) uint32 {
	if t.n == 0 {
		return 0
	}
	mask := len(t.slots) - 1
	i := int(hash) & mask
	for t.slots[i] != 0 && !meant(t.slots[i]) {
		i = (i + 1) & mask
	}
	return t.slots[i]
}

// insert adds a number that is not there.
func (t *directory) insert(number uint32, hash func(number uint32) uint64) {
	if t.n >= len(t.slots)*3/4 {
		old := t.slots
		t.slots = make([]uint32, max(minSlots, 2*len(old)))
		for _, number := range old {
			if number != 0 {
				t.put(number, hash(number))
			}
		}
	}
	t.put(number, hash(number))
	t.n++
}

func (t *directory) put(number uint32, hash uint64) {
	mask := len(t.slots) - 1
	i := int(hash) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = number
}

// remove removes a number that is there. Those after it move up, so that none
// is behind an empty slot.
func (t *directory) remove(number uint32, hash func(number uint32) uint64) {
	mask := len(t.slots) - 1
	i := int(hash(number)) & mask
	for t.slots[i] != number {
		i = (i + 1) & mask
	}
	t.slots[i] = 0
	t.n--
	for i = (i + 1) & mask; t.slots[i] != 0; i = (i + 1) & mask {
		moved := t.slots[i]
		t.slots[i] = 0
		t.put(moved, hash(moved))
	}
}
