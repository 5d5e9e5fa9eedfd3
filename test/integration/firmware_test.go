package integration

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// compileTruck builds firmware-examples/posix-c as its README says, and stricter.
func compileTruck(t *testing.T) string {
	t.Helper()
	need(t, "cc")
	truck := filepath.Join(t.TempDir(), "truck")
	sources, err := filepath.Glob("../../firmware-examples/posix-c/*.c")
	if err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", truck}, sources...)
	if out, err := exec.Command("cc", args...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return truck
}

func TestTheTruckOfPosixCEntersAndLeavesTheDepot(t *testing.T) {
	truck := compileTruck(t)
	b := startBroker(t, brokerOptions{})
	for range 2 { // a second time, over the document of the first
		got, err := runTruck(t, truck, b, "c-1")
		if want := "entered the depot\nleft the depot\n"; err != nil || got != want {
			t.Errorf("printed %q, want %q; %v", got, want, err)
		}
		stored := snapshot(t, b, "fleet/trucks", "{}")
		if got, want := stored["c-1"], `{"position":{"lat":37.6010,"lon":-122.3500},"speed":91}`; got != want {
			t.Errorf("stored is %s, want %s", got, want)
		}
	}
}

// What does not fit into the device's packets is refused by its own client.
func TestTheTruckOfPosixCKnowsTheSizeOfItsPackets(t *testing.T) {
	b := startBroker(t, brokerOptions{})
	out, err := runTruck(t, compileTruck(t), b, strings.Repeat("x", 60))
	if err == nil || out != "failed: -1\n" {
		t.Errorf("printed %q, %v", out, err)
	}
}

func runTruck(t *testing.T, truck string, b *broker, id string) (string, error) {
	t.Helper()
	host, port, err := net.SplitHostPort(b.mqtt)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(truck, host, port, id).CombinedOutput()
	return string(out), err
}
