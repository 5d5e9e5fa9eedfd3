package filter

import (
	"slices"
	"testing"
)

func TestAFilterNamesItsDocuments(t *testing.T) {
	for _, tt := range []struct {
		filter string
		ids    []string
		ok     bool
	}{
		{`{"ids":{"values":["2","1"]}}`, []string{"1", "2"}, true},
		{`{"equals":{"_id":"1"}}`, []string{"1"}, true},
		{`{"and":[{"exists":"speed"},{"and":[{"in":{"_id":["1","2"]}},{"missing":"load"}]}]}`, []string{"1", "2"}, true},
		{`{"and":[{"ids":{"values":["1","2"]}},{"ids":{"values":["2","3"]}}]}`, []string{"2"}, true},
		{`{"or":[{"ids":{"values":["1"]}},{"equals":{"_id":"2"}}]}`, []string{"1", "2"}, true},
		{`{"and":[{"ids":{"values":["1"]}},{"equals":{"_id":"2"}}]}`, nil, true}, // of nothing
		{`{"equals":{"_id":1}}`, nil, true},
		{`{}`, nil, false},
		{`{"equals":{"id":"1"}}`, nil, false},
		{`{"not":{"equals":{"_id":"1"}}}`, nil, false},
		{`{"or":[{"ids":{"values":["1"]}},{"exists":"speed"}]}`, nil, false},
		{`{"regexp":{"_id":"^1$"}}`, nil, false},
	} {
		if ids, ok := parsed(t, tt.filter).IDs(); ok != tt.ok || !slices.Equal(ids, tt.ids) {
			t.Errorf("%s: got %v %v, want %v %v", tt.filter, ids, ok, tt.ids, tt.ok)
		}
	}
}
