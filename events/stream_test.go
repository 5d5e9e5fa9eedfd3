package events

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// A noted says that something is being written to it.
type noted struct {
	http.ResponseWriter
	writes chan struct{}
}

func (n noted) Write(b []byte) (int, error) {
	close(n.writes)
	return n.ResponseWriter.Write(b)
}

func (n noted) Unwrap() http.ResponseWriter { return n.ResponseWriter }

// The engine sets a limit with its mutex held, and whoever has something for the client waits for that.
func TestALimitDoesNotWaitForAClientThatDoesNotRead(t *testing.T) {
	streams, writes, ended := make(chan *Stream, 1), make(chan struct{}), make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s := NewStream(noted{w, writes}, 10*time.Second)
		s.Open()
		streams <- s
		ended <- s.Write(make([]byte, 64<<20))
		s.Close()
	}))
	defer server.Close()
	answer, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close() // nothing of it is read
	<-writes
	before := time.Now()
	(<-streams).SetLimit(before.Add(time.Millisecond))
	if err := <-ended; err == nil {
		t.Error("all was written")
	}
	if waited := time.Since(before); waited > 5*time.Second {
		t.Errorf("the write has ended after %s", waited)
	}
}
