package socketio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strconv"
)

// The packets of Engine.IO 4, by their first character. One that begins with b is binary, in
// base64, in a payload of polling.
const (
	typeOpen    = '0'
	typeClose   = '1'
	typePing    = '2'
	typePong    = '3'
	typeMessage = '4'
	typeUpgrade = '5'
	typeNoop    = '6'
	typeBinary  = 'b'
)

// probe is what comes behind a ping, and a pong, of a transport that is tried.
const probe = "probe"

// separator stands between the packets of one payload.
const separator = 0x1e

// packets yields the packets of a payload.
func packets(payload []byte) iter.Seq[[]byte] { return bytes.SplitSeq(payload, []byte{separator}) }

// A kind is the first character of a packet of Socket.IO.
type kind byte

const (
	kindConnect      kind = '0'
	kindDisconnect   kind = '1'
	kindEvent        kind = '2'
	kindAck          kind = '3'
	kindConnectError kind = '4'
	kindBinaryEvent  kind = '5'
	kindBinaryAck    kind = '6'
)

// maxAttachments is how many binary attachments a packet may announce.
const maxAttachments = 10

// root is the namespace that there is.
const root = "/"

// A packet is one of Socket.IO: what comes in a message of Engine.IO.
type packet struct {
	kind        kind
	attachments int
	namespace   string
	// id is that of an acknowledgement that is asked for, or given, if hasID is set.
	id    uint64
	hasID bool
	// data is JSON, or nothing.
	data []byte
}

var errPacket = errors.New("no packet of Socket.IO")

// parsePacket reads a packet:
//
//	<kind>[<attachments>-][<namespace>,][<id>][<JSON>]
//
// Its data is part of text.
func parsePacket(text []byte) (packet, error) {
	if len(text) == 0 || text[0] < byte(kindConnect) || text[0] > byte(kindBinaryAck) {
		return packet{}, errPacket
	}
	p := packet{kind: kind(text[0]), namespace: root}
	rest := text[1:]
	if p.kind == kindBinaryEvent || p.kind == kindBinaryAck {
		count, behind, ok := bytes.Cut(rest, []byte("-"))
		n, err := strconv.ParseUint(string(count), 10, 8)
		if !ok || err != nil || n == 0 || n > maxAttachments {
			return packet{}, fmt.Errorf("%w: it must have 1 to %d attachments", errPacket, maxAttachments)
		}
		p.attachments, rest = int(n), behind
	}
	if len(rest) > 0 && rest[0] == '/' {
		name, behind, _ := bytes.Cut(rest, []byte(","))
		p.namespace, rest = string(name), behind
	}
	digits := 0
	for digits < len(rest) && rest[digits] >= '0' && rest[digits] <= '9' {
		digits++
	}
	if digits > 0 {
		id, err := strconv.ParseUint(string(rest[:digits]), 10, 64)
		if err != nil {
			return packet{}, fmt.Errorf("%w: the id of its acknowledgement: %w", errPacket, err)
		}
		p.id, p.hasID, rest = id, true, rest[digits:]
	}
	p.data = rest
	return p, p.check()
}

// check says whether a packet has data of the kind that it should have.
func (p *packet) check() error {
	first := byte(0)
	if len(p.data) > 0 {
		if !json.Valid(p.data) {
			return fmt.Errorf("%w: its data is no JSON", errPacket)
		}
		first = p.data[0]
	}
	ok := true
	switch p.kind {
	case kindConnect:
		ok = first == 0 || first == '{'
	case kindDisconnect:
		ok = first == 0
	case kindConnectError:
		ok = first == '{' || first == '"'
	case kindEvent, kindBinaryEvent, kindAck, kindBinaryAck:
		ok = first == '['
	}
	if !ok {
		return fmt.Errorf("%w: its data is of another kind", errPacket)
	}
	return nil
}

// event returns the name and the arguments of an event.
func (p *packet) event() (name string, args []json.RawMessage, err error) {
	var all []json.RawMessage
	if err := json.Unmarshal(p.data, &all); err != nil {
		return "", nil, err
	}
	if len(all) == 0 || json.Unmarshal(all[0], &name) != nil {
		return "", nil, fmt.Errorf("%w: an event begins with its name", errPacket)
	}
	return name, all[1:], nil
}

// message returns the packet as a message of Engine.IO.
func (p *packet) message() []byte {
	b := []byte{typeMessage, byte(p.kind)}
	if p.attachments > 0 {
		b = append(strconv.AppendInt(b, int64(p.attachments), 10), '-')
	}
	if p.namespace != root {
		b = append(append(b, p.namespace...), ',')
	}
	if p.hasID {
		b = strconv.AppendUint(b, p.id, 10)
	}
	return append(b, p.data...)
}

// AppendEvent appends an event whole, as [Conn.Write] takes it. The arguments are JSON.
func AppendEvent(b []byte, name string, args ...[]byte) []byte {
	quoted, err := json.Marshal(name)
	if err != nil {
		panic(err) // a text can be written as JSON
	}
	b = append(append(b, typeMessage, byte(kindEvent), '['), quoted...)
	for _, arg := range args {
		b = append(append(b, ','), arg...)
	}
	return append(b, ']')
}
