package api

import (
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// An entry is one document of a request that writes.
type entry struct {
	ID string `json:"_id"`
	// Body is the document, or what an update changes in it.
	Body json.RawMessage `json:"body"`
	// Changes and Default are those of an upsert.
	Changes json.RawMessage `json:"changes"`
	Default json.RawMessage `json:"default"`
}

// An outcome is what became of a write.
type outcome struct {
	change *persistence.Change
	err    error
}

// write returns a write of this request.
func (c *call) write(k persistence.Key, edit func(before *persistence.Document) ([]byte, error)) *persistence.Write {
	settings := c.opts.Collections[k.Index+"/"+k.Collection]
	w := &persistence.Write{
		Key: k, Edit: edit, Time: c.now, Ephemeral: settings.Ephemeral,
		Origin: persistence.Origin{
			ClientID: c.from.ClientID, User: c.from.User, Protocol: c.from.Protocol,
			RequestID: c.RequestID, Volatile: c.Volatile, Silent: c.silent,
		},
	}
	if rights := c.rights; rights != nil {
		w.Check = func(change *persistence.Change) error { return rooms.MayWrite(rights, change) }
	}
	if settings.TTL > 0 {
		w.Expires = c.store.Now().Add(settings.TTL)
	}
	return w
}

// commit makes writes, many at a time, and waits until they are on disk and rooms
// are told. The outcomes are in the order of the writes. An error says that some
// may or may not be made.
func (c *call) commit(writes []*persistence.Write) ([]outcome, error) {
	type applied struct {
		place int
		outcome
	}
	done := make(chan applied, len(writes))
	outcomes, waiting := make([]outcome, len(writes)), 0
	for i, w := range writes {
		op := &persistence.Op{Write: w, Applied: func(r *persistence.Result) {
			done <- applied{i, outcome{r.Change, r.Err}}
		}}
		c.out.Announce(op, w.Key.String(), nil, c.from.ClientID)
		if err := c.store.Append(c.ctx, op); err != nil {
			outcomes[i].err = err
			continue
		}
		waiting++
	}
	for ; waiting > 0; waiting-- {
		select {
		case a := <-done:
			outcomes[a.place] = a.outcome
		case <-c.ctx.Done():
			return outcomes, c.ctx.Err()
		}
	}
	return outcomes, nil
}

// writable says whether documents of the collection can be written.
func (c *call) writable() error {
	if err := c.collection(); err != nil {
		return err
	}
	if _, declared := c.opts.Collections[c.Index+"/"+c.Collection]; !declared && !c.opts.AutoCreate {
		return unknownName.with(c.Index, c.Collection)
	}
	return nil
}

// checked returns a body that can be stored: an object within the limits.
func (c *call) checked(body []byte) ([]byte, error) {
	if len(body) > c.opts.DocumentBytes {
		return nil, badDocument.with("body", "a document of "+itoa(c.opts.DocumentBytes)+" bytes at most")
	}
	if _, err := filter.ParseDocument(body, c.opts.Documents); err != nil {
		return nil, err
	}
	return rooms.StripInfo(body), nil
}

// object checks a part of a request that must be an object.
func (c *call) object(name string, raw json.RawMessage) ([]byte, error) {
	switch {
	case raw == nil || isNull(raw):
		if name == "body" {
			return nil, bodyRequired.with()
		}
		return nil, missing.with(name)
	case raw[0] != '{':
		return nil, invalidType.with(name, "object")
	}
	return c.checked(raw)
}

// A plan makes an entry a write.
type plan func(c *call, e entry) (*persistence.Write, error)

func (c *call) missing(k persistence.Key) *Error { return notFound.with(k.ID, k.Index, k.Collection) }

// named returns the key of an entry, which must have an id.
func (c *call) named(e entry) (persistence.Key, error) {
	if e.ID == "" {
		return persistence.Key{}, missing.with("_id")
	}
	return c.key(e.ID)
}

func planCreate(c *call, e entry) (*persistence.Write, error) {
	if e.ID == "" {
		e.ID = strings.ToLower(rand.Text())
	}
	k, err := c.key(e.ID)
	if err != nil {
		return nil, err
	}
	body, err := c.object("body", e.Body)
	return c.write(k, func(before *persistence.Document) ([]byte, error) {
		if before != nil {
			return nil, alreadyExists.with()
		}
		return body, nil
	}), err
}

func planCreateOrReplace(c *call, e entry) (*persistence.Write, error) {
	k, err := c.named(e)
	if err != nil {
		return nil, err
	}
	body, err := c.object("body", e.Body)
	return c.write(k, func(*persistence.Document) ([]byte, error) { return body, nil }), err
}

func planReplace(c *call, e entry) (*persistence.Write, error) {
	k, err := c.named(e)
	if err != nil {
		return nil, err
	}
	body, err := c.object("body", e.Body)
	return c.write(k, func(before *persistence.Document) ([]byte, error) {
		if before == nil {
			return nil, c.missing(k)
		}
		return body, nil
	}), err
}

func planUpdate(c *call, e entry) (*persistence.Write, error) {
	k, err := c.named(e)
	if err != nil {
		return nil, err
	}
	changes, err := c.object("body", e.Body)
	if err != nil {
		return nil, err
	}
	return c.update(k, changes, func(before *persistence.Document) ([]byte, error) {
		if before == nil {
			return nil, c.missing(k)
		}
		return c.merged(before.Body, changes)
	})
}

func planUpsert(c *call, e entry) (*persistence.Write, error) {
	k, err := c.named(e)
	if err != nil {
		return nil, err
	}
	changes, err := c.object("changes", e.Changes)
	if err != nil {
		return nil, err
	}
	otherwise := []byte("{}")
	if e.Default != nil && !isNull(e.Default) {
		if otherwise, err = c.object("default", e.Default); err != nil {
			return nil, err
		}
	}
	return c.update(k, changes, func(before *persistence.Document) ([]byte, error) {
		if before == nil {
			return c.merged(otherwise, changes)
		}
		return c.merged(before.Body, changes)
	})
}

func planDelete(c *call, e entry) (*persistence.Write, error) {
	k, err := c.named(e)
	return c.write(k, func(before *persistence.Document) ([]byte, error) {
		if before == nil {
			return nil, c.missing(k)
		}
		return nil, nil
	}), err
}

// update returns a write that changes some fields.
func (c *call) update(k persistence.Key, changes []byte, edit func(before *persistence.Document) ([]byte, error)) (*persistence.Write, error) {
	var l leaves
	if err := l.read("", changes); err != nil {
		return nil, err
	}
	w := c.write(k, edit)
	w.Origin.Update, w.Origin.Fields = true, l.paths
	return w, nil
}

func (c *call) merged(body, changes []byte) ([]byte, error) {
	body, err := merge(body, changes)
	if err != nil {
		return nil, err
	}
	return c.checked(body)
}
