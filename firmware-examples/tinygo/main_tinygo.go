//go:build tinygo

package main

import (
	"errors"
	"machine"
	"time"
)

// id is the name of this truck.
const id = "t-1"

var errSilence = errors.New("nothing came in time")

// A uart is one that a modem or a network chip bridges to the broker's TCP port.
type uart struct{ *machine.UART }

func (u uart) Read(b []byte) (int, error) {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if u.Buffered() > 0 {
			return u.UART.Read(b)
		}
	}
	return 0, errSilence
}

func main() {
	_ = machine.UART0.Configure(machine.UARTConfig{BaudRate: 115200})
	t := &truck{name: id, say: func(text string) { println(text) }}
	t.conn = uart{machine.UART0}
	for i := 0; ; time.Sleep(3 * time.Second) {
		i, _ = t.drive(i, time.Minute) // what is lost is tried again
	}
}
