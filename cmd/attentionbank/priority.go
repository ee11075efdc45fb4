package main

import (
	"os"
	"runtime"
)

// spreadProcessors lets more goroutines run at once than there are processors,
// unless the environment says how many. One that comes back from the disk then
// runs by the system's fairness; otherwise it would wait until another has used
// up its slice of ten milliseconds, and everybody who waits for a record with it.
func spreadProcessors() {
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0))
	}
}
