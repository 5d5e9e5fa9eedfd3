package sessions

import (
	"bytes"
	"strings"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"
)

// mochi's codec writes the packets that are rare, and names the codes. What
// clients send is read here, strictly: its decoder panics on some packets, pins
// what it reads, and takes much that the standard does not.

// A frame is a packet in the bytes that a client sent.
type frame struct {
	kind  byte
	flags byte
	body  []byte
}

// cut returns the first packet of b and its size, or 0 while it is not complete.
// Nobody makes room for one that is larger than the limit.
func cut(b []byte, limit int) (f frame, size int, err error) {
	if len(b) < 2 {
		return f, 0, nil
	}
	length, n := varint(b[1:])
	switch {
	case n < 0 || n > 1 && b[n] == 0:
		return f, 0, malformed("the packet has a malformed length") // [MQTT-1.5.5-1]
	case n == 0:
		return f, 0, nil
	case 1+n+length > limit:
		return f, 0, &Error{packets.ErrPacketTooLarge.Code, "the packet is too large"}
	}
	f.kind, f.flags = b[0]>>4, b[0]&15
	if err := f.check(); err != nil {
		return f, 0, err
	}
	size = 1 + n + length
	if size > len(b) {
		return f, 0, nil
	}
	f.body = b[1+n : size : size]
	return f, size, nil
}

// check refuses packets that clients do not send, and flags that are reserved
// [MQTT-2.1.3-1].
func (f frame) check() error {
	want := byte(0)
	switch f.kind {
	case packets.Publish:
		return nil
	case packets.Pubrel, packets.Subscribe, packets.Unsubscribe:
		want = 2
	case packets.Reserved:
		return malformed("there is no packet of type 0")
	case packets.Connack, packets.Suback, packets.Unsuback, packets.Pingresp:
		return violation("a client must not send %s", nameOf(f.kind))
	}
	if f.flags != want {
		return malformed("the flags of %s must be %d", nameOf(f.kind), want)
	}
	return nil
}

// A Connect is what a client asks for when it connects.
type Connect struct {
	Version      byte // 3 is MQTT 3.1, which is served as 4; 4 is 3.1.1, and 5
	ClientID     string
	Clean        bool // Clean Session or Clean Start
	KeepAlive    uint16
	Username     string
	HasUsername  bool
	Password     []byte
	HasPassword  bool
	Will         *Message // or nil
	WillDelay    time.Duration
	Metadata     []byte // the user property of this name, or nil
	UserCount    int    // the user properties of the packet, or of its will if that has more
	assigned     bool   // the server has made the client identifier
	Expiry       uint32
	Receive      int    // Receive Maximum
	PacketBytes  uint32 // Maximum Packet Size; 0 is no limit
	AliasMaximum uint16
	// ProblemInfo allows reason strings and user properties in everything that
	// is not a PUBLISH, CONNACK or DISCONNECT; ResponseInfo asks for it.
	ProblemInfo, ResponseInfo bool
	// Method and Data are those of enhanced authentication.
	Method string
	Data   []byte
}

// Bits of the connect flags.
const (
	cleanFlag    = 1 << 1
	willFlag     = 1 << 2
	willRetain   = 1 << 5
	passwordFlag = 1 << 6
	usernameFlag = 1 << 7
)

func decodeConnect(body []byte) (*Connect, error) {
	c := cursor{rest: body}
	name, level := string(c.text()), c.byte()
	pk := &Connect{Version: level, Receive: 65535, ProblemInfo: true}
	switch {
	case c.err != nil:
		return pk, c.err
	case name == "MQTT" && (level == 4 || level == 5), name == "MQIsdp" && level == 3:
	case name != "MQTT" && name != "MQIsdp": // [MQTT-3.1.2-1]
		pk.Version = 0 // nobody knows what it would understand
		return pk, malformed("the protocol is not MQTT")
	default: // [MQTT-3.1.2-2]
		pk.Version = min(level, 5) // later ones will understand that
		return pk, &Error{packets.ErrUnsupportedProtocolVersion.Code, "the protocol version is none of 3.1, 3.1.1 and 5"}
	}
	flags := c.byte()
	if err := checkConnectFlags(flags, level); err != nil {
		return pk, err
	}
	pk.Clean, pk.KeepAlive = flags&cleanFlag != 0, c.uint16()
	if level == 5 {
		p := c.properties(packets.Connect)
		if c.err == nil && p.is(packets.PropAuthenticationData) && !p.is(packets.PropAuthenticationMethod) {
			return pk, violation("there is authentication data, and no authentication method")
		}
		pk.take(p)
	}
	pk.ClientID = string(c.text())
	if flags&willFlag != 0 {
		pk.readWill(&c, flags)
	}
	if pk.HasUsername = flags&usernameFlag != 0; pk.HasUsername {
		pk.Username = string(c.text())
	}
	if pk.HasPassword = flags&passwordFlag != 0; pk.HasPassword {
		pk.Password = bytes.Clone(c.binary())
	}
	if err := c.end(); err != nil {
		return pk, err
	}
	return pk, nil
}

func checkConnectFlags(flags, level byte) error {
	qos := flags >> 3 & 3
	switch {
	case flags&1 != 0: // [MQTT-3.1.2-3]
		return malformed("the reserved flag of CONNECT is set")
	case qos == 3: // [MQTT-3.1.2-12]
		return malformed("the QoS of the will is 3")
	case flags&willFlag == 0 && (qos != 0 || flags&willRetain != 0): // [MQTT-3.1.2-11], [MQTT-3.1.2-13]
		return malformed("there are flags of a will, and no will")
	case level < 5 && flags&passwordFlag != 0 && flags&usernameFlag == 0: // [MQTT-3.1.2-22] of MQTT 3.1.1
		return malformed("there is a password, and no user name")
	}
	return nil
}

// take notes the properties of CONNECT.
func (pk *Connect) take(p properties) {
	pk.UserCount = p.users
	metadata, _ := userProperty(p.passed, metadataProperty)
	pk.Metadata = bytes.Clone(metadata)
	pk.Expiry = p.number[packets.PropSessionExpiryInterval]
	pk.PacketBytes = p.number[packets.PropMaximumPacketSize]
	pk.AliasMaximum = uint16(p.number[packets.PropTopicAliasMaximum])
	pk.ResponseInfo = p.number[packets.PropRequestResponseInfo] == 1
	if p.is(packets.PropReceiveMaximum) {
		pk.Receive = int(p.number[packets.PropReceiveMaximum])
	}
	if p.is(packets.PropRequestProblemInfo) {
		pk.ProblemInfo = p.number[packets.PropRequestProblemInfo] == 1
	}
	pk.Method, pk.Data = string(p.method), bytes.Clone(p.data)
	if p.is(packets.PropAuthenticationMethod) && pk.Method == "" {
		pk.Method = "\x00" // no method has this name
	}
}

func (pk *Connect) readWill(c *cursor, flags byte) {
	m := &Message{QoS: flags >> 3 & 3, Retain: flags&willRetain != 0, From: pk.ClientID}
	var p properties
	if pk.Version == 5 {
		p = c.properties(will)
	}
	m.Topic, m.Payload = string(c.text()), bytes.Clone(c.binary())
	m.Properties = bytes.Clone(p.passed)
	m.life = time.Duration(p.number[packets.PropMessageExpiryInterval]) * time.Second
	m.mortal = p.is(packets.PropMessageExpiryInterval)
	pk.WillDelay = time.Duration(p.number[packets.PropWillDelayInterval]) * time.Second
	pk.UserCount = max(pk.UserCount, p.users)
	pk.Will = m
	if c.err == nil && (m.Topic == "" || strings.ContainsAny(m.Topic, "+#")) {
		c.fail(&Error{packets.ErrTopicNameInvalid.Code, "the topic of the will is empty or has wildcards"})
	}
}

// A request is one topic filter of a SUBSCRIBE.
type request struct {
	topicFilter string
	options     byte
}

func (r request) qos() byte            { return r.options & 3 }
func (r request) noLocal() bool        { return r.options&4 != 0 }
func (r request) asPublished() bool    { return r.options&8 != 0 }
func (r request) retainHandling() byte { return r.options >> 4 & 3 }

// A subscribe is a SUBSCRIBE or UNSUBSCRIBE.
type subscribe struct {
	id         uint16
	identifier uint32 // 0 is none
	users      int
	volatile   []byte // the user property of this name, or nil
	requests   []request
}

func decodeSubscribe(body []byte, kind, version byte) (*subscribe, error) {
	c := cursor{rest: body}
	pk := &subscribe{id: c.uint16()}
	if version == 5 {
		p := c.properties(kind)
		pk.identifier, pk.users = p.number[packets.PropSubscriptionIdentifier], p.users
		volatile, _ := userProperty(p.passed, volatileProperty)
		pk.volatile = bytes.Clone(volatile)
	}
	if c.err == nil && pk.id == 0 { // [MQTT-2.2.1-3]
		return nil, violation("the packet identifier must not be 0")
	}
	for c.err == nil && len(c.rest) > 0 {
		r := request{topicFilter: string(c.text())}
		if kind == packets.Subscribe {
			r.options = c.byte()
		}
		if err := r.check(version); c.err == nil && err != nil {
			return nil, err
		}
		pk.requests = append(pk.requests, r)
	}
	if c.err == nil && len(pk.requests) == 0 { // [MQTT-3.8.3-2], [MQTT-3.10.3-2]
		return nil, violation("%s has no topic filter", nameOf(kind))
	}
	return pk, c.end()
}

func (r request) check(version byte) error {
	reserved := byte(0b11000000)
	if version < 5 {
		reserved = 0b11111100
	}
	switch {
	case r.topicFilter == "": // [MQTT-4.7.3-1]
		return malformed("a topic filter is empty")
	case r.options&reserved != 0: // [MQTT-3.8.3-5]
		return malformed("a reserved bit of the subscription options is set")
	case r.qos() == 3:
		return malformed("the QoS of a subscription is 3")
	case r.retainHandling() == 3:
		return violation("the retain handling of a subscription is 3")
	case r.noLocal() && strings.HasPrefix(r.topicFilter, "$share/"): // [MQTT-3.8.3-4]
		return violation("a shared subscription must not have No Local")
	}
	return nil
}

// A reply is an acknowledgement, DISCONNECT or AUTH.
type reply struct {
	id         uint16
	code       byte
	properties properties
}

func decodeReply(body []byte, kind, version byte) (reply, error) {
	c := cursor{rest: body}
	var r reply
	if kind != packets.Disconnect && kind != packets.Auth {
		r.id = c.uint16()
		if c.err == nil && r.id == 0 {
			return r, violation("the packet identifier must not be 0")
		}
	}
	if version == 5 && len(c.rest) > 0 {
		r.code = c.byte()
		if len(c.rest) > 0 {
			r.properties = c.properties(kind)
		}
	}
	if c.err == nil && !allowed(kind, r.code) {
		return r, malformed("%s has the reason code 0x%02X", nameOf(kind), r.code)
	}
	return r, c.end()
}

// allowed says whether a client may send a reason code.
func allowed(kind, code byte) bool {
	var codes []byte
	switch kind {
	case packets.Puback, packets.Pubrec:
		codes = []byte{0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}
	case packets.Pubrel, packets.Pubcomp:
		codes = []byte{0, 0x92}
	case packets.Disconnect:
		codes = []byte{0, 4, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99}
	case packets.Auth:
		codes = []byte{0x18, 0x19}
	}
	return bytes.IndexByte(codes, code) >= 0
}
