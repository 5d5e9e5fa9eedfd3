package api

import (
	"encoding/base64"
	"strings"

	"github.com/ambitmq/ambit/access"
)

// kapikeyMark begins an API key as Kuzzle's client takes it: claims in the form of a token, and the key itself
// in place of the signature.
const kapikeyMark = "kapikey-"

// kapikey returns an API key in that form.
func kapikey(k access.Key, token string) string {
	claims := struct {
		ID  string `json:"_id"`
		Exp int64  `json:"exp,omitempty"` // in seconds
	}{ID: k.User}
	if !k.Expires.IsZero() {
		claims.Exp = k.Expires.Unix()
	}
	return kapikeyMark + "." + base64.RawStdEncoding.EncodeToString(encode(claims)) + "." + token
}

// bare returns a token or a key without that form.
func bare(secret string) string {
	if key, ok := strings.CutPrefix(secret, kapikeyMark); ok {
		return key[strings.LastIndexByte(key, '.')+1:]
	}
	return secret
}
