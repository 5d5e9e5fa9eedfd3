package hooks

import (
	"context"
	"encoding/json"
	"time"

	"github.com/ambitmq/ambit/api"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// TellUser tells a user of something, if any client has subscribed to that. It may be
// called concurrently, though not by whoever drains the store's tail. told gets a value
// when those clients have been given it. Nobody is told for "".
func (h *Hook) TellUser(user string, e api.UserEvent) (told <-chan error) {
	if user == "" {
		return nobodyTold()
	}
	payload, err := json.Marshal(struct {
		Type      string  `json:"type"`
		User      string  `json:"user"`
		Event     string  `json:"event"`
		What      string  `json:"what"`
		ClientID  *string `json:"clientId"`
		Protocol  *string `json:"protocol"`
		Timestamp int64   `json:"timestamp"`
		Node      string  `json:"node"`
	}{"users", user, e.Event, e.What, orNull(e.ClientID), orNull(e.Protocol), time.Now().UnixMilli(), h.store.NodeID()})
	if err == nil {
		told, err = h.tell(context.Background(), &sessions.Message{Topic: topics.UserEvents(user), Payload: payload, QoS: 2})
	}
	if err != nil {
		h.logUntold("", err)
		return nobodyTold()
	}
	return told
}

// nobodyTold is what waits for nobody.
func nobodyTold() <-chan error {
	done := make(chan error, 1)
	done <- nil
	return done
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Renew tells users of the file that theirs was changed, and waits for that a moment: the
// connections that do not count any more end next.
func (h *Hook) Renew(ctx context.Context) {
	var all []<-chan error
	for _, user := range h.door.Users.Renewed() {
		all = append(all, h.TellUser(user, api.UserEvent{Event: api.Changed, What: "user"}))
	}
	for _, told := range all {
		select {
		case err := <-told:
			h.logUntold("", err)
		case <-ctx.Done():
			return
		}
	}
}
