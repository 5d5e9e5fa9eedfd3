package main

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// cpuTime is how long the process has run so far, on all processors. Wall time
// on a shared machine is somebody else's.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails only for a bad argument
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// heapBytes is what lives on the heap.
func heapBytes() int64 {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}

// median is what half of the times are below. On a shared machine, some are far
// above.
func median(times []float64) float64 {
	slices.Sort(times)
	return times[len(times)/2]
}
