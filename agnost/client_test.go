package agnost

import (
	"sync"
	"testing"
	"time"

	"github.com/ambitmq/ambit/socketio"
)

// The race detector says whether a limit may be set while something is written.
func TestALimitMayBeSetDuringAWrite(t *testing.T) {
	c := &client{Server: &Server{}, conn: &socketio.Conn{}}
	var both sync.WaitGroup
	both.Go(func() { _, _ = c.Write(nil) })
	both.Go(func() { _ = c.SetWriteDeadline(time.Now()) })
	both.Wait()
}
