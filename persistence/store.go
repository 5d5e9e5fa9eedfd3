// Package persistence keeps documents, their change log, sessions,
// subscriptions and retained messages in one database on one disk, in one order.
package persistence

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

var (
	// ErrNotFound says that there is no such document.
	ErrNotFound = errors.New("persistence: document not found")
	// ErrClosed says that the store, or the snapshot, was closed.
	ErrClosed = errors.New("persistence: closed")
	// ErrLocked says that another process, or another store of this one, has
	// the directory open.
	ErrLocked = errors.New("the directory is in use by another process")
	// ErrDiskFull says that the disk has less than Options.MinFreeBytes left.
	ErrDiskFull = errors.New("persistence: the disk is almost full")
	// ErrMemoryFull says that ephemeral documents take Options.EphemeralBytes.
	ErrMemoryFull = errors.New("persistence: the memory for ephemeral documents is full")
	// ErrTrimmed says that the change log no longer reaches back that far.
	ErrTrimmed = errors.New("persistence: the change log does not reach back that far")
)

// A Store is a database that is open. All methods may be called concurrently.
//
// Reads see a change a moment before it is synced and acknowledged. What must
// not run ahead of the tail asks for a snapshot in an [Op].
type Store struct {
	opts   Options
	dir    string
	node   string
	lock   *pebble.Lock
	db     *pebble.DB
	queue  *queue
	space  *freeSpace
	keep   atomic.Pointer[Keep]
	reads  readers
	pebble *pebbleLog
	clock  clock
	tail   chan []*Result
	done   chan struct{} // closed when the committer has finished

	stagings atomic.Uint64 // how many there were
	retained atomic.Int64  // messages
	// memory is what readers see of ephemeral documents. The mutex is held while it and the
	// database change together, so that a snapshot has both as of the same change.
	memory   atomic.Pointer[memory]
	changing sync.Mutex

	closing  sync.Once
	closeErr error
}

// Open opens the store in dir, and makes it if there is none. It returns
// ErrLocked if dir is in use.
func Open(dir string, o Options) (*Store, error) {
	o = o.withDefaults()
	if o.MustExist {
		if err := wantStore(o.FS, dir); err != nil {
			return nil, err
		}
	}
	lock, err := lockDirectory(o.FS, dir)
	if err != nil {
		return nil, err
	}
	s, err := openLocked(dir, o, lock)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

func openLocked(dir string, o Options, lock *pebble.Lock) (*Store, error) {
	if err := refuseBackup(o.FS, dir); err != nil {
		return nil, err
	}
	if err := checkMarker(o.FS, dir); err != nil {
		return nil, err
	}
	if err := removeStagings(o.FS, dir); err != nil {
		return nil, err
	}
	log := &pebbleLog{log: o.Log}
	db, node, err := openDatabase(dir, o, lock, log)
	if err != nil {
		return nil, err
	}
	log.open()
	changes, err := loadChangeLog(db, o)
	bodies, bodiesErr := loadBodies(db)
	if err := errors.Join(err, bodiesErr); err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: open %s: %w", dir, err), db.Close())
	}
	memory, err := loadEphemera(db, o, &changes)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: open %s: %w", dir, err), db.Close())
	}
	indexes, err := openIndexesOf(dir, db, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: open %s: %w", dir, err), db.Close())
	}
	retained, err := loadRetained(db)
	kept, keptErr := loadHoldings(db, o)
	if err := errors.Join(err, keptErr); err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: open %s: %w", dir, err), db.Close())
	}
	s := &Store{
		opts:   o,
		dir:    dir,
		node:   node,
		lock:   lock,
		db:     db,
		queue:  newQueue(o.QueueOps, o.QueueBytes),
		space:  &freeSpace{files: o.FS, dir: dir, log: o.Log},
		reads:  readers{snapshots: map[*Snapshot]struct{}{}},
		pebble: log,
		clock:  startClock(),
		tail:   make(chan []*Result, 1),
		done:   make(chan struct{}),
	}
	s.retained.Store(retained)
	s.Keep(o.Keep())
	s.space.check()
	s.memory.Store(memory.copy())
	s.start(changes, bodies, memory, indexes, kept)
	return s, nil
}

// start runs the two goroutines of the committer; Close waits for them.
func (s *Store) start(log changeLog, bodies map[uint64]int, memory ephemera, indexes indexes, kept *holdings) {
	c := &committer{
		store: s, db: s.db, clock: s.clock, log: log, bodies: bodies, batch: s.db.NewBatch(), overlay: map[Key]stored{},
		ephemera: memory, indexes: indexes, holdings: kept, retentions: map[string]retention{}, expiries: expiries{from: []byte{spaceExpiries}, due: make(chan struct{}, 1)},
	}
	groups := make(chan group)
	go c.build(groups)
	go func() {
		defer close(s.done)
		c.finish(groups, s.tail)
	}()
}

// NodeID names this store, and so its node, for ever: "ambit-1f3a9c02".
func (s *Store) NodeID() string { return s.node }

func newNodeID() string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails
	return "ambit-" + hex.EncodeToString(b[:])
}

// Now is the time by which documents and retained messages expire: that of the
// machine when the store was opened, and what has passed since.
func (s *Store) Now() time.Time { return s.clock.now().UTC() }

// Append queues op and blocks while the queue is full, until ctx is done.
// After nil, op.Committed and then the tail see the op exactly once, unless the
// process ends. It returns ErrDiskFull for an op that writes a document or puts
// a record while the disk is almost full, and ErrClosed after Close; the result of
// an op that has waited may say ErrDiskFull, too.
func (s *Store) Append(ctx context.Context, op *Op) error {
	if s.space.short.Load() && op.putsAnything() {
		return ErrDiskFull
	}
	if err := s.queue.push(ctx, op); err != nil {
		if errors.Is(err, ErrClosed) {
			return err
		}
		return fmt.Errorf("persistence: append: %w", err)
	}
	return nil
}

// Tail carries the results of all ops that were committed, in order. It has one
// consumer, which must read until the channel is closed: once it falls behind,
// Append blocks, and Close waits for it.
func (s *Store) Tail() <-chan []*Result { return s.tail }

// Get returns the document of a key, or ErrNotFound.
func (s *Store) Get(k Key) (*Document, error) {
	if err := s.reads.enter(); err != nil {
		return nil, err
	}
	defer s.reads.leave()
	d, err := getDocument(s.db, k)
	return s.memory.Load().orInMemory(appendDocumentKey(nil, k), d, err)
}

// Snapshot returns the store as of now. Close it.
func (s *Store) Snapshot() *Snapshot {
	if err := s.reads.enter(); err != nil {
		return &Snapshot{store: s, err: err}
	}
	defer s.reads.leave()
	snap := s.snapshotOf(logState{})
	snap.state, snap.err = readLogState(snap.snap)
	return snap
}

// snapshotOf makes a snapshot of the database, whose state the caller knows.
func (s *Store) snapshotOf(state logState) *Snapshot {
	s.changing.Lock()
	snap := &Snapshot{store: s, state: state, snap: s.db.NewSnapshot(), memory: s.memory.Load()}
	s.changing.Unlock()
	s.reads.remember(snap)
	return snap
}

// Changes is [Snapshot.Changes] of a snapshot taken when the iteration begins.
func (s *Store) Changes(after uint64) iter.Seq2[*Change, error] {
	return func(yield func(*Change, error) bool) {
		snap := s.Snapshot()
		defer snap.Close()
		snap.Changes(after)(yield)
	}
}

// Sessions yields all sessions by client id, as of when the iteration begins.
func (s *Store) Sessions() iter.Seq2[Session, error] {
	return records(s, spaceSessions, decodeSession)
}

// Subscriptions yields all subscriptions by client id and topic filter, as of
// when the iteration begins.
func (s *Store) Subscriptions() iter.Seq2[Subscription, error] {
	return records(s, spaceSubscriptions, decodeSubscription)
}

// RetainedMessages yields all retained messages by topic, as of when the
// iteration begins.
func (s *Store) RetainedMessages() iter.Seq2[Retained, error] {
	return records(s, spaceRetained, func(key, value []byte) (Retained, error) {
		return decodeRetained(key, bytes.Clone(value))
	})
}

func records[T any](s *Store, space byte, decode func(key, value []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		snap := s.Snapshot()
		defer snap.Close()
		decoded(snap, []byte{space}, spaceEnd(space), func(key, value []byte) (T, []byte, error) {
			v, err := decode(key, value)
			return v, nil, err
		})(yield)
	}
}

// Close lets no more ops in, commits what was appended, waits for the tail to
// be read to its end and for reads under way, and closes the database. It may
// be called more than once. It must not be called from Committed or Applied.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.queue.close()
		<-s.done
		s.reads.close()
		if err := errors.Join(s.db.Close(), s.lock.Close()); err != nil {
			s.closeErr = fmt.Errorf("persistence: close: %w", err)
		}
	})
	return s.closeErr
}

// fatal ends the process: what was applied may or may not be on disk.
func (s *Store) fatal(doing string, err error) {
	s.pebble.Fatalf("%s: %v", doing, err)
}
