package topics

import (
	"strings"
	"testing"

	"github.com/ambitmq/ambit/test/mutate"
)

func TestParseNameTellsDocumentsFromPlainTopics(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     Name
	}{
		{"three levels are a document", "fleet/trucks/42", Name{Kind: Document, Index: "fleet", Collection: "trucks", ID: "42"}},
		{"an id may look like a hash", "a/b/0123456789abcdef0123456789abcdef", Name{Kind: Document, Index: "a", Collection: "b", ID: "0123456789abcdef0123456789abcdef"}},
		{"two levels are a collection", "fleet/trucks", Name{Kind: Collection, Index: "fleet", Collection: "trucks"}},
		{"unless they cannot be", "~a/b", Name{}},
		{"or one of them is empty", "home/", Name{}},
		{"or there is nothing before the slash", "/home", Name{}},
		{"an empty third level makes it plain", "home/kitchen/", Name{}},
		{"a long name makes it plain", strings.Repeat("a", 129) + "/b", Name{}},
		{"one level is plain", "home", Name{}},
		{"requests", "$ambit/request", Name{Kind: Request}},
		{"requests by Kuzzle's name", "Kuzzle/request", Name{Kind: Request}},
		{"four levels are plain", "home/kitchen/lamp/state", Name{}},
		{"an empty level makes it plain", "home//lamp", Name{}},
		{"a leading slash makes it plain", "/home/lamp", Name{}},
		{"a level that begins with $ is Homie's", "homie/kettle/$state", Name{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseName(tt.in, Limits{})
			if err != nil || got != tt.want {
				t.Errorf("ParseName(%q) = %+v, %v, want %+v", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestParseNameSaysWhyNobodyMayPublish(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "the topic is empty"},
		{"plus", "a/+/c", "must not contain + or #"},
		{"hash", "a/b#", "must not contain + or #"},
		{"not UTF-8", "a/\xff", "not valid UTF-8"},
		{"control character", "a/b\x00", "control character at byte 3"},
		{"the broker's own", "$scope/a/b/~c/1", "published by the broker alone"},
		{"presence", "$presence/clients/a", "published by the broker alone"},
		{"a channel", "$channel/chat/say", "published by the broker alone"},
		{"what is told to a user", "$users/ada/events", "published by the broker alone"},
		{"answers", "$ambit/response", "published by the broker alone"},
		{"answers by Kuzzle's name", "Kuzzle/response", "published by the broker alone"},
		{"a room by hash", "a/b/~c", "must not begin with ~"},
		{"a room by filter", "a/b/?{}", "must not begin with ?"},
		{"a room with more levels", `a/b/?{"a":"b/c"}`, "must not begin with ?"},
		{"a room by name", "a/b/@c", "must not begin with @"},
		{"an index that looks like a room", "~a/b/c", "the index must not begin with ~"},
		{"long index", strings.Repeat("a", 129) + "/b/c", "has 129 bytes, the limit is 128"},
		{"long id", "a/b/" + strings.Repeat("c", 513), "the document id has 513 bytes, the limit is 512"},
		{"deep", strings.Repeat("a/", 32) + "b", "33 levels, the limit is 32"},
		{"long", strings.Repeat("a", 1025), "1025 bytes, the limit is 1024"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseName(tt.in, Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseName(%q): %v, want …%s…", tt.in, err, tt.want)
			}
		})
	}
}

const hash = "0123456789abcdef0123456789abcdef"

func TestParseFilterReadsEverySpelling(t *testing.T) {
	all := DefaultOptions
	for _, tt := range []struct {
		name, in string
		want     Filter
	}{
		{"plain", "fleet/#", Filter{Kind: Plain}},
		{"a document", "fleet/trucks/42", Filter{Kind: Plain}},
		{"the server's statistics", "$SYS/#", Filter{Kind: Plain}},
		{"answers to requests", "$ambit/response", Filter{Kind: Plain}},
		{"shared", "$share/g/fleet/+/42", Filter{Text: "fleet/+/42", Share: "g", Kind: Plain}},
		{"what could be a room's bare hash", "a/b/" + hash, Filter{Kind: Plain, Index: "a", Collection: "b", Room: RoomRef{Hash: hash}}},
		{"room by filter", `a/b/?{"exists":"x"}`, Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: `{"exists":"x"}`, Options: all}}},
		{"room of everything", `a/b/?`, Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Options: all}}},
		{"a filter may hold slashes and ampersands", `a/b/?{"equals":{"u":"x/y&z"}}`, Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: `{"equals":{"u":"x/y&z"}}`, Options: all}}},
		{"room by hash", "a/b/~" + hash, Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Hash: hash, Options: all}}},
		{"room by name", "a/b/@zone 1", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Name: "zone 1", Options: all}}},
		{"room by name with options", "a/b/@zone&payload=document", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Name: "zone", Options: Options{Transitions: Enter | Stay | Exit, Payload: Body}}}},
		{"scope by name", "$scope/a/b/@zone/+", Filter{Kind: Scope, Index: "a", Collection: "b", Room: RoomRef{Name: "zone", Options: all}}},
		{"presence of a room by name", "$presence/rooms/a/b/@zone", Filter{Kind: Presence, Index: "a", Collection: "b", Room: RoomRef{Name: "zone", Options: all}}},
		{"scope option", "a/b/?{}&scope=in", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay, Payload: Full}}}},
		{"transition option", "a/b/~" + hash + "&transition=enter,exit", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Hash: hash, Options: Options{Transitions: Enter | Exit, Payload: Full}}}},
		{"rule option", "a/b/?{}&rule=view", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay | Exit, Payload: Full, View: true}}}},
		{"options narrow one another", "a/b/?{}&scope=in&transition=enter,exit&payload=document", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter, Payload: Body}}}},
		{"options are percent-encoded", "a/b/?{}&transition=enter%2Cstay", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay, Payload: Full}}}},
		{"since option", "a/b/?{}&since=42", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay | Exit, Payload: Full, Since: 42, HasSince: true}}}},
		{"since the beginning", "a/b/?{}&since=0", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay | Exit, Payload: Full, HasSince: true}}}},
		{"users option", "a/b/?{}&users=in", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay | Exit, Payload: Full, Users: UserIn}}}},
		{"all users", "a/b/?{}&users=all", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: Options{Transitions: Enter | Stay | Exit, Payload: Full, Users: UserIn | UserOut | UserUpdate}}}},
		{"no users", "a/b/?{}&users=none", Filter{Kind: Room, Index: "a", Collection: "b", Room: RoomRef{Filter: "{}", Options: all}}},
		{"presence of a room", `$presence/rooms/a/b/?{"equals":{"u":"x/y"}}`, Filter{Kind: Presence, Index: "a", Collection: "b", Room: RoomRef{Filter: `{"equals":{"u":"x/y"}}`, Options: all}}},
		{"presence of a room by hash", "$presence/rooms/a/b/~" + hash, Filter{Kind: Presence, Index: "a", Collection: "b", Room: RoomRef{Hash: hash, Options: all}}},
		{"presence of a room by bare hash", "$presence/rooms/a/b/" + hash, Filter{Kind: Presence, Index: "a", Collection: "b", Room: RoomRef{Hash: hash, Options: all}}},
		{"presence of a client", "$presence/clients/truck-7", Filter{Kind: Presence, ID: "truck-7"}},
		{"presence of all clients", "$presence/clients/+", Filter{Kind: Presence}},
		{"presence of all clients by #", "$presence/clients/#", Filter{Kind: Presence}},
		{"an event of a channel", "$channel/chat/say", Filter{Kind: Channel, ID: "chat"}},
		{"all events of a channel", "$channel/chat/+", Filter{Kind: Channel, ID: "chat"}},
		{"all events of a channel by #", "$channel/chat/#", Filter{Kind: Channel, ID: "chat"}},
		{"an event of all channels", "$channel/+/join", Filter{Kind: Channel}},
		{"all channels", "$channel/#", Filter{Kind: Channel}},
		{"what is told to everyone", "$channel/*/+", Filter{Kind: Channel, ID: "*"}},
		{"what is told to a user", "$users/ada/events", Filter{Kind: User, ID: "ada"}},
		{"whose name has a slash", "$users/zoo/ada/events", Filter{Kind: User, ID: "zoo/ada"}},
		{"scope of a filter", `$scope/a/b/?{"equals":{"u":"x/y"}}/+`, Filter{Kind: Scope, Index: "a", Collection: "b", Room: RoomRef{Filter: `{"equals":{"u":"x/y"}}`, Options: all}}},
		{"scope with #", "$scope/a/b/~" + hash + "/#", Filter{Kind: Scope, Index: "a", Collection: "b", Room: RoomRef{Hash: hash, Options: all}}},
		{"scope by bare hash", "$scope/a/b/" + hash + "/+", Filter{Kind: Scope, Index: "a", Collection: "b", Room: RoomRef{Hash: hash, Options: all}}},
		{"scope of one document", "$scope/a/b/?{}/42", Filter{Kind: Scope, Index: "a", Collection: "b", ID: "42", Room: RoomRef{Filter: "{}", Options: all}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.want.Text == "" {
				tt.want.Text = tt.in
			}
			got, err := ParseFilter(tt.in, Limits{})
			if err != nil || got != tt.want {
				t.Errorf("ParseFilter(%q)\n got %+v, %v\nwant %+v", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestParseFilterSaysWhatIsWrongAndWhere(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "the topic is empty"},
		{"# inside", "a/#/b", "# must be the last level"},
		{"+ in a level", "a/b+", `not part of "b+"`},
		{"unknown system topic", "$queue/a", "no such system topic"},
		{"share without group", "$share//a", "$share/<group>/<topic filter>"},
		{"share without filter", "$share/g/", "$share/<group>/<topic filter>"},
		{"share of a share", "$share/g/$share/h/a", "cannot be shared"},
		{"shared room", "$share/g/a/b/?{}", "a room cannot be shared"},
		{"broken JSON", `a/b/?{"exists":x}`, "at byte 11"},
		{"unfinished JSON", `a/b/?{"exists":"x"`, "ends unfinished at byte 13"},
		{"text behind the filter", `a/b/?{}x`, `unexpected "x"`},
		{"plus in a filter", `a/b/?{"equals":{"a":"+"}}`, `\u002b`},
		{"hash in a filter", `a/b/?{"equals":{"a":"#"}}`, `\u0023`},
		{"room of many collections", "a/+/?{}", "that of one collection"},
		{"short hash", "a/b/~123", "32 hexadecimal digits"},
		{"a room without a name", "a/b/@", "@ must be followed by the name of a room"},
		{"options without a name", "a/b/@&scope=in", "@ must be followed by the name of a room"},
		{"a name with more behind it", "a/b/@zone/c", `unexpected "/c"`},
		{"a name with a wildcard", "a/b/@zone+", "+ inside a filter"},
		{"a long name", "a/b/@" + strings.Repeat("x", 129), "has 129 bytes, the limit is 128"},
		{"unknown option", "a/b/?{}&colour=red", `unknown option "colour"`},
		{"bad rule", "a/b/?{}&rule=create", `option rule: "create" is not allowed: must be list or view`},
		{"bad option", "a/b/?{}&scope=left", `option scope: "left" is not allowed: must be in, out, all or none`},
		{"bad transition", "a/b/?{}&transition=enter,left", `option transition: "left"`},
		{"option twice", "a/b/?{}&scope=in&scope=out", "option scope is given twice"},
		{"options for nothing at all", "a/b/?{}&scope=none", "let no notification pass"},
		{"options that exclude one another", "a/b/?{}&scope=in&transition=exit", "let no notification pass"},
		{"bad escape", "a/b/?{}&scope=%zz", "option scope: invalid URL escape"},
		{"scope without its last level", "$scope/a/b/?{}", "$scope/<index>/<collection>/<room>/+"},
		{"scope of many rooms", "$scope/a/+/?{}/+", "that of one room"},
		{"scope of no room", "$scope/a/b/c/+", `"c" is not a room`},
		{"scope with options", "$scope/a/b/?{}&scope=in/+", "takes no options"},
		{"bad users", "a/b/?{}&users=me", `option users: "me" is not allowed: must be in, out, all or none`},
		{"a channel without an event", "$channel/chat", "is $channel/<name>/<event>"},
		{"a channel with more", "$channel/chat/say/more", "is $channel/<name>/<event>"},
		{"a channel without a name", "$channel//say", "is $channel/<name>/<event>"},
		{"a channel behind #", "$channel/#/say", "is $channel/<name>/<event>"},
		{"part of a channel", "$channel/chat+/say", `not part of "chat+"`},
		{"part of an event", "$channel/chat/s#", `not part of "s#"`},
		{"a channel of the system", "$channel/$chat/say", `"$chat" cannot be the name of the channel`},
		{"a long channel", "$channel/" + strings.Repeat("c", 129) + "/say", "has 129 bytes, the limit is 128"},
		{"a channel, shared", "$share/g/$channel/chat/say", "a channel cannot be shared"},
		{"all users", "$users/+/events", "without wildcards"},
		{"a user's secrets", "$users/ada/secrets", "is on $users/<user>/events"},
		{"a user, shared", "$share/g/$users/ada/events", "a user cannot be shared"},
		{"presence of what", "$presence/zoo/a", "$presence/clients/<client id>"},
		{"presence of everything", "$presence/#", "$presence/clients/<client id>"},
		{"presence of no client", "$presence/clients/", `"" is not a client identifier`},
		{"presence of some clients", "$presence/clients/a+", `"a+" is not a client identifier`},
		{"presence of a client's part", "$presence/clients/a/b", `"a/b" is not a client identifier`},
		{"presence of no room", "$presence/rooms/a/b", "is $presence/rooms/<index>/<collection>/<room>"},
		{"presence of many rooms", "$presence/rooms/a/+/?{}", "has no wildcards"},
		{"presence of a document", "$presence/rooms/a/b/c", `"c" is not a room`},
		{"presence with options", "$presence/rooms/a/b/?{}&users=in", "takes no options"},
		{"presence with more behind it", "$presence/rooms/a/b/?{}/c", `unexpected "/c"`},
		{"shared presence", "$share/g/$presence/clients/+", "a presence cannot be shared"},
		{"presence of a bad index", "$presence/rooms/$a/b/?{}", "the index must not begin with $"},
		{"bad index", "$x/b/?{}", "the index must not begin with $"},
		{"long filter", `a/b/?{"exists":"` + strings.Repeat("x", 16<<10) + `"}`, "the limit is 16384"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseFilter(tt.in, Limits{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("ParseFilter(%q): %v, want …%s…", tt.in, err, tt.want)
			}
		})
	}
}

func TestParseRoomNameWantsACollectionAndAName(t *testing.T) {
	if i, c, n, err := ParseRoomName("fleet/trucks/@depot"); i != "fleet" || c != "trucks" || n != "depot" || err != nil {
		t.Errorf("ParseRoomName = %q, %q, %q, %v", i, c, n, err)
	}
	for _, in := range []string{"", "fleet/trucks", "fleet/trucks/depot", "fleet/trucks/@", "fleet/trucks/@a/b", "fleet/@a", "a/+/@b", "$a/b/@c", "a/b/@c&d", "a/b/@c\n", "a/b/@\xff"} {
		if i, c, n, err := ParseRoomName(in); err == nil {
			t.Errorf("ParseRoomName(%q) = %q, %q, %q", in, i, c, n)
		}
	}
}

func TestParseCollectionWantsTwoNames(t *testing.T) {
	if i, c, err := ParseCollection("fleet/trucks"); i != "fleet" || c != "trucks" || err != nil {
		t.Errorf("ParseCollection = %q, %q, %v", i, c, err)
	}
	for _, in := range []string{"", "fleet", "fleet/", "/trucks", "a/b/c", "a/+", "a/~b", "a/b\n"} {
		if _, _, err := ParseCollection(in); err == nil {
			t.Errorf("ParseCollection(%q) accepts it", in)
		}
	}
}

// The cases are those of the standard, section 4.7.
func TestMatchFollowsTheStandard(t *testing.T) {
	for _, tt := range []struct {
		filter, name string
		want         bool
	}{
		{"sport/tennis/player1/#", "sport/tennis/player1", true},
		{"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
		{"sport/#", "sport", true},
		{"sport/#", "sports", false},
		{"sport/tennis/+", "sport/tennis/player1", true},
		{"sport/tennis/+", "sport/tennis/player1/ranking", false},
		{"sport/+", "sport", false},
		{"sport/+", "sport/", true},
		{"+/+", "/finance", true},
		{"/+", "/finance", true},
		{"+", "/finance", false},
		{"#", "$SYS/broker", false},
		{"+/monitor/Clients", "$SYS/monitor/Clients", false},
		{"$SYS/#", "$SYS/broker", true},
		{"a/b", "a/b/c", false},
		{"a/b/c", "a/b", false},
	} {
		if got := Match(tt.filter, tt.name); got != tt.want {
			t.Errorf("Match(%q, %q) = %v", tt.filter, tt.name, got)
		}
	}
}

// FuzzParse holds that no text makes the grammar panic, that an accepted name
// is no wildcard, and that what names a document is not a room.
func FuzzParse(f *testing.F) {
	seeds := []string{
		"a/b/c", `a/b/?{"a":1}&scope=in`, "$scope/a/b/?{}/+", "$share/g/a", "a/b/~" + hash, "a/b/@name&users=all&since=12", "$presence/rooms/a/b/?{}", "$presence/clients/x",
		"$channel/c/e", "$users/ann/events", "$SYS/#", "+/b/#", "$ambit/request", "$scope/a/b/@name/+",
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	for text := range mutate.Texts(20_000, seeds...) {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := ParseName(text, Limits{})
		if err == nil && strings.ContainsAny(text, "+#") {
			t.Errorf("ParseName accepts the wildcard %q", text)
		}
		filter, filterErr := ParseFilter(text, Limits{})
		if filterErr != nil {
			return
		}
		if err == nil && name.Kind == Document && filter.Kind != Plain {
			t.Errorf("%q is both a document and a %s", text, filter.Kind)
		}
		if filter.Kind == Scope && !strings.HasPrefix(filter.Text, filter.Prefix()) {
			t.Errorf("the prefix of %q is %q", text, filter.Prefix())
		}
	})
}
