package broker

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestProfilesAreServedOnlyWhenAskedAndToThisMachine(t *testing.T) {
	if b := start(t, testConfig(t)); b.profiler != nil {
		t.Error("profiles are served without being asked for")
	}
	cfg := testConfig(t)
	cfg.Observe.Pprof = "127.0.0.1:0"
	b := start(t, cfg)
	client := http.Client{Timeout: deadline, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Get("http://" + b.profiler.address + "/debug/pprof/goroutine?debug=1")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil || !strings.Contains(string(text), "goroutine profile") {
		t.Errorf("%v, %.100s", err, text)
	}
	if status, _ := page(t, b, "/debug/pprof/", ""); status != http.StatusNotFound {
		t.Errorf("the HTTP listener answers %d for profiles", status)
	}
}

func TestSettingsOfWhatIsObservedAreChecked(t *testing.T) {
	for _, tt := range []struct {
		name  string
		o     Observe
		fault string
	}{
		{"the defaults", defaultObserve(), ""},
		{"no $SYS", Observe{TracesEvery: 1}, ""},
		{"nobody is followed", Observe{}, "traces_every"},
		{"no collector", Observe{TracesEvery: 1, TracesURL: "127.0.0.1:4318"}, "traces_url"},
		{"$SYS too often", Observe{SysInterval: time.Millisecond}, "sys_interval"},
		{"profiles for all", Observe{Pprof: ":6060"}, "pprof"},
		{"profiles for a network", Observe{Pprof: "192.0.2.1:6060"}, "pprof"},
		{"a name may be any address", Observe{Pprof: "localhost:6060"}, "pprof"},
		{"as it was said", Observe{Pprof: ":6060", PprofRemote: true}, ""},
		{"this machine", Observe{Pprof: "[::1]:6060"}, ""},
		{"no port", Observe{Pprof: "127.0.0.1"}, "pprof"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := DefaultConfig()
			if cfg.Observe = tt.o; tt.o.Pprof != "" || tt.o.SysInterval != 0 {
				cfg.Observe.TracesEvery = 1
			}
			err := cfg.Validate()
			if (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), "observe."+tt.fault+":") {
				t.Errorf("%v", err)
			}
		})
	}
}
