package persistence

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// entries returns the keys of the index of what expires.
func entries(t *testing.T, db *pebble.DB) []string {
	t.Helper()
	keys, err := keysBetween(db, []byte{spaceExpiries}, spaceEnd(spaceExpiries))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{}
	for _, key := range keys {
		_, target, ok := cutExpiryKey(key)
		if !ok {
			t.Fatalf("key %x of the index", key)
		}
		all = append(all, string(target))
	}
	return all
}

// retainedTopics returns the topics of all retained messages, and fails if they are
// not as many as the store says.
func retainedTopics(t *testing.T, s *Store) []string {
	t.Helper()
	topics := []string{}
	for m, err := range s.RetainedMessages() {
		if err != nil {
			t.Fatal(err)
		}
		topics = append(topics, m.Topic)
	}
	if s.Retained() != int64(len(topics)) {
		t.Errorf("the store has %d retained messages and counts %d", len(topics), s.Retained())
	}
	return topics
}

func putRetained(t *testing.T, s *Store, topic string, expires time.Time) {
	t.Helper()
	m := Retained{Topic: topic, Payload: []byte("x"), Properties: Properties{Expiry: expires}}
	do(t, s, &Op{Records: []Record{PutRetained(m)}})
}

func equalStrings(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestRetainedMessagesExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s, stop := open(t, "data", Options{FS: fs})
		in := func(d time.Duration) time.Time { return s.Now().Add(d) }
		putRetained(t, s, "ever", time.Time{})
		putRetained(t, s, "soon", in(10*time.Second))
		putRetained(t, s, "later", in(time.Hour))
		putRetained(t, s, "kept after all", in(10*time.Second))
		putRetained(t, s, "kept after all", time.Time{})
		putRetained(t, s, "put off", in(10*time.Second))
		putRetained(t, s, "put off", in(time.Minute))
		putRetained(t, s, "gone", in(10*time.Second))
		do(t, s, &Op{Records: []Record{DeleteRetained("gone"), DeleteRetained("gone"), DeleteRetained("never there")}})
		time.Sleep(9 * time.Second)
		synctest.Wait()
		equalStrings(t, "after 9 s", retainedTopics(t, s), "ever", "kept after all", "later", "put off", "soon")
		time.Sleep(4 * time.Second)
		synctest.Wait()
		equalStrings(t, "after 13 s", retainedTopics(t, s), "ever", "kept after all", "later", "put off")
		equalStrings(t, "the index", entries(t, s.db), "rput off", "rlater")
		putRetained(t, s, "late", s.Now().Add(-time.Hour)) // behind what was swept
		time.Sleep(2 * time.Second)
		synctest.Wait()
		equalStrings(t, "what has expired at once", retainedTopics(t, s), "ever", "kept after all", "later", "put off")
		stop()

		time.Sleep(time.Hour)
		s, stop = open(t, "data", Options{FS: fs})
		defer stop()
		equalStrings(t, "after a restart", retainedTopics(t, s), "ever", "kept after all", "later", "put off")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		equalStrings(t, "soon after it", retainedTopics(t, s), "ever", "kept after all")
		equalStrings(t, "the index", entries(t, s.db))
	})
}

// Many that expire in one second take several turns.
func TestMoreExpireThanATurnTakes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, stop := open(t, "data", Options{FS: vfs.NewMem()})
		defer stop()
		op := &Op{}
		for i := range 3*maxDue + 1 {
			m := Retained{Topic: fmt.Sprint(i), Payload: []byte("x"), Properties: Properties{Expiry: s.Now().Add(time.Second)}}
			op.Records = append(op.Records, PutRetained(m))
		}
		do(t, s, op)
		if got := len(retainedTopics(t, s)); got != 3*maxDue+1 {
			t.Fatalf("%d retained messages, want %d", got, 3*maxDue+1)
		}
		time.Sleep(3 * time.Second) // of which a turn needs none
		synctest.Wait()
		equalStrings(t, "what is left", retainedTopics(t, s))
	})
}

// An op whose document cannot be written leaves the count as it is.
func TestRetainedMessagesOfAnOpThatFailsAreNotCounted(t *testing.T) {
	t.Parallel()
	s := openTest(t, "data", Options{FS: vfs.NewMem()})
	refused := errors.New("refused")
	results := make(chan *Result, 1)
	err := s.Append(t.Context(), &Op{
		Write:     &Write{Key: Key{"fleet", "trucks", "1"}, Edit: func(*Document) ([]byte, error) { return nil, refused }},
		Records:   []Record{PutRetained(Retained{Topic: "a", Payload: []byte("x"), Properties: Properties{Expiry: time.Unix(1, 0)}})},
		Committed: func(r *Result) { results <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := <-results; !errors.Is(r.Err, refused) {
		t.Errorf("got error %v", r.Err)
	}
	equalStrings(t, "retained messages", retainedTopics(t, s))
	equalStrings(t, "the index", entries(t, s.db))
}

// A version before this one neither counted retained messages nor indexed them.
func TestRetainedMessagesOfAnOlderVersionAreCountedAndExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s, stop := open(t, "data", Options{FS: fs})
		for _, r := range []Record{
			PutRetained(Retained{Topic: "a", Payload: []byte("x"), Properties: Properties{Expiry: s.Now().Add(time.Minute)}}),
			PutRetained(Retained{Topic: "b", Payload: []byte("x")}),
		} {
			if err := s.db.Set(r.key, r.value, pebble.Sync); err != nil {
				t.Fatal(err)
			}
		}
		stop()
		s, stop = open(t, "data", Options{FS: fs})
		equalStrings(t, "after opening", retainedTopics(t, s), "a", "b")
		stop()
		s, stop = open(t, "data", Options{FS: fs})
		defer stop()
		time.Sleep(time.Minute + 2*time.Second)
		synctest.Wait()
		equalStrings(t, "after a minute", retainedTopics(t, s), "b")
	})
}

// A jump of the machine's clock shows in its wall time, and not in how long ago a time
// was that still has its monotonic reading.
func TestTheClockDoesNotJump(t *testing.T) {
	t.Parallel()
	if c := startClock(); !strings.Contains(c.now().String(), " m=") {
		t.Errorf("%v has no monotonic reading", c.now())
	}
	synctest.Test(t, func(t *testing.T) {
		c := startClock()
		began := c.now()
		time.Sleep(time.Minute)
		if got := c.now().Sub(began); got != time.Minute {
			t.Errorf("a minute later it says that %v have passed", got)
		}
	})
}

// changesOf returns what was done to a document, in order.
func changesOf(changes []*Change, id string) (actions []string) {
	for _, c := range changes {
		if c.Key.ID == id {
			actions = append(actions, c.Action.String())
		}
	}
	return actions
}

func putExpiring(t *testing.T, s *Store, id string, expires time.Time) {
	t.Helper()
	do(t, s, &Op{Write: &Write{Key: Key{"fleet", "trucks", id}, Body: []byte("{}"), Time: s.Now(), Expires: expires}})
}

func TestDocumentsExpireByChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s, stop := open(t, "data", Options{FS: fs})
		in := func(d time.Duration) time.Time { return s.Now().Add(d) }
		putExpiring(t, s, "ever", time.Time{})
		putExpiring(t, s, "soon", in(10*time.Second))
		for range 3 {
			time.Sleep(4 * time.Second)
			putExpiring(t, s, "written again", in(10*time.Second))
		}
		putExpiring(t, s, "for ever after all", in(10*time.Second))
		putExpiring(t, s, "for ever after all", time.Time{})
		time.Sleep(2 * time.Second)
		synctest.Wait()
		changes, err := consistent(s)
		if err != nil {
			t.Fatal(err)
		}
		equalStrings(t, "soon", changesOf(changes, "soon"), "create", "delete")
		equalStrings(t, "written again", changesOf(changes, "written again"), "create", "replace", "replace")
		last := changes[len(changes)-1]
		for _, c := range changes {
			if c.Action == Delete {
				last = c
			}
		}
		if want := (Origin{Protocol: ExpiryProtocol}); !reflect.DeepEqual(last.Origin, want) || last.Time.Before(last.Before.Expires) {
			t.Errorf("the document that expires at %v is deleted at %v by %+v", last.Before.Expires, last.Time, last.Origin)
		}
		stop()

		time.Sleep(time.Hour)
		s, stop = open(t, "data", Options{FS: fs})
		defer stop()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		changes, err = consistent(s)
		if err != nil {
			t.Fatal(err)
		}
		equalStrings(t, "written again", changesOf(changes, "written again"), "create", "replace", "replace", "delete")
		equalStrings(t, "for ever after all", changesOf(changes, "for ever after all"), "create", "replace")
		equalStrings(t, "ever", changesOf(changes, "ever"), "create")
		equalStrings(t, "the index", entries(t, s.db))
	})
}

// A crash at any moment while documents expire leaves some that are there, and expire
// after it.
func TestExpiriesSurviveACrash(t *testing.T) {
	t.Parallel()
	const documents = 20
	var mu sync.Mutex // guards clones
	var clones []*vfs.MemFS
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 0))
		fs, watching := vfs.NewCrashableMem(), false
		crashing := errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
			mu.Lock()
			defer mu.Unlock()
			if watching && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
				for _, percent := range []int{0, 50, 100} {
					clones = append(clones, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng}))
				}
			}
			return nil
		}))
		s, stop := open(t, "data", Options{FS: crashing})
		for i := range documents {
			putExpiring(t, s, fmt.Sprint(i), s.Now().Add(time.Duration(i%4+2)*time.Second))
		}
		mu.Lock()
		watching = true
		mu.Unlock()
		time.Sleep(10 * time.Second)
		stop()
	})
	if len(clones) < 10 {
		t.Fatalf("%d crashes: nothing was tested", len(clones))
	}
	t.Logf("%d crashes", len(clones))
	for _, clone := range clones {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Minute) // the time in which all expire
			s, stop := open(t, "data", Options{FS: clone})
			defer stop()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			changes, err := consistent(s)
			if err != nil {
				t.Fatal(err)
			}
			for i := range documents {
				equalStrings(t, "changes of a document", changesOf(changes, fmt.Sprint(i)), "create", "delete")
			}
			equalStrings(t, "the index", entries(t, s.db))
		})
	}
}
