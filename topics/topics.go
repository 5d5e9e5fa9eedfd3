// Package topics is the grammar of Ambit's topics: it says what a client that
// publishes on a topic name, or subscribes to a topic filter, means by it.
//
// A topic name of three levels, <index>/<collection>/<id>, is a document, and one
// of two, <index>/<collection>, is for the rooms of a collection. A topic filter is an ordinary one of MQTT, or a room
//
//	<index>/<collection>/?<filter>[&option=value…]
//	<index>/<collection>/~<hash>
//	<index>/<collection>/@<name>
//
// or the documents that are in scope of a room now
//
//	$scope/<index>/<collection>/<room>/+
//
// or who is in it, and whether a client is there
//
//	$presence/rooms/<index>/<collection>/<room>
//	$presence/clients/<client id>
//
// or what is told in a channel, and to a user
//
//	$channel/<name>/<event>
//	$users/<user>/events
//
// The package only reads text: it knows neither who asks nor what is stored.
package topics

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameBytes is the longest name of an index or a collection, and MaxIDBytes
// the longest id of a document.
const (
	MaxNameBytes = 128
	MaxIDBytes   = 512
)

// Kind is what a topic means.
type Kind byte

const (
	// Plain is an ordinary MQTT topic.
	Plain Kind = iota
	// Document is the topic of one document.
	Document
	// Room is a filter; its messages are notifications.
	Room
	// Scope is the documents that are in scope of a room.
	Scope
	// Collection is the topic of messages for the rooms of a collection.
	Collection
	// Request is the topic of requests.
	Request
	// Presence is who is in a room, or whether a client is there.
	Presence
	// Channel is what is told in a channel.
	Channel
	// User is what is told to a user.
	User
)

// Requests are published on RequestName, and answered on ResponseName unless
// they say where. Kuzzle's names are aliases.
const (
	RequestName        = "$ambit/request"
	ResponseName       = "$ambit/response"
	kuzzleRequestName  = "Kuzzle/request"
	kuzzleResponseName = "Kuzzle/response"
)

// String returns the kind as a word for logs and errors.
func (k Kind) String() string {
	switch k {
	case Plain:
		return "plain"
	case Document:
		return "document"
	case Room:
		return "room"
	case Scope:
		return "scope"
	case Collection:
		return "collection"
	case Request:
		return "request"
	case Presence:
		return "presence"
	case Channel:
		return "channel"
	case User:
		return "user"
	}
	return fmt.Sprintf("kind %d", byte(k))
}

// Limits bound a topic. The zero value stands for the defaults in the comments.
type Limits struct {
	// Levels is the number of levels of a topic without a filter in it: 32.
	Levels int
	// Bytes is the length of a topic without a filter in it: 1 KiB.
	Bytes int
	// FilterBytes is the length of a topic with a filter in it: 16 KiB.
	FilterBytes int
}

func (l Limits) orDefaults() Limits {
	if l.Levels == 0 {
		l.Levels = 32
	}
	if l.Bytes == 0 {
		l.Bytes = 1 << 10
	}
	if l.FilterBytes == 0 {
		l.FilterBytes = 16 << 10
	}
	return l
}

// A Name is a topic name that a client may publish on.
type Name struct {
	Kind Kind // Plain, Document, Collection or Request
	// Index, Collection and ID are those of a document, the first two also those
	// of a collection, else empty.
	Index, Collection, ID string
	// Mapping is that of whoever reads a topic of another form as that of a document,
	// else nil.
	Mapping any
}

// Response returns the topic on which a request is answered that was published
// on a topic of the kind Request, and says nowhere else.
func Response(request string) string {
	if request == kuzzleRequestName {
		return kuzzleResponseName
	}
	return ResponseName
}

// Notices returns the topics on which a client is told what is about its connection:
// those of answers, and the one of Kuzzle's notifications of that kind.
func Notices() []string {
	return []string{ResponseName, kuzzleResponseName, "kuzzle:notification:server"}
}

// ParseName reads the topic name of a PUBLISH or a will. The error says why a
// client may not publish on it.
func ParseName(name string, lim Limits) (Name, error) {
	if strings.ContainsAny(name, "+#") {
		return Name{}, errors.New("a topic name must not contain + or #") // [MQTT-3.3.2-2]
	}
	if err := checkText(name); err != nil {
		return Name{}, err
	}
	if err := checkSize(name, lim.orDefaults()); err != nil {
		return Name{}, err
	}
	switch {
	case name == RequestName || name == kuzzleRequestName:
		return Name{Kind: Request}, nil
	case strings.HasPrefix(name, "$"):
		return Name{}, errors.New("topics that begin with $ are published by the broker alone, $ambit/request apart")
	case name == kuzzleResponseName:
		return Name{}, errors.New("answers are published by the broker alone")
	}
	index, collection, id, ok := splitThree(name)
	if id != "" && strings.ContainsRune(roomMarks, rune(id[0])) {
		return Name{}, fmt.Errorf("the third level must not begin with %c, which marks a room", id[0])
	}
	if id == "" && CheckCollection(index, collection) == nil && len(index)+1+len(collection) == len(name) {
		return Name{Kind: Collection, Index: index, Collection: collection}, nil
	}
	if !ok || strings.HasPrefix(id, "$") {
		return Name{}, nil
	}
	if err := CheckCollection(index, collection); err != nil {
		return Name{}, err
	}
	if len(id) > MaxIDBytes {
		return Name{}, fmt.Errorf("the document id has %d bytes, the limit is %d", len(id), MaxIDBytes)
	}
	return Name{Kind: Document, Index: index, Collection: collection, ID: id}, nil
}

// ParseCollection reads "<index>/<collection>".
func ParseCollection(text string) (index, collection string, err error) {
	index, collection, ok := strings.Cut(text, "/")
	if !ok || index == "" || collection == "" || strings.ContainsAny(text, "+#") {
		return "", "", fmt.Errorf("%q is not <index>/<collection>", text)
	}
	if err := checkText(text); err != nil {
		return "", "", err
	}
	return index, collection, CheckCollection(index, collection)
}

// CheckCollection says whether the two may be the names of an index and a
// collection, which are free of /, + and # where they come from a topic.
func CheckCollection(index, collection string) error {
	for _, n := range []struct{ what, name string }{{"index", index}, {"collection", collection}} {
		switch {
		case n.name == "" || strings.Contains(n.name, "/"):
			return fmt.Errorf("%q cannot be the name of a %s", n.name, n.what)
		case len(n.name) > MaxNameBytes:
			return fmt.Errorf("the name of the %s has %d bytes, the limit is %d", n.what, len(n.name), MaxNameBytes)
		case strings.ContainsRune("$"+roomMarks, rune(n.name[0])):
			return fmt.Errorf("the name of the %s must not begin with %c", n.what, n.name[0])
		}
	}
	return nil
}

// Match reports whether a topic filter matches a topic name [MQTT-4.7.1-1].
// Both must be valid; a filter that begins with a wildcard matches no name that
// begins with $ [MQTT-4.7.2-1].
func Match(filter, name string) bool {
	if strings.HasPrefix(name, "$") && (strings.HasPrefix(filter, "+") || strings.HasPrefix(filter, "#")) {
		return false
	}
	for {
		f, restFilter, moreFilter := strings.Cut(filter, "/")
		if f == "#" {
			return true
		}
		n, restName, moreName := strings.Cut(name, "/")
		if f != "+" && f != n {
			return false
		}
		if !moreName {
			return !moreFilter || restFilter == "#" // sport/# matches sport
		}
		if !moreFilter {
			return false
		}
		filter, name = restFilter, restName
	}
}

// splitThree splits a topic of exactly three levels, none of them empty.
func splitThree(topic string) (index, collection, last string, ok bool) {
	index, rest, _ := strings.Cut(topic, "/")
	collection, last, _ = strings.Cut(rest, "/")
	ok = index != "" && collection != "" && last != "" && !strings.Contains(last, "/")
	return index, collection, last, ok
}

// checkText refuses what cannot stand in any topic [MQTT-1.5.4-1],
// [MQTT-1.5.4-2], and control characters, which the standard lets us refuse.
func checkText(topic string) error {
	if topic == "" {
		return errors.New("the topic is empty") // [MQTT-4.7.3-1]
	}
	if !utf8.ValidString(topic) {
		return errors.New("the topic is not valid UTF-8")
	}
	if i := strings.IndexFunc(topic, unicode.IsControl); i >= 0 {
		return fmt.Errorf("the topic has a control character at byte %d", i)
	}
	return nil
}

func checkSize(topic string, lim Limits) error {
	if len(topic) > lim.Bytes {
		return fmt.Errorf("the topic has %d bytes, the limit is %d", len(topic), lim.Bytes)
	}
	if n := strings.Count(topic, "/") + 1; n > lim.Levels {
		return fmt.Errorf("the topic has %d levels, the limit is %d", n, lim.Levels)
	}
	return nil
}
