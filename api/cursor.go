package api

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"hash/fnv"

	"github.com/ambitmq/ambit/sorting"
)

// A cursor is a position in the results of a search, and says of which.
type cursor struct {
	Search uint64 `json:"s"`
	sorting.Position
}

func searchOf(c *call, q query) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(encode([]any{c.Index, c.Collection, q.filter.String(), q.order})) // a hash takes everything
	return h.Sum64()
}

// cursorOf returns a cursor as text. It may be the position of a document that was looked at and
// is not the caller's to find: then nobody but this node reads it.
func (c *call) cursorOf(q query, p sorting.Position) (string, error) {
	text := encode(cursor{searchOf(c, q), p})
	seal, err := c.seal(q)
	if err != nil {
		return "", err
	}
	if seal != nil {
		text = seal.Seal(nil, nil, text, nil)
	}
	return base64.RawURLEncoding.EncodeToString(text), nil
}

// seal returns what cursors of a search are sealed with, or nil if they are not.
func (c *call) seal(q query) (cipher.AEAD, error) {
	if q.finds == nil || c.opts.Door.Tokens == nil {
		return nil, nil
	}
	block, err := aes.NewCipher(c.opts.Door.Tokens.Key("cursors"))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// cursor reads the cursor of a request, nil for none.
func (c *call) cursor(q query) (*sorting.Position, error) {
	text, err := c.string("cursor")
	if err != nil || text == "" {
		return nil, err
	}
	seal, err := c.seal(q)
	if err != nil {
		return nil, err
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil && seal != nil {
		raw, err = seal.Open(nil, nil, raw, nil)
	}
	var from cursor
	if err != nil || json.Unmarshal(raw, &from) != nil || from.Search != searchOf(c, q) || len(from.Values) != len(q.order) {
		return nil, badCursor.with()
	}
	for _, v := range from.Values {
		if v != nil && sorting.Key(v) == nil {
			return nil, badCursor.with()
		}
	}
	return &from.Position, nil
}
