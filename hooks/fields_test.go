package hooks

import (
	"slices"
	"strings"
	"testing"
)

func TestAPatchNamesFields(t *testing.T) {
	long := strings.Repeat("x", 40_000)
	for _, tt := range []struct {
		name, patch string
		want        []string
	}{
		{"values", `{"a":1,"b":[{"c":1}],"d":null}`, []string{"a", "b", "d"}},
		{"members of objects", `{"a":{"b":{"c":1,"d":null}},"e":2}`, []string{"a.b.c", "a.b.d", "e"}},
		{"empty objects", `{"a":{"b":{}}}`, []string{"a.b"}},
		{"nothing", `{}`, nil},
		{"too long paths", `{"` + long + `":{"a":1,"b":2},"c":{"d":1}}`, []string{long, "c"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := parse([]byte(tt.patch))
			if err != nil {
				t.Fatal(err)
			}
			if got := p.fields(); !slices.Equal(got, tt.want) {
				t.Errorf("%.100q, want %.100q", got, tt.want)
			}
		})
	}
}
