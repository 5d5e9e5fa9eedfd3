package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// built are the files of the console, as console/src makes them (make console).
//
//go:embed console/dist
var built embed.FS

// screens are the paths of the console's screens (console/src/screens.ts): each shows the
// same page. Others are not found, so that a wrong path of a health check says so.
var screens = []string{"map", "rooms", "documents", "notifications", "clients", "monitor"}

// policyOfPages allows the page what comes from here, and nothing else.
const policyOfPages = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// contentTypes are those of the console's files, whatever the machine knows of them.
var contentTypes = map[string]string{
	".html":  "text/html; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".css":   "text/css; charset=utf-8",
	".json":  "application/json",
	".svg":   "image/svg+xml",
	".woff2": "font/woff2",
	".md":    "text/markdown; charset=utf-8",
	".txt":   "text/plain; charset=utf-8",
}

// A console serves the files of the console, to everybody: they say nothing of the
// broker. What the page asks passes the door, as the requests of all clients do.
type console struct {
	writeTimeout time.Duration
	files        map[string]*consoleFile // by path
}

// A consoleFile is compressed when it is first asked for.
type consoleFile struct {
	name, kind, tag string
	plain           []byte
	compressed      func() []byte
}

func newConsole(writeTimeout time.Duration) *console {
	const root = "console/dist"
	c := &console{writeTimeout: writeTimeout, files: map[string]*consoleFile{}}
	err := fs.WalkDir(built, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		plain, err := built.ReadFile(name)
		if err != nil {
			return err
		}
		c.files[strings.TrimPrefix(name, root)] = newConsoleFile(path.Base(name), plain)
		return nil
	})
	if err != nil {
		panic(fmt.Sprintf("web: what is embedded cannot be read: %v", err))
	}
	return c
}

func newConsoleFile(name string, plain []byte) *consoleFile {
	sum := sha256.Sum256(plain)
	kind, ok := contentTypes[path.Ext(name)]
	if !ok {
		kind = mime.TypeByExtension(path.Ext(name))
	}
	return &consoleFile{name: name, kind: kind, plain: plain, tag: hex.EncodeToString(sum[:8]), compressed: sync.OnceValue(func() []byte { return compress(plain) })}
}

// compress returns nil where compressing gains nothing.
func compress(plain []byte) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil // there is such a level
	}
	_, _ = w.Write(plain) // a buffer takes all
	_ = w.Close()
	if b.Len() > len(plain)*9/10 {
		return nil
	}
	return b.Bytes()
}

// routes adds the files, and the paths of the screens.
func (c *console) routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /{$}", c.page)
	for _, name := range screens {
		mux.HandleFunc("GET /"+name, c.page)
		mux.HandleFunc("GET /"+name+"/{rest...}", c.page)
	}
	for name, f := range c.files {
		mux.HandleFunc("GET "+name, func(w http.ResponseWriter, r *http.Request) { c.serve(w, r, f) })
	}
}

func (c *console) page(w http.ResponseWriter, r *http.Request) {
	c.serve(w, r, c.files["/index.html"])
}

func (c *console) serve(w http.ResponseWriter, r *http.Request, f *consoleFile) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Content-Security-Policy", policyOfPages)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache") // the tag says whether it is another one
	h.Add("Vary", "Accept-Encoding")
	body, tag := f.plain, f.tag
	if takesGzip(r) {
		if small := f.compressed(); small != nil {
			body, tag = small, f.tag+"-gzip"
			h.Set("Content-Encoding", "gzip")
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	if err := http.NewResponseController(w).SetWriteDeadline(time.Now().Add(c.writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone
	}
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(body))
}

func takesGzip(r *http.Request) bool {
	for _, accepted := range r.Header.Values("Accept-Encoding") {
		for coding := range strings.SplitSeq(accepted, ",") {
			name, quality, _ := strings.Cut(strings.TrimSpace(coding), ";")
			if strings.EqualFold(strings.TrimSpace(name), "gzip") {
				q := strings.TrimSpace(quality)
				return q != "q=0" && q != "q=0.0"
			}
		}
	}
	return false
}
