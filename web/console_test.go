package web

import (
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/ambitmq/ambit/access"
)

// fetch makes a request for a page, and returns the answer with its body, unpacked.
func fetch(t *testing.T, url string, header map[string]string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		r.Header.Set(name, value)
	}
	response, err := (&http.Transport{DisableCompression: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body := io.Reader(response.Body)
	if response.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			t.Fatal(err)
		}
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func TestTheConsoleIsServed(t *testing.T) {
	server := serve(t, &access.Door{}, "192.0.2.1:1234", options()) // to everybody: it says nothing of the broker
	for _, tt := range []struct {
		path, kind string
		status     int
	}{
		{"/", "text/html; charset=utf-8", 200},
		{"/map", "text/html; charset=utf-8", 200},
		{"/documents/fleet/trucks", "text/html; charset=utf-8", 200},
		{"/index.html", "text/html; charset=utf-8", 200},
		{"/assets/index.js", "text/javascript; charset=utf-8", 200},
		{"/assets/index.css", "text/css; charset=utf-8", 200},
		{"/assets/countries-110m.json", "application/json", 200},
		{"/assets/ibm-plex-sans-latin-400-normal.woff2", "font/woff2", 200},
		{"/icon.svg", "image/svg+xml", 200},
		{"/licenses.md", "text/markdown; charset=utf-8", 200},
		{"/health", "text/plain; charset=utf-8", 404},
		{"/assets/", "text/plain; charset=utf-8", 404},
		{"/mapp", "text/plain; charset=utf-8", 404},
	} {
		t.Run(tt.path, func(t *testing.T) {
			response, text := fetch(t, server.URL+tt.path, nil)
			if kind := response.Header.Get("Content-Type"); response.StatusCode != tt.status || kind != tt.kind {
				t.Errorf("%d %s, want %d %s", response.StatusCode, kind, tt.status, tt.kind)
			}
			if tt.status == 200 && (text == "" || !strings.HasPrefix(response.Header.Get("Content-Security-Policy"), "default-src 'none'; script-src 'self';")) {
				t.Errorf("%d bytes, %v", len(text), response.Header)
			}
		})
	}
}

func TestTheConsoleIsSentOnceAndCompressed(t *testing.T) {
	server := serve(t, &access.Door{}, "", options())
	url := server.URL + "/assets/index.js"
	plain, text := fetch(t, url, nil)
	for _, accepted := range []string{"gzip", "br, GZIP;q=0.5"} {
		small, unpacked := fetch(t, url, map[string]string{"Accept-Encoding": accepted})
		if small.Header.Get("Content-Encoding") != "gzip" || unpacked != text || small.Header.Get("ETag") == plain.Header.Get("ETag") {
			t.Errorf("%s: %v", accepted, small.Header)
		}
		again, _ := fetch(t, url, map[string]string{"Accept-Encoding": accepted, "If-None-Match": small.Header.Get("ETag")})
		if again.StatusCode != http.StatusNotModified {
			t.Errorf("%s again: %d", accepted, again.StatusCode)
		}
	}
	for _, accepted := range []string{"", "br", "gzip;q=0"} {
		if r, _ := fetch(t, url, map[string]string{"Accept-Encoding": accepted}); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("%q: %v", accepted, r.Header)
		}
	}
	if font, _ := fetch(t, server.URL+"/assets/ibm-plex-sans-latin-400-normal.woff2", map[string]string{"Accept-Encoding": "gzip"}); font.Header.Get("Content-Encoding") != "" {
		t.Error("a font is compressed twice")
	}
}

// The page knows its screens, and the server serves it at their paths.
func TestTheScreensAreThoseOfTheConsole(t *testing.T) {
	source, err := os.ReadFile("console/src/screens.ts")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, m := range regexp.MustCompile(`\{ path: "([a-z]+)"`).FindAllStringSubmatch(string(source), -1) {
		known = append(known, m[1])
	}
	if !slices.Equal(known, screens) {
		t.Errorf("the server has %q, the console %q", screens, known)
	}
}
