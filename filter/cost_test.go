package filter

import "testing"

func TestCostIsWhatTheConditionsCost(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want int
	}{
		{`{}`, 1},
		{`{"exists":"a"}`, 1},
		{`{"and":[{"exists":"a"},{"in":{"b":[1,2,3]}}]}`, 4},
	} {
		f, err := Parse([]byte(tt.src))
		if err != nil {
			t.Fatal(err)
		}
		if f.Cost() != tt.want {
			t.Errorf("%s costs %d, want %d", tt.src, f.Cost(), tt.want)
		}
	}
}
