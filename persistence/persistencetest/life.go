package persistencetest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/ambitmq/ambit/persistence"
)

func reopening(f *fixture) {
	for i := range 20 {
		f.put(string(rune('a'+i%4)), i)
	}
	f.remove("b")
	for _, s := range someSessions() {
		f.records(persistence.PutSession(s))
	}
	for _, s := range someSubscriptions() {
		f.records(persistence.PutSubscription(s))
	}
	for _, m := range someRetained() {
		f.records(persistence.PutRetained(m))
	}
	snap := f.Snapshot()
	documents, changes := all(f, snap.Documents("fleet", "trucks", "")), all(f, snap.Changes(0))
	seq, node := snap.Seq(), f.NodeID()
	snap.Close()

	f.restart()
	snap = f.Snapshot()
	defer snap.Close()
	f.equal("documents", all(f, snap.Documents("fleet", "trucks", "")), documents)
	f.equal("changes", all(f, snap.Changes(0)), changes)
	f.equal("seq", snap.Seq(), seq)
	f.equal("sessions", all(f, f.Sessions()), someSessions())
	f.equal("subscriptions", all(f, f.Subscriptions()), someSubscriptions())
	f.equal("retained messages", all(f, f.RetainedMessages()), someRetained())
	f.equal("node id", f.NodeID(), node)
	if !strings.HasPrefix(node, "ambit-") || len(node) != len("ambit-1f3a9c02") {
		f.t.Errorf("node id: got %q", node)
	}
	f.equal("version of the next write", f.put("a", 20).Change.After.Version, uint64(6))
}

func sequenceGoesOn(f *fixture) {
	for want := uint64(1); want <= 6; want += 2 {
		f.equal("seq of a write", f.put("1", 1).Seq, want)
		f.equal("seq of its deletion", f.remove("1").Seq, want+1)
		f.restart()
		f.equal("seq of no change", f.remove("1").Seq, want+1)
	}
}

func closeCommits(f *fixture) {
	const n = 5000
	for i := range n {
		f.append(&persistence.Op{Write: write("1", i)})
	}
	f.close()
	f.equal("number of results", len(f.tail), n)
	f.restart()
	d, err := f.Get(truck("1"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.equal("version", d.Version, uint64(n))
}

func closedStore(f *fixture) {
	f.put("a", 1)
	before, iterated := f.Snapshot(), f.Changes(0)
	f.close()
	f.close()
	f.closed(before)
	f.closed(f.Snapshot())
	before.Close()
	_, err := f.Get(truck("a"))
	for what, err := range map[string]error{
		"get":           err,
		"append":        f.Append(f.t.Context(), &persistence.Op{Write: write("a", 2)}),
		"changes":       failure(iterated),
		"sessions":      failure(f.Sessions()),
		"subscriptions": failure(f.Subscriptions()),
		"retained":      failure(f.RetainedMessages()),
	} {
		if !errors.Is(err, persistence.ErrClosed) {
			f.t.Errorf("%s: got %v, want ErrClosed", what, err)
		}
	}
}

func closeStopsReaders(f *fixture) {
	for i := range 100 {
		f.append(&persistence.Op{Write: write(string(rune('a'+i)), i)})
	}
	f.put("last", 0)
	snap := f.Snapshot()
	defer snap.Close()
	var closing sync.WaitGroup
	var got error
	for _, err := range snap.Documents("fleet", "trucks", "") {
		if got = err; err != nil {
			break
		}
		if _, err := f.Get(truck("a")); errors.Is(err, persistence.ErrClosed) {
			continue // closing: the next step must say so
		}
		closing.Go(f.close)
		<-f.drained
	}
	closing.Wait()
	if got != nil && !errors.Is(got, persistence.ErrClosed) {
		f.t.Errorf("iteration under close: got %v, want ErrClosed", got)
	}
}

func endedContext(f *fixture) {
	cause := errors.New("the connection is gone")
	ctx, cancel := context.WithCancelCause(f.t.Context())
	cancel(cause)
	err := f.Append(ctx, &persistence.Op{Write: write("1", 1)})
	if !errors.Is(err, cause) {
		f.t.Errorf("append: got %v, want %v", err, cause)
	}
	f.put("2", 1)
	f.absent(truck("1"))
}
