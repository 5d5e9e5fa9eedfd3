package limits

import (
	"fmt"
	"testing"
	"time"
)

func TestRatesAreRead(t *testing.T) {
	for _, tt := range []struct {
		text string
		want Rate
	}{
		{"100/s", Rate{100, time.Second}},
		{"3000/m", Rate{3000, time.Minute}},
		{"1/h", Rate{1, time.Hour}},
		{"5/d", Rate{5, 24 * time.Hour}},
		{"256KiB/10s", Rate{256 << 10, 10 * time.Second}},
		{"2MiB/500ms", Rate{2 << 20, 500 * time.Millisecond}},
		{"1GiB/s", Rate{1 << 30, time.Second}},
	} {
		if got, err := ParseRate(tt.text); err != nil || got != tt.want {
			t.Errorf("%s: %v, %v", tt.text, got, err)
		}
	}
	for _, text := range []string{"", "100", "/s", "100/", "0/s", "-1/s", "1.5/s", "1e3/s", "x/s", "1/fortnight", "1/0s", "1/-1s", "1/1us", "9999999GiB/s", "1KB/s", "1/s/s"} {
		if got, err := ParseRate(text); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}

func TestSeveralRatesHoldAtOnce(t *testing.T) {
	now := time.Unix(0, 0)
	b := NewBuckets([]Rate{{10, time.Second}, {15, time.Minute}}, now)
	came := 0
	for range 1000 { // as fast as allowed, for 100 s
		if b.Wait(now) == 0 {
			b.Take(1)
			came++
		}
		if came == 10 && now.Equal(time.Unix(0, 0)) && b.Wait(now) == 0 {
			t.Fatal("an eleventh comes in the first second")
		}
		now = now.Add(100 * time.Millisecond)
	}
	if came < 38 || came > 40 { // 15, and one each 4 s
		t.Errorf("%d came in 100 s, want 39 or so", came)
	}
	if wait := b.Wait(now); wait > 4*time.Second {
		t.Errorf("the wait is %v", wait)
	}
}

func TestWhatWasTooMuchIsMadeUpFor(t *testing.T) {
	now := time.Unix(0, 0)
	b := NewBuckets([]Rate{{1000, time.Second}}, now)
	b.Take(6000)
	wait := b.Wait(now)
	if wait < 5*time.Second || wait > 5100*time.Millisecond {
		t.Errorf("the wait is %v, want 5 s", wait)
	}
	if again := b.Wait(now.Add(wait)); again != 0 {
		t.Errorf("after the wait it is %v", again)
	}
	var none Buckets
	if none.Take(1 << 30); none.Wait(now) != 0 {
		t.Error("no rate is a bound")
	}
}

func TestSharesAreBoundedForEachAlone(t *testing.T) {
	var s Shares[string]
	for range 3 {
		if !s.Take("a", 3) {
			t.Fatal("there is no room within the limit")
		}
	}
	if s.Take("a", 3) || !s.Take("b", 3) || !s.Take("a", 0) {
		t.Error("the limit is not that of each")
	}
	for range 4 {
		s.Give("a")
	}
	s.Give("b")
	if s.Of("a") != 0 || len(s.held) != 0 {
		t.Errorf("%v is left", s.held)
	}
}

func TestEachFailureDoublesTheWait(t *testing.T) {
	b := Backoff{Free: 2, First: time.Second, Most: time.Minute, Keys: 100}
	now := time.Unix(1000, 0)
	for i, want := range []time.Duration{0, 0, 1, 2, 4, 8, 16, 32, 60, 60} {
		b.Fail("a", now)
		if got := b.Wait("a", now); got != want*time.Second {
			t.Errorf("after failure %d the wait is %v, want %v s", i+1, got, want)
		}
	}
	if b.Wait("b", now) != 0 {
		t.Error("another one has to wait")
	}
	if got := b.Wait("a", now.Add(59*time.Second)); got != time.Second {
		t.Errorf("later it is %v", got)
	}
	b.Succeed("a")
	if b.Wait("a", now) != 0 {
		t.Error("who succeeded has to wait")
	}
	for range 5 {
		b.Fail("a", now)
	}
	b.Fail("a", now.Add(3*time.Minute))
	if got := b.Wait("a", now.Add(3*time.Minute)); got != 0 {
		t.Errorf("failures of long ago cost %v", got)
	}
}

func TestABackoffRemembersNoMoreThanItMay(t *testing.T) {
	b := Backoff{Free: 0, First: time.Second, Most: time.Minute, Keys: 100}
	now := time.Unix(1000, 0)
	for i := range 10_000 {
		b.Fail(fmt.Sprint(i), now)
		if len(b.keys) > 100 {
			t.Fatalf("%d are remembered", len(b.keys))
		}
	}
}

func TestEveryLimitHasANameAndACount(t *testing.T) {
	var c Counts
	c.Add(Rooms)
	c.Add(Rooms)
	seen := map[string]bool{}
	for k, n := range c.All() {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("limit %d is called %q", k, k)
		}
		seen[k.String()] = true
		if want := c.Of(k); n != want || (k == Rooms) != (n == 2) {
			t.Errorf("%s: %d", k, n)
		}
	}
	var none *Counts
	if none.Add(Rooms); none.Of(Rooms) != 0 {
		t.Error("nothing counts")
	}
}
