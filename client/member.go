package client

// A member listens to a room for an [Observed], from one start to its stop.
type member struct {
	o    *Observed
	life *life
}

// notify applies what is told, or holds it while documents are read.
func (m *member) notify(_ Message, n *Notification) {
	o := m.o
	o.telling.Lock()
	defer o.telling.Unlock()
	o.mu.Lock()
	switch {
	case o.life != m.life:
	case o.holding && len(o.held) == maxHeld:
		o.overflow = true
	case o.holding:
		o.held = append(o.held, n)
	default:
		o.apply(n, m.life)
	}
	o.mu.Unlock()
	o.tell()
}

// fail says that the room tells nothing any more.
func (m *member) fail(err error) { m.o.fail(m.life, err) }

func (o *Observed) fail(l *life, err error) {
	o.c.a.spawn(func() {
		if l.ctx.Err() != nil {
			return
		}
		o.stop(l)
		if o.on.OnError != nil {
			o.telling.Lock()
			defer o.telling.Unlock()
			o.on.OnError(err)
		}
	})
}

// apply applies one notification. The caller holds o.mu, and tells of it.
func (o *Observed) apply(n *Notification, l *life) {
	if n.Type != "gap" {
		if err := o.hits.tell(n); err != nil {
			o.fail(l, err)
		}
		return
	}
	if n.To <= o.hits.seq {
		return // what is there was read behind it
	}
	o.hits.events = append(o.hits.events, event{gap: n})
	o.readAgain(l)
}

// readAgain has the documents read again. What is told meanwhile is held. The caller
// holds o.mu.
func (o *Observed) readAgain(l *life) {
	o.holding = true
	o.c.a.spawn(func() {
		o.working.Lock()
		defer o.working.Unlock()
		if err := o.sync(l); err != nil {
			o.fail(l, err) // unless it is over
		}
	})
}

// release applies what was told while documents were read, up to what has them read
// again.
func (o *Observed) release(l *life) {
	o.telling.Lock()
	defer o.telling.Unlock()
	o.mu.Lock()
	if o.life == l {
		held := o.held
		o.held, o.holding = nil, false
		for _, n := range held {
			if o.holding {
				o.held = append(o.held, n)
				continue
			}
			o.apply(n, l)
		}
		if o.overflow && !o.holding {
			o.readAgain(l)
		}
	}
	o.mu.Unlock()
	o.tell()
}

// tell calls the user's functions. The caller holds o.telling, and so keeps the order.
func (o *Observed) tell() {
	o.mu.Lock()
	if o.life == nil {
		o.mu.Unlock()
		return // the next life tells of it
	}
	events := o.hits.events
	o.hits.events = nil
	o.mu.Unlock()
	for _, e := range events {
		switch {
		case e.gap != nil:
			if o.on.OnGap != nil {
				o.on.OnGap(e.gap.From, e.gap.To)
			}
		case e.deleted:
			if o.on.OnDelete != nil {
				o.on.OnDelete(e.id)
			}
		case o.on.OnChange != nil:
			o.on.OnChange(e.id, e.changes)
		}
	}
	if o.on.OnUpdate != nil {
		o.on.OnUpdate()
	}
}
