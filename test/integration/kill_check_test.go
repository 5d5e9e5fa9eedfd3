package integration

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// check compares what a broker has after a kill with what was acknowledged. It
// is called before any client is back.
func (r *killRun) check(b *broker) {
	by, err := r.readLog(b)
	if err != nil {
		r.fault("write", "%v", err)
	}
	for _, p := range r.documents {
		if err := r.checkWrites(p, by[p.name]); err != nil {
			r.fault("write", "%s: %v", p.name, err)
		}
	}
	r.checkRetained(b)
	r.checkDocuments(b)
}

// readLog reads the change log from where it was read the last time, and puts a
// marker at its end. It returns what was written since by each publisher.
func (r *killRun) readLog(b *broker) (by map[string][]killChange, err error) {
	w := connect(r.t, b, connectOptions{})
	defer w.Close()
	by = map[string][]killChange{}
	if code := w.subscribe(r.t, fmt.Sprintf("fleet/trucks/?{}&since=%d", r.truth.last())).codes[0]; code > 2 {
		return by, fmt.Errorf("the change log does not reach seq %d, which was told: SUBACK %#x", r.truth.last(), code)
	}
	connect(r.t, b, connectOptions{}).put(r.t, "fleet/trucks/marker", fmt.Sprintf(`{"n":%d,"speed":60,"marker":%d}`, r.cycle, r.cycle))
	for {
		m := w.message(r.t)
		var n killTold
		if err := json.Unmarshal(m.payload, &n); err != nil {
			return by, fmt.Errorf("%s: %w", m.payload, err)
		}
		c, err := r.truth.add(n)
		if err != nil {
			return by, err
		}
		name, _, _ := strings.Cut(c.id, "-")
		by[name] = append(by[name], c)
		if c.id == "marker" && c.after.N == r.cycle {
			r.truth.mark()
			r.marker.Store(c.seq)
			return by, nil
		}
	}
}

// checkWrites compares what is in the log of a publisher, which was killed, with
// what it sent: each write once and in order, up to one that was acknowledged or
// to a later one. What was sent again is there once more, but at QoS 2.
func (r *killRun) checkWrites(p *killPublisher, logged []killChange) error {
	first := p.from
	if p.qos == 2 {
		first = max(first, r.committed[p]+1)
	}
	n := first
	for ; n <= p.sent; n++ {
		o := opOf(r.seed, p.name, n)
		if o.delete && !r.exists(o.id, logged) {
			continue // there is nothing to delete
		}
		if len(logged) == 0 {
			break
		}
		c := logged[0]
		logged = logged[1:]
		if c.id != o.id || o.delete != (c.after == nil) || !o.delete && *c.after != (killDocument{o.n, o.speed}) {
			return fmt.Errorf("write %d was %+v, the log has %+v of %+v at seq %d", n, o, c.after, c.id, c.seq)
		}
		r.committed[p] = n
	}
	if len(logged) > 0 {
		return fmt.Errorf("the log has %+v at seq %d, which is none of the writes %d to %d", logged[0], logged[0].seq, p.from, p.sent)
	}
	if n <= p.acked {
		return fmt.Errorf("write %d was acknowledged, and everything up to %d; it is lost", n, p.acked)
	}
	return nil
}

// exists says whether a document was there before the first of the changes.
func (r *killRun) exists(id string, rest []killChange) bool {
	for _, c := range rest {
		if c.id == id {
			return c.before != nil
		}
	}
	_, ok := r.truth.now[id]
	return ok
}

// checkRetained reads what is retained: it must be what the writes of the
// publisher make of what was retained before, up to one that was acknowledged
// or to a later one.
func (r *killRun) checkRetained(b *broker) {
	w := connect(r.t, b, connectOptions{})
	defer w.Close()
	if a := w.publish(r.t, message{topic: "flags/a/b/~end", payload: []byte("end"), qos: 1, retain: true}); a.code != 0 {
		r.fault("retained", "PUBACK %#x", a.code)
	}
	w.subscribe(r.t, "flags/#") // in the order of the topics
	got := map[string]killDocument{}
	for m := w.message(r.t); m.topic != "flags/a/b/~end"; m = w.message(r.t) {
		var d killDocument
		if err := json.Unmarshal(m.payload, &d); err != nil || !m.retain {
			r.fault("retained", "%s: retain %v, %s: %v", m.topic, m.retain, m.payload, err)
		}
		got[strings.TrimPrefix(m.topic, "flags/a/b/")] = d
	}
	p, state := r.flags, maps.Clone(r.retained)
	r.retained = got
	for n := p.from; ; n++ {
		if n > p.acked && maps.Equal(state, got) {
			return
		}
		if n > p.sent {
			break
		}
		o := opOf(r.seed, p.name, n)
		if state[o.id] = (killDocument{o.n, o.speed}); o.delete {
			delete(state, o.id)
		}
	}
	r.fault("retained", "%v is retained; up to write %d was acknowledged, up to %d sent, which makes %v", got, p.acked, p.sent, state)
}

// checkDocuments compares the documents, and the members of a scope, with what
// the change log made.
func (r *killRun) checkDocuments(b *broker) {
	for _, filter := range []string{"{}", strings.TrimPrefix(fastTrucks, "fleet/trucks/?")} {
		got := map[string]killDocument{}
		for id, body := range snapshot(r.t, b, "fleet/trucks", filter) {
			var d killDocument
			if err := json.Unmarshal([]byte(body), &d); err != nil {
				r.fault("scope", "%s: %s: %v", id, body, err)
			}
			got[id] = d
		}
		want := map[string]killDocument{}
		for id, d := range r.truth.now {
			if filter == "{}" || d.fast() {
				want[id] = d
			}
		}
		if !maps.Equal(got, want) {
			r.fault("scope", "the documents in %s are %v, the change log made %v", filter, got, want)
		}
	}
}
