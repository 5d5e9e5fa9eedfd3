package persistence

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func opOf(bytes int) *Op {
	return &Op{Write: &Write{Body: make([]byte, bytes)}}
}

func TestQueueBlocksWhenItIsFull(t *testing.T) {
	for _, tt := range []struct {
		name             string
		maxOps, maxBytes int
		fits             []int // bodies that fit
		next             int   // the body that does not
	}{
		{"of ops", 3, 1 << 20, []int{0, 0, 0}, 0},
		{"of bytes", 1000, 2*opOverhead + 100, []int{50, 50}, 0},
		{"of bytes, for a large op", 1000, 10 * opOverhead, []int{0}, 10 * opOverhead},
		{"of one op larger than the bound", 1000, 10, []int{5000}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := newQueue(tt.maxOps, tt.maxBytes)
				for _, n := range tt.fits {
					if err := q.push(t.Context(), opOf(n)); err != nil {
						t.Fatal(err)
					}
				}
				pushed := false
				go func() {
					if err := q.push(t.Context(), opOf(tt.next)); err != nil {
						t.Error(err)
					}
					pushed = true
				}()
				synctest.Wait()
				if pushed {
					t.Error("an op was pushed on a full queue")
				}
				ops, more := q.take(nil, 100)
				if len(ops) != len(tt.fits) || !more {
					t.Errorf("took %d ops, %v, want %d, true", len(ops), more, len(tt.fits))
				}
				synctest.Wait()
				if !pushed {
					t.Error("taking ops did not let the next one in")
				}
			})
		})
	}
}

func TestQueueStopsWaitingWhenTheContextEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 1<<20)
		if err := q.push(t.Context(), opOf(0)); err != nil {
			t.Fatal(err)
		}
		errs := make(chan error, 2)
		for wait := range 2 { // the first waits for room, the second for the first
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(wait+1)*time.Second)
			defer cancel()
			go func() { errs <- q.push(ctx, opOf(0)) }()
			synctest.Wait()
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
			}
		}
		if ops, _ := q.take(nil, 100); len(ops) != 1 {
			t.Errorf("%d ops are queued, want 1", len(ops))
		}
	})
}

func TestQueueLetsPushersInInTheOrderTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(1, 1<<20)
		const pushers = 20
		for i := range pushers {
			go func() {
				if err := q.push(t.Context(), &Op{Write: &Write{Key: Key{ID: fmt.Sprint(i)}}}); err != nil {
					t.Error(err)
				}
			}()
			synctest.Wait()
		}
		for i := range pushers {
			<-q.filled
			ops, _ := q.take(nil, 100)
			if len(ops) != 1 || ops[0].Write.Key.ID != fmt.Sprint(i) {
				t.Fatalf("took %d ops, first %s, want %d", len(ops), ops[0].Write.Key.ID, i)
			}
			synctest.Wait()
		}
	})
}

func TestQueueEndsForAllWhenItIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(2, 1<<20)
		errs := make(chan error, 3)
		for range 5 {
			go func() { errs <- q.push(t.Context(), opOf(0)) }()
		}
		synctest.Wait()
		q.close()
		var closed int
		for range 5 {
			if err := <-errs; errors.Is(err, ErrClosed) {
				closed++
			}
		}
		if closed != 3 {
			t.Errorf("%d pushers got ErrClosed, want 3", closed)
		}
		if ops, more := q.take(nil, 1); len(ops) != 1 || !more {
			t.Errorf("took %d ops, %v, want 1, true", len(ops), more)
		}
		if ops, more := q.take(nil, 1); len(ops) != 1 || !more {
			t.Errorf("took %d ops, %v, want 1, true", len(ops), more)
		}
		if ops, more := q.take(nil, 1); len(ops) != 0 || more {
			t.Errorf("took %d ops, %v, want 0, false", len(ops), more)
		}
	})
}
