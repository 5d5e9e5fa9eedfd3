package broker

import (
	"testing"
	"time"
)

func TestThatTheClockWasPutIsTold(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	w := wallClock{started: start}
	for _, tt := range []struct {
		what         string
		says, passed time.Duration
		want         time.Duration // 0 is nothing to tell
	}{
		{"as it should be", time.Second, time.Second, 0},
		{"a little step", 2500 * time.Millisecond, 2 * time.Second, 0},
		{"an hour forward", time.Hour + 3500*time.Millisecond, 3 * time.Second, time.Hour},
		{"and on from there", time.Hour + 4500*time.Millisecond, 4 * time.Second, 0},
		{"back again", 5500 * time.Millisecond, 5 * time.Second, -time.Hour},
	} {
		jump, jumped := w.look(start.Add(tt.says), tt.passed)
		if jumped != (tt.want != 0) || jumped && jump != tt.want {
			t.Errorf("%s: %v %v, want %v", tt.what, jump, jumped, tt.want)
		}
	}
}
