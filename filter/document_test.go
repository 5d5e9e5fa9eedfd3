package filter

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
)

func TestParseDocumentFlattens(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		want       map[string]any
	}{
		{"scalars", `{"a":1.50,"b":"x","c":true,"d":null}`, map[string]any{"a": 1.5, "b": "x", "c": true, "d": nil}},
		{"an object has a path, and each of its members has one", `{"a":{"b":{"c":1}}}`, map[string]any{
			"a": object{{"b", object{{"c", 1.0}}}}, "a.b": object{{"c", 1.0}}, "a.b.c": 1.0,
		}},
		{"an array is one value", `{"a":[1,{"b":2}]}`, map[string]any{"a": []any{1.0, object{{"b", 2.0}}}}},
		{"an empty object is there", `{"a":{}}`, map[string]any{"a": object{}}},
		{"a dotted name is a path", `{"a.b":1}`, map[string]any{"a.b": 1.0}},
		{"nothing", ` { } `, map[string]any{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := fields(document(t, tt.body)); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %#v, want %#v", got, tt.want)
			}
		})
	}
}

// fields returns what a document holds under each path.
func fields(d *Document) map[string]any {
	fields := map[string]any{}
	for i, c := range d.cells {
		if c.field {
			fields[d.string(c.path)] = value{d, i}.decoded()
		}
	}
	return fields
}

func TestParseDocumentRefusesWhatIsNotAnObject(t *testing.T) {
	for _, body := range []string{``, `[]`, `1`, `"a"`, `null`, `{`, `{"a":1}}`, `{"a":1} {}`, `{a:1}`, `{"a":01}`, "{\"a\":\"\xff\"}", `{"a":1,}`, `NaN`} {
		if _, err := ParseDocument([]byte(body), DocumentLimits{}); !errors.Is(err, ErrNotObject) {
			t.Errorf("%s: got %v, want %v", body, err, ErrNotObject)
		}
	}
}

func TestParseDocumentSaysWhichLimitIsBroken(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		limits     DocumentLimits
		want       *LimitError
		text       string
	}{
		{"32 levels", strings.Repeat(`{"a":`, 31) + `[]` + strings.Repeat(`}`, 31), DocumentLimits{}, nil, ""},
		{
			"33 levels", strings.Repeat(`{"a":`, 32) + `[]` + strings.Repeat(`}`, 32), DocumentLimits{},
			&LimitError{"depth", 32, strings.TrimSuffix(strings.Repeat("a.", 32), ".")}, "",
		},
		{"two levels", `{"a":[[1]]}`, DocumentLimits{Depth: 2}, &LimitError{"depth", 2, "a.0"}, `the limit of depth, 2, is exceeded at "a.0"`},
		{"three members", `{"a":{"b":1},"c":2}`, DocumentLimits{Members: 3}, nil, ""},
		{"a fourth", `{"a":{"b":1},"c":2,"d":3}`, DocumentLimits{Members: 3}, &LimitError{"members", 3, "d"}, `the limit of members, 3, is exceeded at "d"`},
		{"10,000 elements", `{"a":[` + strings.Repeat("1,", 9999) + `1]}`, DocumentLimits{}, nil, ""},
		{"and one more", `{"a":[` + strings.Repeat("1,", 9999) + `1],"b":[{"c":[2]}]}`, DocumentLimits{}, &LimitError{"elements", 10_000, "b.0.c.0"}, ""},
		{"elements of all arrays", `{"a":[[],[1,2]]}`, DocumentLimits{Elements: 4}, nil, ""},
		{"a fifth", `{"a":[[],[1,2]],"b":[3]}`, DocumentLimits{Elements: 4}, &LimitError{"elements", 4, "b.0"}, `the limit of elements, 4, is exceeded at "b.0"`},
		{"1,000 digits", `{"a":` + strings.Repeat("1", 1000) + `,"b":1e999,"c":-1E-998}`, DocumentLimits{}, nil, ""},
		{"and one more", `{"a":{"b":[0,` + strings.Repeat("1", 1001) + `]}}`, DocumentLimits{}, &LimitError{"digits", 1000, "a.b.1"}, `the limit of digits, 1000, is exceeded at "a.b.1"`},
		{"decimals", `{"a":0.` + strings.Repeat("0", 1_000_000) + `1}`, DocumentLimits{}, &LimitError{"digits", 1000, "a"}, ""},
		{"an exponent", `{"a":1,"b":1e1000}`, DocumentLimits{}, &LimitError{"digits", 1000, "b"}, ""},
		{"a negative exponent", `{"a":1E-1000}`, DocumentLimits{}, &LimitError{"digits", 1000, "a"}, ""},
		{"an exponent of no machine", `{"a":1e+` + strings.Repeat("9", 30) + `}`, DocumentLimits{}, &LimitError{"digits", 1000, "a"}, ""},
		{"an exponent of many zeros", `{"a":1e` + strings.Repeat("0", 1000) + `1}`, DocumentLimits{}, &LimitError{"digits", 1000, "a"}, ""},
		{"few digits", `{"a":-1.5,"b":12}`, DocumentLimits{Digits: 4}, nil, ""},
		{"one too many of few", `{"a":-1.5,"b":12345}`, DocumentLimits{Digits: 4}, &LimitError{"digits", 4, "b"}, ""},
		{"a twin", `{"a":{"b":1,"b":2}}`, DocumentLimits{}, &LimitError{"duplicate key", 0, "a.b"}, `duplicate key "a.b"`},
		{"a twin in another spelling", `{"a":1,"\u0061":2}`, DocumentLimits{}, &LimitError{"duplicate key", 0, "a"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParseDocument([]byte(tt.body), tt.limits)
			var got *LimitError
			if errors.As(err, &got); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %+v, want %+v", err, tt.want)
			}
			if tt.text != "" && err.Error() != tt.text {
				t.Errorf("got %s, want %s", err, tt.text)
			}
		})
	}
}

// A body is scanned unless it is refused; the slow way is for errors.
func TestParseDocumentScansWhatItAccepts(t *testing.T) {
	for _, body := range []string{message, `{}`, `{"a":"\u00e9\"","b":[[],{"c":1e3}],"é":-0.5}`} {
		if _, ok := scan([]byte(body), DocumentLimits{}.withDefaults()); !ok {
			t.Errorf("%s is not scanned", body)
		}
	}
}

func TestAPathThatNoFilterCanNameIsNoField(t *testing.T) {
	name := strings.Repeat("x", maxPathBytes/2)
	d := document(t, `{"`+name+`":{"`+name+`":{"b":1},"a":1},"c":1}`)
	if got := len(fields(d)); got != 3 { // the object, its a, and c
		t.Errorf("%d fields", got)
	}
	if !parsed(t, `{"match":{"c":1}}`).Match(d) || d.text.Len() > 4*maxPathBytes {
		t.Errorf("the text has %d bytes", d.text.Len())
	}
}

func TestSetAddsFields(t *testing.T) {
	d := document(t, `{"_id":"mine"}`)
	d.Set("_id", "42")
	d.Set("_kuzzle_info.author", nil)
	if want := map[string]any{"_id": "42", "_kuzzle_info.author": nil}; !maps.Equal(fields(d), want) {
		t.Errorf("got %v, want %v", fields(d), want)
	}
	for _, src := range []string{`{"ids":{"values":["42"]}}`, `{"equals":{"_kuzzle_info.author":null}}`} {
		if !parsed(t, src).Match(d) {
			t.Errorf("%s does not match", src)
		}
	}
}

// What exceeds looks for has to be what scan refuses.
func TestADocumentThatExceedsALimitIsNoneThatScanReads(t *testing.T) {
	lim := DocumentLimits{Depth: 5, Members: 50, Elements: 100, Digits: 20}
	pad := `"pad":"` + strings.Repeat(`[{1:2,\"`, fewBytes/8) + `"`
	for _, tt := range []struct {
		name, json string
		exceeds    bool
	}{
		{"a string of what is counted elsewhere", `{` + pad + `}`, false},
		{"as deep as may be", `{` + pad + `,"a":[[[[1]]]]}`, false},
		{"too deep", `{` + pad + `,"a":[[[[[1]]]]]}`, true},
		{"as many members as may be", `{` + pad + members(49) + `}`, false},
		{"too many members", `{` + pad + members(50) + `}`, true},
		{"as many elements as may be", `{` + pad + `,"a":[1` + strings.Repeat(`,1`, 99) + `]}`, false},
		{"far too many elements", `{` + pad + `,"a":[1` + strings.Repeat(`,1`, 150) + `]}`, true},
		{"as many digits as may be", `{` + pad + `,"a":` + strings.Repeat("9", 20) + `}`, false},
		{"too many digits", `{` + pad + `,"a":` + strings.Repeat("9", 21) + `}`, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, scanned := scan([]byte(tt.json), lim)
			if got := exceeds([]byte(tt.json), lim); got != tt.exceeds || scanned == got {
				t.Errorf("exceeds says %t, and scan %t", got, scanned)
			}
			if _, err := ParseDocument([]byte(tt.json), lim); (err != nil) != tt.exceeds {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"m%d":1`, i)
	}
	return b.String()
}
