// Package persistencetest holds what every store must do, whatever it runs on.
package persistencetest

import (
	"testing"

	"github.com/ambitmq/ambit/persistence"
)

// Run tests the store that open makes, a new and empty one with each call.
// Reopen closes a store and opens it again with all its data.
func Run(t *testing.T, open func(*testing.T) *persistence.Store, reopen func(*testing.T, *persistence.Store) *persistence.Store) {
	t.Helper()
	for _, tt := range []struct {
		name string
		test func(*fixture)
	}{
		{"a document is created, replaced and deleted", documentLifeCycle},
		{"deleting an absent document changes nothing", deleteAbsent},
		{"the same body again is a change", sameBody},
		{"a document is edited as of each write", editedInPlace},
		{"a document that has expired is deleted by a change", expires},
		{"an empty body is a document", emptyBody},
		{"keys that look alike are different documents", keysThatLookAlike},
		{"the change log tells what the results told", changeLogAgrees},
		{"the change log starts after the number that is asked for", changeLogAfter},
		{"documents come in the order of their ids", documentsInOrder},
		{"collections are listed once", collections},
		{"a snapshot shows the store exactly as of its op", snapshotOfOp},
		{"a snapshot stays as it is", snapshotStays},
		{"a closed snapshot says so", snapshotClosed},
		{"sessions come back as they were put", sessions},
		{"subscriptions come back as they were put", subscriptions},
		{"retained messages come back as they were put", retainedMessages},
		{"a snapshot has the retained messages of a beginning of topics", retainedByTopic},
		{"messages wait until they are dequeued", queuedMessages},
		{"a message may be what a write makes", messagesOfWrites},
		{"a message for several waits for each of them", sharedMessages},
		{"what is on its way at QoS 2 comes back as it was put", flights},
		{"credentials are kept by kind and id", credentials},
		{"collections that were named are listed, whatever they hold", namedCollections},
		{"it is known who is there", presences},
		{"it is known who is in which room", seats},
		{"names of rooms are listed until they are deleted", roomNames},
		{"records of one op follow each other", recordsInOrder},
		{"a deleted session takes its subscriptions along", deleteSession},
		{"a deleted session takes its messages along", deleteSessionMessages},
		{"a document written many times at once has every version", manyVersions},
		{"ops are told of in the order they were appended", order},
		{"ephemeral documents are like others until the store is closed", ephemeral},
		{"everything is there after reopening", reopening},
		{"sequence numbers go on after reopening", sequenceGoesOn},
		{"close commits what was appended", closeCommits},
		{"a closed store says so", closedStore},
		{"close waits for readers and stops long ones", closeStopsReaders},
		{"an op is not appended for a context that has ended", endedContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := &fixture{t: t, reopen: reopen, told: make(chan struct{}, 1)}
			f.adopt(open(t))
			t.Cleanup(f.close)
			tt.test(f)
		})
	}
}
