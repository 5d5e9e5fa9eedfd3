package persistence

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// The layout of the database. The first byte of a key is its space:
//
//	space  key                          value                      written by
//	d      index· collection· id        document                   Write
//	c      seq                          change                     Write
//	g      seq of its first change      segment of the change log  the committer, now and then
//	s      client id                    session                    PutSession
//	p      client id                    whether it is there        PutPresence
//	w      client id· room hash         that it is in the room     PutSeat
//	u      client id· topic filter      subscription               PutSubscription
//	q      client id· life number copy  message for a session      Queue
//	b      number                       message for several        Queue
//	o      client id· packet id         QoS 2 message to a client  PutFlight
//	i      client id· packet id         QoS 2 message from one     PutReceived
//	r      topic name                   retained message           PutRetained
//	e      index· collection·           what is lost of its log    the first change of an ephemeral document, Open
//	x      second target's key          nothing                    what expires, with the target
//	n      index· collection            named collection           PutCollection
//	k      index· collection· name      an index, how far it is built  Open, and as it is built
//	t      index's number term· id      nothing                    Write, of an indexed collection
//	v      kind· id                     credential                 PutCredential
//	f      index· collection· name      named filter               PutRoomName
//	h      user                         what documents of it there are  the committer, with those
//	m      "node"                       node id, as text           Open, once
//	m      "log"                        state of the change log    the committer, with every batch
//	m      "reserved"                   the last reserved seq      changes of ephemeral documents, now and then
//	m      "retained"                   how many there are         PutRetained, DeleteRetained
//	m      "holdings"                   that h is there            Open, once
//
// A seq, a life, a number and a second (since 1970, the one in which a document or a
// retained message expires) are 8 bytes, big-endian, an index's number is 4, a packet id 2, a copy 1 or, from 256 on, 2. A
// part that is followed by another (written x·) is escaped and terminated, so that no
// two keys collide and keys sort as their parts do; the last part stands as it is.
// Values begin with a byte that says their format.
const (
	spaceDocuments     byte = 'd'
	spaceChanges       byte = 'c'
	spaceSegments      byte = 'g'
	spaceSessions      byte = 's'
	spacePresence      byte = 'p'
	spaceSeats         byte = 'w'
	spaceSubscriptions byte = 'u'
	spaceQueued        byte = 'q'
	spaceBodies        byte = 'b'
	spaceFlights       byte = 'o'
	spaceReceived      byte = 'i'
	spaceRetained      byte = 'r'
	spaceEphemeral     byte = 'e'
	spaceExpiries      byte = 'x'
	spaceCollections   byte = 'n'
	spaceIndexes       byte = 'k'
	spaceTerms         byte = 't'
	spaceCredentials   byte = 'v'
	spaceRoomNames     byte = 'f'
	spaceHoldings      byte = 'h'
	spaceMeta          byte = 'm'
)

// A zero byte within a part is written as 00 FF; 00 01 ends the part.
const (
	escape      byte = 0x00
	escapedZero byte = 0xff
	terminator  byte = 0x01
)

func metaNode() []byte { return []byte{spaceMeta, 'n', 'o', 'd', 'e'} }
func metaLog() []byte  { return []byte{spaceMeta, 'l', 'o', 'g'} }
func metaReserved() []byte {
	return []byte{spaceMeta, 'r', 'e', 's', 'e', 'r', 'v', 'e', 'd'}
}
func metaHoldings() []byte {
	return []byte{spaceMeta, 'h', 'o', 'l', 'd', 'i', 'n', 'g', 's'}
}
func metaRetained() []byte {
	return []byte{spaceMeta, 'r', 'e', 't', 'a', 'i', 'n', 'e', 'd'}
}

// appendPart appends part escaped and terminated.
func appendPart(b []byte, part string) []byte {
	for {
		i := strings.IndexByte(part, escape)
		if i < 0 {
			break
		}
		b = append(b, part[:i]...)
		b = append(b, escape, escapedZero)
		part = part[i+1:]
	}
	b = append(b, part...)
	return append(b, escape, terminator)
}

// cutPart takes an escaped part off the front of key.
func cutPart(key []byte) (part string, rest []byte, ok bool) {
	var b []byte
	for {
		i := bytes.IndexByte(key, escape)
		if i < 0 || i+1 == len(key) {
			return "", nil, false
		}
		b = append(b, key[:i]...)
		second := key[i+1]
		key = key[i+2:]
		switch second {
		case terminator:
			return string(b), key, true
		case escapedZero:
			b = append(b, escape)
		default:
			return "", nil, false
		}
	}
}

// appendCollection appends the prefix of all documents of a collection.
func appendCollection(b []byte, index, collection string) []byte {
	b = append(b, spaceDocuments)
	b = appendPart(b, index)
	return appendPart(b, collection)
}

func appendDocumentKey(b []byte, k Key) []byte {
	return append(appendCollection(b, k.Index, k.Collection), k.ID...)
}

// cutDocumentKey is the inverse of appendDocumentKey.
func cutDocumentKey(key []byte) (Key, bool) {
	if len(key) == 0 || key[0] != spaceDocuments {
		return Key{}, false
	}
	index, rest, ok := cutPart(key[1:])
	if !ok {
		return Key{}, false
	}
	collection, id, ok := cutPart(rest)
	return Key{Index: index, Collection: collection, ID: string(id)}, ok
}

func appendSeqKey(b []byte, space byte, seq uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, space), seq)
}

// seqOf is the inverse of appendSeqKey.
func seqOf(key []byte) (uint64, bool) {
	if len(key) != 9 {
		return 0, false
	}
	return binary.BigEndian.Uint64(key[1:]), true
}

// ofSession are the spaces whose keys begin with a client id and that go with its
// session.
func ofSession() [4]byte {
	return [...]byte{spaceSubscriptions, spaceQueued, spaceFlights, spaceReceived}
}

// subscriptionsOf is the prefix of all subscriptions of a client.
func subscriptionsOf(clientID string) []byte {
	return appendPart([]byte{spaceSubscriptions}, clientID)
}

func nameKey(space byte, name string) []byte {
	return append([]byte{space}, name...)
}

// spaceEnd is the key behind all keys of a space.
func spaceEnd(space byte) []byte { return []byte{space + 1} }

// prefixEnd is the key behind all keys with a prefix that ends with a part.
func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	end[len(end)-1]++ // the terminator
	return end
}

// beginningEnd is the key behind all keys that begin with b, whose first byte is a
// space.
func beginningEnd(b []byte) []byte {
	end := bytes.Clone(b)
	for end[len(end)-1] == 0xff {
		end = end[:len(end)-1]
	}
	end[len(end)-1]++
	return end
}
