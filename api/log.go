package api

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/ambitmq/ambit/access"
)

// maxLogBytes is how much of a text from outside is in a line of the log.
const maxLogBytes = 256

// audit is where it is told what a request does to who may do what.
func (c *call) audit() *access.Audit { return c.opts.Door.Audit.Of(short(c.RequestID)) }

// log logs a request that was answered: what the broker could not do, and, for whoever looks for
// a fault, all others.
func (c *call) log(answer Response, err error) {
	level := slog.LevelDebug
	switch {
	case err == nil:
	case answer.Status == 500:
		level = slog.LevelError
	case answer.Status > 500:
		level = slog.LevelWarn
	}
	log := c.opts.Log
	if log == nil || !log.Enabled(context.Background(), level) {
		return
	}
	line := []any{
		"request_id", short(c.RequestID), "controller", short(c.Controller), "action", short(c.Action), "status", answer.Status,
		"took", time.Since(c.now).Round(time.Microsecond).String(), "protocol", c.from.Protocol,
	}
	for _, more := range [...]struct{ key, value string }{
		{"client", c.from.ClientID}, {"user", c.from.User}, {"index", c.Index}, {"collection", c.Collection}, {"id", c.ID},
	} {
		if more.value != "" {
			line = append(line, more.key, short(more.value))
		}
	}
	if err != nil {
		line = append(line, "error", short(c.errorOf(err).Message))
	}
	log.Log(context.Background(), level, "request", line...)
}

// short shortens a text for the log.
func short(text string) string {
	if len(text) <= maxLogBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxLogBytes], "") + "…"
}
