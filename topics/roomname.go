package topics

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// roomNameEnds are the characters that end the name of a room in a topic filter, or
// that cannot stand in one.
const roomNameEnds = "&/+#"

// CheckRoomName says whether a text can be the name of a room: @depot is that of
// "depot".
func CheckRoomName(name string) error {
	switch {
	case name == "":
		return errors.New("@ must be followed by the name of a room")
	case len(name) > MaxNameBytes:
		return fmt.Errorf("the name of the room has %d bytes, the limit is %d", len(name), MaxNameBytes)
	case strings.ContainsAny(name, roomNameEnds):
		return fmt.Errorf("the name of a room must not contain any of %s", strings.Join(strings.Split(roomNameEnds, ""), " "))
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("the name of a room must be text without control characters")
	}
	return nil
}

// ParseRoomName reads "<index>/<collection>/@<name>".
func ParseRoomName(text string) (index, collection, name string, err error) {
	index, collection, last, ok := splitThree(text)
	name, marked := strings.CutPrefix(last, "@")
	if !ok || !marked {
		return "", "", "", fmt.Errorf("%q is not <index>/<collection>/@<name>", text)
	}
	if index, collection, err = ParseCollection(index + "/" + collection); err != nil {
		return "", "", "", err
	}
	return index, collection, name, CheckRoomName(name)
}

// endOfName returns the length of the name that text begins with.
func endOfName(text string) int {
	if i := strings.IndexAny(text, roomNameEnds); i >= 0 {
		return i
	}
	return len(text)
}
