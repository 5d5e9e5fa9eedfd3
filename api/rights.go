package api

import (
	"fmt"
	"math"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// entitle finds out what the caller may do, and whether that is what is asked for. What
// is about the caller himself, to sign in and the like, everybody may do.
func (c *call) entitle() error {
	if c.from.Operator || c.opts.Door == nil {
		return nil
	}
	who := c.from.Identity
	if who == nil {
		who = access.Nobody()
	}
	c.rights = c.opts.Door.Access.Policy().Rights(who, c.from.ClientID)
	if c.Controller == "auth" {
		return nil
	}
	err := c.rights.MayCall(c.Controller, c.Action)
	if err != nil {
		c.audit().Forbidden(who.User, c.from.ClientID, c.Controller+":"+c.Action, "", err.Error())
	}
	return err
}

// under returns a filter as it is for the caller.
func (c *call) under(f *filter.Filter) (*filter.Filter, error) {
	return c.rights.Under(c.Index, c.Collection, f)
}

// sees says whether the caller may see a document.
func (c *call) sees(doc *persistence.Document) (bool, error) {
	return seenBy(c.rights.View(doc.Key.Index, doc.Key.Collection, doc.Key.ID).Filter, doc)
}

// finds says whether the caller may see a document, or find it by a search.
func (c *call) finds(doc *persistence.Document) (bool, error) {
	if ok, err := c.sees(doc); ok || err != nil {
		return ok, err
	}
	if !c.lists(doc.Key.Index, doc.Key.Collection) {
		return false, nil
	}
	sight, err := c.rights.List(doc.Key.Index, doc.Key.Collection)
	if err != nil {
		return false, err
	}
	return seenBy(sight.Filter, doc)
}

func seenBy(f *filter.Filter, doc *persistence.Document) (bool, error) {
	switch {
	case f.Everything():
		return true, nil
	case f.Nothing():
		return false, nil
	}
	d, err := rooms.Prepare(doc)
	return err == nil && f.Match(d), err
}

// viewable says that nothing of a collection may be seen by its id.
func (c *call) viewable(k persistence.Key) error {
	if c.rights.View(k.Index, k.Collection, k.ID).Filter.Nothing() {
		return forbiddenTo("view this document")
	}
	return nil
}

// shown returns the source of a document without what is hidden from the caller. Of one
// that he may not see, or that cannot be read, it is nothing.
func (c *call) shown(doc *persistence.Document) []byte {
	if ok, err := c.finds(doc); !ok || err != nil {
		return nil
	}
	source, err := filter.Hide(rooms.AppendSource(nil, doc), c.rights.Hidden(doc.Key.Index, doc.Key.Collection))
	if err != nil {
		return nil
	}
	return source
}

// prepared returns a document to be matched, without what is hidden from the caller.
func (c *call) prepared(doc *persistence.Document) (*filter.Document, error) {
	hidden := c.rights.Hidden(doc.Key.Index, doc.Key.Collection)
	if len(hidden) == 0 {
		return rooms.Prepare(doc)
	}
	source, err := filter.Hide(rooms.AppendSource(nil, doc), hidden)
	if err != nil {
		return nil, err
	}
	d, err := filter.ParseDocument(source, filter.DocumentLimits{Depth: math.MaxInt, Members: math.MaxInt, Elements: math.MaxInt, Digits: math.MaxInt})
	if err == nil {
		d.Set("_id", doc.Key.ID)
	}
	return d, err
}

// mayKnow says whether the caller may know whether a client is there.
func (c *call) mayKnow(client string) bool {
	if client == c.from.ClientID {
		return true
	}
	_, err := c.rights.MaySubscribe(topics.PresenceOfClients + client)
	return err == nil
}

// knows says whether the caller may do anything at all with documents of a collection, or of
// an index whose collection is "".
func (c *call) knows(name persistence.Collection) bool {
	if c.rights == nil || name.Name == "" || c.lists(name.Index, name.Name) {
		return true
	}
	if _, err := c.rights.MaySubscribe(name.Index + "/" + name.Name + "/+"); err == nil {
		return true
	}
	return c.rights.MayTry(name.Index, name.Name, false) == nil || c.rights.MayTry(name.Index, name.Name, true) == nil
}

// findsAll says whether the caller may find all documents of a collection.
func (c *call) findsAll(index, collection string) bool {
	sight, err := c.rights.List(index, collection)
	return err == nil && sight.Filter.Everything()
}

// lists says whether the caller may find any documents of a collection, and so know of
// its rooms.
func (c *call) lists(index, collection string) bool {
	_, err := c.rights.List(index, collection)
	return err == nil
}

// maySend says whether the caller may send a message in a channel, or with "" to
// everyone: whether he may publish on its topic, if that could be done.
func (c *call) maySend(channel, event string) error {
	if channel == "" {
		channel = topics.Everyone
	}
	if c.rights.MayPublish(topics.ChannelEvent(channel, event)) != nil {
		return forbiddenTo("send in this channel")
	}
	return nil
}

// mayListen says whether the caller may subscribe to any event of a channel, and so know
// who is in it.
func (c *call) mayListen(channel string) error {
	if _, err := c.rights.MaySubscribe(topics.ChannelEvent(channel, "+")); err != nil {
		return forbiddenTo("listen to this channel")
	}
	return nil
}

// mayEmpty says whether the caller may delete all documents of a collection.
func (c *call) mayEmpty(index, collection string) error {
	if _, every := c.rights.MayWrite(index, collection, access.Delete); !every {
		return forbiddenTo("delete all documents of " + index + "/" + collection)
	}
	return nil
}

func forbiddenTo(what string) error { return fmt.Errorf("%w to %s", access.ErrForbidden, what) }
