package api

import (
	"bytes"
	"encoding/json"
)

// mapped looks at what a collection is to be created with. Mappings that say how fields are indexed
// are not needed, and the answer says so; one that would have documents refused is.
func (c *call) mapped(body map[string]json.RawMessage) error {
	mapping := body
	if raw, ok := body["mappings"]; ok {
		mapping = nil
		if json.Unmarshal(raw, &mapping) != nil {
			return invalidType.with("body.mappings", "object")
		}
	}
	dynamic := string(bytes.Trim(mapping["dynamic"], `"`))
	if dynamic == "strict" || dynamic == "false" {
		return notSupported.with(c.Controller, c.Action, `"dynamic" can only be "true": `+noMappings)
	}
	for _, name := range []string{"mappings", "properties", "_meta", "settings"} {
		if raw, ok := body[name]; ok && string(raw) != "{}" {
			c.warn("%q has no meaning: %s", name, noMappings)
		}
	}
	return nil
}

// getSpecifications finds none.
func getSpecifications(c *call) (any, error) {
	if err := c.collection(); err != nil {
		return nil, err
	}
	return nil, noSpecification.with(c.Index, c.Collection)
}

// deleteSpecifications has nothing to do.
func deleteSpecifications(c *call) (any, error) { return acknowledgement{true}, c.collection() }

// searchSpecifications finds none.
func searchSpecifications(*call) (any, error) {
	return struct {
		Hits  []struct{} `json:"hits"`
		Total int        `json:"total"`
	}{[]struct{}{}, 0}, nil
}
