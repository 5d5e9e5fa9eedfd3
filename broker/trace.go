package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/topics"
)

// A TraceEvent is what happens to a client, or on a topic.
type TraceEvent = sessions.TraceEvent

// TraceOptions say what is traced, and for how long.
type TraceOptions struct {
	// Client is a client identifier, and Topic a topic filter. If both are given, an event
	// is about both; one of them has to be.
	Client, Topic string
	// Time is how long it goes on, and Count how many events there are at most.
	Time  time.Duration
	Count int
}

// The most that a trace may be.
const (
	MaxTraceTime  = time.Hour
	MaxTraceCount = 1_000_000
)

func (o TraceOptions) check() error {
	switch {
	case o.Client == "" && o.Topic == "":
		return errors.New("a trace is of a client, or of a topic filter")
	case o.Time <= 0 || o.Time > MaxTraceTime:
		return fmt.Errorf("a trace goes on for up to %v, not %v", MaxTraceTime, o.Time)
	case o.Count < 1 || o.Count > MaxTraceCount:
		return fmt.Errorf("a trace has from 1 to %d events, not %d", MaxTraceCount, o.Count)
	case o.Topic == "":
		return nil
	}
	_, err := topics.ParseFilter(o.Topic, topics.Limits{Levels: 1 << 10, Bytes: 1 << 16, FilterBytes: 1 << 20})
	return err
}

// A traceLine is one line of the answer. The last one has End.
type traceLine struct {
	Event *TraceEvent `json:"event,omitempty"`
	End   string      `json:"end,omitempty"`
}

// Trace has the broker that runs on the directory data tell what happens to a client, or
// on the topics of a topic filter, until the time is up or there were as many events. It
// returns which of the two it was. The error is [ErrNotRunning], that of ctx, of each, or of
// the socket.
func Trace(ctx context.Context, data string, o TraceOptions, each func(TraceEvent) error) (end string, err error) {
	c, err := dialControl(ctx, data)
	if err != nil {
		return "", err
	}
	if c == nil {
		return "", fmt.Errorf("%w: %s", ErrNotRunning, data)
	}
	defer c.CloseIdleConnections()
	query := url.Values{"client": {o.Client}, "topic": {o.Topic}, "time": {o.Time.String()}, "count": {strconv.Itoa(o.Count)}}
	answer, err := request(ctx, c, http.MethodGet, "/trace?"+query.Encode())
	if err != nil {
		return "", err
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end, or is given up
	for in := json.NewDecoder(answer.Body); ; {
		var line traceLine
		if err := in.Decode(&line); err != nil {
			return "", errors.Join(ctx.Err(), fmt.Errorf("the trace was cut off: %w", err))
		}
		if line.Event == nil {
			return line.End, nil
		}
		if err := each(*line.Event); err != nil {
			return "", err
		}
	}
}

// serveTrace answers with lines of traceLine.
func (c *control) serveTrace(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	o := TraceOptions{Client: q.Get("client"), Topic: q.Get("topic")}
	var faults [2]error
	o.Time, faults[0] = time.ParseDuration(q.Get("time"))
	o.Count, faults[1] = strconv.Atoi(q.Get("count"))
	if err := errors.Join(faults[0], faults[1], o.check()); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	trace, err := c.engine.Trace(o.Client, o.Topic)
	if err != nil {
		http.Error(w, err.Error(), http.StatusTooManyRequests)
		return
	}
	defer trace.Close()
	c.log.Info("trace", "client", o.Client, "topic_filter", o.Topic, "time", o.Time)
	w.Header().Set("Content-Type", "application/x-ndjson")
	_ = http.NewResponseController(w).Flush() // so that who asked knows that it has begun
	end := time.NewTimer(o.Time)
	defer end.Stop()
	out := json.NewEncoder(w)
	for n := 0; n < o.Count; n++ {
		select {
		case ev := <-trace.Events():
			if out.Encode(traceLine{Event: &ev}) != nil {
				return // whoever asked has gone
			}
			if len(trace.Events()) == 0 {
				_ = http.NewResponseController(w).Flush() // as with Encode
			}
		case <-end.C:
			_ = out.Encode(traceLine{End: "the time is up"}) // as above
			return
		case <-r.Context().Done():
			return
		}
	}
	_ = out.Encode(traceLine{End: "there were as many events as may be"}) // as above
}
