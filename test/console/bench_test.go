package console

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// The load of BenchmarkMap.
const (
	movers     = 10_000
	perSecond  = 10
	publishers = 4
)

// BenchmarkMap shows 10,000 documents, each of which moves ten times a second, on the live
// map in Chromium, in another visible area each second. The target is 30 frames a second
// and 300 MB in the tab. It prints what test/bench.js has measured:
//
//	go test -run '^$' -bench Map -benchtime 1x ./test/console
func BenchmarkMap(b *testing.B) {
	needPackages(b)
	chromium := need(b, "chromium")
	for range b.N {
		br := startBroker(b, "collections: [{name: fleet/trucks, ephemeral: true}]")
		stop, done := make(chan struct{}), sync.WaitGroup{}
		var published [publishers]int
		for i := range publishers {
			done.Go(func() { published[i] = drive(b, br.mqtt, i, stop) })
		}
		begun := time.Now()
		lines := runScript(b, br, "test/run.js", "bench", br.http, br.mqtt, chromium, b.TempDir(), fmt.Sprint(movers))
		close(stop)
		done.Wait()
		sum := 0
		for _, n := range published {
			sum += n
		}
		b.Logf("published %.0f a second\n%s", float64(sum)/time.Since(begun).Seconds(), strings.Join(lines, "\n"))
	}
}

// drive moves a part of the documents until it is told to stop, and returns how often it
// has published.
func drive(b *testing.B, address string, part int, stop chan struct{}) (published int) {
	b.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Error(err)
		return 0
	}
	defer func() { _ = conn.Close() }() // what it has sent is all that counts
	name := fmt.Sprintf("driver-%d", part)
	connect := append([]byte{0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 0}, text(name)...)
	if _, err := conn.Write(packet(0x10, connect)); err != nil {
		b.Error(err)
		return 0
	}
	go func() { _, _ = io.Copy(io.Discard, conn) }() // it ends with the connection
	const n = movers / publishers
	random := rand.New(rand.NewPCG(1, uint64(part)))
	var lat, lon, heading [n]float64
	for i := range n {
		lat[i], lon[i], heading[i] = 40+15*random.Float64(), 20*random.Float64(), 2*math.Pi*random.Float64()
	}
	const slices = 10 // of a round, so that there is no burst
	ticks := time.NewTicker(time.Second / perSecond / slices)
	defer ticks.Stop()
	for round := 0; ; round++ {
		select {
		case <-stop:
			return published
		case <-ticks.C:
		}
		var batch bytes.Buffer
		for i := round % slices; i < n; i += slices {
			lat[i] += 0.01 * math.Sin(heading[i])
			lon[i] += 0.01 * math.Cos(heading[i])
			body := fmt.Sprintf(`{"position":{"lat":%.6f,"lon":%.6f},"speed":%d}`, lat[i], lon[i], i%120)
			batch.Write(packet(0x30, append(text(fmt.Sprintf("fleet/trucks/%d", part*n+i)), body...)))
			published++
		}
		if _, err := conn.Write(batch.Bytes()); err != nil {
			return published // the broker was ended
		}
	}
}

// text returns a string as packets have it.
func text(s string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(s))), s...)
}

// packet returns a packet with its header.
func packet(kind byte, body []byte) []byte {
	return append(binary.AppendUvarint([]byte{kind}, uint64(len(body))), body...)
}
