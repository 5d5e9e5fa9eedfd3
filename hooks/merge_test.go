package hooks

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/ambitmq/ambit/filter"
)

// The examples of RFC 7396, appendix A, whose document is an object, and what the
// text of a document is afterwards.
func TestMerge(t *testing.T) {
	for _, tt := range []struct{ document, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"e":null,"a":1}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":[1]}`, `{"a":{"x":{"y":null}}}`, `{"a":{"x":{}}}`},
		{``, `{"a":1,"b":null}`, `{"a":1}`},
		{`{"z":1,"a":12345678901234567890123,"b":1.0e400}`, `{"c":9007199254740993,"a":-0}`, `{"z":1,"a":-0,"b":1.0e400,"c":9007199254740993}`},
		{`{"a":1}`, `{"b":[null,{"c":null}]}`, `{"a":1,"b":[null,{"c":null}]}`},
		{`{"a":"<&>é\u00e9"}`, `{"b":"</x>"}`, `{"a":"<&>é\u00e9","b":"</x>"}`},
		{`{"\u0061":1}`, `{"a":null}`, `{}`},
		{`{"a\"b":1}`, `{"c\\d":2}`, `{"a\"b":1,"c\\d":2}`},
		{`{ "a" : [ 1 ] }`, `{}`, `{"a":[ 1 ]}`},
	} {
		got, err := mergeText([]byte(tt.document), []byte(tt.patch))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s patched with %s: got %s, %v, want %s", tt.document, tt.patch, got, err, tt.want)
		}
	}
}

func mergeText(document, patch []byte) ([]byte, error) {
	p, err := parse(patch)
	if err != nil {
		return nil, err
	}
	return merge(document, p)
}

// mergeSimply is RFC 7396, section 2, to the letter.
func mergeSimply(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	o, ok := target.(map[string]any)
	if !ok {
		o = map[string]any{}
	}
	for name, v := range p {
		if v == nil {
			delete(o, name)
		} else {
			o[name] = mergeSimply(o[name], v)
		}
	}
	return o
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,{"c":null}]},"d":null}`), []byte(`{"a":{"b":null,"e":{"f":null}},"d":{}}`))
	f.Add([]byte(`{"":{}}`), []byte(`{"":{"":1e3}}`))
	f.Fuzz(func(t *testing.T, document, patch []byte) {
		for _, b := range [][]byte{document, patch} {
			if _, err := filter.ParseDocument(b, filter.DocumentLimits{}); err != nil {
				return
			}
		}
		var target, change, got any
		if json.Unmarshal(document, &target) != nil || json.Unmarshal(patch, &change) != nil {
			return // a number is too large for it
		}
		merged, err := mergeText(document, patch)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(merged, &got); err != nil {
			t.Fatalf("%s: %v", merged, err)
		}
		if want := mergeSimply(target, change); !reflect.DeepEqual(got, want) {
			t.Errorf("%s patched with %s: got %v, want %v", document, patch, got, want)
		}
	})
}
