package broker

import (
	"fmt"
	"strings"

	"github.com/ambitmq/ambit/filter"
	"github.com/ambitmq/ambit/rooms"
	"github.com/ambitmq/ambit/topics"
)

// A RoomName is a name of a room that is there at every start, and that requests do
// not change.
type RoomName struct {
	// Name is "<index>/<collection>/@<name>": what is subscribed to.
	Name string `mapstructure:"name"`
	// Filter is the filter that it points to, as JSON text.
	Filter string `mapstructure:"filter"`
}

// roomNames returns the names of valid settings.
func roomNames(c Config) []rooms.Name {
	var all []rooms.Name
	for _, r := range c.Rooms {
		n, _ := r.compile(c) // Validate has looked at each
		all = append(all, n)
	}
	return all
}

// compile returns what is meant by a name. The error begins with the key of the setting
// that is at fault.
func (r RoomName) compile(c Config) (rooms.Name, error) {
	index, collection, name, err := topics.ParseRoomName(r.Name)
	if err != nil {
		return rooms.Name{}, fmt.Errorf("name: %w", err)
	}
	f, err := filter.ParseWithin([]byte(r.Filter), filterLimits(c))
	if err != nil {
		return rooms.Name{}, fmt.Errorf("filter: %w", err)
	}
	return rooms.Name{Index: index, Collection: collection, Name: name, Filter: f, Configured: true}, nil
}

func (c Config) checkRooms(k *check) {
	seen := map[string]bool{}
	for i, r := range c.Rooms {
		key := fmt.Sprintf("rooms[%d]", i)
		if _, err := r.compile(c); err != nil {
			*k.faults = append(*k.faults, fmt.Errorf("%s.%w", key, err))
		}
		if name := strings.TrimSpace(r.Name); seen[name] {
			k := k.in(key)
			k.bad("name", quoted(r.Name), "a name that is given once")
		}
		seen[strings.TrimSpace(r.Name)] = true
	}
}

func filterLimits(c Config) filter.Limits {
	return filter.Limits{
		Bytes: c.Limits.FilterBytes, Depth: c.Limits.FilterDepth, Cost: c.Limits.FilterCost,
		Values: c.Limits.FilterValues, Vertices: c.Limits.FilterVertices,
		PatternBytes: c.Limits.FilterPatternBytes, Instructions: c.Limits.FilterInstructions,
	}
}
