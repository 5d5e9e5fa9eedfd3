package broker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"syscall"
)

// listenUnix listens at a Unix socket. One that a process has left behind is
// replaced; it is removed when the listener is closed.
func listenUnix(ctx context.Context, settings Listener) (net.Listener, error) {
	if err := removeStale(ctx, settings.Address); err != nil {
		return nil, err
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "unix", settings.Address)
	if err != nil {
		return nil, err
	}
	mode, err := settings.permissions()
	if err == nil && mode != 0 {
		err = os.Chmod(settings.Address, fs.FileMode(mode))
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// removeStale removes a Unix socket at which nobody answers. What is no socket,
// or in use, is left alone and reported.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there, and is not a socket", path)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	switch {
	case err == nil:
		_ = c.Close() // nothing was said
		return fmt.Errorf("%s: address already in use", path)
	case errors.Is(err, syscall.ECONNREFUSED):
		return os.Remove(path)
	}
	return err
}
