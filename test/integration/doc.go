// Package integration tests the ambit command as its users meet it: the real
// binary in a process of its own, real sockets, and clients that others wrote.
//
// A promise that any client can be told reads as a script in clients/*.txtar,
// and is run once for every client there is. What needs bytes that no client
// would send is a Go test on a connection of our own, see wire_test.go.
package integration
