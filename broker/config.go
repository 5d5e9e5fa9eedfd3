package broker

import (
	"fmt"
	"net"
	"regexp"
	"strings"
	"time"

	"github.com/ambitmq/ambit/topics"
)

// A Config holds every setting of a broker. The names in `mapstructure` are
// those of ambit.yaml; a nested name is joined with a dot in an error and with
// an underscore in an environment variable (limits.packet_bytes is
// AMBIT_LIMITS_PACKET_BYTES). Start from [DefaultConfig]; it is not written
// after [Start].
type Config struct {
	// MQTT is the address of the MQTT listener. Port 0 takes any free port. With
	// "none" there is no such listener.
	MQTT string `mapstructure:"mqtt"`
	// HTTP is the address of the HTTP listener, which serves MQTT-over-WebSocket at
	// /mqtt, and requests at /api/<controller>/<action>. Port 0 takes any free port, and "none" is as
	// for MQTT.
	HTTP string `mapstructure:"http"`
	// Listeners are further ones.
	Listeners []Listener `mapstructure:"listeners"`
	// Data is the directory of the store. It is made when it is absent.
	Data string `mapstructure:"data"`
	// Anonymous says from where clients may connect without signing in: "none",
	// "loopback" (only from this machine) or "all".
	Anonymous string `mapstructure:"anonymous"`
	// Users is the file of those who may sign in, as ambit passwd writes it. It is
	// read again when it has changed. Without one, nobody signs in, and user names
	// and passwords are not looked at.
	Users string `mapstructure:"users"`
	// Access is the file of the policy that says who may do what. It is read again
	// when it has changed. Without one, everybody may do everything.
	Access string `mapstructure:"access"`
	// Redirect is another broker, "host:port" or "host", or several with spaces
	// between them. MQTT 5 clients are told to use it when this one shuts down, or
	// has as many connections as it may have (0x9C).
	Redirect string `mapstructure:"redirect" reload:"now"`
	// Origins are the hosts whose pages may open a WebSocket, or make requests,
	// besides the broker's own: "maps.example.com", "*.example.com", "*".
	Origins []string `mapstructure:"origins" reload:"now"`
	// Hosts are the names by which the broker is reached: "broker.example.com", "*.lan".
	// Pages from there are the broker's own, as are those from its addresses and from localhost.
	// Where nobody comes in without signing in (anonymous: none), any name is.
	Hosts []string `mapstructure:"hosts" reload:"now"`
	// SharedBy says how the messages of a shared subscription are shared: "turn" is
	// one by one; "topic" gives all messages of a topic, and "publisher" all of a
	// client, to the same member as long as it is there and keeps pace.
	SharedBy string `mapstructure:"shared_by" reload:"now"`
	// AutoCreate lets an index and collection come into being with its first
	// JSON document. Without it, only declared collections hold documents.
	AutoCreate bool `mapstructure:"auto_create" reload:"now"`
	// Collections are declared by name and may have settings of their own.
	Collections []Collection `mapstructure:"collections"`
	// Mappings make documents of messages on further topics, so that a fleet that is
	// there comes in as it is. Of those that fit a topic the first one counts.
	Mappings []Mapping `mapstructure:"mappings" reload:"now"`

	// Rooms are names of filters that are there at every start.
	Rooms []RoomName `mapstructure:"rooms" reload:"now"`

	Kuzzle Kuzzle `mapstructure:"kuzzle"`
	// PocketBase has the settings for its clients, whom every HTTP listener serves, too.
	PocketBase PocketBase `mapstructure:"pocketbase"`
	// Agnost has the settings of what Agnost's and Altogic's realtime clients speak over Socket.IO, on every HTTP
	// listener.
	Agnost   Agnost   `mapstructure:"agnost"`
	JWT      JWT      `mapstructure:"jwt"`
	Tokens   Tokens   `mapstructure:"tokens"`
	Presence Presence `mapstructure:"presence"`
	Log      Log      `mapstructure:"log"`
	Store    Store    `mapstructure:"store"`
	Limits   Limits   `mapstructure:"limits"`
	Quotas   Quotas   `mapstructure:"quotas"`
	Observe  Observe  `mapstructure:"observe"`
}

// Agnost has the settings of Agnost's protocol.
type Agnost struct {
	// Enabled answers at /socket.io/, /realtime/ and /realtime/realtime/.
	Enabled bool `mapstructure:"enabled"`
	// Env is the environment that clients have to name. Empty, the default, is any: whoever moves several
	// to brokers of their own sets it, so that none of their clients comes in at the wrong one.
	Env string `mapstructure:"env"`
	// KeyRequired wants an API key of everybody, and SessionRequired a token, whoever may come in without
	// otherwise.
	KeyRequired     bool `mapstructure:"key_required"`
	SessionRequired bool `mapstructure:"session_required"`
	// PingInterval is how often a client is asked whether it is there, and PingTimeout how long it has for
	// its answer.
	PingInterval time.Duration `mapstructure:"ping_interval"`
	PingTimeout  time.Duration `mapstructure:"ping_timeout"`
}

// A Collection declares one collection.
type Collection struct {
	// Name is "<index>/<collection>".
	Name string `mapstructure:"name"`
	// Strict refuses payloads that are not a JSON object with reason code 0x99.
	Strict bool `mapstructure:"strict" reload:"now"`
	// TTL is how long a document is kept after it was written for the last time; the
	// store then deletes it, and its rooms are told that it exits. 0, the default, is
	// for ever. A document that is there when the setting changes keeps what it was
	// written with.
	TTL time.Duration `mapstructure:"ttl" reload:"now"`
	// Write says what publishing a JSON object does: with "replace" the object is the
	// new document, with "merge" it is a JSON Merge Patch (RFC 7396) of the document
	// that is there, which together with it must be within limits.packet_bytes and
	// limits.json_*. Empty, the default, is replace.
	Write string `mapstructure:"write" reload:"now"`
	// Ephemeral keeps the documents of the collection, and what the change log has of
	// them, in memory only. A publish is acknowledged without waiting for the disk, and
	// the documents are GONE after a restart. Who subscribed then gets a gap notice. A
	// document that was stored before the setting came stays on disk until it is written.
	Ephemeral bool `mapstructure:"ephemeral"`
	// Index are fields by whose value document:search finds documents without looking
	// at all of them: dotted paths. Geo are those that are positions. An index costs
	// each write, and is built in the background when it is new.
	Index []string `mapstructure:"index"`
	Geo   []string `mapstructure:"geo"`
}

// Kuzzle has the settings of Kuzzle's protocol, which is spoken by a WebSocket at / of every
// HTTP listener, too, if it does not ask for MQTT.
type Kuzzle struct {
	// Listen is the address of one more HTTP listener, for clients that keep to Kuzzle's port:
	// "127.0.0.1:7512". Port 0 and "none", the default, are as for HTTP.
	Listen string `mapstructure:"listen"`
}

// Log says what is logged, and how.
type Log struct {
	// Level is the least level that is logged: debug, info, warn or error.
	Level string `mapstructure:"level" reload:"now"`
	// Format is text, json, or auto: text on a terminal, JSON elsewhere.
	Format string `mapstructure:"format"`
}

// Store has the settings of the embedded store.
type Store struct {
	// MinFreeBytes is the free space of the data directory's disk below which
	// writes are refused with reason code 0x97. 0 switches the check off.
	MinFreeBytes int64 `mapstructure:"min_free_bytes" reload:"now"`
	// LogAge is how long the change log is kept.
	LogAge time.Duration `mapstructure:"log_age" reload:"now"`
	// LogBytes is how large the change log may grow.
	LogBytes int64 `mapstructure:"log_bytes" reload:"now"`
	// EphemeralBytes is how much memory the documents of ephemeral collections may
	// take. Writes beyond are refused with reason code 0x97.
	EphemeralBytes int64 `mapstructure:"ephemeral_bytes"`
}

// Limits bound what comes from outside.
type Limits struct {
	// ConnectTimeout is the time a connection has for its whole CONNECT.
	ConnectTimeout time.Duration `mapstructure:"connect_timeout"`
	// WriteTimeout is the longest that a client may leave its socket unread, or its
	// queue full, before its connection is closed.
	WriteTimeout time.Duration `mapstructure:"write_timeout" reload:"connections"`
	// KeepAlive is the longest keep-alive, in whole seconds: MQTT 5 clients that ask
	// for more, or for none, are told to keep to it. 0, the default, is no limit.
	KeepAlive time.Duration `mapstructure:"keep_alive" reload:"connections"`
	// ConnectBytes is the size of a CONNECT packet, and of a request of whoever has yet to
	// sign in.
	ConnectBytes int `mapstructure:"connect_bytes"`
	// PacketBytes is the size of any later packet.
	PacketBytes int `mapstructure:"packet_bytes" reload:"connections"`
	// QueueBytes is what may wait for one client, online or not.
	QueueBytes int `mapstructure:"queue_bytes" reload:"now"`
	// Connections is the number of clients that are connected at one time.
	Connections int `mapstructure:"connections" reload:"now"`
	// SessionExpiry is the longest that the session of an absent client is kept.
	// MQTT 3.1.1 clients without a clean session get all of it.
	SessionExpiry time.Duration `mapstructure:"session_expiry" reload:"now"`
	// ReceiveMaximum is how many QoS 1 and 2 messages of one MQTT 5 client may
	// await their acknowledgement.
	ReceiveMaximum int `mapstructure:"receive_maximum"`
	// TopicAliases is the Topic Alias Maximum.
	TopicAliases int `mapstructure:"topic_aliases"`
	// TopicLevels and TopicBytes bound a topic without a filter in it.
	TopicLevels int `mapstructure:"topic_levels"`
	TopicBytes  int `mapstructure:"topic_bytes"`
	// FilterBytes bounds a topic with a filter in it, and the filter's canonical
	// form.
	FilterBytes int `mapstructure:"filter_bytes"`
	// FilterDepth is how many keywords of a filter may be nested.
	FilterDepth int `mapstructure:"filter_depth" reload:"now"`
	// FilterCost is what the conditions of a filter may cost; see FILTERS.md.
	FilterCost int `mapstructure:"filter_cost" reload:"now"`
	// FilterValues is how many values one in, ids or anyOf may have.
	FilterValues int `mapstructure:"filter_values" reload:"now"`
	// FilterVertices is how many points the polygons of one condition may have.
	FilterVertices int `mapstructure:"filter_vertices" reload:"now"`
	// FilterPatternBytes and FilterInstructions bound the pattern of a regexp, and
	// what it is compiled to.
	FilterPatternBytes int `mapstructure:"filter_pattern_bytes" reload:"now"`
	FilterInstructions int `mapstructure:"filter_instructions" reload:"now"`
	// UserProperties is how many a packet may have.
	UserProperties int `mapstructure:"user_properties" reload:"now"`
	// JSONDepth bounds a document: how many objects and arrays may be nested.
	// JSONMembers and JSONElements are how many members all objects, and how many
	// elements all arrays of it may have together.
	JSONDepth    int `mapstructure:"json_depth" reload:"now"`
	JSONMembers  int `mapstructure:"json_members" reload:"now"`
	JSONElements int `mapstructure:"json_elements" reload:"now"`
	// JSONDigits is how long a number in a document may be, as it is written and with
	// the zeros that its exponent stands for.
	JSONDigits int `mapstructure:"json_digits" reload:"now"`
	// RequestRate is how many requests of the API one client may make in a second, or
	// one user or address over HTTP, and at once after a while. 0 is no limit.
	RequestRate int `mapstructure:"request_rate" reload:"now"`
	// RequestTimeout is how long a request may take.
	RequestTimeout time.Duration `mapstructure:"request_timeout" reload:"now"`
	// WriteDocuments is how many documents a request may list to be written, and
	// ReadDocuments how many it may ask for, or write by a filter.
	WriteDocuments int `mapstructure:"write_documents" reload:"now"`
	ReadDocuments  int `mapstructure:"read_documents" reload:"now"`
	// ScanDocuments is how many documents a search may look at. One that is cut short
	// says so.
	ScanDocuments int `mapstructure:"scan_documents" reload:"now"`
	// RoomNames is how many names requests may give to the rooms of a collection.
	RoomNames int `mapstructure:"room_names" reload:"now"`
	// Channels is in how many channels a client may be, and ChannelBytes how much memory
	// the members of all channels may take, with their metadata.
	Channels     int `mapstructure:"channels"`
	ChannelBytes int `mapstructure:"channel_bytes"`
}

// DefaultConfig returns the settings of a broker that needs none.
func DefaultConfig() Config {
	return Config{
		MQTT:       "127.0.0.1:1883",
		HTTP:       "127.0.0.1:8080",
		Data:       "./ambit-data",
		Anonymous:  "loopback",
		SharedBy:   "turn",
		AutoCreate: true,
		Presence:   Presence{Grace: 3 * time.Second, Keep: 7 * 24 * time.Hour, Clients: 100_000},
		Log:        Log{Level: "info", Format: "auto"},
		JWT:        defaultJWT(),
		Tokens:     defaultTokens(),
		Kuzzle:     Kuzzle{Listen: none},
		PocketBase: PocketBase{Idle: 5 * time.Minute},
		Agnost:     Agnost{Enabled: true, PingInterval: 10 * time.Second, PingTimeout: 30 * time.Second},
		Quotas:     defaultQuotas(),
		Observe:    defaultObserve(),
		Store:      Store{MinFreeBytes: 256 << 20, LogAge: 24 * time.Hour, LogBytes: 1 << 30, EphemeralBytes: 256 << 20},
		Limits: Limits{
			ConnectTimeout: 5 * time.Second,
			WriteTimeout:   5 * time.Second,
			ConnectBytes:   16 << 10,
			PacketBytes:    256 << 10,
			QueueBytes:     1 << 20,
			Connections:    100_000,
			SessionExpiry:  7 * 24 * time.Hour,
			ReceiveMaximum: 1024,
			TopicAliases:   16,
			TopicLevels:    32,
			TopicBytes:     1 << 10,
			FilterBytes:    16 << 10,

			FilterDepth:        16,
			FilterCost:         1000,
			FilterValues:       1000,
			FilterVertices:     1000,
			FilterPatternBytes: 256,
			FilterInstructions: 500,

			UserProperties: 32,
			JSONDepth:      32,
			JSONMembers:    1000,
			JSONElements:   10_000,
			JSONDigits:     1000,

			RequestRate:    1000,
			RequestTimeout: 10 * time.Second,
			WriteDocuments: 200,
			ReadDocuments:  10_000,
			ScanDocuments:  100_000,
			RoomNames:      10_000,

			Channels:     100,
			ChannelBytes: 64 << 20,
		},
	}
}

// Bounds that listeners have in common with the broker.
const (
	minPacketBytes = 1 << 10
	maxPacketBytes = 256 << 20
	minTimeout     = 100 * time.Millisecond
	maxTimeout     = time.Hour
)

// Validate reports every setting whose value is not allowed: its name, the
// value, and what is allowed.
func (c Config) Validate() error {
	k := &check{faults: new([]error)}
	for _, l := range []struct{ key, address string }{{"mqtt", c.MQTT}, {"http", c.HTTP}, {"kuzzle.listen", c.Kuzzle.Listen}} {
		if _, _, err := net.SplitHostPort(l.address); err != nil && l.address != none {
			k.bad(l.key, quoted(l.address), `an address such as "127.0.0.1:1883", or none`)
		}
	}
	if keys, _ := c.all(); len(keys) == 0 {
		k.bad("mqtt", none, "an address: there is no other listener")
	}
	c.checkListeners(k)
	c.checkRedirect(k)
	if c.Data == "" {
		k.bad("data", `""`, "the name of a directory")
	}
	k.oneOf("shared_by", c.SharedBy, "turn", "topic", "publisher")
	k.oneOf("anonymous", c.Anonymous, "none", "loopback", "all")
	k.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	k.oneOf("log.format", c.Log.Format, "auto", "text", "json")
	c.checkAccess(k)
	c.checkPocketBase(k)
	c.checkAgnost(k)
	c.checkCollections(k)
	c.checkMappings(k)
	c.checkRooms(k)
	c.checkNumbers(k)
	c.Quotas.check(k.in("quotas"))
	c.Presence.check(k)
	c.Observe.check(k.in("observe"))
	k.duration("store.log_age", c.Store.LogAge, time.Minute, 10*365*24*time.Hour)
	k.duration("limits.connect_timeout", c.Limits.ConnectTimeout, minTimeout, maxTimeout)
	k.duration("limits.write_timeout", c.Limits.WriteTimeout, minTimeout, maxTimeout)
	if c.Limits.KeepAlive != 0 {
		k.duration("limits.keep_alive", c.Limits.KeepAlive, time.Second, 65535*time.Second)
	}
	k.duration("limits.request_timeout", c.Limits.RequestTimeout, minTimeout, maxTimeout)
	k.duration("limits.session_expiry", c.Limits.SessionExpiry, time.Second, 100*365*24*time.Hour)
	return k.err()
}

func (c Config) checkCollections(k *check) {
	for i, col := range c.Collections {
		k := k.in(fmt.Sprintf("collections[%d]", i))
		if _, _, err := topics.ParseCollection(col.Name); err != nil {
			k.bad("name", quoted(col.Name), `"<index>/<collection>"`)
		}
		if col.Write != "" {
			k.oneOf("write", col.Write, "replace", "merge")
		}
		col.checkIndexes(k)
		if col.TTL != 0 {
			k.duration("ttl", col.TTL, time.Second, 100*365*24*time.Hour)
		}
	}
}

// checkRedirect wants what MQTT 5 suggests for a Server Reference (section 4.11).
func (c Config) checkRedirect(k *check) {
	server := regexp.MustCompile(`^([0-9A-Za-z._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
	for s := range strings.SplitSeq(c.Redirect, " ") {
		if c.Redirect != "" && !server.MatchString(s) {
			k.bad("redirect", quoted(c.Redirect), `servers such as "broker2.example.com:1883"`)
			return
		}
	}
}

func (c Config) checkNumbers(k *check) {
	for _, n := range []struct {
		key             string
		value, min, max int64
	}{
		{"store.min_free_bytes", c.Store.MinFreeBytes, 0, 1 << 50},
		{"store.log_bytes", c.Store.LogBytes, 1 << 20, 1 << 50},
		{"store.ephemeral_bytes", c.Store.EphemeralBytes, 1 << 10, 1 << 50},
		{"limits.connect_bytes", int64(c.Limits.ConnectBytes), 256, 1 << 20},
		{"limits.packet_bytes", int64(c.Limits.PacketBytes), minPacketBytes, maxPacketBytes},
		{"limits.queue_bytes", int64(c.Limits.QueueBytes), 4 << 10, 1 << 40},
		{"limits.connections", int64(c.Limits.Connections), 1, 10_000_000},
		{"limits.receive_maximum", int64(c.Limits.ReceiveMaximum), 1, 65535},
		{"limits.topic_aliases", int64(c.Limits.TopicAliases), 0, 65535},
		{"limits.topic_levels", int64(c.Limits.TopicLevels), 3, 200},
		{"limits.topic_bytes", int64(c.Limits.TopicBytes), 64, 65535},
		{"limits.filter_bytes", int64(c.Limits.FilterBytes), 64, 65535},
		{"limits.filter_depth", int64(c.Limits.FilterDepth), 1, 100},
		{"limits.filter_cost", int64(c.Limits.FilterCost), 1, 30_000},
		{"limits.filter_values", int64(c.Limits.FilterValues), 1, 1_000_000},
		{"limits.filter_vertices", int64(c.Limits.FilterVertices), 3, 1_000_000},
		{"limits.filter_pattern_bytes", int64(c.Limits.FilterPatternBytes), 1, 65535},
		{"limits.filter_instructions", int64(c.Limits.FilterInstructions), 1, 1_000_000},
		{"limits.user_properties", int64(c.Limits.UserProperties), 0, 1000},
		{"limits.json_depth", int64(c.Limits.JSONDepth), 1, 1000},
		{"limits.json_members", int64(c.Limits.JSONMembers), 1, 1_000_000},
		{"limits.json_elements", int64(c.Limits.JSONElements), 1, 10_000_000},
		{"limits.json_digits", int64(c.Limits.JSONDigits), 24, 1_000_000},
		{"limits.request_rate", int64(c.Limits.RequestRate), 0, 1_000_000},
		{"limits.write_documents", int64(c.Limits.WriteDocuments), 1, 100_000},
		{"limits.read_documents", int64(c.Limits.ReadDocuments), 1, 1_000_000},
		{"limits.scan_documents", int64(c.Limits.ScanDocuments), 1, 1_000_000_000},
		{"limits.room_names", int64(c.Limits.RoomNames), 1, 1_000_000},
		{"limits.channels", int64(c.Limits.Channels), 1, 1_000_000},
		{"limits.channel_bytes", int64(c.Limits.ChannelBytes), 4 << 10, 1 << 40},
	} {
		k.number(n.key, n.value, n.min, n.max)
	}
}
