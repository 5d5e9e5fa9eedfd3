package agnost

import (
	"slices"
	"strings"
	"unicode"

	"github.com/ambitmq/ambit/channels"
	"github.com/ambitmq/ambit/topics"
)

// escaped are the characters that cannot stand anywhere in the name of a channel or an event.
const escaped = "/+#"

const hexDigits = "0123456789ABCDEF"

// levelOf returns the level of a topic for the name of a channel or an event of Agnost, which may be
// any text: what cannot stand there is written %XX. Names without such characters stay as they are.
func levelOf(name string) string {
	var b strings.Builder
	if isWhole(name) {
		b.WriteString(percent(name[0]))
		name = name[1:]
	}
	for i := range len(name) {
		c := name[i]
		begins := i == 0 && b.Len() == 0
		switch {
		case strings.IndexByte(escaped, c) >= 0, c < 0x20, c == 0x7f, c == '$' && begins, c == '%' && isPercent(name[i:]):
			b.WriteString(percent(c))
		case c == 0xc2 && i+1 < len(name) && name[i+1] < 0xa0, c >= 0x80 && c < 0xa0 && i > 0 && name[i-1] == 0xc2: // a control character of two bytes
			b.WriteString(percent(c))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isWhole says whether a name cannot be a level because of what it is as a whole.
func isWhole(name string) bool { return name == topics.Everyone || channels.Reserved(name) }

// nameOf is the other way round. A level that levelOf would not have made so stays as it is.
func nameOf(level string) string {
	if !strings.Contains(level, "%") {
		return level
	}
	var b strings.Builder
	for i := 0; i < len(level); i++ {
		if level[i] == '%' && isPercent(level[i:]) {
			b.WriteByte(byte(strings.IndexByte(hexDigits, level[i+1])<<4 | strings.IndexByte(hexDigits, level[i+2])))
			i += 2
			continue
		}
		b.WriteByte(level[i])
	}
	if name := b.String(); levelOf(name) == level {
		return name
	}
	return level
}

func percent(c byte) string { return string([]byte{'%', hexDigits[c>>4], hexDigits[c&15]}) }

// isPercent says whether text begins with %XX.
func isPercent(text string) bool {
	return len(text) >= 3 && strings.IndexByte(hexDigits, text[1]) >= 0 && strings.IndexByte(hexDigits, text[2]) >= 0
}

// The events that channels tell of themselves, by those of package channels.
var tellsOfItself = map[string]string{channels.Joined: "channel:join", channels.Left: "channel:leave", channels.Updated: "channel:update"}

// notified is the event by which a client is told what rooms tell.
const notified = "channel:notification"

// The events that tell a user of himself.
const (
	signedIn        = "user:signin"
	signedOut       = "user:signout"
	passwordChanged = "user:pwdchange"
)

// isReserved says whether an event is one that only the broker tells, or that would mean something else
// to the client's library.
func isReserved(event string) bool {
	return slices.Contains([]string{
		"channel:join", "channel:leave", "channel:update", notified,
		signedIn, signedOut, passwordChanged, "user:update", "user:delete", "user:emailchange", "user:phonechange",
		"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
	}, event)
}

// isRoom says whether a channel is the topic filter of a room: <index>/<collection>/?<filter>, or with ~ or @.
func isRoom(channel string) bool {
	index, rest, _ := strings.Cut(channel, "/")
	collection, room, _ := strings.Cut(rest, "/")
	return index != "" && collection != "" && room != "" && strings.ContainsRune("?~@", rune(room[0])) && !strings.HasPrefix(index, "$")
}

// isText says whether a name can be one at all.
func isText(name string) bool {
	return name != "" && !strings.ContainsRune(name, unicode.ReplacementChar)
}
