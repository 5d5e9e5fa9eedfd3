package persistence

import (
	"fmt"
	"time"
)

// A Key names a document. Its parts may hold any bytes; no two keys collide.
type Key struct{ Index, Collection, ID string }

// String returns index/collection/id, as in a topic name.
func (k Key) String() string { return k.Index + "/" + k.Collection + "/" + k.ID }

// A Collection names a collection of documents.
type Collection struct{ Index, Name string }

// A Document is the latest state of one key. It is shared between those that
// read it and must not be changed.
type Document struct {
	Key Key
	// Body is kept byte for byte.
	Body []byte
	// Version is 1 for a created document and counts its writes. A document that
	// is deleted and created again starts at 1.
	Version uint64
	// Seq is the sequence number of the change that wrote this version.
	Seq uint64
	// Retained says that the document is the retained message of its topic: one of
	// its versions was published with retain.
	Retained bool
	// Author wrote the first version, Updater the last one: Origin.User of
	// their writes. Updater is empty and UpdatedAt zero until the second version.
	Author, Updater      string
	CreatedAt, UpdatedAt time.Time
	// Expires is Write.Expires of the last write, in UTC.
	Expires time.Time
}

// An Action is what a change did to its document.
type Action byte

// The values are part of the format on disk.
const (
	Create  Action = 1
	Replace Action = 2
	Delete  Action = 3
)

// String returns "create", "replace" or "delete".
func (a Action) String() string {
	switch a {
	case Create:
		return "create"
	case Replace:
		return "replace"
	case Delete:
		return "delete"
	}
	return fmt.Sprintf("action %d", byte(a))
}

// A Change is one entry of the change log. It is shared between those that
// read it and must not be changed.
type Change struct {
	// Seq counts the changes of the store. It is never used twice.
	Seq    uint64
	Key    Key
	Action Action
	// Before is nil when the document was created, After when it was deleted.
	Before, After *Document
	// Time is Write.Time, in UTC.
	Time   time.Time
	Origin Origin
}

// An Origin says where a write came from.
type Origin struct {
	ClientID, User, Protocol, RequestID string
	// Volatile is JSON that travels with the change and is not part of the document.
	Volatile []byte
	// Silent says that not everybody is told of the change now. The change log does not have it.
	Silent bool
	// Update says that the write named only some fields of the document: those of
	// the dotted paths in Fields.
	Update bool
	Fields []string
}

// A Write replaces or deletes one document. A write of the body that is
// already there is a change like any other.
type Write struct {
	Key Key
	// Body is the whole new document. Nil deletes; deleting an absent document
	// changes nothing.
	Body []byte
	// Edit, if it is set, makes the body of the document that is there, nil for none,
	// as of this very write. Its error becomes that of the result, and nothing of the
	// op is written. The committer calls it: it must be quick, and depend on nothing
	// but its argument, which it must not change.
	Edit func(before *Document) (body []byte, err error)
	// Check, if it is set, says whether a change may be made, as of this very write. It
	// is called in the same way, and for no write that changes nothing.
	Check    func(*Change) error
	Retained bool
	Time     time.Time
	Origin   Origin
	// Expires is when the store deletes the document, if it was not written again
	// before: within some seconds, by a change of its own, whose Origin has nothing but
	// the protocol [ExpiryProtocol]. It is on the clock of [Store.Now]. Zero is never.
	Expires time.Time
	// Ephemeral keeps the document, and its change, in memory only: it is committed
	// without waiting for a sync, and gone when the store is opened again. A deletion
	// is what its document was.
	Ephemeral bool

	due uint64 // if not 0, delete the document only if it expires in this second
}

// encodeDocument encodes everything of d but its key. What an update sets is
// there from the second version on.
func encodeDocument(d *Document) []byte {
	const numbers = 80 // more than the fields of fixed size and the lengths take
	b := make([]byte, 0, numbers+len(d.Author)+len(d.Updater)+len(d.Body))
	b = append(b, valueFormat)
	b = appendBool(b, d.Retained)
	b = appendUint(b, d.Version)
	b = appendUint(b, d.Seq)
	b = appendTime(b, d.CreatedAt)
	b = appendString(b, d.Author)
	if d.Version > 1 {
		b = appendTime(b, d.UpdatedAt)
		b = appendString(b, d.Updater)
	}
	b = appendBytes(b, d.Body)
	return appendOptionalTime(b, d.Expires)
}

// decodeDocument decodes value, whose bytes the document keeps as its body.
func decodeDocument(k Key, value []byte) (*Document, error) {
	r := reader{rest: value}
	format := r.format()
	d := &Document{Key: k, Retained: r.bool(), Version: r.uint(), Seq: r.uint()}
	d.CreatedAt = r.time()
	d.Author = r.string()
	if d.Version > 1 {
		d.UpdatedAt = r.time()
		d.Updater = r.string()
	}
	d.Body = r.bytes()
	if format >= 3 {
		d.Expires = r.optionalTime()
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("document %s: %w", k, err)
	}
	return d, nil
}

// appendChange encodes c but its sequence number, which is its key. Before and
// after are the stored forms of its two documents, empty for none. Previous is the
// seq of the change before it on disk: those between were not on disk.
func appendChange(b []byte, c *Change, before, after []byte, previous uint64) []byte {
	b = append(b, valueFormat, byte(c.Action))
	b = appendTime(b, c.Time)
	b = appendString(b, c.Key.Index)
	b = appendString(b, c.Key.Collection)
	b = appendString(b, c.Key.ID)
	b = appendString(b, c.Origin.ClientID)
	b = appendString(b, c.Origin.User)
	b = appendString(b, c.Origin.Protocol)
	b = appendString(b, c.Origin.RequestID)
	b = appendBytes(b, c.Origin.Volatile)
	b = appendBytes(b, before)
	b = appendBytes(b, after)
	b = appendUint(b, c.Seq-previous)
	return appendUpdate(b, &c.Origin)
}

// appendUpdate encodes what an update says that its change does not.
func appendUpdate(b []byte, o *Origin) []byte {
	b = appendBool(b, o.Update)
	b = appendUint(b, uint64(len(o.Fields)))
	for _, field := range o.Fields {
		b = appendString(b, field)
	}
	return b
}

// update reads what appendUpdate has written.
func (r *reader) update(o *Origin) {
	o.Update = r.bool()
	for n := r.uint(); n > 0 && r.err == nil; n-- {
		o.Fields = append(o.Fields, r.string())
	}
}

// decodeChange decodes value, whose bytes the change keeps.
func decodeChange(seq uint64, value []byte) (*Change, error) {
	c, _, err := decodeLogged(seq, value)
	return c, err
}

// decodeLogged is decodeChange that returns the seq of the change before it, too.
func decodeLogged(seq uint64, value []byte) (_ *Change, previous uint64, _ error) {
	r := reader{rest: value}
	format := r.format()
	c := &Change{Seq: seq, Action: Action(r.byte())}
	c.Time = r.time()
	c.Key = Key{Index: r.string(), Collection: r.string(), ID: r.string()}
	c.Origin = Origin{ClientID: r.string(), User: r.string(), Protocol: r.string(), RequestID: r.string()}
	c.Origin.Volatile = r.optionalBytes()
	before, after := r.bytes(), r.bytes()
	distance := uint64(1)
	if format >= 3 {
		distance = r.uint()
		r.update(&c.Origin)
	}
	if err := r.end(); err != nil {
		return nil, 0, fmt.Errorf("change %d: %w", seq, err)
	}
	if c.Action < Create || c.Action > Delete || distance == 0 || distance > seq {
		return nil, 0, fmt.Errorf("change %d: %w: %s", seq, errMalformed, c.Action)
	}
	var err error
	if c.Action != Create {
		if c.Before, err = decodeDocument(c.Key, before); err != nil {
			return nil, 0, fmt.Errorf("change %d: before: %w", seq, err)
		}
	}
	if c.Action != Delete {
		if c.After, err = decodeDocument(c.Key, after); err != nil {
			return nil, 0, fmt.Errorf("change %d: after: %w", seq, err)
		}
	}
	return c, seq - distance, nil
}
