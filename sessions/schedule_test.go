package sessions

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAScheduleMakesItsCallsInOrderOnceAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 5))
		var s schedule
		var called []time.Time
		start := time.Now()
		dates := map[*date]time.Time{}
		var want []time.Time
		for range 2000 {
			switch r.IntN(4) {
			case 0: // some dates are cancelled, most of them before they come
				for d, at := range dates {
					s.cancel(d)
					if delete(dates, d); at.After(time.Now()) {
						i := slices.Index(want, at)
						want = slices.Delete(want, i, i+1)
					}
					break
				}
			case 1:
				time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
				synctest.Wait()
			default:
				at := time.Now().Add(time.Duration(1+r.IntN(10_000)) * time.Millisecond)
				dates[s.at(at, func() {
					if time.Now() != at {
						t.Errorf("called after %v, the date was %v", time.Since(start), at.Sub(start))
					}
					called = append(called, at)
				})] = at
				want = append(want, at)
			}
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		slices.SortFunc(want, time.Time.Compare)
		if !slices.Equal(called, want) {
			t.Errorf("%d calls, want %d", len(called), len(want))
		}
	})
}

func TestAScheduleThatIsStoppedMakesNoCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s schedule
		call := func() { t.Error("called") }
		d := s.at(time.Now().Add(time.Second), call)
		s.stop()
		s.cancel(d)
		s.cancel(s.at(time.Now(), call))
		time.Sleep(time.Minute)
	})
}
