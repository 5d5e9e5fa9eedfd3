//go:build race

package integration

// raceDetector says whether the tests, and so the broker, are built with it.
const raceDetector = true
