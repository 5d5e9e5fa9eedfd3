package api

import (
	"encoding/json"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/jsonobject"
)

// A userAnswer is a user as Kuzzle tells it: what that one says of itself, and roles and
// attributes.
type userAnswer struct {
	ID         string          `json:"_id"`
	Source     json.RawMessage `json:"_source"`
	Strategies []string        `json:"strategies,omitempty"`
}

// isSaidByOthers says whether a member of a user is not for the user to say.
func isSaidByOthers(name string) bool {
	switch name {
	case "_id", "_kuzzle_info", "profileIds", "roles", "attributes":
		return true
	}
	return false
}

// source returns a user with a profile.
func (c *call) source(who *access.Identity, profile []byte) (json.RawMessage, error) {
	grants := struct {
		Roles      []string                   `json:"roles"`
		Attributes map[string]json.RawMessage `json:"attributes"`
	}{[]string{}, map[string]json.RawMessage{}}
	if who.Roles != nil {
		grants.Roles = who.Roles
	}
	if who.Attributes != nil {
		grants.Attributes = who.Attributes
	}
	text, err := json.Marshal(grants)
	if err != nil || profile == nil {
		return text, err
	}
	return merge(text, profile)
}

// getCurrentUser says who asks.
func getCurrentUser(c *call) (any, error) {
	who, id, by := c.from.Identity, anonymous, []string{}
	if who == nil || who.User == "" {
		who = access.Nobody()
	} else {
		id, by = who.User, []string{string(who.By)}
	}
	source, err := c.source(who, c.opts.Door.Profiles.Of(who.User))
	return struct {
		ID         string          `json:"_id"`
		Source     json.RawMessage `json:"_source"`
		Strategies []string        `json:"strategies"`
	}{id, source, by}, err
}

// updateSelf merges the body with what the user who asks says of itself.
func updateSelf(c *call) (any, error) {
	who, err := c.user()
	if err != nil {
		return nil, err
	}
	body, err := c.object("body", c.Body)
	if err != nil {
		return nil, err
	}
	members, err := jsonobject.Members(body)
	if err != nil {
		return nil, err
	}
	for _, m := range members {
		if isSaidByOthers(m.Name) {
			return nil, forbidden.with("body." + m.Name)
		}
	}
	profile, err := c.opts.Door.Profiles.Edit(c.ctx, who.User, func(before []byte) ([]byte, error) {
		if before == nil {
			before = []byte("{}")
		}
		after, err := merge(before, body)
		if err != nil {
			return nil, err
		}
		return c.checked(after)
	})
	if err != nil {
		return nil, told(err)
	}
	source, err := c.source(who, profile)
	return userAnswer{ID: who.User, Source: source}, err
}

// A credentialsAnswer is what a user signs in with, as Kuzzle tells it.
type credentialsAnswer struct {
	Username string `json:"username"`
	KUID     string `json:"kuid"`
}

// owner returns the user who asks about its own password, and did not come by an API key.
func (c *call) owner() (*access.Identity, error) {
	if err := c.strategy(); err != nil {
		return nil, err
	}
	who, err := c.user()
	if err == nil && who.By == access.APIKey {
		err = noRight.with(c.Controller, c.Action, who.User)
	}
	return who, err
}

// getMyCredentials says by which name the user who asks signs in.
func getMyCredentials(c *call) (any, error) {
	who, err := c.owner()
	if err != nil {
		return nil, err
	}
	if !who.IsListed() {
		return nil, noCredentials.with(access.ErrUnlisted)
	}
	return credentialsAnswer{who.User, who.User}, nil
}

// credentialsExist says whether the user who asks has a password.
func credentialsExist(c *call) (any, error) {
	who, err := c.owner()
	return err == nil && who.IsListed(), err
}

// credentials reads another password, and the one before if it is said.
func (c *call) credentials(who *access.Identity) (password string, current *string, err error) {
	body, err := c.body()
	if err != nil {
		return "", nil, err
	}
	var username string
	for _, m := range []struct {
		name     string
		to       any
		required bool
	}{{"username", &username, false}, {"password", &password, true}, {"currentPassword", &current, false}} {
		raw, ok := body[m.name]
		if !ok && m.required {
			return "", nil, missing.with("body." + m.name)
		}
		if ok && json.Unmarshal(raw, m.to) != nil {
			return "", nil, invalidType.with("body."+m.name, "string")
		}
	}
	if username != "" && username != who.User {
		return "", nil, invalidValue.with("body.username", "the name of the user, which stays")
	}
	return password, current, nil
}

// validateMyCredentials says whether a password could be set.
func validateMyCredentials(c *call) (any, error) {
	who, err := c.owner()
	if err != nil {
		return nil, err
	}
	password, _, err := c.credentials(who)
	if err == nil {
		err = told(access.CheckPassword(password))
	}
	return err == nil, err
}

// updateMyCredentials gives the user who asks another password. What came in by the old one
// ends, but for the connection that asks; who asks by a token is given another.
func updateMyCredentials(c *call) (any, error) {
	who, err := c.owner()
	if err != nil {
		return nil, err
	}
	password, current, err := c.credentials(who)
	if err != nil {
		return nil, err
	}
	door := c.opts.Door
	if err := door.SetPassword(who, c.from.Arrival.From, current, password); err != nil {
		return nil, told(err)
	}
	var answer struct {
		credentialsAnswer
		*tokenAnswer
	}
	answer.credentialsAnswer = credentialsAnswer{who.User, who.User}
	if who.By == access.Token {
		text, expires, err := door.Tokens.Renew(who, time.Until(who.Expires))
		if err != nil {
			return nil, told(err)
		}
		token := c.answerToken(who.User, text, expires)
		answer.tokenAnswer = &token
	}
	return answer, nil
}
