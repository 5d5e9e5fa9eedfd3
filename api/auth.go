package api

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/ambitmq/ambit/access"
)

// anonymous is what Kuzzle calls the user who did not sign in.
const anonymous = "-1"

// authActions is the table of the controller auth.
func authActions() map[string]action {
	return map[string]action{
		"login": login, "logout": logout, "checkToken": checkToken, "refreshToken": refreshToken,
		"getCurrentUser": getCurrentUser, "getStrategies": getStrategies,
		"updateSelf": updateSelf, "getMyCredentials": getMyCredentials, "updateMyCredentials": updateMyCredentials,
		"validateMyCredentials": validateMyCredentials, "credentialsExist": credentialsExist,
		"createApiKey": createOwnKey, "searchApiKeys": searchOwnKeys, "deleteApiKey": deleteOwnKey,
	}
}

// A tokenAnswer is a token as Kuzzle tells it, with times in milliseconds.
type tokenAnswer struct {
	ID        string `json:"_id"`
	JWT       string `json:"jwt"`
	ExpiresAt int64  `json:"expiresAt"`
	TTL       int64  `json:"ttl"`
}

func (c *call) answerToken(user, text string, expires time.Time) tokenAnswer {
	return tokenAnswer{user, text, expires.UnixMilli(), expires.Sub(c.now).Milliseconds()}
}

// login signs a user in, by the name and the password in the body.
func login(c *call) (any, error) {
	if err := c.strategy(); err != nil {
		return nil, err
	}
	ttl, err := c.ttl()
	if err != nil {
		return nil, err
	}
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	var name, password string
	for _, m := range []struct {
		name string
		to   *string
	}{{"username", &name}, {"password", &password}} {
		if raw, ok := body[m.name]; !ok {
			return nil, missing.with("body." + m.name)
		} else if json.Unmarshal(raw, m.to) != nil {
			return nil, invalidType.with("body."+m.name, "string")
		}
	}
	door := c.opts.Door
	if door.Tokens == nil {
		return nil, told(access.ErrDenied)
	}
	who, err := door.SignIn(c.from.Arrival.From, name, password)
	if err != nil {
		return nil, told(err)
	}
	text, expires, err := door.Tokens.Make(who, ttl)
	if err != nil {
		return nil, told(err)
	}
	c.tellUser(who.User, SignedIn, "token")
	return c.answerToken(who.User, text, expires), nil
}

// strategy says what is wrong with the strategy that a request names, if it names one.
func (c *call) strategy() error {
	strategy, err := c.string("strategy")
	if err == nil && strategy != "" && strategy != "local" {
		err = noStrategy.with(strategy)
	}
	return err
}

// ttl returns for how long a token or a key is asked for, 0 for as long as is usual, and less
// for ever.
func (c *call) ttl() (time.Duration, error) {
	raw, ok := c.args["expiresIn"]
	if !ok {
		return 0, nil
	}
	bad := invalidValue.with("expiresIn", `milliseconds, or a text such as "90m" or "7d"`)
	var millis int64
	var text string
	if json.Unmarshal(raw, &text) != nil {
		if json.Unmarshal(raw, &millis) != nil {
			return 0, bad
		}
		text = strconv.FormatInt(millis, 10)
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil || n == 0 {
			return 0, bad
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		if n == -1 {
			return -1, nil
		}
		if n < 1000 || n > int64(100*365*24*time.Hour/time.Millisecond) {
			return 0, bad
		}
		return time.Duration(n) * time.Millisecond, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		return 0, bad
	}
	return d, nil
}

// logout revokes the token of the request, or with global all of its user.
func logout(c *call) (any, error) {
	who, err := c.user()
	if err != nil {
		return nil, err
	}
	global, err := c.bool("global")
	if err != nil {
		return nil, err
	}
	if who.By != access.Token {
		return nil, badToken.with()
	}
	if err := c.opts.Door.Tokens.Revoke(c.ctx, who, global); err != nil {
		return nil, told(err)
	}
	c.audit().SignedOut(who)
	c.tellUser(who.User, SignedOut, "token")
	return acknowledgement{true}, nil
}

// checkToken says whether a token counts, which stands in the body; without one, who asks.
func checkToken(c *call) (any, error) {
	type answer struct {
		Valid     bool   `json:"valid"`
		State     string `json:"state,omitempty"`
		ExpiresAt int64  `json:"expiresAt,omitempty"`
		KUID      string `json:"kuid,omitempty"`
	}
	var body struct {
		Token string `json:"token"`
	}
	if c.Body != nil && json.Unmarshal(c.Body, &body) != nil {
		return nil, invalidType.with("body.token", "string")
	}
	who := c.from.Identity
	if body.Token != "" {
		var err error
		who, err = c.opts.Door.Show(c.from.Arrival, bare(body.Token))
		var say *Error
		if errors.As(told(err), &say) {
			return answer{State: say.Message}, nil
		}
	}
	if who == nil || who.User == "" {
		return answer{Valid: true, ExpiresAt: -1, KUID: anonymous}, nil
	}
	a := answer{Valid: true, ExpiresAt: -1, KUID: who.User}
	if !who.Expires.IsZero() {
		a.ExpiresAt = who.Expires.UnixMilli()
	}
	return a, nil
}

// refreshToken returns another token for the one of the request, which goes on to count until it
// expires.
func refreshToken(c *call) (any, error) {
	who, err := c.user()
	if err != nil {
		return nil, err
	}
	ttl, err := c.ttl()
	if err != nil {
		return nil, err
	}
	if who.By != access.Token {
		return nil, staleToken.with()
	}
	text, expires, err := c.opts.Door.Tokens.Refresh(who, ttl)
	if err != nil {
		return nil, told(err)
	}
	return c.answerToken(who.User, text, expires), nil
}

// getStrategies says by what login takes.
func getStrategies(*call) (any, error) { return []string{"local"}, nil }
