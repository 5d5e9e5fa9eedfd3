package pocketbase

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/sessions"
)

// What a client names is refused, or is about a collection and by a filter that is one.
func FuzzSubscription(f *testing.F) {
	for _, query := range []string{"", `{}`, `{"query":{"filter":"speed > 50","fields":"id,at.lat","leave":"none"},"headers":{"a":1}}`, `{"query":{"filter":5}}`, `[`} {
		for _, topic := range []string{"fleet.trucks/*", "trucks/42", "trucks", "a/b/c", "./*", "PB_CONNECT"} {
			f.Add(topic + "?options=" + url.QueryEscape(query))
		}
	}
	f.Add("trucks/*?options=%zz&a=b;c")
	s := New(nil, Options{Index: "fleet"})
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxSubscriptionBytes {
			return
		}
		sub, err := s.readSubscription(text)
		if err != nil {
			if told := errorOf(err); told.Status != 400 && told.Status != 404 {
				t.Errorf("%q is answered %d: %v", text, told.Status, err)
			}
			return
		}
		if sub.index == "" || sub.collection == "" || sub.rule == "" {
			t.Errorf("%q is about %+v", text, sub)
		}
		written, err := json.Marshal(sub.filter)
		if err != nil {
			t.Fatal(err)
		}
		if parsed, err := filter.Parse(written); err == nil && sub.rule == "view" {
			if _, ok := parsed.IDs(); !ok {
				t.Errorf("%q is by %s, which names no record", text, written)
			}
		}
	})
}

// Whatever rooms tell is one event, on one line.
func FuzzNotification(f *testing.F) {
	f.Add(`{"type":"document","event":"write","action":"create","transition":"enter","index":"fleet","collection":"trucks","result":{"_id":"1","_source":{"a":{"b":[1]},"_kuzzle_info":{"createdAt":1}}}}`, "id,a.b")
	f.Add("{\"type\":\"document\",\"event\":\"delete\",\"transition\":\"exit\",\"result\":{\"_id\":\"1\",\"_source\":{\n}}}", "*")
	f.Add(`{"type":"document","transition":"enter","result":{"_source":[]}}`, "")
	f.Add(`{"type":"document","transition":"enter","result":{"_source":{"_kuzzle_info":5,"id":7}}}`, "a,,b.")
	s := New(nil, Options{})
	c := &connection{Server: s, id: "me"}
	f.Fuzz(func(t *testing.T, payload, list string) {
		wanted, err := readFields(list)
		if err != nil {
			return
		}
		sub := &subscription{text: "fleet.trucks/*", fields: wanted, leave: "delete"}
		for frame := range sessions.Frames(s.notification(&sessions.Message{Topic: "fleet/trucks/?", Payload: []byte(payload)})) {
			topic, action, record := partsOf(frame)
			event := string(sub.appendEvent(c, nil, string(action), record))
			data, ok := strings.CutPrefix(event, "id:me\nevent:fleet.trucks/*\ndata:")
			if string(topic) != "fleet/trucks/?" || !ok || !json.Valid([]byte(data)) || strings.Count(data, "\n") != 2 || strings.Contains(data, "\r") {
				t.Errorf("%s with %q is told as %q", payload, list, event)
			}
		}
	})
}

// What a client writes is refused, or a document without what is the broker's.
func FuzzStored(f *testing.F) {
	for _, body := range []string{`{"id":"1","speed":5,"created":"x"}`, `{"speed+":1}`, `{"":null}`, `{"a":{"id":1}}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var body map[string]json.RawMessage
		if json.Unmarshal(text, &body) != nil {
			return
		}
		own, err := stored(body)
		if err != nil {
			return
		}
		for name := range system {
			if _, ok := own[name]; ok {
				t.Errorf("%s is stored of %s", name, text)
			}
		}
		source, err := json.Marshal(own)
		if err != nil {
			t.Fatal(err)
		}
		record, err := hit{ID: "1", Source: source}.record("a.b")
		if err == nil && (!json.Valid(record) || bytes.Contains(record, []byte("\n"))) {
			t.Errorf("%s is shown as %s", text, record)
		}
	})
}
