// Command ambit runs an MQTT broker in which a topic can be a filter, and the
// small tools around it: publish, subscribe, replay a recorded fleet, watch a
// simulated one.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
