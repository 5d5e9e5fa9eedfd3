package topics

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	channelPrefix = "$channel/"
	usersPrefix   = "$users/"
	usersSuffix   = "/events"
)

// Everyone is the channel of what is told to everyone: nobody joins it.
const Everyone = "*"

// MaxChannelBytes is the longest name of a channel, and of an event.
const MaxChannelBytes = 128

// ChannelEvent returns the topic of an event of a channel.
func ChannelEvent(channel, event string) string { return channelPrefix + channel + "/" + event }

// UserEvents returns the topic of what is told to a user.
func UserEvents(user string) string { return usersPrefix + user + usersSuffix }

// CheckChannel says whether a name may be that of a channel, or of an event: what names
// it in the error.
func CheckChannel(what, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("the name of the %s is empty", what)
	case len(name) > MaxChannelBytes:
		return fmt.Errorf("the name of the %s has %d bytes, the limit is %d", what, len(name), MaxChannelBytes)
	case strings.ContainsAny(name, "/+#") || name[0] == '$' || name == Everyone:
		return fmt.Errorf("%q cannot be the name of the %s: it must not contain / + or #, begin with $, or be %s", name, what, Everyone)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return fmt.Errorf("the name of the %s has a control character, or is not valid UTF-8", what)
	}
	return nil
}

// parseChannel reads what follows $channel/.
func parseChannel(text, rest string) (Filter, error) {
	f := Filter{Text: text, Kind: Channel}
	channel, event, two := strings.Cut(rest, "/")
	switch {
	case rest == "#":
		return f, nil
	case channel == "#" || channel == "" || !two || event == "" || strings.Contains(event, "/"):
		return Filter{}, errors.New("a channel is $channel/<name>/<event>; each of them may be +, the last one #")
	}
	for _, level := range []string{channel, event} {
		if len(level) > 1 && strings.ContainsAny(level, "+#") {
			return Filter{}, fmt.Errorf("+ and # must be whole levels of a topic filter, not part of %q", level) // [MQTT-4.7.1-2]
		}
	}
	if channel != "+" {
		f.ID = channel
		if channel != Everyone {
			return f, CheckChannel("channel", channel)
		}
	}
	return f, nil
}

// parseUser reads what follows $users/.
func parseUser(text, rest string) (Filter, error) {
	user, ok := strings.CutSuffix(rest, usersSuffix)
	if !ok || user == "" || strings.ContainsAny(user, "+#") {
		return Filter{}, errors.New("what is told to a user is on $users/<user>/events, without wildcards")
	}
	return Filter{Text: text, Kind: User, ID: user}, nil
}
