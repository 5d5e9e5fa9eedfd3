package filter

import "testing"

func TestHideLeavesOutWhatItIsToldTo(t *testing.T) {
	for _, tt := range []struct {
		object string
		paths  []string
		want   string
	}{
		{`{"a":1,"b":2}`, nil, `{"a":1,"b":2}`},
		{`{"a":1,"b":2,"c":3}`, []string{"b"}, `{"a":1,"c":3}`},
		{`{"a":1,"b":2}`, []string{"a", "b"}, `{}`},
		{`{"a":1,"b":2}`, []string{"a"}, `{"b":2}`},
		{`{"a":1,"b":2}`, []string{"b"}, `{"a":1}`},
		{`{"owner":{"phone":"1","name":"x"},"v":[1, 2]}`, []string{"owner.phone"}, `{"owner":{"name":"x"},"v":[1, 2]}`},
		{`{"owner":{"phone":{"home":1}}}`, []string{"owner.phone"}, `{"owner":{}}`},
		{`{"owners":1,"owner":2}`, []string{"owner"}, `{"owners":1}`},
		{`{"list":[{"p":1,"q":2},{"p":3},4,[{"p":5}]]}`, []string{"list.p"}, `{"list":[{"q":2},{},4,[{}]]}`},
		{`{"owner.phone":1,"owner":{"x":{"y":2}}}`, []string{"owner.phone", "owner.x.y"}, `{"owner":{"x":{}}}`},
		{`{"\u006fwner":{"ph\u006fne":1}}`, []string{"owner.phone"}, `{"owner":{}}`},
		{`{"":{"owner":{"phone":1}}}`, []string{"owner.phone"}, `{"":{"owner":{}}}`},
		{`{"a":[],"b":{},"c":null}`, []string{"a.x", "b.x", "c.x"}, `{"a":[],"b":{},"c":null}`},
		{`{"a":"x,","b":1}`, []string{"b"}, `{"a":"x,"}`},
	} {
		got, err := Hide([]byte(tt.object), tt.paths)
		if err != nil || string(got) != tt.want {
			t.Errorf("%s without %q: %s, %v; want %s", tt.object, tt.paths, got, err, tt.want)
		}
	}
	if _, err := Hide([]byte(`{"a":`), []string{"b"}); err == nil {
		t.Error("half an object is taken")
	}
}

// FuzzHide holds Hide to what filters find: nothing that is hidden, and all else.
func FuzzHide(f *testing.F) {
	for _, seed := range []string{
		`{"a":{"b":1,"c":2},"a.b":3}`, `{"":{"a":{"b":1}}}`, `{"a":[{"b":1}],"x":{"a":{"b":1}}}`, `{"a":{"":{"b":1}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, object []byte) {
		before, err := ParseDocument(object, DocumentLimits{})
		if err != nil {
			return
		}
		hidden := []string{"a.b", "x"}
		body, err := Hide(object, hidden)
		if err != nil {
			t.Fatal(err)
		}
		after, err := ParseDocument(body, DocumentLimits{})
		if err != nil {
			t.Fatalf("%s becomes %s: %v", object, body, err)
		}
		for _, path := range hidden {
			if _, ok := after.lookup(path); ok {
				t.Fatalf("%s becomes %s, which has %s", object, body, path)
			}
		}
		for _, path := range []string{"a", "a.c", "b", "y", "xx"} {
			_, was := before.lookup(path)
			if _, is := after.lookup(path); is != was {
				t.Fatalf("%s becomes %s, in which %s is there: %v", object, body, path, is)
			}
		}
	})
}
