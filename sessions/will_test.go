package sessions_test

import (
	"fmt"
	"testing"

	"github.com/ambitmq/ambit/persistence"
)

// A will that is due at once comes when all are back whom it may be for.
func TestAWillThatIsDueComesOnceSubscriptionsAreRestored(t *testing.T) {
	n := startNode(t, nil)
	dash := n.connect(5, "dash", keepSession)
	dash.subscribe(1, "home/gone")
	dash.hangUp()
	n.absent("dash")
	records := []persistence.Record{persistence.PutSession(persistence.Session{
		ClientID: "a", ProtocolVersion: 5, ExpirySeconds: 3600, Life: 1,
		Will: &persistence.Will{Message: &persistence.Message{Topic: "home/gone", From: "a", Payload: []byte("gone"), QoS: 1}},
	})}
	for i := range 5000 {
		records = append(records, persistence.PutSession(persistence.Session{
			ClientID: fmt.Sprint("b", i), ProtocolVersion: 5, ExpirySeconds: 3600, Life: 1,
		}))
	}
	if err := n.store.Append(t.Context(), &persistence.Op{Records: records}); err != nil {
		t.Fatal(err)
	}
	n.restart()
	dash = n.connect(5, "dash", keepSession)
	if m := dash.message("home/gone"); string(m.Payload) != "gone" {
		t.Errorf("the will is %s", m.Payload)
	}
	dash.quiet()
}
