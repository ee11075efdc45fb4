package collect

import (
	"encoding/binary"
	"runtime"
	"testing"
)

// BenchmarkRememberedIDs reports what a remembered message id costs in memory.
func BenchmarkRememberedIDs(b *testing.B) {
	const ids = 2_000_000
	var before, after runtime.MemStats
	var f fold
	for b.Loop() {
		f = fold{}
		runtime.GC()
		runtime.ReadMemStats(&before)
		for i := range uint64(ids) {
			var d digest
			binary.LittleEndian.PutUint64(d[:], i*0x9e3779b97f4a7c15)
			f.remember(1, i, &entry{digest: d, verdict: Accepted}, false)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
	}
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/ids, "bytes/id")
	runtime.KeepAlive(f)
}

// Days of ids leave whole once their last moment has left the horizon.
func TestDaysOfIDsLeaveTheHorizon(t *testing.T) {
	const dayMS = 24 * 60 * 60 * 1000
	var f fold
	for day := range int64(30) {
		f.remember(day*dayMS+5, uint64(day), &entry{digest: digest{byte(day)}, verdict: Accepted}, false)
		for old := range day + 1 {
			_, found, _ := f.find(t.Context(), day*dayMS+5, digest{byte(old)})
			if within := day-old <= 7; found != within {
				t.Fatalf("on day %d, the ids of day %d are remembered: %v, expected %v", day, old, found, within)
			}
		}
	}
}
