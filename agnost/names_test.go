package agnost

import (
	"testing"
	"unicode/utf8"

	"github.com/ambitmq/ambit/topics"
)

func TestNamesBecomeLevelsOfATopic(t *testing.T) {
	for name, level := range map[string]string{
		"chat": "chat", "chat:message": "chat:message", "Übung – 中文": "Übung – 中文", "50%": "50%",
		"a/b": "a%2Fb", "+": "%2B", "#x": "%23x", "$sys": "%24sys", "a$": "a$", "*": "%2A", "a*": "a*",
		"join": "%6Aoin", "update": "%75pdate", "updated": "updated",
		"50%25": "50%2525", "%6Aoin": "%256Aoin", "%%2F": "%%252F", "a\tb": "a%09b", "a\u0085": "a%C2%85",
	} {
		if got := levelOf(name); got != level {
			t.Errorf("%q is %q, want %q", name, got, level)
		}
		if got := nameOf(level); got != name {
			t.Errorf("%q means %q, want %q", level, got, name)
		}
	}
	for _, level := range []string{"%41", "%2f", "100%25", "%"} { // levelOf makes none of them
		if got := nameOf(level); got != level {
			t.Errorf("%q means %q", level, got)
		}
	}
}

// FuzzName has every name be a level that means it, and the other way round.
func FuzzName(f *testing.F) {
	for _, seed := range []string{"chat", "a/b", "50%25", "join", "*", "$x", "%2F", "a\x00", "é", "\u0085"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if !utf8.ValidString(name) || !isText(name) {
			return
		}
		level := levelOf(name)
		if len(level) <= topics.MaxChannelBytes {
			if err := topics.CheckChannel("channel", level); err != nil {
				t.Fatalf("%q is %q: %v", name, level, err)
			}
		}
		if back := nameOf(level); back != name {
			t.Fatalf("%q is %q, which means %q", name, level, back)
		}
	})
}
