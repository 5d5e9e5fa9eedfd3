package mappings

import (
	"errors"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/filter"
)

func preset(t *testing.T, name string) *Table {
	t.Helper()
	all, ok := Preset(name)
	if !ok {
		t.Fatalf("there is no preset %s", name)
	}
	table, err := Compile(all)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func TestPresetsMakeDocuments(t *testing.T) {
	for _, tt := range []struct {
		preset, topic, payload string
		key, body              string // "" if the message is an ordinary one
		merge                  bool
	}{
		{
			preset: "owntracks", topic: "owntracks/ann/phone",
			payload: `{"_type":"location","lat":48.1,"lon":11.5,"tst":17,"user":"me"}`,
			key:     "people/phones/ann-phone",
			body:    `{"_type":"location","lat":48.1,"lon":11.5,"tst":17,"device":"phone","position":{"lat":48.1,"lon":11.5},"time":17,"user":"ann"}`,
		},
		{preset: "owntracks", topic: "owntracks/ann/phone", payload: `{"_type":"location"}`, key: "people/phones/ann-phone", body: `{"_type":"location","device":"phone","user":"ann"}`},
		{preset: "owntracks", topic: "owntracks/ann/phone", payload: `{"_type":"lwt","tst":17}`},
		{preset: "owntracks", topic: "owntracks/ann/phone", payload: `on`},
		{preset: "owntracks", topic: "owntracks/ann/phone/event", payload: `{"_type":"transition"}`},
		{preset: "owntracks", topic: "owntracks/ann", payload: `{"_type":"location"}`},
		{preset: "owntracks", topic: "owntracks/ann/phone", key: "people/phones/ann-phone"}, // deletes
		{preset: "zigbee2mqtt", topic: "zigbee2mqtt/lamp", payload: `{"state":"ON"}`, key: "home/zigbee/lamp", body: `{"state":"ON"}`, merge: true},
		{preset: "zigbee2mqtt", topic: "zigbee2mqtt/lamp/availability", payload: `{"state":"online"}`, key: "home/zigbee/lamp", body: `{"availability":"online"}`, merge: true},
		{preset: "zigbee2mqtt", topic: "zigbee2mqtt/lamp/availability", payload: `online`, key: "home/zigbee/lamp", body: `{"availability":"online"}`, merge: true},
		{preset: "zigbee2mqtt", topic: "zigbee2mqtt/lamp/availability"},
		{preset: "zigbee2mqtt", topic: "zigbee2mqtt/bridge/state", payload: `{"state":"online"}`},
		{preset: "tasmota", topic: "tele/plug/SENSOR", payload: `{"ENERGY":{"Power":5}}`, key: "home/tasmota/plug", body: `{"ENERGY":{"Power":5}}`, merge: true},
		{preset: "tasmota", topic: "tele/plug/LWT", payload: `Offline`, key: "home/tasmota/plug", body: `{"LWT":"Offline"}`, merge: true},
		{preset: "tasmota", topic: "stat/plug/RESULT", payload: `{"POWER":"ON"}`},
	} {
		t.Run(tt.preset+" "+tt.topic+" "+tt.payload, func(t *testing.T) {
			m, err := preset(t, tt.preset).Find(tt.topic)
			if err != nil {
				t.Fatal(err)
			}
			var body []byte
			if err = ErrOrdinary; m != nil {
				body, err = m.Document([]byte(tt.payload), filter.DocumentLimits{})
			}
			switch {
			case tt.key == "" && !errors.Is(err, ErrOrdinary):
				t.Errorf("it is %s, %v, and not an ordinary message", body, err)
			case tt.key == "":
			case err != nil:
				t.Error(err)
			case strings.Join([]string{m.Index, m.Collection, m.ID}, "/") != tt.key || string(body) != tt.body || m.Merge() != tt.merge:
				t.Errorf("%s/%s/%s, merged %v: %s", m.Index, m.Collection, m.ID, m.Merge(), body)
			}
		})
	}
}

func TestFieldsAreTakenFromPayloadAndTopic(t *testing.T) {
	table, err := Compile([]Mapping{{
		Topic: "site/{site}/{unit}/data", Index: "{site}", Collection: "units", ID: "{unit}", Only: true,
		Fields: map[string]any{
			"Where": map[string]any{"lat": "gps.lat", "lon": "gps.lon"}, "deep": "a.b.c", "site": "unit {unit} of {site}", "kind": 7, "absent": "no.such",
			"empty": map[string]any{"x": "no"},
		},
	}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := table.Find("site/north/u1/data")
	if m == nil || err != nil {
		t.Fatalf("%v, %v", m, err)
	}
	body, err := m.Document([]byte(` { "gps" : {"lat":1e0,"lon":2}, "a":{"b":{"c":[1, "x"]}} } `), filter.DocumentLimits{})
	if want := `{"Where":{"lat":1e0,"lon":2},"deep":[1, "x"],"kind":7,"site":"unit u1 of north"}`; err != nil || string(body) != want {
		t.Errorf("%s, %v; want %s", body, err, want)
	}
	var limit *filter.LimitError
	if _, err := m.Document([]byte(`{"a":[[[[]]]]}`), filter.DocumentLimits{Depth: 2}); !errors.As(err, &limit) {
		t.Errorf("a payload beyond the limits: %v", err)
	}
	if _, err := table.Find("site/$x/u/data"); err == nil {
		t.Error("the name of an index that there cannot be was taken")
	}
	if m, err := table.Find("site//u/data"); m != nil || err != nil {
		t.Errorf("an empty level: %v, %v", m, err)
	}
}

func TestFaultsOfMappingsAreAllNamed(t *testing.T) {
	_, err := Compile([]Mapping{
		{Topic: "a/+", Index: "{b}", Collection: "c"},
		{Topic: "a/{x}{y}/{z}/{z}", Index: "i", Collection: "c", ID: "{z}", When: `{"equal":{}}`, Only: true},
		{Topic: "a/{x}", Index: "i", Collection: "c", ID: "{x}", When: `{"changed":{"field":"a"}}`, Fields: map[string]any{"a": map[string]any{"b": "{q}"}}},
	})
	if err == nil {
		t.Fatal("no fault was found")
	}
	for _, want := range []string{
		`[0].topic: write {name} for a level that may be anything`, `[0].index: the topic has no level {b}`, `[0].id: is missing`,
		`[1].topic: "{x}{y}": a variable is a whole level`, `[1].topic: {z} is there twice`, `[1].when: `, `[1].only: `,
		`[2].when: a payload is no change`, `[2].fields.a.b: the topic has no level {q}`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func TestTheFirstMappingThatFitsCounts(t *testing.T) {
	table, err := Compile([]Mapping{
		{Topic: "a/b", Index: "i", Collection: "first", ID: "x"},
		{Topic: "a/{y}", Index: "i", Collection: "second", ID: "{y}"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]string{"a/b": "first", "a/c": "second"} {
		if m, err := table.Find(topic); err != nil || m.Collection != want {
			t.Errorf("%s: %v, %v", topic, m, err)
		}
	}
}
