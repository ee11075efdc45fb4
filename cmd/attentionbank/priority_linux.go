package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// latePriority is a tenth of what others get where all want a processor: little
// enough to leave the writer alone, and too much to stand still on a busy
// machine.
const latePriority = 10

// comeLast gives the goroutine a thread of its own of low priority, for work
// that may fall behind. The thread ends with the goroutine.
func comeLast() error {
	runtime.LockOSThread()
	return unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), latePriority)
}
