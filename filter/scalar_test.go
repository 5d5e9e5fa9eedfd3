package filter

import (
	"slices"
	"testing"
)

func TestIDsAreThoseToWhichAFilterIsConfined(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		ids      []string
		confined bool
	}{
		{"ids", `{"ids":{"values":["b","a"]}}`, []string{"a", "b"}, true},
		{"equals", `{"equals":{"_id":"a"}}`, []string{"a"}, true},
		{"one of several conditions", `{"and":[{"exists":"x"},{"in":{"_id":["a","b"]}}]}`, []string{"a", "b"}, true},
		{"what no id can be", `{"equals":{"_id":7}}`, nil, true},
		{"another field", `{"equals":{"id":"a"}}`, nil, false},
		{"one of several ways", `{"or":[{"exists":"x"},{"ids":{"values":["a"]}}]}`, nil, false},
		{"all others", `{"not":{"ids":{"values":["a"]}}}`, nil, false},
		{"everything", `{}`, nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if ids, ok := f.IDs(); ok != tt.confined || !slices.Equal(ids, tt.ids) {
				t.Errorf("%q, %v; want %q, %v", ids, ok, tt.ids, tt.confined)
			}
		})
	}
}

func TestScalarIsAValueThatCanBeSorted(t *testing.T) {
	d, err := ParseDocument([]byte(`{"n":1,"s":"x","t":true,"z":null,"a":[1],"o":{"n":2}}`), DocumentLimits{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{"n": 1.0, "s": "x", "t": true, "z": nil, "a": nil, "o": nil, "o.n": 2.0, "q": nil} {
		if v, ok := d.Scalar(path); v != want || ok != (want != nil) {
			t.Errorf("%s: %v, %v, want %v", path, v, ok, want)
		}
	}
}
