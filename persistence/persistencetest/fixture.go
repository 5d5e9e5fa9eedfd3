package persistencetest

import (
	"fmt"
	"iter"
	"reflect"
	"testing"
	"time"

	"github.com/ambitmq/ambit/persistence"
)

// A fixture is a store whose tail is read.
type fixture struct {
	*persistence.Store
	t       *testing.T
	reopen  func(*testing.T, *persistence.Store) *persistence.Store
	drained chan struct{} // closed when the tail has ended
	tail    []*persistence.Result
	told    chan struct{} // holds a token after the tail has carried something
}

func (f *fixture) adopt(s *persistence.Store) {
	f.Store, f.drained = s, make(chan struct{})
	go func() {
		defer close(f.drained)
		for results := range s.Tail() {
			for _, r := range results {
				r.Apply()
				f.tail = append(f.tail, r)
			}
			select {
			case f.told <- struct{}{}:
			default:
			}
		}
	}()
}

func (f *fixture) close() {
	f.t.Helper()
	if err := f.Close(); err != nil {
		f.t.Error(err)
	}
	<-f.drained
}

// restart closes the store and opens it again.
func (f *fixture) restart() {
	f.t.Helper()
	old, drained := f.Store, f.drained
	s := f.reopen(f.t, old)
	<-drained
	f.adopt(s)
}

// do appends op and returns its result once it was applied.
func (f *fixture) do(op *persistence.Op) *persistence.Result {
	f.t.Helper()
	r := f.try(op)
	if r.Err != nil {
		f.t.Fatal(r.Err)
	}
	return r
}

func (f *fixture) try(op *persistence.Op) *persistence.Result {
	f.t.Helper()
	applied := make(chan *persistence.Result, 1)
	op.Applied = func(r *persistence.Result) { applied <- r }
	f.append(op)
	return <-applied
}

func (f *fixture) append(op *persistence.Op) {
	f.t.Helper()
	if err := f.Append(f.t.Context(), op); err != nil {
		f.t.Fatal(err)
	}
}

// records writes records in one op.
func (f *fixture) records(records ...persistence.Record) {
	f.t.Helper()
	f.do(&persistence.Op{Records: records})
}

// put writes {"n":n} to fleet/trucks/id.
func (f *fixture) put(id string, n int) *persistence.Result {
	f.t.Helper()
	return f.do(&persistence.Op{Write: write(id, n)})
}

func (f *fixture) remove(id string) *persistence.Result {
	f.t.Helper()
	return f.do(&persistence.Op{Write: &persistence.Write{Key: truck(id), Time: at(0)}})
}

func write(id string, n int) *persistence.Write {
	return &persistence.Write{Key: truck(id), Body: body(n), Time: at(n), Origin: persistence.Origin{User: "ada"}}
}

func truck(id string) persistence.Key {
	return persistence.Key{Index: "fleet", Collection: "trucks", ID: id}
}

func body(n int) []byte { return fmt.Appendf(nil, `{"n":%d}`, n) }

// at is a point in time that n tells apart.
func at(n int) time.Time {
	return time.Date(2026, 5, 4, 3, 2, 1, 999_999_999, time.UTC).Add(time.Duration(n) * time.Minute)
}

func (f *fixture) equal(what string, got, want any) {
	f.t.Helper()
	if !reflect.DeepEqual(got, want) {
		f.t.Errorf("%s:\n got %s\nwant %s", what, show(got), show(want))
	}
}

// show follows pointers to documents and changes.
func show(v any) string {
	switch v := v.(type) {
	case *persistence.Document:
		if v != nil {
			return fmt.Sprintf("%+v", *v)
		}
	case *persistence.Change:
		if v != nil {
			return fmt.Sprintf("%+v before %s after %s", *v, show(v.Before), show(v.After))
		}
	}
	return fmt.Sprintf("%+v", v)
}

// all collects what seq yields; an error ends the test.
func all[T any](f *fixture, seq iter.Seq2[T, error]) []T {
	f.t.Helper()
	var vs []T
	for v, err := range seq {
		if err != nil {
			f.t.Fatal(err)
		}
		vs = append(vs, v)
	}
	return vs
}

// failure returns the error that seq ends with, nil for none.
func failure[T any](seq iter.Seq2[T, error]) error {
	var last error
	for _, err := range seq {
		last = err
	}
	return last
}

// ids returns the ids of the documents of a collection.
func ids(f *fixture, s *persistence.Snapshot, collection, after string) []string {
	f.t.Helper()
	var ids []string
	for _, d := range all(f, s.Documents("fleet", collection, after)) {
		ids = append(ids, d.Key.ID)
	}
	return ids
}
