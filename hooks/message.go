package hooks

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// A message is an application message on its way to any number of clients. It
// is not written once it is made.
type message struct {
	topic   string
	payload []byte
	qos     byte
	retain  bool
	// props are its MQTT 5 properties, without those that belong to a connection.
	props packets.Properties
	// life is how long it may be delivered, and expires until when; zero is for ever.
	life    time.Duration
	expires time.Time
	// from is the client that caused it, for No Local.
	from string
	// synced says that the message tells of the end of a snapshot.
	synced bool
	// supersedes says that a snapshot's message on the same topic is out of date.
	supersedes bool
	// size is about what it takes in memory.
	size int
}

// messageOverhead is what a message takes beside its text.
const messageOverhead = 128

// measured returns m with its size.
func (m *message) measured() *message {
	m.size = messageOverhead + len(m.topic) + len(m.payload) + len(m.props.ContentType) +
		len(m.props.ResponseTopic) + len(m.props.CorrelationData)
	for _, u := range m.props.User {
		m.size += 32 + len(u.Key) + len(u.Val)
	}
	return m
}

// published returns a message whose life begins now.
func (m *message) published() *message {
	n := *m
	if n.life > 0 {
		n.expires = time.Now().Add(n.life)
	}
	return &n
}

// newMessage returns what a client published.
func newMessage(from string, pk *packets.Packet) *message {
	m := &message{
		topic: pk.TopicName, payload: pk.Payload,
		qos: pk.FixedHeader.Qos, retain: pk.FixedHeader.Retain, from: from,
		props: packets.Properties{
			PayloadFormat: pk.Properties.PayloadFormat, PayloadFormatFlag: pk.Properties.PayloadFormatFlag,
			ContentType: pk.Properties.ContentType, ResponseTopic: pk.Properties.ResponseTopic,
			CorrelationData: pk.Properties.CorrelationData, User: pk.Properties.User,
		},
	}
	m.life = time.Duration(pk.Properties.MessageExpiryInterval) * time.Second
	m.supersedes = m.retain
	return m.measured().published()
}

// roomMessage returns what a room sends: for MQTT 5, user properties say what a
// payload of the document alone, or of nothing, does not.
func roomMessage(rm *rooms.Message) *message {
	m := &message{topic: rm.Topic, payload: rm.Payload, qos: 2, retain: rm.Retain, from: rm.From, synced: rm.ID == "", supersedes: rm.Retain}
	m.props.User = append(m.props.User, packets.UserProperty{Key: "seq", Val: strconv.FormatUint(rm.Seq, 10)})
	if rm.ID != "" {
		m.props.User = append(m.props.User,
			packets.UserProperty{Key: "transition", Val: rm.Transition.String()},
			packets.UserProperty{Key: "version", Val: strconv.FormatUint(rm.Version, 10)},
			packets.UserProperty{Key: "id", Val: rm.ID})
	}
	return m.measured()
}

// retainedDocument returns a document that was published with retain, as the
// retained message of its topic.
func retainedDocument(doc *persistence.Document) *message {
	m := &message{topic: topicOf(doc.Key), payload: doc.Body, qos: 2, retain: true}
	return m.measured()
}

func topicOf(k persistence.Key) string { return k.Index + "/" + k.Collection + "/" + k.ID }

// packet returns the message as mochi's retained store keeps it.
func (m *message) packet() packets.Packet {
	pk := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Publish, Qos: m.qos, Retain: true},
		ProtocolVersion: 5, TopicName: m.topic, Payload: m.payload, Properties: m.props,
		Origin: m.from, Created: time.Now().Unix(),
	}
	if !m.expires.IsZero() {
		pk.Expiry = m.expires.Unix()
	}
	return pk
}

// retainedMessage is the reverse of packet.
func retainedMessage(pk *packets.Packet) *message {
	m := newMessage(pk.Origin, pk)
	m.retain = true
	if pk.Expiry > 0 {
		m.expires = time.Unix(pk.Expiry, 0)
	}
	return m
}

// record returns the message as the store keeps it.
func (m *message) record() persistence.Record {
	if len(m.payload) == 0 {
		return persistence.DeleteRetained(m.topic) // [MQTT-3.3.1-6]
	}
	props := persistence.Properties{
		ContentType: m.props.ContentType, ResponseTopic: m.props.ResponseTopic,
		CorrelationData: m.props.CorrelationData, Expiry: m.expires,
		PayloadFormat: m.props.PayloadFormat, HasPayloadFormat: m.props.PayloadFormatFlag,
	}
	for _, u := range m.props.User {
		props.User = append(props.User, [2]string{u.Key, u.Val})
	}
	return persistence.PutRetained(persistence.Retained{
		Topic: m.topic, Payload: m.payload, QoS: m.qos, Properties: props, Created: time.Now(), ClientID: m.from,
	})
}

// restored is the reverse of record.
func restored(r persistence.Retained) *message {
	m := &message{topic: r.Topic, payload: r.Payload, qos: r.QoS, retain: true, from: r.ClientID, expires: r.Properties.Expiry}
	m.props = packets.Properties{
		ContentType: r.Properties.ContentType, ResponseTopic: r.Properties.ResponseTopic,
		CorrelationData: r.Properties.CorrelationData,
		PayloadFormat:   r.Properties.PayloadFormat, PayloadFormatFlag: r.Properties.HasPayloadFormat,
	}
	for _, u := range r.Properties.User {
		m.props.User = append(m.props.User, packets.UserProperty{Key: u[0], Val: u[1]})
	}
	return m.measured()
}

// A delivery is a message as one client gets it.
type delivery struct {
	m      *message
	qos    byte
	retain bool
	ids    []int // subscription identifiers [MQTT-3.3.4-3]
}

// encode appends the PUBLISH packet to buf. It reports whether there is one:
// what has expired, or is larger than the client takes, is left out
// [MQTT-3.1.2-24], [MQTT-3.1.2-25].
func (d *delivery) encode(buf *bytes.Buffer, peer peerLimits, id uint16, dup bool) (bool, error) {
	pk := packets.Packet{
		FixedHeader:     packets.FixedHeader{Type: packets.Publish, Qos: d.qos, Retain: d.retain, Dup: dup},
		ProtocolVersion: peer.version, TopicName: d.m.topic, PacketID: id,
		Payload: d.m.payload, Properties: d.m.props,
		Mods: packets.Mods{AllowResponseInfo: true},
	}
	pk.Properties.SubscriptionIdentifier = d.ids
	if !d.m.expires.IsZero() {
		left := time.Until(d.m.expires)
		if left <= 0 {
			return false, nil // [MQTT-3.3.2-5]
		}
		pk.Properties.MessageExpiryInterval = uint32(left/time.Second) + 1 // [MQTT-3.3.2-6]
	}
	start := buf.Len()
	if err := pk.PublishEncode(buf); err != nil {
		buf.Truncate(start)
		return false, err
	}
	if most := peer.packetBytes; most > 0 && uint32(buf.Len()-start) > most {
		buf.Truncate(start)
		return false, nil
	}
	return true, nil
}

// identifiers returns those of a subscription, sorted.
func identifiers(sub packets.Subscription) []int {
	var ids []int
	for _, id := range sub.Identifiers {
		if id > 0 {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
