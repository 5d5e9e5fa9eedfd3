package topics

import (
	"errors"
	"fmt"
	"strings"
)

const (
	presencePrefix = "$presence/"
	// PresenceOfClients and PresenceOfRooms are what the topic of a client's presence, or
	// that of a room, begins with.
	PresenceOfClients = presencePrefix + "clients/"
	PresenceOfRooms   = presencePrefix + "rooms/"
)

// parsePresence reads what follows $presence/.
func parsePresence(text, rest string) (Filter, error) {
	what, rest, _ := strings.Cut(rest, "/")
	switch what {
	case "clients":
		return parseClients(text, rest)
	case "rooms":
		return parseMembers(text, rest)
	}
	return Filter{}, errors.New("a presence is $presence/rooms/<index>/<collection>/<room> or $presence/clients/<client id>")
}

func parseClients(text, id string) (Filter, error) {
	f := Filter{Text: text, Kind: Presence, ID: id}
	switch {
	case id == "+" || id == "#":
		f.ID = ""
	case id == "" || strings.ContainsAny(id, "+#/"):
		return Filter{}, fmt.Errorf("%q is not a client identifier: write $presence/clients/<client id>, or + or # for all of them", id)
	}
	return f, nil
}

func parseMembers(text, rest string) (Filter, error) {
	index, rest, _ := strings.Cut(rest, "/")
	collection, room, _ := strings.Cut(rest, "/")
	switch {
	case index == "" || collection == "" || room == "":
		return Filter{}, errors.New("the presence of a room is $presence/rooms/<index>/<collection>/<room>")
	case strings.ContainsAny(index+collection, "+#"):
		return Filter{}, errors.New("the presence of a room is that of one room: its topic has no wildcards")
	}
	ref, err := parseBareRoom(room, "the presence of a room")
	if err != nil {
		return Filter{}, err
	}
	if err := CheckCollection(index, collection); err != nil {
		return Filter{}, err
	}
	return Filter{Text: text, Kind: Presence, Index: index, Collection: collection, Room: ref}, nil
}
