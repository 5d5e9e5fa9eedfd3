//go:build !tinygo

package main

import (
	"fmt"
	"net"
	"os"
	"time"
)

// answerTime is how long the broker may take to answer.
const answerTime = 10 * time.Second

// A socket is a connection whose Read ends in time.
type socket struct{ net.Conn }

func (s socket) Read(b []byte) (int, error) {
	if err := s.SetReadDeadline(time.Now().Add(answerTime)); err != nil {
		return 0, err
	}
	return s.Conn.Read(b)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintf(os.Stderr, "usage: %s HOST:PORT ID\n", os.Args[0])
		os.Exit(2)
	}
	t := &truck{name: os.Args[2], say: func(text string) { fmt.Println(text) }}
	for i := 0; ; time.Sleep(500 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", os.Args[1], answerTime)
		if err == nil {
			t.conn = socket{conn}
			i, err = t.drive(i, 100*time.Millisecond)
			_ = conn.Close() // it is lost
		}
		fmt.Fprintln(os.Stderr, "lost:", err)
	}
}
