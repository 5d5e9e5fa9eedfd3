package integration

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A device is one of firmware-examples, which drives past the depot for ever and
// listens to the room @depot.
type device struct {
	name, id string
	// command builds it, and returns what runs it for a broker.
	command func(t *testing.T, host, port string) *exec.Cmd
}

func devices() []device {
	return []device{
		{"posix-c", "c-1", func(t *testing.T, host, port string) *exec.Cmd {
			t.Helper()
			return exec.Command(compileTruck(t), host, port, "c-1", "100000")
		}},
		{"cortex-m3", "m-1", func(t *testing.T, host, port string) *exec.Cmd {
			t.Helper()
			need(t, "qemu-system-arm")
			// The first UART is the broker's, and comes back when the broker does.
			return exec.Command("qemu-system-arm", "-M", "mps2-an385", "-display", "none", "-monitor", "none",
				"-kernel", compileBoard(t, "cortex-m3", "arm-none-eabi-gcc"),
				"-chardev", "socket,id=net,reconnect=1,host="+host+",port="+port, "-serial", "chardev:net", "-serial", "stdio")
		}},
		{"micropython", "p-1", func(t *testing.T, host, port string) *exec.Cmd {
			t.Helper()
			need(t, "node")
			needFile(t, "node/node_modules/@micropython/micropython-webassembly-pyscript/package.json")
			return exec.Command("node", "node/micropython/run.js", host, port, "p-1")
		}},
		{"tinygo", "t-1", func(t *testing.T, host, port string) *exec.Cmd {
			t.Helper()
			truck := filepath.Join(t.TempDir(), "truck")
			if out, err := exec.Command("go", "build", "-o", truck, "../../firmware-examples/tinygo").CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return exec.Command(truck, host+":"+port, "t-1")
		}},
	}
}

// TestEveryDeviceIsToldWhereItIs has each device drive, with a restart of the broker on
// its way: it goes on by itself, and knows again when it enters and leaves.
func TestEveryDeviceIsToldWhereItIs(t *testing.T) {
	for _, d := range devices() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{})
			nameDepot(t, b)
			host, port, _ := strings.Cut(b.mqtt, ":")
			said := runDevice(t, d.command(t, host, port))
			await(t, said, 0, "entered the depot", "left the depot")
			checkTruck(t, b, d.id)
			b.kill()
			b = startBroker(t, brokerOptions{dir: b.dir, mqtt: b.mqtt})
			n := said.count()
			await(t, said, n, "entered the depot", "left the depot")
			checkTruck(t, b, d.id)
			if strings.Contains(said.String(), "fault") {
				t.Errorf("the device says\n%s", said)
			}
		})
	}
}

// nameDepot gives the room of the depot its name, as an operator does.
func nameDepot(t *testing.T, b *broker) {
	t.Helper()
	a := askHTTP(t, b, `{"controller":"room","action":"create","index":"fleet","collection":"trucks","name":"depot",
		"body":{"geoDistance":{"position":{"lat":37.6189,"lon":-122.375},"distance":"1km"}}}`)
	if a.Status != 200 {
		t.Fatalf("%+v", a)
	}
}

// runDevice runs a device until the test ends, and returns what it says.
func runDevice(t *testing.T, cmd *exec.Cmd) *transcript {
	t.Helper()
	said := newTranscript()
	out := &lineWriter{add: said.add}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it runs for ever
		_ = cmd.Wait()                                      // it was killed
		if t.Failed() {
			t.Logf("the device says\n%s", said)
		}
	})
	return said
}

// await waits for lines in this order, from a number on.
func await(t *testing.T, said *transcript, from int, want ...string) {
	t.Helper()
	timeout := time.After(3 * patience)
	for _, line := range want {
		for got := ""; got != line; from++ {
			var ok bool
			if got, ok = said.line(from, nil, timeout); !ok {
				t.Fatalf("the device does not say %q, but\n%s", line, said)
			}
		}
	}
}

// checkTruck checks that a document is one that a truck on its track has written, who
// knows whether it is in the depot.
func checkTruck(t *testing.T, b *broker, id string) {
	t.Helper()
	var doc struct {
		Position struct{ Lat, Lon float64 }
		Speed    *int
	}
	stored := snapshot(t, b, "fleet/trucks", "{}")[id]
	if err := json.Unmarshal([]byte(stored), &doc); err != nil || doc.Position.Lat < 37.6 || doc.Position.Lat > 37.64 || doc.Speed == nil {
		t.Errorf("stored is %s: %v", stored, err)
	}
}

// compileBoard builds the truck without an operating system for a board, and prints how
// much memory it takes.
func compileBoard(t *testing.T, board, compiler string) string {
	t.Helper()
	need(t, compiler)
	need(t, "make")
	build := t.TempDir()
	out, err := exec.Command("make", "-C", "../../firmware-examples/bare-metal", "BUILD="+build, board).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return filepath.Join(build, board, "truck.elf")
}

func TestTheTruckFitsIntoItsBoards(t *testing.T) {
	for _, tt := range []struct {
		board, compiler, size string
		flash, ram            int // bytes that there are, or are enough
	}{
		{"cortex-m3", "arm-none-eabi-gcc", "arm-none-eabi-size", 8 << 10, 2 << 10},
		{"avr", "avr-gcc", "avr-size", 32 << 10, 2<<10 - 512}, // with 512 bytes of stack
		{"riscv", "riscv64-unknown-elf-gcc", "riscv64-unknown-elf-size", 8 << 10, 2 << 10},
	} {
		t.Run(tt.board, func(t *testing.T) {
			elf := compileBoard(t, tt.board, tt.compiler)
			out, err := exec.Command(tt.size, elf).Output()
			if err != nil {
				t.Fatal(err)
			}
			var text, data, bss int
			lines := strings.Split(string(out), "\n")
			if _, err := fmt.Sscan(lines[1], &text, &data, &bss); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			t.Logf("%s: %d bytes of flash, %d of RAM", tt.board, text+data, data+bss)
			if text == 0 || text+data > tt.flash || data+bss > tt.ram {
				t.Errorf("more than %d and %d", tt.flash, tt.ram)
			}
		})
	}
}

// The library and the board are not here: the sketch is checked against what it uses
// of their headers.
func TestTheArduinoSketchCompiles(t *testing.T) {
	need(t, "g++")
	out, err := exec.Command("g++", "-std=c++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
		"-I../../firmware-examples/arduino/stubs", "-x", "c++", "../../firmware-examples/arduino/truck/truck.ino").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestEveryGatewayLosesNothing has gateways read lines, with a broker that is killed and
// started again on the way: every line is a document at the end.
func TestEveryGatewayLosesNothing(t *testing.T) {
	const lines = 400
	for name, command := range map[string]func(t *testing.T, host, port string) *exec.Cmd{
		"gateway-c": func(t *testing.T, host, port string) *exec.Cmd {
			t.Helper()
			need(t, "cc")
			needFile(t, "/usr/include/mosquitto.h")
			program := filepath.Join(t.TempDir(), "gateway")
			out, err := exec.Command("cc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", program,
				"../../firmware-examples/gateway-c/gateway.c", "-lmosquitto", "-lpthread").CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return exec.Command(program, host, port, "gateway-1")
		},
		"gateway-python": func(t *testing.T, host, port string) *exec.Cmd {
			t.Helper()
			python := "/usr/bin/python3" // Debian's, which has Debian's paho
			needFile(t, "/usr/lib/python3/dist-packages/paho/mqtt/client.py")
			return exec.Command(python, "../../firmware-examples/gateway-python/gateway.py", host, port, "gateway-2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := startBroker(t, brokerOptions{})
			host, port, _ := strings.Cut(b.mqtt, ":")
			cmd := command(t, host, port)
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			said := newTranscript()
			cmd.Stderr = &lineWriter{add: said.add}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			write := func(from, to int) {
				for i := from; i < to; i++ {
					fmt.Fprintf(stdin, "g-%d {\"n\":%d}\n", i, i)
				}
			}
			write(0, lines/2)
			await(t, said, 0, "Connection Accepted.")
			b.kill()
			write(lines/2, lines/2+50) // what comes while there is no broker
			b = startBroker(t, brokerOptions{dir: b.dir, mqtt: b.mqtt})
			write(lines/2+50, lines)
			if _, err := fmt.Fprintln(stdin, "no line of a device"); err != nil {
				t.Fatal(err)
			}
			if err := stdin.Close(); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			stored := snapshot(t, b, "fleet/trucks", "{}")
			for i := range lines {
				if got, want := stored[fmt.Sprintf("g-%d", i)], fmt.Sprintf(`{"n":%d}`, i); got != want {
					t.Fatalf("line %d: stored is %q", i, got)
				}
			}
		})
	}
}

// TestEveryExampleSaysHowToUseIt checks that each has a README that says what the issue of
// a device is: wiring, topics, what happens without an acknowledgement, memory.
func TestEveryExampleSaysHowToUseIt(t *testing.T) {
	entries, err := os.ReadDir("../../firmware-examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join("../../firmware-examples", e.Name(), "README.md"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, section := range []string{"Wiring", "Topics", "When something fails", "Memory"} {
			if !regexp.MustCompile(`(?m)^## ` + section + `$`).Match(text) {
				t.Errorf("%s: there is no section %q", e.Name(), section)
			}
		}
	}
}
