package topics

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// roomMarks are the characters that begin the room part of a topic filter.
const roomMarks = "?~@"

const (
	scopePrefix = "$scope/"
	sharePrefix = "$share/"
	sysPrefix   = "$SYS/"
)

// A Filter is a topic filter that a client may subscribe to.
type Filter struct {
	// Text is the topic filter as it was typed, without $share/<group>/.
	Text string
	// Share is the group of a shared subscription, else empty.
	Share string
	Kind  Kind // Plain, Room, Scope, Presence, Channel or User
	// Index and Collection are those of a room, a scope or the presence of a room,
	// else empty.
	Index, Collection string
	// Room says which filter a room or a scope is about.
	Room RoomRef
	// ID is the one document of a scope, the client of a presence that is not that
	// of a room, the channel or the user; or "" for all of them.
	ID string
}

// A RoomRef names a room in one of its spellings.
type RoomRef struct {
	// Filter is the content filter, a JSON value, when it was typed. An empty
	// one means {}.
	Filter string
	// Hash is the hash of the filter when that was typed instead, and Name the name
	// that was given to a filter.
	Hash, Name string
	// Options say which notifications are wanted, and in what form.
	Options Options
}

// Prefix returns the topic of a scope, or of the presence of clients, without its
// last level, with the slash.
func (f Filter) Prefix() string {
	return f.Text[:strings.LastIndexByte(f.Text, '/')+1]
}

// ParseFilter reads one topic filter of a SUBSCRIBE. The error says what is
// wrong and where.
func ParseFilter(text string, lim Limits) (Filter, error) {
	lim = lim.orDefaults()
	if err := checkText(text); err != nil {
		return Filter{}, err
	}
	if len(text) > max(lim.FilterBytes, lim.Bytes) {
		return Filter{}, fmt.Errorf("the topic filter has %d bytes, the limit is %d", len(text), lim.FilterBytes)
	}
	if rest, ok := strings.CutPrefix(text, sharePrefix); ok {
		return parseShared(rest, lim)
	}
	if rest, ok := strings.CutPrefix(text, scopePrefix); ok {
		return parseScope(text, rest)
	}
	if rest, ok := strings.CutPrefix(text, presencePrefix); ok {
		return parsePresence(text, rest)
	}
	if rest, ok := strings.CutPrefix(text, channelPrefix); ok {
		return parseChannel(text, rest)
	}
	if rest, ok := strings.CutPrefix(text, usersPrefix); ok {
		return parseUser(text, rest)
	}
	index, rest, _ := strings.Cut(text, "/")
	collection, room, _ := strings.Cut(rest, "/")
	if room != "" && strings.ContainsRune(roomMarks, rune(room[0])) {
		return parseRoom(text, index, collection, room)
	}
	return parsePlain(text, lim)
}

func parsePlain(text string, lim Limits) (Filter, error) {
	if strings.HasPrefix(text, "$") && !strings.HasPrefix(text, sysPrefix) && text != ResponseName {
		return Filter{}, errors.New("no such system topic (there are $scope/…, $presence/…, $channel/…, $users/…, $SYS/… and $ambit/response)")
	}
	if err := checkSize(text, lim); err != nil {
		return Filter{}, err
	}
	levels := strings.Split(text, "/")
	for i, level := range levels {
		if level == "#" && i != len(levels)-1 {
			return Filter{}, errors.New("# must be the last level of a topic filter") // [MQTT-4.7.1-1]
		}
		if len(level) > 1 && strings.ContainsAny(level, "+#") {
			return Filter{}, fmt.Errorf("+ and # must be whole levels of a topic filter, not part of %q", level) // [MQTT-4.7.1-2]
		}
	}
	f := Filter{Text: text, Kind: Plain}
	if index, collection, last, ok := splitThree(text); ok && isHash(last) && CheckCollection(index, collection) == nil {
		f.Index, f.Collection, f.Room.Hash = index, collection, last
	}
	return f, nil
}

// parseShared reads what follows $share/ [MQTT-4.8.2-1], [MQTT-4.8.2-2].
func parseShared(rest string, lim Limits) (Filter, error) {
	group, text, ok := strings.Cut(rest, "/")
	if !ok || group == "" || text == "" || strings.ContainsAny(group, "+#") {
		return Filter{}, errors.New("a shared subscription is $share/<group>/<topic filter>")
	}
	f, err := ParseFilter(text, lim)
	if err != nil {
		return Filter{}, err
	}
	if f.Kind != Plain || f.Share != "" {
		return Filter{}, fmt.Errorf("a %s cannot be shared", f.Kind)
	}
	f.Share = group
	return f, nil
}

func parseRoom(text, index, collection, room string) (Filter, error) {
	if strings.ContainsAny(index+collection, "+#") {
		return Filter{}, errors.New("a room is that of one collection: its index and collection cannot be wildcards")
	}
	ref, rest, err := parseRoomRef(room)
	if err != nil {
		return Filter{}, err
	}
	if rest != "" {
		return Filter{}, fmt.Errorf("unexpected %q after the filter (options are written &name=value)", rest)
	}
	if err := CheckCollection(index, collection); err != nil {
		return Filter{}, err
	}
	return Filter{Text: text, Kind: Room, Index: index, Collection: collection, Room: ref}, nil
}

// parseScope reads what follows $scope/.
func parseScope(text, rest string) (Filter, error) {
	index, rest, _ := strings.Cut(rest, "/")
	collection, room, _ := strings.Cut(rest, "/")
	slash := strings.LastIndexByte(room, '/')
	if index == "" || collection == "" || slash <= 0 {
		return Filter{}, errors.New("a scope is $scope/<index>/<collection>/<room>/+")
	}
	room, id := room[:slash], room[slash+1:]
	if strings.ContainsAny(index+collection, "+#") {
		return Filter{}, errors.New("a scope is that of one room: only its last level may be a wildcard")
	}
	ref, err := parseBareRoom(room, "a scope")
	switch {
	case err != nil:
		return Filter{}, err
	case id == "":
		return Filter{}, errors.New("the last level of a scope is +, # or a document id")
	}
	if err := CheckCollection(index, collection); err != nil {
		return Filter{}, err
	}
	f := Filter{Text: text, Kind: Scope, Index: index, Collection: collection, Room: ref}
	if id != "+" && id != "#" {
		if strings.ContainsAny(id, "+#") {
			return Filter{}, fmt.Errorf("+ and # must be whole levels of a topic filter, not part of %q", id)
		}
		f.ID = id
	}
	return f, nil
}

// parseBareRoom reads a room in any of its spellings, with nothing behind it. what is
// what takes no options.
func parseBareRoom(room, what string) (RoomRef, error) {
	if isHash(room) {
		room = "~" + room
	}
	if !strings.ContainsRune(roomMarks, rune(room[0])) {
		return RoomRef{}, fmt.Errorf("%q is not a room: write ?<filter>, ~<hash> or @<name>", room)
	}
	ref, rest, err := parseRoomRef(room)
	switch {
	case err != nil:
		return RoomRef{}, err
	case rest != "":
		return RoomRef{}, fmt.Errorf("unexpected %q after the filter", rest)
	case ref.Options != DefaultOptions:
		return RoomRef{}, fmt.Errorf("%s takes no options", what)
	}
	return ref, nil
}

// parseRoomRef reads a room that begins with one of roomMarks, and returns
// what follows it.
func parseRoomRef(room string) (ref RoomRef, rest string, err error) {
	if i := strings.IndexAny(room, "+#"); i >= 0 {
		return RoomRef{}, "", fmt.Errorf(`%c inside a filter must be written \u00%x`, room[i], room[i]) // [MQTT-4.7.1-2]
	}
	switch room[0] {
	case '@':
		end := 1 + endOfName(room[1:])
		ref.Name, rest = room[1:end], room[end:]
		if err := CheckRoomName(ref.Name); err != nil {
			return RoomRef{}, "", err
		}
	case '~':
		end := min(len(room), 1+hashLen)
		ref.Hash, rest = room[1:end], room[end:]
		if !isHash(ref.Hash) {
			return RoomRef{}, "", fmt.Errorf("~ must be followed by the %d hexadecimal digits of a room's hash", hashLen)
		}
	default:
		if ref.Filter, rest, err = cutJSON(room[1:]); err != nil {
			return RoomRef{}, "", err
		}
	}
	ref.Options, rest, err = parseOptions(rest)
	return ref, rest, err
}

// cutJSON splits text behind its first JSON value.
func cutJSON(text string) (value, rest string, err error) {
	if text == "" || text[0] == '&' || text[0] == '/' {
		return "", text, nil
	}
	dec := json.NewDecoder(strings.NewReader(text))
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return "", "", jsonError(err, len(text))
	}
	end := int(dec.InputOffset())
	return text[:end], text[end:], nil
}

// jsonError says where the JSON of a filter breaks off.
func jsonError(err error, length int) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("the filter is not valid JSON: %w at byte %d of it", err, syntax.Offset)
	}
	return fmt.Errorf("the filter is not valid JSON: it ends unfinished at byte %d of it", length)
}

// hashLen is the length of a room's hash in hexadecimal digits.
const hashLen = 32

func isHash(text string) bool {
	return len(text) == hashLen && strings.Trim(text, "0123456789abcdef") == ""
}

// parseOptions reads &name=value… and returns what follows the last one: the
// rest from the first / on.
func parseOptions(text string) (Options, string, error) {
	opts := DefaultOptions
	text, rest := cutBefore(text, '/')
	if text == "" || text[0] != '&' {
		return opts, text + rest, nil
	}
	seen := map[string]bool{}
	for _, pair := range strings.Split(text[1:], "&") {
		name, value, _ := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		if err != nil {
			return opts, "", fmt.Errorf("option %s: %w", name, err)
		}
		if seen[name] {
			return opts, "", fmt.Errorf("option %s is given twice", name)
		}
		seen[name] = true
		if err := opts.set(name, value); err != nil {
			return opts, "", err
		}
	}
	if opts.Transitions == 0 && opts.Users == 0 {
		return opts, "", errors.New("these options let no notification pass")
	}
	return opts, rest, nil
}

func cutBefore(text string, sep byte) (before, rest string) {
	if i := strings.IndexByte(text, sep); i >= 0 {
		return text[:i], text[i:]
	}
	return text, ""
}
