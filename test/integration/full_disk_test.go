package integration

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// smallDisk mounts a file system of 64 MiB in memory until the test ends, which
// takes root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("ambit-test", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Skipf("no file system can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

const keepsFree = "store: {min_free_bytes: 16777216}"

// On a disk that is almost full, documents and retained messages are refused in the
// strongest way there is; reads and live messages go on. When there is space
// again, writes are accepted without a restart.
func TestOnAFullDiskOnlyWritesAreRefused(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	b := startBroker(t, brokerOptions{dir: filepath.Join(disk, "store"), config: keepsFree})
	v5 := connect(t, b, connectOptions{v5: true})
	v5.put(t, "fleet/trucks/1", `{"speed":60}`)
	live := connect(t, b, connectOptions{})
	live.subscribe(t, "home/lamp")
	filler := filepath.Join(disk, "filler")
	fillDisk(t, filler)
	eventually(t, "a document is refused", func() bool {
		a := v5.publish(t, message{topic: "fleet/trucks/2", payload: []byte(`{"speed":70}`), qos: 1})
		return a.code == 0x97 && a.reason != ""
	})
	for qos := byte(1); qos <= 2; qos++ {
		if a := v5.publish(t, message{topic: "home/door", payload: []byte("open"), qos: qos, retain: true}); a.code != 0x97 {
			t.Errorf("a retained message at QoS %d is answered with %#x", qos, a.code)
		}
	}
	v3 := connect(t, b, connectOptions{})
	v3.send(t, publishPacket(message{topic: "fleet/trucks/2", payload: []byte(`{"speed":70}`), qos: 1, id: 1}, false))
	v3.awaitEnd(t)

	v5.publish(t, message{topic: "home/lamp", payload: []byte("on"), qos: 1})
	live.until(t, "on")
	if got := snapshot(t, b, "fleet/trucks", "{}")["1"]; got != `{"speed":60}` {
		t.Errorf("document 1 reads %q", got)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a document is accepted again", func() bool {
		return v5.publish(t, message{topic: "fleet/trucks/2", payload: []byte(`{"speed":80}`), qos: 1}).code == 0
	})
	b.kill()
	b = b.restart(t)
	if got := snapshot(t, b, "fleet/trucks", "{}")["2"]; got != `{"speed":80}` {
		t.Errorf("document 2 reads %q after a restart", got)
	}
}

// fillDisk leaves next to nothing of what the broker wants to keep free.
func fillDisk(t *testing.T, name string) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for block := make([]byte, 1<<20); ; {
		var free syscall.Statfs_t
		if err := syscall.Statfs(filepath.Dir(name), &free); err != nil {
			t.Fatal(err)
		}
		if free.Bavail*uint64(free.Bsize) < 10<<20 {
			return
		}
		if _, err := file.Write(block); err != nil {
			t.Fatal(err)
		}
	}
}

// Documents that come as fast as the broker takes them do not get past the
// watermark: it neither ends nor hangs, and has all that it acknowledged.
func TestAFloodStopsAtTheWatermarkOfTheDisk(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t)
	b := startBroker(t, brokerOptions{dir: filepath.Join(disk, "store"), config: keepsFree})
	w := connect(t, b, connectOptions{v5: true})
	body := func(n int) []byte {
		return fmt.Appendf(nil, `{"n":%d,"pad":%q}`, n, bytes.Repeat([]byte("x"), 50_000))
	}
	const window, most = 64, 10_000
	acked, refused := map[int]bool{}, 0
	for n, awaited := 0, 0; refused == 0; {
		for ; n < most && n-awaited < window; n++ {
			w.send(t, publishPacket(message{topic: fmt.Sprint("fleet/trucks/", n), payload: body(n), qos: 1, id: packetID(n)}, true))
		}
		a := w.answer(t, w.await(t, typePuback), packetID(awaited))
		switch a.code {
		case 0:
			acked[awaited] = true
		case 0x97:
			refused++
		default:
			t.Fatalf("document %d: %#x %s", awaited, a.code, a.reason)
		}
		if awaited++; awaited == most {
			t.Fatal("nothing is refused")
		}
	}
	if got := snapshot(t, b, "fleet/trucks", `{"equals":{"n":1}}`); len(got) != 1 {
		t.Errorf("%d documents match instead of 1", len(got))
	}
	b.kill()
	b = startBroker(t, brokerOptions{dir: b.dir, config: keepsFree})
	stored := snapshot(t, b, "fleet/trucks", "{}")
	for n := range acked {
		if _, ok := stored[fmt.Sprint(n)]; !ok {
			t.Errorf("document %d was acknowledged, and is lost", n)
		}
	}
	t.Logf("%d documents were acknowledged", len(acked))
}
