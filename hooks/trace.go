package hooks

import (
	"fmt"
	"strings"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// maxTracedMembers is how many members of a room a trace names.
const maxTracedMembers = 5

// traceChange tells traces of a change of a document, before its rooms are told.
func (h *Hook) traceChange(c *persistence.Change) {
	if !h.engine.IsTraced() {
		return
	}
	text := fmt.Sprintf("stored: %s, change %d", c.Action, c.Seq)
	if c.After != nil {
		text += fmt.Sprintf(", version %d", c.After.Version)
	}
	h.engine.Decided(c.Origin.ClientID, strings.Join([]string{c.Key.Index, c.Key.Collection, c.Key.ID}, "/"), 0, text)
}

// trace tells traces of a room that a document, or a message, concerns.
func (h *Hook) trace(topicFilter string, members []string, m *rooms.Message) {
	if !h.engine.IsTraced() {
		return
	}
	to, err := topics.ParseFilter(topicFilter, h.topics)
	if err != nil {
		return // of a session that was kept when the limits were others
	}
	topic, what := to.Index+"/"+to.Collection, "message"
	if m.ID != "" {
		topic, what = topic+"/"+m.ID, m.Transition.String()
	}
	names := strings.Join(members[:min(len(members), maxTracedMembers)], ", ")
	if more := len(members) - maxTracedMembers; more > 0 {
		names += fmt.Sprintf(" and %d more", more)
	}
	h.engine.Decided(m.From, topic, 0, fmt.Sprintf("matched: %s of %s, told %s", what, topicFilter, names))
}
