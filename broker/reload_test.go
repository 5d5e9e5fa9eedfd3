package broker

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/ambitmq/ambit/hooks"
	"github.com/ambitmq/ambit/limits"
	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/sessions"
	"github.com/ambitmq/ambit/web"
)

// What is marked as reloaded reaches what a reload gives to the parts of a broker, and
// nothing else does, but for what these keep as it was.
func TestASettingIsMarkedIfAReloadAppliesIt(t *testing.T) {
	kept := []string{
		"limits.topic_levels", "limits.topic_bytes", "limits.filter_bytes", // how topics are read
		"limits.topic_aliases", "limits.receive_maximum", // clients were told
		"limits.connect_bytes", "limits.connect_timeout", // belong to listeners
		"anonymous", // decides which hosts are ours
	}
	for _, s := range leaves("", reflect.TypeFor[Config](), nil) {
		if s.key == "collections" || slices.Contains(kept, s.key) {
			continue
		}
		t.Run(s.key, func(t *testing.T) {
			next := reloadable()
			change(t, reflect.ValueOf(&next).Elem().FieldByIndex(s.index))
			applied := !reflect.DeepEqual(applies(reloadable()), applies(next))
			if marked := s.reload != ""; applied != marked {
				t.Errorf("it is marked as reloaded: %v; a reload applies it: %v", marked, applied)
			}
		})
	}
}

// reloadable returns settings of which each may be changed.
func reloadable() Config {
	cfg := DefaultConfig()
	cfg.Rooms = []RoomName{{Name: "a/b/@c", Filter: `{"exists":"x"}`}}
	cfg.Mappings = []Mapping{{Preset: "tasmota"}}
	return cfg
}

// applies returns what a reload has the parts of a broker do.
func applies(cfg Config) any {
	counts := new(limits.Counts)
	l := &listeners{crowd: newCrowd(cfg)}
	l.now.Store(&cfg)
	return struct {
		Level string
		Keep  persistence.Keep
		Hook  hooks.Options
		MQTT  sessions.Options
		Pages web.Pages
		Crowd int64
		Bytes int
	}{
		cfg.Log.Level, storeOptions(cfg, nil).Keep(), hookSettings(cfg), engineOptions(cfg, counts, nil),
		l.pages(), l.crowd.connections.Load(), l.packetBytes(&listener{}),
	}
}

type leaf struct {
	key, reload string
	index       []int
}

func leaves(prefix string, in reflect.Type, at []int) []leaf {
	var all []leaf
	for i := range in.NumField() {
		f := in.Field(i)
		key, index := prefix+f.Tag.Get("mapstructure"), append(slices.Clone(at), i)
		if f.Type.Kind() == reflect.Struct {
			all = append(all, leaves(key+".", f.Type, index)...)
		} else {
			all = append(all, leaf{key, f.Tag.Get("reload"), index})
		}
	}
	return all
}

// change gives a setting another value.
func change(t *testing.T, v reflect.Value) {
	t.Helper()
	switch x := v.Interface().(type) {
	case string:
		v.SetString("20/m" + x)
		if x == "" {
			v.SetString("20/m")
		}
	case bool:
		v.SetBool(!x)
	case time.Duration:
		v.SetInt(int64(x) + int64(time.Second))
	case int, int64:
		v.SetInt(v.Int() + 1)
	case []string:
		v.Set(reflect.ValueOf([]string{"7/s"}))
	case []RoomName, []Mapping:
		v.SetZero()
	case []Listener:
		v.Set(reflect.ValueOf([]Listener{{Name: "x", Type: "tcp", Address: ":0"}}))
	case []JWTKey:
		v.Set(reflect.ValueOf([]JWTKey{{Algorithm: "HS256", File: "x"}}))
	default:
		t.Fatalf("a setting of type %T", x)
	}
}

func TestMergedCollectionsKeepWhatNeedsARestart(t *testing.T) {
	running, next := DefaultConfig(), DefaultConfig()
	running.Collections = []Collection{{Name: "a/kept", Index: []string{"x"}}, {Name: "a/gone"}, {Name: "a/memory", Ephemeral: true}}
	next.Collections = []Collection{{Name: "a/new", TTL: time.Minute, Ephemeral: true}, {Name: "a/kept", Strict: true, Index: []string{"y"}}}
	cfg, done := merge(running, next)
	if got, want := fmt.Sprint(done.Changed), "[collections[a/new].ttl collections[a/kept].strict collections[a/gone]]"; got != want {
		t.Errorf("changed %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(done.Restart), "[collections[a/new].ephemeral collections[a/kept].index collections[a/memory]]"; got != want {
		t.Errorf("needs a restart: %s, want %s", got, want)
	}
	want := []Collection{{Name: "a/new", TTL: time.Minute}, {Name: "a/kept", Strict: true, Index: []string{"x"}}, {Name: "a/memory", Ephemeral: true}}
	if !reflect.DeepEqual(cfg.Collections, want) {
		t.Errorf("got %+v, want %+v", cfg.Collections, want)
	}
	if _, again := merge(cfg, next); len(again.Changed) > 0 || !slices.Equal(again.Restart, done.Restart) {
		t.Errorf("the same settings once more: %+v", again)
	}
}
