package api

import (
	"errors"
	"time"

	"github.com/ambitmq/ambit/access"
)

// banActions is the table of the controller ban.
func banActions() map[string]action {
	return map[string]action{"create": createBan, "delete": deleteBan, "list": listBans}
}

// A banAnswer is a ban as it is told.
type banAnswer struct {
	ID        string `json:"_id"`
	Client    string `json:"client,omitempty"`
	User      string `json:"user,omitempty"`
	Network   string `json:"network,omitempty"`
	Reason    string `json:"reason,omitempty"`
	By        string `json:"by,omitempty"`
	CreatedAt int64  `json:"createdAt"`
	ExpiresAt int64  `json:"expiresAt"` // -1 for never
}

func answerBan(b access.Ban) banAnswer {
	a := banAnswer{ID: b.ID(), Reason: b.Reason, By: b.By, CreatedAt: b.Made.UnixMilli(), ExpiresAt: -1}
	switch b.Kind {
	case access.BanClient:
		a.Client = b.Of
	case access.BanUser:
		a.User = b.Of
	case access.BanNetwork:
		a.Network = b.Of
	}
	if !b.Until.IsZero() {
		a.ExpiresAt = b.Until.UnixMilli()
	}
	return a
}

// createBan bans a client, a user or a network.
func createBan(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	bans := c.opts.Door.Bans
	if bans == nil {
		return nil, notSupported.with(c.Controller, c.Action, "there are no bans")
	}
	ban := access.Ban{By: c.author().String()}
	for _, kind := range []string{access.BanClient, access.BanUser, access.BanNetwork} {
		of, err := c.string(kind)
		if err != nil {
			return nil, err
		}
		if of != "" && ban.Kind != "" {
			return nil, invalidValue.with(kind, "one of client, user and network")
		}
		if of != "" {
			ban.Kind, ban.Of = kind, of
		}
	}
	if ban.Kind == "" {
		return nil, missing.with("client, user or network")
	}
	var err error
	if ban.Reason, err = c.string("reason"); err != nil {
		return nil, err
	}
	ttl, err := c.ttl()
	if err != nil {
		return nil, err
	}
	if ttl > 0 {
		ban.Until = c.now.Add(ttl).UTC().Truncate(time.Millisecond)
	}
	if err := ban.Check(); err != nil {
		return nil, invalidValue.with(ban.Kind, err)
	}
	made, err := bans.Create(c.ctx, ban)
	if err != nil {
		return nil, told(err)
	}
	c.audit().BanMade(c.author(), made)
	return answerBan(made), nil
}

// deleteBan lifts a ban.
func deleteBan(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	if c.ID == "" {
		return nil, missing.with("_id")
	}
	bans := c.opts.Door.Bans
	if bans == nil {
		return nil, noBan.with(c.ID)
	}
	ban, err := bans.Lift(c.ctx, c.ID)
	if errors.Is(err, access.ErrNoBan) {
		return nil, noBan.with(c.ID)
	} else if err != nil {
		return nil, err
	}
	c.audit().BanLifted(c.author(), ban)
	return answerBan(ban), nil
}

// listBans lists the bans that count.
func listBans(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	var list []access.Ban
	if bans := c.opts.Door.Bans; bans != nil {
		list = bans.List()
	}
	return listed(c, list, answerBan)
}
