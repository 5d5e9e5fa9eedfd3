// Package pocketbase runs npm pocketbase, unmodified, against a running broker in Node.js and in Chromium: records,
// signing in, and what PocketBase's guides show of realtime, with MQTT beside it; and rooms by EventSource and fetch.
package pocketbase
