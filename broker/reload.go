package broker

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/ambitmq/ambit/api"
)

// errNoSettings says that there is nowhere to read settings from.
var errNoSettings = errors.New("broker: nothing was said of where settings are read again")

// Reloaded says what has come of reloading the settings.
type Reloaded = api.Reloaded

// reloading is what a broker needs for reloading its settings.
type reloading struct {
	mu      sync.Mutex // guards what follows, and is held while settings are applied
	cfg     Config     // as it is in force
	load    func() (Config, error)
	applied func(Config)
}

// OnReload says how settings are read again, and what else is to be done with those that
// count then; it may be nil.
func (b *Broker) OnReload(load func() (Config, error), applied func(Config)) {
	b.reloading.mu.Lock()
	defer b.reloading.mu.Unlock()
	b.reloading.load, b.reloading.applied = load, applied
}

// Reload reads the settings again, and has those count that need no restart. If anything in
// them is wrong, nothing counts, and the error says all that is. Files that settings name are
// read again when they change, without being asked; here they are only looked at for faults.
func (b *Broker) Reload(ctx context.Context) (api.Reloaded, error) {
	r := &b.reloading
	r.mu.Lock()
	defer r.mu.Unlock()
	done, err := b.reload(ctx)
	switch {
	case err != nil:
		b.log.Error("the settings are not reloaded", "error", err)
	default:
		b.log.Info("settings reloaded", "changed", done.Changed)
		if len(done.Restart) > 0 {
			b.log.Warn("changed settings count from the next start on", "settings", done.Restart)
		}
	}
	return done, err
}

// reload does it. The caller holds the mutex.
func (b *Broker) reload(ctx context.Context) (api.Reloaded, error) {
	r := &b.reloading
	if r.load == nil {
		return api.Reloaded{}, errNoSettings
	}
	next, err := r.load()
	if err := errors.Join(err, CheckFiles(next)); err != nil {
		return api.Reloaded{}, err
	}
	if err := next.Validate(); err != nil {
		return api.Reloaded{}, err
	}
	cfg, done := merge(r.cfg, next)
	if err := cfg.Validate(); err != nil {
		return api.Reloaded{}, fmt.Errorf("with what needs a restart as it was: %w", err)
	}
	if err := b.put(ctx, cfg); err != nil {
		return api.Reloaded{}, err
	}
	r.cfg = cfg
	if r.applied != nil {
		r.applied(cfg)
	}
	return done, nil
}

// put has settings count that were checked.
func (b *Broker) put(ctx context.Context, cfg Config) error {
	b.store.Keep(storeOptions(cfg, nil).Keep())
	b.listeners.now.Store(&cfg)
	b.listeners.crowd.connections.Store(int64(cfg.Limits.Connections))
	o := hookSettings(cfg)
	o.API.Reload = b.Reload
	return b.hook.Reload(ctx, o, engineOptions(cfg, b.Limits(), b.log))
}

// merge returns the settings in force with those of next that need no restart, and what
// has changed.
func merge(running, next Config) (Config, api.Reloaded) {
	done := api.Reloaded{Changed: []string{}, Restart: []string{}}
	running.Collections = mergeCollections(running.Collections, next.Collections, &done)
	mergeFields("", reflect.ValueOf(&running).Elem(), reflect.ValueOf(next), &done)
	return running, done
}

func mergeFields(prefix string, running, next reflect.Value, done *api.Reloaded) {
	for i := range running.NumField() {
		field := running.Type().Field(i)
		key := prefix + field.Tag.Get("mapstructure")
		switch {
		case key == "collections": // is merged by name
		case field.Type.Kind() == reflect.Struct:
			mergeFields(key+".", running.Field(i), next.Field(i), done)
		case reflect.DeepEqual(running.Field(i).Interface(), next.Field(i).Interface()):
		case field.Tag.Get("reload") == "":
			done.Restart = append(done.Restart, key)
		default:
			running.Field(i).Set(next.Field(i))
			done.Changed = append(done.Changed, key)
		}
	}
}

// mergeCollections does it for collections, of which each may have settings of both kinds.
// One that was ephemeral or had indexes is there until the next start.
func mergeCollections(running, next []Collection, done *api.Reloaded) []Collection {
	var all []Collection
	find := func(in []Collection, name string) (Collection, bool) {
		i := slices.IndexFunc(in, func(c Collection) bool { return strings.TrimSpace(c.Name) == strings.TrimSpace(name) })
		if i < 0 {
			return Collection{Name: name}, false
		}
		return in[i], true
	}
	for _, c := range next {
		was, known := find(running, c.Name)
		before := len(done.Changed)
		mergeFields("collections["+c.Name+"].", reflect.ValueOf(&was).Elem(), reflect.ValueOf(c), done)
		if !known && len(done.Changed) == before {
			done.Changed = append(done.Changed, "collections["+c.Name+"]")
		}
		all = append(all, was)
	}
	for _, c := range running {
		if _, ok := find(next, c.Name); ok {
			continue
		}
		if c.Ephemeral || len(c.Index)+len(c.Geo) > 0 {
			done.Restart = append(done.Restart, "collections["+c.Name+"]")
			all = append(all, c)
			continue
		}
		done.Changed = append(done.Changed, "collections["+c.Name+"]")
	}
	return all
}
