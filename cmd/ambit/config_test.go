package main

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/ambitmq/ambit/broker"
)

// serveFlags returns the flags of ambit serve, parsed.
func serveFlags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	flags := newServe().Flags()
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return flags
}

func TestConfigIsTheDefaultsWithoutFlagsVariablesAndFile(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg, err := loadConfig(serveFlags(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := broker.DefaultConfig(); !reflect.DeepEqual(cfg, want) {
		t.Errorf("got %+v, want %+v", cfg, want)
	}
}

func TestFlagsAreStrongerThanVariablesAndVariablesThanTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte(`
mqtt: 127.0.0.1:1
http: 127.0.0.1:1
data: file
origins: [a.example, b.example]
collections:
  - {name: fleet/trucks, strict: true}
LOG: {Level: debug}
store: {log_age: 90m, min_free_bytes: 1GiB}
limits:
  json_depth: 7
  packet_bytes: 64KiB
`), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AMBIT_CONFIG", file)
	t.Setenv("AMBIT_MQTT", "127.0.0.1:2")
	t.Setenv("AMBIT_HTTP", "127.0.0.1:2")
	t.Setenv("AMBIT_AUTO_CREATE", "false")
	t.Setenv("AMBIT_LIMITS_JSON_DEPTH", "8")
	t.Setenv("AMBIT_DATA", "") // as good as absent
	cfg, err := loadConfig(serveFlags(t, "--mqtt", "127.0.0.1:3", "--origins", "c.example"))
	if err != nil {
		t.Fatal(err)
	}
	want := broker.DefaultConfig()
	want.MQTT, want.HTTP, want.Data = "127.0.0.1:3", "127.0.0.1:2", "file"
	want.Origins = []string{"c.example"}
	want.AutoCreate = false
	want.Collections = []broker.Collection{{Name: "fleet/trucks", Strict: true}}
	want.Log.Level = "debug"
	want.Store.LogAge, want.Store.MinFreeBytes = 90*time.Minute, 1<<30
	want.Limits.JSONDepth, want.Limits.PacketBytes = 8, 64<<10
	if !reflect.DeepEqual(cfg, want) {
		t.Errorf("got  %+v\nwant %+v", cfg, want)
	}
}

func TestSettingsOfTheReadmeAreAllowed(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := os.ReadFile("../../docs/access.md")
	if err != nil {
		t.Fatal(err)
	}
	readme = append(readme, more...)
	t.Chdir(t.TempDir())
	for i, block := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllSubmatch(readme, -1) {
		if bytes.HasPrefix(block[1], []byte("# policy.yaml\n")) {
			if err := os.WriteFile("policy.yaml", block[1], 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := broker.LoadPolicy("policy.yaml"); err != nil {
				t.Errorf("block %d: %v", i, err)
			}
			continue
		}
		if err := os.WriteFile(defaultConfigFile, block[1], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := loadConfig(serveFlags(t)); err != nil {
			t.Errorf("block %d: %v", i, err)
		}
	}
}

func TestListenersHaveSettingsOfTheirOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(file, []byte(`
listeners:
  - name: devices
    type: wss
    address: 0.0.0.0:8883
    tls: {cert: cert.pem, key: key.pem, client_ca: ca.pem, client_auth: optional}
    proxy_protocol: true
    proxies: [10.1.0.0/16, 10.2.0.7]
    limits: {connections: 10, packet_bytes: 64KiB, connect_timeout: 2s}
  - {name: local, type: unix, address: /run/ambit, permissions: "0660"}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := loadConfig(serveFlags(t, "--config", file))
	if err != nil {
		t.Fatal(err)
	}
	want := []broker.Listener{
		{
			Name: "devices", Type: "wss", Address: "0.0.0.0:8883",
			TLS:           broker.TLS{Cert: "cert.pem", Key: "key.pem", ClientCA: "ca.pem", ClientAuth: "optional"},
			ProxyProtocol: true, Proxies: []string{"10.1.0.0/16", "10.2.0.7"},
			Limits: broker.ListenerLimits{Connections: 10, PacketBytes: 64 << 10, ConnectTimeout: 2 * time.Second},
		},
		{Name: "local", Type: "unix", Address: "/run/ambit", Permissions: "0660"},
	}
	if !reflect.DeepEqual(cfg.Listeners, want) {
		t.Errorf("got  %+v\nwant %+v", cfg.Listeners, want)
	}
}

func TestEverySettingCanBeGivenAsAVariable(t *testing.T) {
	t.Chdir(t.TempDir())
	cfg := broker.DefaultConfig()
	for _, set := range settings(&cfg) {
		if kind := set.value.Type(); kind.Kind() == reflect.Slice && kind.Elem().Kind() == reflect.Struct {
			continue // a list of settings has a place in the file alone
		}
		t.Run(set.key, func(t *testing.T) {
			t.Setenv(variable(set.key), "!")
			if _, err := loadConfig(serveFlags(t)); err == nil && !slices.Contains([]string{
				"access", "data", "hosts", "origins", "users", "jwt.issuer", "jwt.audience", "jwt.user", "jwt.roles", "jwt.attributes",
				"pocketbase.index", // any index that a topic may have
				"agnost.env",
			}, set.key) {
				t.Error("a value that makes no sense is taken")
			}
		})
	}
}

func TestWholeNumber(t *testing.T) {
	for _, tt := range []struct {
		name string
		raw  any
		want int64
		ok   bool
	}{
		{"a number", 65536, 65536, true},
		{"text from a variable", "65536", 65536, true},
		{"a size", "64KiB", 65536, true},
		{"a size with a space", "2 GiB", 2 << 30, true},
		{"a fraction is refused", 1.5, 0, false},
		{"a boolean is refused", true, 0, false},
		{"a unit that counts in thousands is refused", "64kB", 0, false},
		{"a size that is too large is refused", "9999999999GiB", 0, false},
		{"a unit alone is refused", "KiB", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := wholeNumber(tt.raw)
			if (err == nil) != tt.ok || tt.ok && got != tt.want {
				t.Errorf("%d, %v, want %d", got, err, tt.want)
			}
		})
	}
}
