package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// A fleet replays the rows of files over lanes.
type fleet struct {
	o     *replayOptions
	tally *tally
	bar   *progressbar.ProgressBar // nil if nobody sees it

	lanes   map[string]*lane
	running sync.WaitGroup // of the lanes
	first   time.Time      // of the first row that has a time
	began   time.Time      // when that was published
}

// errEnough ends reading before the files end.
var errEnough = errors.New("enough")

// errInterrupted says that a signal has ended reading.
var errInterrupted = errors.New("interrupted")

// ackGrace is how long the last acknowledgements may take after that.
const ackGrace = 5 * time.Second

// replay publishes the rows of the files until they end, reading is over, or a
// lane fails, and waits until all lanes have ended.
func (f *fleet) replay(ctx, reading context.Context, stdin io.Reader, files []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(reading, func() {
		select {
		case <-time.After(ackGrace):
			cancel(errInterrupted)
		case <-ctx.Done():
		}
	})()
	start := func(l *lane) {
		f.running.Go(func() {
			if err := l.run(ctx, reading); err != nil {
				cancel(err)
			}
		})
	}
	var err error
	for _, name := range files {
		if err = f.readFile(ctx, reading, stdin, name, start); err != nil {
			break
		}
	}
	for _, l := range f.lanes {
		close(l.rows)
	}
	f.running.Wait()
	if f.bar != nil {
		_ = f.bar.Clear() // a bar that cannot be drawn is no loss
	}
	switch {
	case context.Cause(ctx) != nil:
		return context.Cause(ctx) // the lane that failed says more than the reader that was stopped
	case reading.Err() != nil:
		return errInterrupted
	case errors.Is(err, errEnough):
		return nil
	}
	return err
}

// readFile publishes the rows of one file.
func (f *fleet) readFile(ctx, reading context.Context, stdin io.Reader, name string, start func(*lane)) error {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }() // it was only read
		in = file
	}
	if f.bar != nil {
		bar := progressbar.NewReader(in, f.bar)
		in = &bar
	}
	rows, err := newRowReader(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m := f.o.mapping
	for complete := false; ; {
		r, err := rows.next()
		if bad := (*badRowError)(nil); errors.As(err, &bad) {
			f.tally.skip(name, err)
			continue
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && !complete {
			complete = true
			err = m.complete(rows.columns(r))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		it, err := m.item(r)
		if err != nil {
			f.tally.skip(name, &badRowError{r.line, err})
			continue
		}
		it.place = name + ": line " + strconv.Itoa(r.line)
		if err := f.publish(ctx, reading, it, start); err != nil {
			return err
		}
	}
}

// publish hands one row to its lane when its time has come.
func (f *fleet) publish(ctx, reading context.Context, it item, start func(*lane)) error {
	if !f.o.untilTime.IsZero() && it.time.After(f.o.untilTime) {
		return errEnough
	}
	if err := f.pace(ctx, reading, it.time); err != nil {
		return err
	}
	n := f.tally.taken()
	select {
	case f.lane(it.topic, start).rows <- it:
	case <-reading.Done():
		return reading.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
	if n == f.o.limit {
		return errEnough
	}
	return reading.Err()
}

// pace waits until a row of that time is due.
func (f *fleet) pace(ctx, reading context.Context, at time.Time) error {
	if math.IsInf(f.o.factor, 1) {
		return nil
	}
	if f.first.IsZero() {
		f.first, f.began = at, time.Now()
	}
	due := f.began.Add(time.Duration(float64(at.Sub(f.first)) / f.o.factor))
	wait := time.Until(due)
	if wait <= 0 {
		return nil
	}
	select {
	case <-time.After(wait):
		return nil
	case <-reading.Done():
		return reading.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// lane returns the lane of a topic, which is always the same.
func (f *fleet) lane(topic string, start func(*lane)) *lane {
	key := topic
	if f.o.pool > 0 {
		h := fnv.New32a()
		_, _ = io.WriteString(h, topic) // a hash takes everything
		key = strconv.Itoa(int(h.Sum32()) % f.o.pool)
	}
	l, ok := f.lanes[key]
	if !ok {
		l = &lane{client: f.o.client, qos: f.o.qos, retry: f.o.retry, tally: f.tally, rows: make(chan item, laneRows)}
		f.lanes[key] = l
		start(l)
	}
	return l
}
