package rooms

import (
	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/persistence"
)

// Terms says under which terms a stored document is found in search indexes, by their
// [filter.Index.Name]. What cannot be read is found nowhere.
func Terms(doc *persistence.Document, names []string, add func(place int, term []byte)) {
	d, err := Prepare(doc)
	if err != nil {
		return
	}
	for place, name := range names {
		if x, ok := filter.IndexNamed(name); ok {
			x.Terms(d, func(term []byte) { add(place, term) })
		}
	}
}

var _ persistence.Terms = Terms
