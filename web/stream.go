package web

import (
	"errors"
	"net/http"
	"time"

	"github.com/ambitmq/ambit/api"
)

// stream writes an answer that is as long as it is. One that cannot be finished ends the
// connection, so that nobody takes it to be whole.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, a api.Response) {
	h := w.Header()
	h.Set("Content-Type", a.Type)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if err := a.Stream(r.Context(), patient{w, s.opts.WriteTimeout}); err != nil {
		panic(http.ErrAbortHandler) // as net/http wants it
	}
}

// patient gives each write as long as an answer may take.
type patient struct {
	http.ResponseWriter
	limit time.Duration
}

func (p patient) Write(b []byte) (int, error) {
	err := http.NewResponseController(p.ResponseWriter).SetWriteDeadline(time.Now().Add(p.limit))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.ResponseWriter.Write(b)
}
