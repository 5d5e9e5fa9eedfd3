package hooks

import (
	"errors"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// An heir has the rights of who a client is when its will is published: somebody who has no
// right any more to come in leaves no will behind, and whoever has other rights than before
// leaves one by those.
type heir struct {
	hook   *Hook
	who    *access.Identity
	client string
	from   access.Peer // as far as it is known
}

// Stored returns what the store keeps of who a client is.
func (h *Hook) Stored(c *sessions.Client) []byte {
	who, _ := c.Identity.(*access.Identity)
	peer, _ := c.Via.Peer.(access.Peer)
	return h.door.Remember(who, peer)
}

// Heir returns the rights by which the will of a client is published.
func (h *Hook) Heir(c *sessions.Client) sessions.Rights {
	who, _ := c.Identity.(*access.Identity)
	peer, _ := c.Via.Peer.(access.Peer)
	return h.heirOf(who, c.ClientID, peer)
}

// HeirOf returns the rights by which the will of a client is published that was there before
// the process was.
func (h *Hook) HeirOf(client, user string, stored []byte) sessions.Rights {
	who, from := h.door.Recall(user, stored)
	return h.heirOf(who, client, from)
}

func (h *Hook) heirOf(who *access.Identity, client string, from access.Peer) sessions.Rights {
	if who == nil {
		who = access.Nobody()
	}
	return &rights{hook: h, who: who, client: client, heir: &heir{h, who, client, from}}
}

// now returns the client as it is by now. The error says that it would not be let in.
func (h *heir) now() (*access.Identity, error) {
	if h.hook.door.Bans.Has(h.client, h.who.User, nil) {
		return nil, access.ErrBanned
	}
	if err := h.hook.door.StillFrom(h.who, h.from); errors.Is(err, access.ErrRevoked) {
		return nil, err
	}
	return h.hook.door.Again(h.who)
}

// mayPublish is [rights.MayPublish] for a will.
func (h *heir) mayPublish(name topics.Name, m *sessions.Message) error {
	who, err := h.now()
	if err != nil {
		return refuse(err)
	}
	by := &rights{hook: h.hook, who: who, client: h.client}
	return by.MayPublish(name, m)
}
