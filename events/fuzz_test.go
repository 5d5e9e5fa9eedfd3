package events

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/sessions"
)

// A request is refused, or one of the API, with options that stand in a topic filter as they are.
func FuzzRequest(f *testing.F) {
	f.Add("filter=%7B%22exists%22%3A%22a%22%7D&scope=in&users=all&transition=enter,exit&since=5", "")
	f.Add("filter=&rule=view", "7")
	f.Add("transition=enter%26payload%3Dnone&since=18446744073709551616", "x")
	f.Add("filter=%7B&a;b=%zz", "")
	f.Fuzz(func(t *testing.T, query, last string) {
		r := httptest.NewRequest("GET", "/api/rooms/fleet/trucks", nil)
		r.URL = &url.URL{Path: r.URL.Path, RawQuery: query}
		r.Header["Last-Event-Id"] = []string{last}
		r.SetPathValue("index", "fleet")
		a, err := read(r)
		if err != nil {
			if e := refusal(err); e.Status != 400 || e.Message == "" {
				t.Errorf("%q is refused with %+v", query, e)
			}
			return
		}
		var request struct {
			Index string
			Seq   bool
			Body  json.RawMessage
		}
		if err := json.Unmarshal(a.request, &request); err != nil || request.Index != "fleet" || !request.Seq || len(request.Body) == 0 {
			t.Errorf("%q asks for %s (%v)", query, a.request, err)
		}
		if options := strings.Count(a.options, "&"); options > 2 {
			t.Errorf("%q is told by the options %s", query, a.options)
		}
		if (a.since != nil) != strings.Contains(a.options, "&since=") {
			t.Errorf("%q, %q: since %v, options %s", query, last, a.since, a.options)
		}
	})
}

// Whatever rooms tell is an event of one line.
func FuzzNotification(f *testing.F) {
	f.Add([]byte("{\"a\":\n1}"), uint64(1))
	f.Add([]byte("\"a\\nb\""), uint64(0))
	f.Add([]byte("{\r\n"), uint64(1<<63))
	f.Fuzz(func(t *testing.T, payload []byte, seq uint64) {
		for text := range sessions.Frames(notification(&sessions.Message{Payload: payload, Seq: seq})) {
			data := text[placeBytes:]
			if !json.Valid(data) || bytes.ContainsAny(data, "\r\n") {
				t.Errorf("%q is told as %q", payload, data)
			}
		}
	})
}
