package mappings

import (
	"maps"
	"slices"
)

// Preset returns the mappings of a convention, and false if there is none of that
// name.
func Preset(name string) ([]Mapping, bool) {
	all, ok := presets[name]
	return slices.Clone(all), ok
}

// Presets returns the names of the conventions that there are.
func Presets() []string { return slices.Sorted(maps.Keys(presets)) }

// presets are conventions of devices and gateways.
//
// OwnTracks (owntracks.org/booklet): the locations of phones. Zigbee2MQTT
// (zigbee2mqtt.io): partial states of devices, and whether they are there. Tasmota
// (tasmota.github.io): states and sensors under tele/, and the device's last will.
var presets = map[string][]Mapping{
	"owntracks": {{
		Topic: "owntracks/{user}/{device}", Index: "people", Collection: "phones", ID: "{user}-{device}",
		When: `{"equals":{"_type":"location"}}`,
		Fields: map[string]any{
			"position": map[string]any{"lat": "lat", "lon": "lon"},
			"time":     "tst", "user": "{user}", "device": "{device}",
		},
	}},
	"zigbee2mqtt": {{
		Topic: "zigbee2mqtt/{name}", Index: "home", Collection: "zigbee", ID: "{name}", Merge: true,
	}, {
		Topic: "zigbee2mqtt/{name}/availability", Index: "home", Collection: "zigbee", ID: "{name}", Merge: true,
		Only: true, Text: "state", Fields: map[string]any{"availability": "state"},
	}},
	"tasmota": {{
		Topic: "tele/{name}/STATE", Index: "home", Collection: "tasmota", ID: "{name}", Merge: true,
	}, {
		Topic: "tele/{name}/SENSOR", Index: "home", Collection: "tasmota", ID: "{name}", Merge: true,
	}, {
		Topic: "tele/{name}/LWT", Index: "home", Collection: "tasmota", ID: "{name}", Merge: true,
		Only: true, Text: "LWT", Fields: map[string]any{"LWT": "LWT"},
	}},
}
