package filter

import "testing"

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
