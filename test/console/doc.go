// Package console tests the console in Chromium, against a running broker, and that its
// built files are what its sources build.
package console
