package limits

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// A Rate is so many of something in a time, all of which may come at once.
type Rate struct {
	N   int64
	Per time.Duration
}

var errRate = errors.New(`not a rate such as "100/s", "3000/m" or "256KiB/10s"`)

// units are those of numbers, and periods those of times without a number.
var (
	units   = []struct{ suffix, zeros string }{{"KiB", "K"}, {"MiB", "M"}, {"GiB", "G"}}
	periods = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}
)

// maxRate is the largest number of a rate: it is exact as a float64.
const maxRate = 1 << 50

// ParseRate reads a number, which may be in KiB, MiB or GiB, and a time: s, m, h, d, or
// one such as "10s".
func ParseRate(text string) (Rate, error) {
	number, period, ok := strings.Cut(text, "/")
	if !ok {
		return Rate{}, errRate
	}
	shift := 0
	for i, u := range units {
		if rest, is := strings.CutSuffix(number, u.suffix); is {
			number, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > maxRate>>shift {
		return Rate{}, errRate
	}
	per, ok := periods[period]
	if !ok {
		if per, err = time.ParseDuration(period); err != nil || per < time.Millisecond || per > 30*24*time.Hour {
			return Rate{}, errRate
		}
	}
	return Rate{n << shift, per}, nil
}

// ParseRates reads several.
func ParseRates(texts []string) ([]Rate, error) {
	var rates []Rate
	for _, text := range texts {
		r, err := ParseRate(text)
		if err != nil {
			return nil, err
		}
		rates = append(rates, r)
	}
	return rates, nil
}

// Buckets hold somebody to several rates at once. The zero value is no bound. It is for one
// goroutine.
type Buckets struct {
	rates []Rate
	left  []float64
	at    time.Time
}

// NewBuckets returns full ones.
func NewBuckets(rates []Rate, now time.Time) Buckets {
	b := Buckets{rates: rates, at: now}
	for _, r := range rates {
		b.left = append(b.left, float64(r.N))
	}
	return b
}

// Bound says whether there is any rate.
func (b *Buckets) Bound() bool { return len(b.rates) > 0 }

// Take counts n that have come. They may be more than there is room for, which is made up
// for by the next wait.
func (b *Buckets) Take(n int) {
	for i := range b.left {
		b.left[i] -= float64(n)
	}
}

// Wait returns how long it is until one more may come, and 0 for now.
func (b *Buckets) Wait(now time.Time) time.Duration {
	if !b.Bound() {
		return 0
	}
	passed := now.Sub(b.at)
	b.at = now
	wait := time.Duration(0)
	for i, r := range b.rates {
		b.left[i] = min(float64(r.N), b.left[i]+float64(r.N)*float64(passed)/float64(r.Per))
		if b.left[i] < 1 {
			wait = max(wait, 1+time.Duration((1-b.left[i])*float64(r.Per)/float64(r.N)))
		}
	}
	return wait
}
