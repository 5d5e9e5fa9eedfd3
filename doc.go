// Package ambit has no code of its own: it is the root of a module that builds
// the command ambit, an MQTT broker in which a topic can be a filter.
//
// A device publishes JSON on an ordinary topic, fleet/trucks/42. Whoever
// subscribes to
//
//	fleet/trucks/?{"range":{"speed":{"gt":50}}}
//
// is told when a truck comes to match that filter, when it changes and still
// does, and when it no longer does.
//
// Start reading at broker.Start. README.md says how to run it, ARCHITECTURE.md
// how it is made, FILTERS.md what can be asked. Which package may import which
// is written down, and enforced, in deps_test.go.
package ambit
