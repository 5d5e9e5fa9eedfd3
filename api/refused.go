package api

const (
	noMappings       = "there are no mappings, filters and sorts take any field"
	noSpecifications = "there are no specifications"
)

// refused says of actions that Kuzzle has why they are not here.
func refused(controller, action string) (why string, ok bool) {
	switch controller + ":" + action {
	case "collection:getMapping", "collection:update", "collection:updateMapping", "collection:getSettings":
		return noMappings, true
	case "collection:getSpecifications", "collection:updateSpecifications", "collection:validateSpecifications",
		"collection:deleteSpecifications", "collection:searchSpecifications", "collection:scrollSpecifications":
		return noSpecifications, true
	case "document:scroll":
		return "document:search takes the cursor of its last answer", true
	case "realtime:unsubscribe":
		return "an MQTT client leaves a room by an UNSUBSCRIBE from its channel", true
	}
	return "", false
}
