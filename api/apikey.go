package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/ambitmq/ambit/access"
)

// securityActions is the table of the controller security.
func securityActions() map[string]action {
	return map[string]action{"createApiKey": createKey, "searchApiKeys": searchKeys, "deleteApiKey": deleteKey}
}

// A keyAnswer is an API key as Kuzzle tells it. Token is there once.
type keyAnswer struct {
	ID     string    `json:"_id"`
	Source keySource `json:"_source"`
}

type keySource struct {
	UserID      string                     `json:"userId"`
	Description string                     `json:"description"`
	CreatedAt   int64                      `json:"createdAt"`
	ExpiresAt   int64                      `json:"expiresAt"`
	TTL         int64                      `json:"ttl"`
	Roles       []string                   `json:"roles,omitempty"`
	Attributes  map[string]json.RawMessage `json:"attributes,omitempty"`
	Origins     []string                   `json:"origins,omitempty"`
	Networks    []netip.Prefix             `json:"networks,omitempty"`
	Token       string                     `json:"token,omitempty"`
}

func answerKey(k access.Key, token string) keyAnswer {
	s := keySource{
		UserID: k.User, Description: k.Description, CreatedAt: k.Created.UnixMilli(), ExpiresAt: -1, TTL: -1,
		Origins: k.Origins, Networks: k.Networks, Token: token,
	}
	if !k.Expires.IsZero() {
		s.ExpiresAt, s.TTL = k.Expires.UnixMilli(), k.Expires.Sub(k.Created).Milliseconds()
	}
	if k.Grants != nil {
		s.Roles, s.Attributes = k.Grants.Roles, k.Grants.Attributes
	}
	return keyAnswer{k.ID, s}
}

// createOwnKey makes an API key for the user who asks, who did not come with one.
func createOwnKey(c *call) (any, error) {
	who, err := c.user()
	if err != nil {
		return nil, err
	}
	if who.By == access.APIKey {
		return nil, noRight.with(c.Controller, c.Action, who.User)
	}
	key, err := c.newKey(who.User)
	if err != nil {
		return nil, err
	}
	has := access.Grants{Roles: who.Roles, Attributes: who.Attributes}
	if key.Grants == nil && !who.IsListed() {
		key.Grants = &has
	}
	if key.Grants != nil && !key.Grants.Within(has) {
		return nil, invalidValue.with("body", "roles and attributes that the user has")
	}
	return c.makeKey(key)
}

// createKey makes an API key for the user whom the request names.
func createKey(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	user, err := c.string("userId")
	if err != nil {
		return nil, err
	}
	if user == "" {
		return nil, missing.with("userId")
	}
	key, err := c.newKey(user)
	if err != nil {
		return nil, err
	}
	return c.makeKey(key)
}

// newKey reads what a key is to be.
func (c *call) newKey(user string) (access.Key, error) {
	ttl, err := c.ttl()
	if err != nil {
		return access.Key{}, err
	}
	var body struct {
		Description string                     `json:"description"`
		Roles       []string                   `json:"roles"`
		Attributes  map[string]json.RawMessage `json:"attributes"`
		Origins     []string                   `json:"origins"`
		Networks    []netip.Prefix             `json:"networks"`
	}
	if c.Body != nil {
		d := json.NewDecoder(bytes.NewReader(c.Body))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil {
			return access.Key{}, invalidValue.with("body", `{"description":"…","roles":[…],"attributes":{…},"origins":["…"],"networks":["10.0.0.0/8"]}`)
		}
	}
	key := access.Key{User: user, Description: body.Description, Origins: body.Origins, Networks: body.Networks}
	if body.Roles != nil || body.Attributes != nil {
		key.Grants = &access.Grants{Roles: body.Roles, Attributes: body.Attributes}
	}
	if ttl > 0 {
		key.Expires = c.now.Add(ttl).Truncate(time.Millisecond)
	}
	return key, nil
}

func (c *call) makeKey(key access.Key) (any, error) {
	keys := c.opts.Door.Keys
	if keys == nil {
		return nil, notSupported.with(c.Controller, c.Action, "there are no API keys")
	}
	if err := key.Check(); err != nil {
		return nil, invalidValue.with("body", "a key that is allowed: "+err.Error())
	}
	made, token, err := keys.Create(c.ctx, key)
	if err != nil {
		return nil, told(err)
	}
	c.audit().KeyMade(c.author(), made)
	c.tellUser(made.User, Changed, "key")
	if c.member != nil {
		token = kapikey(made, token)
	}
	return answerKey(made, token), nil
}

// searchOwnKeys lists the keys of the user who asks.
func searchOwnKeys(c *call) (any, error) {
	who, err := c.user()
	if err != nil {
		return nil, err
	}
	return c.listKeys(who.User)
}

// searchKeys lists all keys, or with userId those of a user.
func searchKeys(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	user, err := c.string("userId")
	if err != nil {
		return nil, err
	}
	return c.listKeys(user)
}

func (c *call) listKeys(user string) (any, error) {
	var list []access.Key
	if c.opts.Door.Keys != nil {
		list = c.opts.Door.Keys.List(user)
	}
	return listed(c, list, func(k access.Key) keyAnswer { return answerKey(k, "") })
}

// deleteOwnKey revokes a key of the user who asks.
func deleteOwnKey(c *call) (any, error) {
	who, err := c.user()
	if err != nil {
		return nil, err
	}
	return c.revokeKey(func(k access.Key) bool { return k.User == who.User })
}

// deleteKey revokes any key.
func deleteKey(c *call) (any, error) {
	if err := c.manages(); err != nil {
		return nil, err
	}
	return c.revokeKey(func(access.Key) bool { return true })
}

func (c *call) revokeKey(may func(access.Key) bool) (any, error) {
	if c.ID == "" {
		return nil, missing.with("_id")
	}
	gone := notFound.with(c.ID, "kuzzle", "api-keys")
	keys := c.opts.Door.Keys
	if keys == nil {
		return nil, gone
	}
	key, ok := keys.Find(c.ID)
	if !ok || !may(key) {
		return nil, gone
	}
	if err := keys.Delete(c.ctx, c.ID); errors.Is(err, access.ErrNoKey) {
		return nil, gone
	} else if err != nil {
		return nil, err
	}
	c.audit().KeyRevoked(c.author(), key)
	c.tellUser(key.User, Changed, "key")
	return struct {
		ID string `json:"_id"`
	}{c.ID}, nil
}

// author returns who asks, as the audit has it.
func (c *call) author() access.Author {
	if c.from.Operator {
		return access.ByOperator()
	}
	return access.ByUser(c.from.User)
}
