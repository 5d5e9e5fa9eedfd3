package client

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/packets"
)

// A doorkeeper lets clients in, or not, and ends their connections when it is told to.
type doorkeeper struct {
	answers   chan byte   // the reason codes of its CONNACKs, in order
	passwords chan string // with which it was asked
	end       chan struct{}
}

func startDoorkeeper(t *testing.T) (*doorkeeper, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &doorkeeper{make(chan byte, 10), make(chan string, 10), make(chan struct{})}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p := &peer{t, conn}
			if connect, ok := p.read().(*packets.Connect); ok {
				d.passwords <- string(connect.Password)
				code := <-d.answers
				p.write(&packets.Connack{ReasonCode: code, Properties: &packets.Properties{}})
				if code == 0 {
					<-d.end
				}
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close() })
	return d, l.Addr().String()
}

func TestThePasswordIsAskedForEachConnection(t *testing.T) {
	d, address := startDoorkeeper(t)
	asked, errNoToken := 0, errors.New("no token today")
	errs := make(chan error, 10)
	password := func(context.Context) (string, error) {
		switch asked++; asked {
		case 2:
			return "", errNoToken
		case 6, 7, 8:
			return "the same", nil
		}
		return strconv.Itoa(asked), nil
	}
	comesWith := func(want string) {
		t.Helper()
		if got := receive(t, d.passwords); got != want {
			t.Fatalf("it comes with %q, want %q", got, want)
		}
	}
	d.answers <- 0
	a, err := Connect(t.Context(), Options{Broker: address, PasswordFunc: password, ReconnectWait: time.Millisecond}, func(err error) { errs <- err })
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	comesWith("1")
	d.end <- struct{}{}
	if err := receive(t, errs); !errors.Is(err, errNoToken) {
		t.Errorf("a password that is not there: %v", err)
	}
	comesWith("3")
	d.answers <- 0x87
	refused := (*RefusedError)(nil)
	if err := receive(t, errs); !errors.As(err, &refused) {
		t.Errorf("a password that is refused: %v", err)
	}
	comesWith("5") // the fourth one is another than that which was refused
	d.answers <- 0
	d.end <- struct{}{}
	comesWith("the same")
	d.answers <- 0x87
	if err := receive(t, errs); !errors.As(err, &refused) {
		t.Errorf("a password that is refused: %v", err)
	}
	if err := a.Publish(t.Context(), Message{Topic: "t"}); !errors.As(err, &refused) {
		t.Errorf("afterwards: %v, want that it is refused for good", err)
	}
}
