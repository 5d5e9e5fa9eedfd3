// Package pocketbase runs npm pocketbase, unmodified, against a running broker in Node.js: records,
// signing in, and what PocketBase's guides show of realtime, with MQTT and curl beside it.
package pocketbase
