package api

import (
	"maps"
	"slices"
	"time"
)

// serverActions is the table of the controller server.
func serverActions() map[string]action {
	return map[string]action{
		"now": now, "info": info, "healthCheck": healthCheck,
		"adminExists": adminExists, "publicApi": publicAPI, "reload": reload,
	}
}

// now returns the time in milliseconds since 1970.
func now(c *call) (any, error) {
	return struct {
		Now int64 `json:"now"`
	}{c.now.UnixMilli()}, nil
}

// info says what runs, where it listens, and which actions there are.
func info(c *call) (any, error) {
	actions := map[string][]string{}
	for controller, all := range c.actions {
		actions[controller] = slices.Sorted(maps.Keys(all))
	}
	type about struct {
		Version   string              `json:"version"`
		Node      string              `json:"node"`
		Uptime    float64             `json:"uptime"`
		Rooms     int                 `json:"rooms"`
		Listeners []Listener          `json:"listeners"`
		Actions   map[string][]string `json:"actions"`
	}
	var answer struct {
		ServerInfo struct {
			Ambit about `json:"ambit"`
		} `json:"serverInfo"`
	}
	answer.ServerInfo.Ambit = about{c.opts.Version, c.store.NodeID(), time.Since(c.started).Seconds(), c.rooms.Len(), append([]Listener{}, c.opts.Listeners...), actions}
	return answer, nil
}

// healthCheck sends an operation through the whole pipeline.
func healthCheck(c *call) (any, error) {
	type services struct {
		Storage string `json:"storage"`
	}
	if err := c.record(); err != nil {
		return nil, unavailable.with("the store does not answer: " + c.errorOf(err).Message)
	}
	return struct {
		Status   string   `json:"status"`
		Services services `json:"services"`
	}{"green", services{"green"}}, nil
}

// adminExists says whether anybody may do everything: who runs the broker may.
func adminExists(*call) (any, error) {
	return struct {
		Exists bool `json:"exists"`
	}{true}, nil
}

// publicAPI lists the actions by controller, with how they are asked over HTTP.
func publicAPI(c *call) (any, error) {
	type route struct {
		Verb string `json:"verb"`
		URL  string `json:"url"`
	}
	type entry struct {
		Controller string  `json:"controller"`
		Action     string  `json:"action"`
		HTTP       []route `json:"http"`
	}
	all := map[string]map[string]entry{}
	for controller, actions := range c.actions {
		all[controller] = map[string]entry{}
		for name := range actions {
			all[controller][name] = entry{controller, name, []route{{"POST", "/api/" + controller + "/" + name}}}
		}
	}
	return all, nil
}
