// Package kuzzle runs npm kuzzle-sdk, unmodified, against a running broker, in Node.js and in
// Chromium: every action that Ambit has, what Kuzzle's guides show of realtime, and MQTT beside it.
package kuzzle
