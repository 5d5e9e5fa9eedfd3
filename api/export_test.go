package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/persistence"
)

func (w *world) export(text string) Response {
	from := Caller{Name: "dash", Protocol: "http", Streams: true}
	return w.router.Serve(w.t.Context(), from, "document", "export", []byte(`{"index":"fleet","collection":"trucks",`+text+`}`))
}

func (w *world) exported(text string) string {
	w.t.Helper()
	r := w.export(text)
	if r.Stream == nil {
		w.t.Fatalf("%s is answered %s", text, r.Body)
	}
	var b bytes.Buffer
	if err := r.Stream(w.t.Context(), &b); err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

func TestAnExportHasLinesOfWhatMatches(t *testing.T) {
	w := newWorldWith(t, persistence.Options{}, Options{AutoCreate: true})
	w.ask(`{"controller":"document","action":"mCreate","index":"fleet","collection":"trucks","body":{"documents":[
		{"_id":"a","body":{"speed":50,"plate":"M-\"1\"; x","load":{"kg":1e3,"of":[1]},"on":true}},{"_id":"b","body":{"speed":70}},{"_id":"c","body":{}}]}}`)
	lines := strings.Split(w.exported(`"body":{"query":{"exists":"speed"}}`), "\n")
	if len(lines) != 4 || lines[0] != `{"collection":"trucks","index":"fleet","type":"collection"}` ||
		!strings.HasPrefix(lines[1], `{"_id":"a","body":{"speed":50,"plate":"M-\"1\"; x","load":{"kg":1e3,"of":[1]},"on":true,"_kuzzle_info":{"author":"ada",`) ||
		!strings.HasPrefix(lines[2], `{"_id":"b","body":{"speed":70,`) {
		t.Errorf("got %q", lines)
	}
	for _, tt := range []struct{ request, want string }{
		{
			`"format":"csv","body":{"fields":["speed","_id","plate","load.kg","load","on","none.such","_kuzzle_info.author"],"fieldsName":{"speed":"km/h","_id":"truck"}}`,
			"truck,km/h,plate,load.kg,load,on,none.such,_kuzzle_info.author\na,50,\"M-\"\"1\"\"; x\",1e3,[OBJECT],true,,ada\nb,70,,,,,,ada\nc,,,,,,,ada\n",
		},
		{`"format":"CSV","separator":";","body":{"query":{"ids":{"values":["a"]}},"fields":["plate"]}`, "_id;plate\na;\"M-\"\"1\"\"; x\"\n"},
		{`"format":"csv","body":{"query":{"ids":{"values":["none"]}},"fields":[]}`, "_id\n"},
	} {
		if got := w.exported(tt.request); got != tt.want {
			t.Errorf("%s\ngot  %q\nwant %q", tt.request, got, tt.want)
		}
	}
	for _, tt := range []struct{ request, want string }{
		{`"format":"csv"`, `Missing argument \"fields\"`},
		{`"format":"csv","body":{"fields":"speed"}`, "api.assert.invalid_type"},
		{`"format":"csv","body":{"fields":[]},"fieldsName":[]`, "api.assert.invalid_type"},
		{`"format":"csv","separator":"ab","body":{"fields":[]}`, `\"separator\"`},
		{`"format":"csv","separator":"\"","body":{"fields":[]}`, `\"separator\"`},
		{`"format":"xml"`, `\"jsonl\" or \"csv\"`},
		{`"body":{"sort":["speed"]}`, "services.storage.invalid_search_query"},
		{`"body":{"query":{"above":1}}`, "unknown keyword"},
	} {
		if r := w.export(tt.request); r.Stream != nil || !strings.Contains(string(r.Body), tt.want) {
			t.Errorf("%s is answered %s", tt.request, r.Body)
		}
	}
	if r := w.ask(`{"controller":"document","action":"export","index":"fleet","collection":"trucks"}`); r.Status != 501 || r.Stream != nil {
		t.Errorf("over MQTT it is answered %d %s", r.Status, r.Body)
	}
}

// A meddler writes while it is written to.
type meddler struct {
	bytes.Buffer
	meddle func()
}

func (m *meddler) Write(b []byte) (int, error) {
	m.meddle()
	return m.Buffer.Write(b)
}

// What is there all the time is exported once, whatever is written meanwhile, and however
// many documents a search may look at.
func TestAnExportIsWholeUnderWrites(t *testing.T) {
	w := newWorldWith(t, persistence.Options{}, Options{AutoCreate: true, ScanDocuments: 300})
	const documents, step = 2500, 200
	for i := 0; i < documents; i += step {
		var list []string
		for j := i; j < min(i+step, documents); j++ {
			list = append(list, fmt.Sprintf(`{"_id":"%05d","body":{"even":%v}}`, j, j%2 == 0))
		}
		w.ask(`{"controller":"document","action":"mCreate","index":"fleet","collection":"trucks","body":{"documents":[` + strings.Join(list, ",") + `]}}`)
	}
	for _, query := range []string{"{}", `{"equals":{"even":true}}`} {
		n := 0
		out := &meddler{meddle: func() {
			n++
			w.ask(fmt.Sprintf(`{"controller":"document","action":"createOrReplace","index":"fleet","collection":"trucks","_id":"%05d","body":{"even":true}}`, 100*n))
			w.ask(fmt.Sprintf(`{"controller":"document","action":"create","index":"fleet","collection":"trucks","_id":"%05dx","body":{}}`, n))
		}}
		if err := w.export(`"body":{"query":`+query+`}`).Stream(t.Context(), out); err != nil {
			t.Fatal(err)
		}
		last, even := "", 0
		for line := range strings.Lines(out.String()) {
			_, rest, ok := strings.Cut(line, `{"_id":"`)
			if !ok {
				continue
			}
			id, _, _ := strings.Cut(rest, `"`)
			if id <= last {
				t.Fatalf("%s comes behind %s", id, last)
			}
			if last = id; !strings.HasSuffix(id, "x") && strings.Contains(line, `"even":true`) {
				even++
			}
		}
		if even != documents/2 {
			t.Errorf("%s: %d of %d are exported, in %d writes", query, even, documents/2, n)
		}
	}
	gone := errors.New("gone")
	if err := w.export(`"body":{}`).Stream(t.Context(), unwritable{gone}); !errors.Is(err, gone) {
		t.Errorf("an export to nobody ends with %v", err)
	}
}

type unwritable struct{ err error }

func (w unwritable) Write([]byte) (int, error) { return 0, w.err }

var _ io.Writer = unwritable{}
