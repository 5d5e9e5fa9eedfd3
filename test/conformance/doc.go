// Package conformance tests an MQTT server statement by statement: every
// numbered statement of MQTT 5.0 and of MQTT 3.1.1 has a line in a table, with
// the test of it, or the reason why a server cannot be tested for it.
//
// The tests speak in bytes over a connection of their own, so that they trust
// no codec, and know nothing of the server but its address. By default that is
// an Ambit in the same process; the variable AMBIT_CONFORMANCE_ADDR names any
// other server, which lets clients in without signing in, and
// AMBIT_CONFORMANCE_WEBSOCKET the URL of its WebSocket listener.
//
// docs/conformance.md is written from the table by -rewrite.
package conformance
