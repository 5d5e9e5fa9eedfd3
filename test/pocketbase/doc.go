// Package pocketbase runs npm pocketbase, unmodified, against a running broker in Node.js and in Chromium: records,
// signing in, and what PocketBase's guides show of realtime, with MQTT beside it; rooms by EventSource and fetch; and a room that clients of all protocols are in.
package pocketbase
