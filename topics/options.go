package topics

import (
	"fmt"
	"strconv"
	"strings"
)

// A Transition is how a document stands to a room after a change.
type Transition byte

const (
	// Enter: the document was not in scope and is now.
	Enter Transition = 1 << iota
	// Stay: the document was in scope and still is.
	Stay
	// Exit: the document was in scope and is no longer, or is deleted.
	Exit
)

// String returns "enter", "stay" or "exit".
func (t Transition) String() string {
	switch t {
	case Enter:
		return "enter"
	case Stay:
		return "stay"
	case Exit:
		return "exit"
	}
	return fmt.Sprintf("transition %d", byte(t))
}

// Scope returns "out" for an exit, else "in", as Kuzzle's notifications say.
func (t Transition) Scope() string {
	if t == Exit {
		return "out"
	}
	return "in"
}

// A Payload is the form of a notification.
type Payload byte

const (
	// Full is a notification with all its fields.
	Full Payload = iota
	// Body is the document's body, byte for byte; nothing on an exit.
	Body
	// None is no payload at all: the message alone is the news.
	None
)

// Users is a set of what a room tells of those who are in it.
type Users byte

const (
	// UserIn: a client has come.
	UserIn Users = 1 << iota
	// UserOut: a client has gone.
	UserOut
	// UserUpdate: the metadata of a client has changed.
	UserUpdate
)

// String returns "in", "out" or "update".
func (u Users) String() string {
	switch u {
	case UserIn:
		return "in"
	case UserOut:
		return "out"
	case UserUpdate:
		return "update"
	}
	return fmt.Sprintf("users %d", byte(u))
}

// Options are what follows & in the topic filter of a room. They are
// comparable.
type Options struct {
	// Transitions is the set of those that are notified.
	Transitions Transition
	Payload     Payload
	// Users is what is told of the others in the room: nothing by default.
	Users Users
	// View has the room be under the access rule of documents that are asked for by their
	// ids, which its filter has to name, and not under that of those that are found.
	View bool
	// Since is the token of the last change that the subscriber knows: it is told
	// of those after it first. It counts only when HasSince is set.
	Since    uint64
	HasSince bool
}

// DefaultOptions let everything pass, in full.
var DefaultOptions = Options{Transitions: Enter | Stay | Exit, Payload: Full}

// set applies one option. Options only ever narrow what passes, but since, users and rule.
func (o *Options) set(name, value string) error {
	switch name {
	case "scope":
		set, ok := map[string]Transition{"all": Enter | Stay | Exit, "in": Enter | Stay, "out": Exit, "none": 0}[value]
		if !ok {
			return optionError(name, value, "in, out, all or none")
		}
		o.Transitions &= set
	case "transition":
		var set Transition
		for _, word := range strings.Split(value, ",") {
			t, ok := map[string]Transition{"enter": Enter, "stay": Stay, "exit": Exit}[word]
			if !ok {
				return optionError(name, word, "any of enter, stay, exit, separated by commas")
			}
			set |= t
		}
		o.Transitions &= set
	case "payload":
		p, ok := map[string]Payload{"full": Full, "document": Body, "none": None}[value]
		if !ok {
			return optionError(name, value, "full, document or none")
		}
		o.Payload = p
	case "users":
		set, ok := map[string]Users{"none": 0, "in": UserIn, "out": UserOut, "all": UserIn | UserOut | UserUpdate}[value]
		if !ok {
			return optionError(name, value, "in, out, all or none")
		}
		o.Users = set
	case "rule":
		if value != "list" && value != "view" {
			return optionError(name, value, "list or view")
		}
		o.View = value == "view"
	case "since":
		since, err := strconv.ParseUint(value, 10, 64)
		if err != nil {
			return optionError(name, value, "the seq of a notification")
		}
		o.Since, o.HasSince = since, true
	default:
		return fmt.Errorf("unknown option %q (there are scope, transition, payload, users, rule and since)", name)
	}
	return nil
}

func optionError(name, value, allowed string) error {
	return fmt.Errorf("option %s: %q is not allowed: must be %s", name, value, allowed)
}
