package persistence

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"

	"github.com/cockroachdb/pebble/v2"
	"github.com/tidwall/btree"
)

// A checker reads a database from its first key to its last.
type checker struct {
	report  *Report
	db      *pebble.DB
	stopped func() error

	state logState
	at    uint64 // the seq of the last change that was read, or the last that was trimmed
	// open has the changes whose outcome should be a document: the last one of each
	// key that was not a deletion.
	open seqSet
	// bodies are the messages for several sessions, waste those that none was seen to
	// wait for.
	bodies, waste seqSet
	// mixed are the collections that have, or had, ephemeral documents: changes between
	// those of their documents may have been in memory.
	mixed   *btree.Map[string, uint64]
	indexed checkedIndexes
	// holdings are what users keep by the documents, all of which were read if it is said so.
	holdings                 map[string]Holding
	documentsRead, undecoded bool
	// reported is why a space could not be read last.
	reported error
}

// A checkedSpace is a space that a checker knows. Check decodes a record, and
// compares it with others.
type checkedSpace struct {
	kind  string
	check func(c *checker, key, value []byte) error
}

// checkedSpaces are all that there are. The changes come before the documents
// that they lead to, as their keys do, and messages before the queues they are in.
func checkedSpaces() map[byte]checkedSpace {
	return map[byte]checkedSpace{
		spaceChanges:       {"changes", (*checker).change},
		spaceDocuments:     {"documents", (*checker).document},
		spaceSegments:      {"segments of the change log", (*checker).segment},
		spaceMeta:          {"meta records", (*checker).meta},
		spaceBodies:        {"messages for several sessions", (*checker).body},
		spaceQueued:        {"messages that wait for a session", (*checker).queued},
		spaceFlights:       {"QoS 2 messages to a client", decodes(decodeFlight)},
		spaceReceived:      {"QoS 2 messages from a client", decodes(decodeReceived)},
		spaceRetained:      {"retained messages", (*checker).retained},
		spaceExpiries:      {"what expires", (*checker).expiry},
		spaceEphemeral:     {"collections with ephemeral documents", func(*checker, []byte, []byte) error { return nil }},
		spaceIndexes:       {"indexes", decodes(decodeIndex)},
		spaceTerms:         {"entries of indexes", (*checker).entry},
		spaceCollections:   {"named collections", decodes(decodeCollection)},
		spaceCredentials:   {"credentials", decodes(decodeCredential)},
		spaceRoomNames:     {"names of rooms", decodes(decodeRoomName)},
		spaceHoldings:      {"users with documents", (*checker).holding},
		spaceSessions:      {"sessions", decodes(decodeSession)},
		spacePresence:      {"clients that are there, or were", decodes(decodePresence)},
		spaceSeats:         {"members of rooms", decodes(decodeSeat)},
		spaceSubscriptions: {"subscriptions", (*checker).subscription},
	}
}

// decodes is the check of records that stand for themselves.
func decodes[T any](decode func(key, value []byte) (T, error)) func(*checker, []byte, []byte) error {
	return func(_ *checker, key, value []byte) error {
		_, err := decode(key, value)
		return err
	}
}

// run reports what there is and what is wrong with it. It ends early when it is
// stopped, which its caller finds out.
func (c *checker) run() {
	if node, err := getValue(c.db, metaNode()); err != nil || len(node) == 0 {
		c.report.fault(fmt.Errorf("the name of the node is missing: %w", errors.Join(err)))
	} else {
		c.report.Node = string(node)
	}
	var err error
	if c.state, err = readLogState(c.db); err != nil {
		c.report.fault(err)
	}
	c.report.Last, c.report.Trimmed = c.state.last, c.state.trimmed
	c.at = c.state.trimmed
	memory := ephemera{memory: newMemory()}
	if _, err := memory.readMarks(c.db); err != nil {
		c.report.fault(err)
	}
	c.mixed = memory.lost
	if err := c.indexed.read(c.db); err != nil {
		c.report.fault(err)
	}
	spaces := checkedSpaces()
	for b := range 256 {
		if c.stopped() != nil {
			return
		}
		c.space(byte(b), spaces[byte(b)])
	}
	if err := c.db.CheckLevels(nil); err != nil && c.stopped() == nil {
		c.report.fault(fmt.Errorf("the tables contradict each other, or cannot be read: %w", err))
	}
}

// space checks the records whose keys begin with a byte.
func (c *checker) space(first byte, s checkedSpace) {
	o := pebble.IterOptions{}
	if first > 0 { // else the empty key is one of them
		o.LowerBound = []byte{first}
	}
	if first < 255 {
		o.UpperBound = []byte{first + 1}
	}
	count := RecordCount{Kind: s.kind}
	err := c.scan(&o, func(key, value []byte) {
		count.Count++
		count.Bytes += uint64(len(value))
		if s.check == nil {
			c.report.fault(fmt.Errorf("key %q is in no space that there is", key))
			return
		}
		if err := s.check(c, key, value); err != nil {
			c.report.fault(err)
		}
	})
	if err != nil {
		c.unreadable(s, first, err)
	}
	switch first {
	case spaceChanges:
		c.endOfChanges(err == nil)
	case spaceDocuments:
		c.documentsRead = err == nil && !c.undecoded
		c.endOfDocuments(err == nil)
	case spaceHoldings:
		c.endOfHoldings(err == nil)
	case spaceQueued:
		c.endOfQueues(err == nil)
	case spaceRetained:
		c.endOfRetained(err == nil, uint64(count.Count))
	case spaceTerms:
		c.endOfEntries(err == nil)
	}
	if s.check != nil {
		c.report.Records = append(c.report.Records, count)
	}
}

// unreadable reports that a space could not be read to its end. A damaged table
// has the same to say of every space that could be in it; it says so once of
// those in which nothing should be.
func (c *checker) unreadable(s checkedSpace, first byte, err error) {
	switch {
	case s.check != nil:
		c.report.fault(fmt.Errorf("%s: the rest cannot be read: %w", s.kind, err))
	case c.reported == nil || c.reported.Error() != err.Error():
		c.report.fault(fmt.Errorf("keys that begin with %q: the rest cannot be read: %w", []byte{first}, err))
	}
	c.reported = err
}

func (c *checker) scan(o *pebble.IterOptions, step func(key, value []byte)) error {
	it, err := c.db.NewIter(o)
	if err != nil {
		return err
	}
	for ok := it.First(); ok && c.stopped() == nil; ok = it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return errors.Join(err, it.Close())
		}
		step(it.Key(), value)
	}
	return it.Close()
}

func (c *checker) change(key, value []byte) error {
	seq, ok := seqOf(key)
	if !ok {
		return fmt.Errorf("change key %x: %w", key, errMalformed)
	}
	if seq <= c.state.trimmed || seq > c.state.last {
		return fmt.Errorf("change %d is not between %d and %d", seq, c.state.trimmed+1, c.state.last)
	}
	at := c.at
	c.at = seq
	change, previous, err := decodeLogged(seq, bytes.Clone(value))
	switch {
	case err != nil:
		return err
	case previous > at:
		c.report.fault(missing(at+1, previous))
	case previous < at && at != c.state.trimmed:
		c.report.fault(fmt.Errorf("change %d follows change %d, and there is change %d between", seq, previous, at))
	}
	before, after := change.Before, change.After
	if after != nil {
		c.open.add(seq)
	}
	if before != nil && before.Seq > c.state.trimmed && !c.open.remove(before.Seq) && !c.isMixed(change.Key) {
		return fmt.Errorf("change %d of %s comes after change %d, which is missing or was not the last one", seq, change.Key, before.Seq)
	}
	if after != nil && after.Seq != seq {
		return fmt.Errorf("change %d of %s made a version of change %d", seq, change.Key, after.Seq)
	}
	return nil
}

// endOfChanges is called behind the last change.
func (c *checker) endOfChanges(complete bool) {
	if complete && c.at < c.state.logged {
		c.report.fault(missing(c.at+1, c.state.logged))
	}
}

func (c *checker) isMixed(k Key) bool {
	_, ok := c.mixed.Get(string(appendCollection(nil, k.Index, k.Collection)))
	return ok
}

func missing(first, last uint64) error {
	if first == last {
		return fmt.Errorf("change %d is missing", first)
	}
	return fmt.Errorf("changes %d to %d are missing", first, last)
}

func (c *checker) document(key, value []byte) error {
	k, ok := cutDocumentKey(key)
	if !ok {
		c.undecoded = true
		return fmt.Errorf("document key %q: %w", key, errMalformed)
	}
	d, err := decodeDocument(k, value)
	if err != nil {
		c.undecoded = true
		return err
	}
	c.holds(d)
	if err := c.expires(key, secondOf(d.Expires)); err != nil {
		return err
	}
	if err := c.found(d); err != nil {
		return err
	}
	switch {
	case d.Seq > c.state.last:
		return fmt.Errorf("document %s is of change %d, and the last one is %d", k, d.Seq, c.state.last)
	case d.Seq <= c.state.trimmed:
		return nil
	case !c.open.remove(d.Seq):
		return fmt.Errorf("document %s is of change %d, which is missing or was not the last one", k, d.Seq)
	}
	text, err := getValue(c.db, appendSeqKey(nil, spaceChanges, d.Seq))
	if err != nil {
		return fmt.Errorf("document %s: change %d: %w", k, d.Seq, err)
	}
	change, err := decodeChange(d.Seq, text)
	if err != nil {
		return err
	}
	if !reflect.DeepEqual(change.After, d) {
		return fmt.Errorf("document %s is not what change %d of %s made", k, d.Seq, change.Key)
	}
	return nil
}

// endOfDocuments is called behind the last document.
func (c *checker) endOfDocuments(complete bool) {
	if !complete || c.stopped() != nil {
		return
	}
	c.open.each(func(seq uint64) {
		if err := c.outcome(seq); err != nil {
			c.report.fault(err)
		}
	})
}

// outcome fails if there is no document of a change that was not seen to be
// followed by another.
func (c *checker) outcome(seq uint64) error {
	text, err := getValue(c.db, appendSeqKey(nil, spaceChanges, seq))
	if err != nil {
		return fmt.Errorf("change %d: %w", seq, err)
	}
	change, err := decodeChange(seq, text)
	if err != nil {
		return err
	}
	_, err = getValue(c.db, appendDocumentKey(nil, change.Key))
	if errors.Is(err, ErrNotFound) && c.isMixed(change.Key) {
		return nil // it went into memory
	}
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("document %s is missing, which change %d made", change.Key, seq)
	}
	return err
}

func (c *checker) segment(key, value []byte) error {
	s, err := decodeSegment(key, value)
	if err == nil && (s.first <= c.state.trimmed || s.first > c.state.last) {
		err = fmt.Errorf("a segment of the change log begins at %d, which is not between %d and %d", s.first, c.state.trimmed+1, c.state.last)
	}
	return err
}

func (c *checker) subscription(key, value []byte) error {
	s, err := decodeSubscription(key, value)
	if err == nil && s.HasSeen && s.Seen > c.state.last {
		err = fmt.Errorf("subscription of %q to %q: it is at change %d, and the last one is %d", s.ClientID, s.TopicFilter, s.Seen, c.state.last)
	}
	return err
}

// body is the check of a message for several sessions.
func (c *checker) body(key, value []byte) error {
	number, ok := seqOf(key)
	if !ok {
		return fmt.Errorf("message key %x: %w", key, errMalformed)
	}
	c.bodies.add(number)
	c.waste.add(number)
	_, err := decodeBody(number, value)
	return err
}

func (c *checker) queued(key, value []byte) error {
	q, err := decodeQueued(key, value)
	if err != nil {
		return err
	}
	c.waste.remove(q.Number)
	switch {
	case q.Number > c.state.queued:
		return fmt.Errorf("message %d for %q: the last one is %d", q.Number, q.ClientID, c.state.queued)
	case q.Message == nil && !c.bodies.has(q.Number):
		return fmt.Errorf("message %d for %q is missing", q.Number, q.ClientID)
	}
	return nil
}

// endOfQueues is called behind the last message that waits for a session.
func (c *checker) endOfQueues(complete bool) {
	if complete && c.stopped() == nil {
		c.waste.each(func(number uint64) {
			c.report.fault(fmt.Errorf("nobody waits for message %d", number))
		})
	}
}

// metaKeys are all meta records that there are. run has read them.
func metaKeys() [][]byte {
	return [][]byte{metaNode(), metaLog(), metaRetained(), metaReserved(), metaHoldings()}
}

func (c *checker) meta(key, _ []byte) error {
	for _, known := range metaKeys() {
		if bytes.Equal(key, known) {
			return nil
		}
	}
	return fmt.Errorf("meta record %q is none that there is", key)
}
