package broker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/ambitmq/ambit/api"
)

// ErrNotRunning says that no broker runs on a data directory.
var ErrNotRunning = errors.New("no broker runs on this data directory")

// An AskError is why the broker did not do what it was asked for.
type AskError struct {
	// ID and Status are those of the API: "core.realtime.room_not_found", 404.
	ID      string `json:"id"`
	Status  int    `json:"status"`
	Message string `json:"message"`
}

func (e *AskError) Error() string { return e.Message }

// Ask has the broker that runs on the directory data answer a request of the API
// as its operator, who may do everything. The request has the members of an
// envelope ("index", "body"); nil is none. The answer is the result, read into
// result, a pointer, unless that is nil. The error is [ErrNotRunning], an
// [*AskError], or that of the socket.
func Ask(ctx context.Context, data, controller, action string, request map[string]any, result any) error {
	text, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	c, err := dialControl(ctx, data)
	if err != nil {
		return err
	}
	if c == nil {
		return fmt.Errorf("%w: %s", ErrNotRunning, data)
	}
	defer c.CloseIdleConnections()
	target := "http://control/api/" + url.PathEscape(controller) + "/" + url.PathEscape(action)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(text))
	if err != nil {
		return err
	}
	answer, err := c.Do(r)
	if err != nil {
		return fmt.Errorf("control socket of the broker: %w", errors.Unwrap(err))
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end, or is given up
	var e struct {
		Error  *AskError       `json:"error"`
		Result json.RawMessage `json:"result"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&e); err != nil {
		return fmt.Errorf("the broker's answer (%s) is not understood: %w", answer.Status, err)
	}
	if e.Error != nil {
		return e.Error
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(e.Result, result)
}

// serveRequest answers a request of the API.
func (c *control) serveRequest(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControlBytes))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if len(text) == 0 || string(text) == "null" {
		text = []byte("{}")
	}
	from := api.Caller{Name: "operator", Protocol: "control", Operator: true}
	answer := c.router.Serve(r.Context(), from, r.PathValue("controller"), r.PathValue("action"), text)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(answer.Status)
	_, _ = w.Write(answer.Body) // fails when whoever asked has gone
}
