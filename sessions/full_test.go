package sessions_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/mochi-mqtt/server/v2/packets"

	"github.com/ambitmq/ambit/persistence"
)

// A fullDisk has no space left once it is full.
type fullDisk struct {
	vfs.FS
	full atomic.Bool
}

func (d *fullDisk) GetDiskUsage(string) (vfs.DiskUsage, error) {
	if d.full.Load() {
		return vfs.DiskUsage{}, nil
	}
	return vfs.DiskUsage{AvailBytes: 1 << 40}, nil
}

// What is refused because the disk is full is answered after what was published
// before [MQTT-4.6.0-2].
func TestARefusalForLackOfSpaceKeepsItsPlace(t *testing.T) {
	disk := &fullDisk{FS: vfs.NewMem()}
	n := startNode(t, func(o *options) { o.fs, o.store.MinFreeBytes = disk, 1 })
	p := n.connect(5, "dev", nil)
	disk.full.Store(true)
	waitFor(t, "the disk to be full", func() bool {
		p.publish("fleet/trucks/1", `{"speed":60}`, 1)
		return p.expect(packets.Puback).ReasonCode == packets.ErrQuotaExceeded.Code
	})

	held, release := make(chan struct{}), make(chan struct{})
	goOn := sync.OnceFunc(func() { close(release) })
	defer goOn()
	err := n.store.Append(t.Context(), &persistence.Op{Committed: func(*persistence.Result) { close(held); <-release }})
	if err != nil {
		t.Fatal(err)
	}
	<-held
	p.retain("home/lamp", "", 1) // makes room, and waits for the op that is held
	first := p.id
	second := p.publish("fleet/trucks/2", `{"speed":60}`, 1)
	p.send(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Pingreq}})
	p.expect(packets.Pingresp) // both were read
	goOn()
	if ack := p.expect(packets.Puback); ack.PacketID != first || ack.ReasonCode != 0 {
		t.Errorf("PUBACK %d 0x%02X comes first, want %d", ack.PacketID, ack.ReasonCode, first)
	}
	if ack := p.expect(packets.Puback); ack.PacketID != second || ack.ReasonCode != packets.ErrQuotaExceeded.Code {
		t.Errorf("PUBACK %d 0x%02X comes second, want %d", ack.PacketID, ack.ReasonCode, second)
	}
}
