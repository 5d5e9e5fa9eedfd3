package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ambitmq/ambit/api"
)

// Nobody takes a stream to be whole that has failed on its way.
func TestAStreamThatFailsIsCut(t *testing.T) {
	for _, why := range []error{nil, errors.New("the disk is gone")} {
		s := New(nil, nil, Options{WriteTimeout: time.Minute})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.stream(w, r, api.Response{Status: 200, Type: "text/csv", Stream: func(_ context.Context, w io.Writer) error {
				_, err := io.WriteString(w, "_id\na\n")
				return errors.Join(err, http.NewResponseController(w.(patient).ResponseWriter).Flush(), why)
			}})
		}))
		r, err := server.Client().Get(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r.Body)
		_ = r.Body.Close() // it was only read
		server.Close()
		if (err != nil) != (why != nil) || string(text) != "_id\na\n" || r.Header.Get("Content-Type") != "text/csv" {
			t.Errorf("with %v, read %q, %v, %v", why, text, err, r.Header)
		}
	}
}
