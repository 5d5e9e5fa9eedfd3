// Package sdk tests the clients for programs against a running broker: the Go client, and
// the JavaScript one in Node.js and in Chromium, with the same scenarios.
package sdk
