package broker

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// startCollector starts a receiver of OTLP over HTTP, and returns its URL and what it is
// sent.
func startCollector(t *testing.T) (url string, spans chan *otlp.Span) {
	t.Helper()
	spans = make(chan *otlp.Span, 1000)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := io.Reader(r.Body)
		if r.Header.Get("Content-Encoding") == "gzip" {
			body, _ = gzip.NewReader(r.Body) // what it is not fails below
		}
		text, err := io.ReadAll(body)
		var request collector.ExportTraceServiceRequest
		if err != nil || proto.Unmarshal(text, &request) != nil || r.URL.Path != "/v1/traces" {
			http.Error(w, "not understood", http.StatusBadRequest)
			return
		}
		for _, resource := range request.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, span := range scope.Spans {
					spans <- span
				}
			}
		}
		answer, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
		w.Header().Set("Content-Type", "application/x-protobuf")
		_, _ = w.Write(answer)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1/traces", spans
}

// await returns the next spans, by name.
func await(t *testing.T, spans chan *otlp.Span, n int) map[string]*otlp.Span {
	t.Helper()
	got := map[string]*otlp.Span{}
	for range n {
		select {
		case s := <-spans:
			got[s.Name] = s
		case <-time.After(deadline):
			t.Fatalf("%d spans, want %d: %v", len(got), n, got)
		}
	}
	return got
}

func attribute(s *otlp.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return strings.Trim(a.Value.String(), `"`)
		}
	}
	return ""
}

func TestAPublishIsFollowedToItsNotifications(t *testing.T) {
	url, spans := startCollector(t)
	cfg := testConfig(t)
	cfg.Observe.TracesURL, cfg.Observe.TracesEvery = url, 1_000_000
	b := start(t, cfg)
	first := connect(t, b, 5, "first") // the one of a million
	send(t, first, pack(0x32, text("other/docs/1"), "\x00\x01\x00", `{}`))
	receiveAny(t, first)
	const traceID, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	dash := connect(t, b, 5, "dash")
	send(t, dash, pack(0x82, "\x00\x01\x00", text(`fleet/trucks/?{"range":{"speed":{"gt":50}}}`), "\x01"))
	receiveAny(t, dash)
	dev := connect(t, b, 5, "dev")
	property := "\x26" + text("traceparent") + text("00-"+traceID+"-"+parent+"-01")
	send(t, dev, pack(0x32, text("fleet/trucks/1"), "\x00\x02", string(rune(len(property))), property, `{"speed":60}`))
	receiveAny(t, dev)
	notification := receiveAll(t, dash)

	send(t, dev, pack(0x32, text("fleet/trucks/1"), "\x00\x03\x00", `{"speed":70}`)) // names none, and is not the one of a million
	receiveAny(t, dev)
	off := "\x26" + text("traceparent") + text("00-"+traceID+"-"+parent+"-00")
	send(t, dev, pack(0x32, text("fleet/trucks/1"), "\x00\x04", string(rune(len(off))), off, `{"speed":80}`))
	receiveAny(t, dev)
	stop(t, b)
	all := await(t, spans, 5) // of two publishes; the second one hides the first by name
	if len(spans) > 0 {
		t.Errorf("%d spans too many", len(spans))
	}
	publish, store, notify := all["publish"], all["store"], all["notify"]
	if publish == nil || store == nil || notify == nil {
		t.Fatalf("%v", all)
	}
	for name, s := range all {
		if hex.EncodeToString(s.TraceId) != traceID {
			t.Errorf("%s is of the trace %x", name, s.TraceId)
		}
	}
	if hex.EncodeToString(publish.ParentSpanId) != parent || !slices.Equal(store.ParentSpanId, publish.SpanId) || !slices.Equal(notify.ParentSpanId, publish.SpanId) {
		t.Errorf("parents: %x, %x, %x of %x", publish.ParentSpanId, store.ParentSpanId, notify.ParentSpanId, publish.SpanId)
	}
	if want := "00-" + traceID + "-" + hex.EncodeToString(notify.SpanId) + "-01"; !strings.Contains(notification, want) {
		t.Errorf("the notification does not say %s: %q", want, notification)
	}
	if topic := attribute(publish, "messaging.destination.name"); !strings.Contains(topic, "fleet/trucks/1") {
		t.Errorf("the topic is %q", topic)
	}
	if store.EndTimeUnixNano < store.StartTimeUnixNano || publish.EndTimeUnixNano < store.EndTimeUnixNano {
		t.Error("the publish ends before it is stored")
	}
}

func TestARefusedPublishIsFollowedToItsRefusal(t *testing.T) {
	url, spans := startCollector(t)
	cfg := testConfig(t)
	cfg.Observe.TracesURL, cfg.Observe.TracesEvery = url, 1
	b := start(t, cfg)
	c := connect(t, b, 5, "dev")
	send(t, c, pack(0x32, text("$x"), "\x00\x01\x00", "1"))
	receiveAny(t, c)
	send(t, c, pack(0x30, text("plain"), "\x00", "1"))
	send(t, c, []byte{0xC0, 0})
	receiveAny(t, c)
	stop(t, b)
	var refused, told *otlp.Span
	for range 2 {
		s := await(t, spans, 1)["publish"]
		if s.GetStatus().GetCode() == otlp.Status_STATUS_CODE_ERROR {
			refused = s
		} else {
			told = s
		}
	}
	if refused == nil || told == nil || !strings.Contains(refused.Status.Message, "published by the broker alone") {
		t.Errorf("%v, %v", refused, told)
	}
}

func TestACollectorThatIsNotThereHoldsNobodyUp(t *testing.T) {
	cfg := testConfig(t)
	cfg.Observe.TracesURL, cfg.Observe.TracesEvery = "http://127.0.0.1:1/v1/traces", 1
	b := start(t, cfg)
	c := connect(t, b, 5, "dev")
	send(t, c, pack(0x32, text("fleet/trucks/1"), "\x00\x01\x00", `{}`))
	if receiveAny(t, c) != 0x40 {
		t.Error("no PUBACK")
	}
}
