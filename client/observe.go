package client

import (
	"context"
	"errors"
	"sync"
)

const (
	// pageSize is how many documents are read at once, where nothing else is said.
	pageSize = 1000
	// maxHeld is how much is told while documents are read. If there is more, they are
	// read again.
	maxHeld = 10_000
)

// Observers are the functions that an [Observed] calls, one call at a time. Each may be
// nil. They may read the Observed, and must not start, stop or page it.
type Observers struct {
	// OnChange says that a document has come or has changed: which members are new or
	// other, nil for those that are gone (and for those that are null).
	OnChange func(id string, changes map[string]any)
	// OnDelete says that a document was deleted, or does not belong here any more.
	OnDelete func(id string)
	// OnGap says that what happened between two changes cannot be told. What is there
	// now follows, as changes and deletions.
	OnGap func(from, to uint64)
	// OnError says why it is not kept in sync any more.
	OnError func(error)
	// OnUpdate says that something of the above, or a page, has come: for those who
	// show all of it.
	OnUpdate func()
}

// An Observed is documents that are kept in sync: those that match a filter, in an
// order, page by page. Documents that come to match are added where they belong in the
// pages that were read; others come with Next. Its methods may be called concurrently.
type Observed struct {
	c      Collection
	search Search
	size   int
	whole  bool // read all pages: an answer has only so many bytes
	on     Observers

	working sync.Mutex // held by Start and Next, and by what reads again after a gap
	telling sync.Mutex // held while notifications are applied and told of

	mu   sync.Mutex // guards what follows
	hits hits
	life *life // nil if it is not started
	// held is what was told while documents are read, if holding. overflow says that
	// more was told than is held.
	held              []*Notification
	holding, overflow bool
}

// A life is from one start to its stop.
type life struct {
	ctx   context.Context // ends with it
	end   context.CancelFunc
	leave func() // leaves the room; guarded by Observed.mu, nil before that
}

// errNotStarted is the error of Next without a life.
var errNotStarted = errors.New("client: what is observed was not started, or was stopped")

// ObserveOne observes one document.
func (c Collection) ObserveOne(id string, on Observers) *Observed {
	return c.ObserveMany([]string{id}, on)
}

// ObserveMany observes some documents, those that are there, by id.
func (c Collection) ObserveMany(ids []string, on Observers) *Observed {
	query := map[string]any{"ids": map[string]any{"values": ids}}
	return &Observed{c: c, search: Search{Query: query}, size: pageSize, whole: true, on: on}
}

// Observe observes what a search finds, in pages of a size.
func (c Collection) Observe(s Search, size int, on Observers) *Observed {
	return &Observed{c: c, search: s, size: size, on: on}
}

// Hits returns the documents, in order.
func (o *Observed) Hits() []Document {
	o.mu.Lock()
	defer o.mu.Unlock()
	docs := make([]Document, len(o.hits.docs))
	for i, h := range o.hits.docs {
		docs[i] = h.Document
	}
	return docs
}

// Total says how many documents match.
func (o *Observed) Total() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.hits.total
}

// Start reads the documents, and keeps them in sync until Stop. If it was started
// before, it does nothing.
func (o *Observed) Start(ctx context.Context) error {
	o.working.Lock()
	defer o.working.Unlock()
	l, err := o.begin()
	if l == nil || err != nil {
		return err
	}
	defer context.AfterFunc(ctx, l.end)()
	leave, err := o.listen(l)
	if err == nil {
		o.mu.Lock()
		l.leave = leave // if it was stopped meanwhile, sync says so
		o.mu.Unlock()
		err = o.sync(l)
	}
	if err != nil {
		o.stop(l)
	}
	return err
}

// begin begins a life. It returns nil if there is one.
func (o *Observed) begin() (*life, error) {
	order, err := readOrder(o.search.Sort)
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.life != nil {
		return nil, nil
	}
	l := &life{}
	l.ctx, l.end = context.WithCancel(o.c.a.ctx)
	o.life, o.holding, o.held = l, true, nil
	o.hits.order = order
	if o.hits.byID == nil {
		o.hits.byID = map[string]*hit{}
	}
	return l, nil
}

// Stop leaves the documents as they are. When it returns, nothing of [Observers] is called
// any more.
func (o *Observed) Stop() {
	o.mu.Lock()
	l := o.life
	o.mu.Unlock()
	if l != nil {
		o.stop(l)
	}
	o.telling.Lock() // a call may be under way
	defer o.telling.Unlock()
}

// stop ends a life, once.
func (o *Observed) stop(l *life) {
	l.end()
	o.mu.Lock()
	if o.life == l {
		o.life, o.holding, o.held = nil, false, nil
	}
	leave := l.leave
	l.leave = nil
	o.mu.Unlock()
	if leave != nil {
		leave()
	}
}

// Next adds the next page, and reports whether there was one.
func (o *Observed) Next(ctx context.Context) (bool, error) {
	o.working.Lock()
	defer o.working.Unlock()
	o.mu.Lock()
	l, cursor := o.life, o.hits.cursor
	o.holding = l != nil
	o.mu.Unlock()
	if l == nil {
		return false, errNotStarted
	}
	defer o.release(l)
	within, cancel := context.WithCancel(l.ctx)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	n := 0
	for more := cursor != ""; more; {
		p, err := o.read(within, o.size, cursor)
		if err != nil {
			return false, err
		}
		n, cursor = n+len(p.Hits), p.Cursor
		if more, err = o.add(l, p); err != nil {
			return false, err
		}
	}
	return n > 0, nil
}

// add adds a page, and says whether another one belongs to it. What was stopped meanwhile stays as it
// is.
func (o *Observed) add(l *life, p Page) (more bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.life != l {
		return false, errNotStarted
	}
	err = o.hits.add(p)
	o.hits.bound(p)
	return p.Cursor != "" && o.hits.isCutShort(p), err
}

// listen joins the room of the filter.
func (o *Observed) listen(l *life) (leave func(), err error) {
	query := o.search.Query
	if query == nil {
		query = map[string]any{}
	}
	var ch roomChannel
	r := Request{Controller: "realtime", Action: "subscribe", Body: query, Options: map[string]any{"seq": true}}
	if err := retried(l.ctx, func() error { return o.c.ask(l.ctx, r, &ch) }); err != nil {
		return nil, err
	}
	return o.c.a.listen(l.ctx, ch, &member{o, l}, false)
}

// sync reads what is there, and tells how it differs from what was known.
func (o *Observed) sync(l *life) error {
	o.mu.Lock()
	wanted := len(o.hits.docs)
	o.holding = o.life == l // Next may have released what was held for this
	o.overflow = false
	o.mu.Unlock()
	size := max(o.size, min(wanted, pageSize))
	var pages []Page
	for n, cursor := 0, ""; ; {
		p, err := o.read(l.ctx, size, cursor)
		if err != nil {
			return err
		}
		n, cursor = n+len(p.Hits), p.Cursor
		if pages = append(pages, p); cursor == "" || !o.whole && n >= wanted && !o.hits.isCutShort(p) {
			break
		}
	}
	o.mu.Lock()
	err := errNotStarted
	if o.life == l {
		err = o.hits.replace(pages)
	}
	o.mu.Unlock()
	o.release(l)
	return err
}

func (o *Observed) read(ctx context.Context, size int, cursor string) (p Page, err error) {
	err = retried(ctx, func() error {
		p, err = o.c.Search(ctx, o.search, size, cursor)
		return err
	})
	return p, err
}

// retried asks again when the connection was lost meanwhile.
func retried(ctx context.Context, ask func() error) error {
	for {
		if err := ask(); !errors.Is(err, ErrConnectionLost) || ctx.Err() != nil {
			return err
		}
	}
}
