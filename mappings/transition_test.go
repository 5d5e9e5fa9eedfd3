package mappings

import (
	"testing"
	"time"
)

func TestATransitionIsToldToTheDeviceThatTheDocumentIsOf(t *testing.T) {
	all, _ := Preset("owntracks")
	all[0].Fences = []string{"home"}
	table, err := Compile(all)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(2000, 0)
	for _, tt := range []struct{ name, id, body, fence, topic, payload string }{
		{"all that the phone has said", "ann-phone", `{"user":"ann","device":"phone","lat":48.10,"lon":1e1,"acc":5,"tid":"AP","tst":7,"batt":3}`, "home",
			"owntracks/ann/phone/event", `{"_type":"transition","event":"enter","desc":"home","t":"c","wtst":1000,"tst":7,"lat":48.10,"lon":1e1,"acc":5,"tid":"AP"}`},
		{"the time of the broker", "ann-phone", `{"user":"ann","device":"phone"}`, "home",
			"owntracks/ann/phone/event", `{"_type":"transition","event":"enter","desc":"home","t":"c","wtst":1000,"tst":2000}`},
		{"another fence", "ann-phone", `{"user":"ann","device":"phone"}`, "work", "", ""},
		{"somebody else's id", "eve-phone", `{"user":"ann","device":"phone"}`, "home", "", ""},
		{"no device", "ann-phone", `{"user":"ann"}`, "home", "", ""},
		{"a device that is no level", "ann-a/b", `{"user":"ann","device":"a/b"}`, "home", "", ""},
		{"a wildcard", "ann-+", `{"user":"ann","device":"+"}`, "home", "", ""},
		{"no text", "ann-7", `{"user":"ann","device":7}`, "home", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			topic, payload, ok := table.Transition("people", "phones", tt.id, []byte(tt.body), Transition{Fence: tt.fence, Since: time.Unix(1000, 0), Enters: true, At: now})
			if ok != (tt.topic != "") || topic != tt.topic || string(payload) != tt.payload {
				t.Errorf("got %v %s %s, want %s %s", ok, topic, payload, tt.topic, tt.payload)
			}
		})
	}
	if table.Watches("people", "cars") || !table.Watches("people", "phones") {
		t.Error("the wrong collection is watched")
	}
	if again, _ := Preset("owntracks"); again[0].Fences != nil {
		t.Error("the preset itself was changed")
	}
}
