package mappings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/ambitmq/ambit/jsonobject"
)

// AllFences stands for every name of the collection in [Mapping.Fences].
const AllFences = "*"

// A Transition says that a document has entered a fence, or left it.
type Transition struct {
	// Fence is its name, and Since the time from when it is there.
	Fence string
	Since time.Time
	// Enters says that it has entered, and At when the broker got to know.
	Enters bool
	At     time.Time
}

// Watches says whether devices are to be told of transitions of the documents of a collection.
func (t *Table) Watches(index, collection string) bool {
	return t != nil && slices.ContainsFunc(t.rules, func(r *rule) bool {
		return len(r.Fences) > 0 && r.Index == index && r.Collection == collection
	})
}

// Transition returns the message by which the device that a document is of is told of a
// transition, and false if it is told of none. Which device that is, the members say that are
// the variables of the topic; they count only if the document's id is made of the same.
func (t *Table) Transition(index, collection, id string, body []byte, of Transition) (topic string, payload []byte, ok bool) {
	members, err := jsonobject.Members(body)
	if err != nil {
		return "", nil, false
	}
	for _, r := range t.rules {
		told := slices.Contains(r.Fences, of.Fence) || slices.Contains(r.Fences, AllFences)
		if !told || r.Index != index || r.Collection != collection {
			continue
		}
		variables, ok := r.variablesIn(members)
		if ok && strings.NewReplacer(variables...).Replace(r.ID) == id {
			return strings.NewReplacer(variables...).Replace(r.Topic) + "/event", transitionPayload(members, of), true
		}
	}
	return "", nil, false
}

// variablesIn returns the variables of the topic, and the texts that the members of a
// document of their names have: each a level of a topic.
func (r *rule) variablesIn(members []jsonobject.Member) ([]string, bool) {
	var all []string
	for _, level := range r.levels {
		name, isVariable := variable(level)
		if !isVariable {
			continue
		}
		text, err := jsontext.AppendUnquote(nil, lookup(members, []string{name}))
		if err != nil || len(text) == 0 || strings.ContainsAny(string(text), "/+#\x00") {
			return nil, false
		}
		all = append(all, level, string(text))
	}
	return all, true
}

// transitionPayload returns the message as OwnTracks has it (owntracks.org/booklet, JSON):
// t is c, for a region that is none of a beacon; wtst is the time of the region.
func transitionPayload(members []jsonobject.Member, of Transition) []byte {
	event := "leave"
	if of.Enters {
		event = "enter"
	}
	name, err := jsontext.AppendQuote(nil, of.Fence)
	if err != nil {
		name = []byte(`""`) // names are UTF-8
	}
	b := fmt.Appendf(nil, `{"_type":"transition","event":"%s","desc":%s,"t":"c","wtst":%d`, event, name, of.Since.Unix())
	tst := lookup(members, []string{"tst"})
	if tst == nil {
		tst = strconv.AppendInt(nil, of.At.Unix(), 10)
	}
	b = append(append(b, `,"tst":`...), tst...)
	for _, key := range []string{"lat", "lon", "acc", "tid"} {
		if value := lookup(members, []string{key}); value != nil {
			b = append(append(append(append(b, `,"`...), key...), `":`...), value...)
		}
	}
	return append(b, '}')
}
