package persistence

// An Op is one step through the store: it is committed (many ops share a batch
// and a sync), then Committed is called, then the tail carries its result; each
// of these in the order of [Store.Append]. It must not be changed after Append.
type Op struct {
	// Write changes a document. Nil for none.
	Write *Write
	// Records are written in the same batch, in this order.
	Records []Record
	// Queue has a message wait for sessions. Nil for none.
	Queue *Queue
	// Snapshot asks for the store exactly as of this op: everything before it,
	// nothing after it. Whoever gets the result closes the snapshot.
	Snapshot bool
	// Bytes is what the op keeps in memory besides, for the bound of the queue.
	Bytes int
	// Committed is called once the op is on disk, one op at a time. It must not
	// block, and so not append: everybody else's ops wait for it. May be nil.
	Committed func(*Result)
	// Author is the author's own. The store does not look at it.
	Author any
	// Applied is called by [Result.Apply]. May be nil.
	Applied func(*Result)

	build *build // nil for none
}

// putsAnything says whether the op may make the store grow.
func (op *Op) putsAnything() bool {
	if op.Write != nil && !op.Write.Ephemeral || op.Queue != nil {
		return true
	}
	for _, r := range op.Records {
		if r.action == recordPut && !r.small {
			return true
		}
	}
	return false
}

// dropsAnything says whether the op deletes what has to be looked for.
func (op *Op) dropsAnything() bool {
	for i := range op.Records {
		if len(op.Records[i].drops()) > 0 {
			return true
		}
	}
	return false
}

// drops returns the prefixes of the keys that the record deletes.
func (r *Record) drops() [][]byte {
	var prefixes [][]byte
	switch r.action {
	case recordDropSession:
		for _, space := range ofSession() {
			prefixes = append(prefixes, appendPart([]byte{space}, r.clientID))
		}
	case recordDropQueue:
		prefixes = append(prefixes, r.key)
	case recordPut, recordDelete, recordDequeue, recordExpire:
	}
	return prefixes
}

// opOverhead is what an op takes in the queue besides its own bytes.
const opOverhead = 256

// size is about what the op takes in memory.
func (op *Op) size() int {
	n := opOverhead + op.Bytes
	if w := op.Write; w != nil {
		n += len(w.Body) + len(w.Origin.Volatile)
		for _, field := range w.Origin.Fields {
			n += len(field)
		}
	}
	if op.Queue != nil {
		n += op.Queue.size()
	}
	for _, r := range op.Records {
		n += len(r.key) + len(r.value)
	}
	return n
}

// A Result is what became of an op.
type Result struct {
	Op *Op
	// Seq is that of the last change at or before this op.
	Seq uint64
	// Change is nil if no document changed.
	Change *Change
	// Queued is the number of the message that was queued, 0 for none.
	Queued uint64
	// Snapshot is set if the op asked for one and Err is nil.
	Snapshot *Snapshot
	// Err says that nothing of the op was written, because something it had to
	// read first could not be read, or the disk has come to be almost full.
	Err error
}

// Apply calls the op's Applied. It is for the consumer of [Store.Tail].
func (r *Result) Apply() {
	if r.Op.Applied != nil {
		r.Op.Applied(r)
	}
}
