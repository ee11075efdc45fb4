package sqldb

import (
	"golang.org/x/sys/unix"
	sqlite3 "modernc.org/sqlite/lib"
)

// beginWriting asks the system to begin to write what a system's open file was
// given, and waits for nothing. It promises nothing either: what must last is
// synced, and its errors are those of the sync.
func beginWriting(file uintptr) {
	_ = unix.SyncFileRange(int(at[sqlite3.TunixFile](file).Fh), 0, 0, unix.SYNC_FILE_RANGE_WRITE)
}
