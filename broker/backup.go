package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/ambitmq/ambit/persistence"
	"github.com/ambitmq/ambit/rooms"
)

// What is told of backups and checks are the store's own words.
type (
	BackupProgress = persistence.BackupProgress
	BackupResult   = persistence.BackupResult
	BackupMade     = persistence.Backup
	Report         = persistence.Report
)

// Backup makes a backup of the store of cfg in dir; see
// [persistence.Store.Backup]. The broker that runs on the store makes it, if
// there is one.
func Backup(ctx context.Context, cfg Config, dir string, told func(BackupProgress)) (r BackupResult, err error) {
	if dir, err = filepath.Abs(dir); err != nil { // the broker may be elsewhere
		return r, err
	}
	err = withStore(ctx, cfg, func(s *persistence.Store) error {
		r, err = s.Backup(ctx, dir, told)
		return err
	}, func(c *http.Client) error {
		return ask(ctx, c, http.MethodPost, "/backup?dir="+url.QueryEscape(dir), func(e controlEvent) {
			if e.Progress != nil && told != nil {
				told(*e.Progress)
			}
			if e.Backup != nil {
				r = *e.Backup
			}
		})
	})
	return r, err
}

// WriteBackup writes a backup of the store of cfg to w, as a tar. It is as
// [Backup] else.
func WriteBackup(ctx context.Context, cfg Config, w io.Writer) (r BackupResult, err error) {
	err = withStore(ctx, cfg, func(s *persistence.Store) error {
		r, err = s.WriteBackup(ctx, w)
		return err
	}, func(c *http.Client) error {
		answer, err := request(ctx, c, http.MethodGet, "/backup")
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }() // it was read to its end, or is given up
		if _, err := io.Copy(w, answer.Body); err != nil {
			return fmt.Errorf("the broker's backup ended early; its log says why: %w", err)
		}
		return json.Unmarshal([]byte(answer.Trailer.Get(controlTrailer)), &r)
	})
	return r, err
}

// Check reads all of the store of cfg, or of the backup that is its data
// directory; see [persistence.Store.Check].
func Check(ctx context.Context, cfg Config) (r *Report, err error) {
	c, err := dialControl(ctx, cfg.Data)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return persistence.Check(ctx, cfg.Data, persistence.Options{Terms: rooms.Terms})
	}
	defer c.CloseIdleConnections()
	err = ask(ctx, c, http.MethodGet, "/check", func(e controlEvent) { r = e.Report })
	return r, err
}

// Restore makes a store of a backup in the directory data; see
// [persistence.Restore].
func Restore(ctx context.Context, backup, data string) (*BackupMade, error) {
	return persistence.Restore(ctx, backup, data, persistence.Options{})
}

// RestoreTar is [Restore] of a tar.
func RestoreTar(ctx context.Context, backup io.Reader, data string) (*BackupMade, error) {
	return persistence.RestoreTar(ctx, backup, data, persistence.Options{})
}

// withStore calls running with a client of the broker that runs on the store of
// cfg, or stopped with the store if there is none.
func withStore(ctx context.Context, cfg Config, stopped func(*persistence.Store) error, running func(*http.Client) error) error {
	c, err := dialControl(ctx, cfg.Data)
	if err != nil {
		return err
	}
	if c != nil {
		defer c.CloseIdleConnections()
		return running(c)
	}
	o := storeOptions(cfg, slog.New(slog.DiscardHandler))
	o.MustExist, o.KeepIndexes = true, true
	s, err := persistence.Open(cfg.Data, o)
	if err != nil {
		return err
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for range s.Tail() { // there is nothing in it
		}
	}()
	err = errors.Join(stopped(s), s.Close())
	<-drained
	return err
}

func storeOptions(cfg Config, log *slog.Logger) persistence.Options {
	return persistence.Options{
		LogAge: cfg.Store.LogAge, LogBytes: cfg.Store.LogBytes,
		EphemeralBytes: cfg.Store.EphemeralBytes, MinFreeBytes: cfg.Store.MinFreeBytes, Log: log,
		Indexes: cfg.indexes(), Terms: rooms.Terms,
		PerUser: persistence.Holding{Documents: int64(cfg.Quotas.UserDocuments), Bytes: cfg.Quotas.UserBytes},
	}
}

// dialControl returns a client of the control socket, or nil if nobody serves
// it.
func dialControl(ctx context.Context, data string) (*http.Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, release, err := controlPath(data)
		if err != nil {
			return nil, err
		}
		defer release()
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	}
	conn, err := dial(ctx, "", "")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("control socket of the broker: %w", err)
	}
	_ = conn.Close() // nothing was said
	return &http.Client{Transport: &http.Transport{DialContext: dial}}, nil
}

// request sends a request, and returns the answer if it is a good one.
func request(ctx context.Context, c *http.Client, method, target string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, "http://control"+target, nil)
	if err != nil {
		return nil, err
	}
	answer, err := c.Do(r)
	if err != nil {
		return nil, fmt.Errorf("control socket of the broker: %w", errors.Unwrap(err))
	}
	if answer.StatusCode != http.StatusOK {
		text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		return nil, errors.Join(fmt.Errorf("the broker answers %s: %s", answer.Status, strings.TrimSpace(string(text))), err, answer.Body.Close())
	}
	return answer, nil
}

// ask sends a request whose answer are events.
func ask(ctx context.Context, c *http.Client, method, target string, each func(controlEvent)) error {
	answer, err := request(ctx, c, method, target)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // it was read to its end, or is given up
	for in := json.NewDecoder(answer.Body); ; {
		var e controlEvent
		if err := in.Decode(&e); err != nil {
			return fmt.Errorf("the broker has not finished: %w", err)
		}
		switch {
		case e.Error != "":
			return errors.New(e.Error)
		case e.Progress != nil:
			each(e)
		case e.Backup != nil, e.Report != nil:
			each(e)
			return nil
		default:
			return errors.New("the broker is of another version: its answer is not understood")
		}
	}
}
