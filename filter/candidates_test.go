package filter

import (
	"fmt"
	"testing"
)

func TestCandidatesAreWhatIsLookedAt(t *testing.T) {
	var m Matcher[int]
	for i := range 100 {
		m.Add(i, parsed(t, fmt.Sprintf(`{"and":[{"equals":{"id":%d}},{"exists":"x%d"}]}`, i%10, i)))
	}
	for _, tt := range []struct {
		name, body    string
		matches, want int
	}{
		{"none is found", `{"id":10,"x3":1}`, 0, 0},
		{"some of them are refused", `{"id":3,"x3":1,"x13":1,"x14":1}`, 2, 10},
		{"all of them are refused", `{"id":3}`, 0, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := document(t, tt.body)
			if matches, got := len(m.Match(nil, d)), m.Candidates(d); matches != tt.matches || got != tt.want {
				t.Errorf("%d of %d candidates match, want %d of %d", matches, got, tt.matches, tt.want)
			}
		})
	}
}
