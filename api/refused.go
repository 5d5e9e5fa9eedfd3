package api

const (
	noMappings       = "there are no mappings, filters and sorts take any field"
	noSpecifications = "there are no specifications"
)

// refused says of actions that Kuzzle has why they are not here.
func refused(controller, action string) (why string, ok bool) {
	switch controller + ":" + action {
	case "collection:update", "collection:updateMapping":
		return noMappings, true
	case "collection:updateSpecifications", "collection:validateSpecifications", "collection:scrollSpecifications":
		return noSpecifications, true
	case "auth:createMyCredentials", "auth:deleteMyCredentials":
		return "who has a password, and who has none, is said by whoever runs the broker, with ambit passwd", true
	case "auth:getMyRights":
		return "rights are those of the policy of the broker: see ambit access explain", true
	case "server:getConfig":
		return "the settings are those of whoever runs the broker", true
	case "server:getStats", "server:getLastStats", "server:getAllStats", "server:metrics":
		return "statistics are told on $SYS/broker/#", true
	case "server:capabilities", "server:openapi":
		return "server:publicApi lists the actions", true
	}
	return "", false
}
