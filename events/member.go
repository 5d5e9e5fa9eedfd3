package events

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strconv"
	"time"

	"github.com/ambitmq/ambit/access"
	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/sessions"
)

// A member is who is in a room by one request.
type member struct {
	*Server
	*sessions.Subscriber // nil before it is one
	who                  *access.Identity
	asked                asked
	via                  sessions.Via
	arrival              access.Arrival
	stream               *Stream
	ended                chan *sessions.Error

	// What the client knows up to, and up to which change it is told documents in any order: of those
	// none can be gone on after. They are the engine's own once the member is answered.
	last, gap uint64
}

var (
	_ api.Member    = (*member)(nil)
	_ sessions.Wire = (*member)(nil)
)

// Subscribe implements [api.Member].
func (m *member) Subscribe(_, topicFilter string, _ []byte) (channel string, err error) {
	topicFilter += m.asked.options
	if err := m.Subscriber.Subscribe(topicFilter, nil); err != nil {
		return "", hooks.Told(err)
	}
	return topicFilter, nil
}

// Unsubscribe implements [api.Member]. A request asks for one room.
func (m *member) Unsubscribe(string) bool { return false }

// SetWriteDeadline implements [sessions.Wire].
func (m *member) SetWriteDeadline(t time.Time) error {
	m.stream.SetLimit(t)
	return nil
}

// Ended implements [sessions.Wire].
func (m *member) Ended(why *sessions.Error) { m.ended <- why }

// close leaves the room. Nothing is written any more.
func (m *member) close() {
	if m.Subscriber != nil {
		m.Close()
	}
	m.stream.Close()
}

// Write implements [sessions.Wire]: each text has its place in the sequence of changes before it.
func (m *member) Write(b []byte) (int, error) {
	var out []byte
	for text := range sessions.Frames(b) {
		seq, gap := binary.BigEndian.Uint64(text), text[placeBytes-1] == 1
		if gap {
			m.gap = max(m.gap, seq)
		}
		id := uint64(0)
		if seq > m.gap && seq > m.last {
			m.last, id = seq, seq
		}
		out = appendEvent(out, "", id, text[placeBytes:])
	}
	return len(b), m.stream.Write(out)
}

// placeBytes is what stands before a text for the wire: the change that it tells of, and whether
// it is a notice of a gap.
const placeBytes = 9

// notification returns what rooms tell as one line of text, for a wire that says after what to go on.
func notification(m *sessions.Message) []byte {
	if len(m.Payload) == 0 {
		return nil
	}
	b := bytes.NewBuffer(binary.BigEndian.AppendUint64(make([]byte, 0, placeBytes+len(m.Payload)), m.Seq))
	gap := byte(0)
	if _, is := m.UserProperty("gap"); is {
		gap = 1
	}
	b.WriteByte(gap)
	if err := json.Compact(b, m.Payload); err != nil {
		return nil // it is none
	}
	return sessions.Frame(b.Bytes())
}

// appendEvent appends an event of a line of text; id 0 and no name are left out.
func appendEvent(b []byte, name string, id uint64, text []byte) []byte {
	if name != "" {
		b = append(append(append(b, "event: "...), name...), '\n')
	}
	if id > 0 || name == "subscribed" {
		b = append(strconv.AppendUint(append(b, "id: "...), id, 10), '\n')
	}
	return append(append(append(b, "data: "...), text...), "\n\n"...)
}
