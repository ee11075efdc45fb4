package abuse

import (
	"math"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/score"
)

// bucketSeconds is how exactly a trace knows when something was.
const bucketSeconds = score.BucketMS / 1000

// Company is whom a person shared the day with.
type Company struct {
	// DevicePeople came on the day by the device, of those that the person came
	// by, that most came by; DeviceNewPeople is the most that came by one of them
	// for the first time on this day.
	DevicePeople, DeviceNewPeople int64
	// NewPeople came to the world for the first time in the hour in which the
	// person did, if that is of this day; NewBefore in the 24 hours before.
	NewPeople, NewBefore int64
}

// rate returns the most interactions within so many seconds, a multiple of ten.
func rate(t *score.Trace, seconds int64) (most int64) {
	sum, from := int64(0), 0
	for i := range t.Acts {
		if sum += t.Acts[i].Count; sum < 0 {
			return math.MaxInt64
		}
		for int64(t.Acts[i].Bucket-t.Acts[from].Bucket) >= seconds/bucketSeconds {
			sum -= t.Acts[from].Count
			from++
		}
		most = max(most, sum)
	}
	return most
}

// windowSizes are lengths in buckets, in each of which an hour fits whole
// times, or which fits whole times in a day.
var windowSizes = [...]int{1, 2, 3, 6, 12, 30, 60, 90, 180}

// meanPerWindow is how many interactions a window needs on average: with fewer,
// that counts are whole numbers hides how evenly they come.
const meanPerWindow = 6

// dispersion returns how much counts of interactions in neighbouring windows
// differ, in permille of what they would if interactions were independent of
// each other, and of how many pairs of windows that follows. Only windows in
// which the person was there throughout are taken, and of their lengths the
// shortest with enough in it. No pairs: nothing can be said.
//
// For events with independent intervals the ratio of the counts' variance to
// their mean tends to the squared coefficient of variation of the intervals
// (Cox, Renewal Theory, 1962, §4.5): 0 for a clock, 1 for a Poisson process.
// People come in bursts and are above. The variance is half the mean squared
// successive difference (von Neumann, 1941), which a changed pace moves little.
func dispersion(t *score.Trace) (permille, pairs int64) {
	for _, size := range windowSizes {
		windows, total, squares, enough := neighbours(t, size)
		if enough < 1 || total/windows < meanPerWindow {
			continue
		}
		// squares/(2·enough) ÷ total/windows, in permille.
		ratio, fits := amount.MulDivDown(squares, MaxTrust*windows, 2*enough)
		if !fits {
			return math.MaxInt64, enough
		}
		return ratio / total, enough
	}
	return 0, 0
}

// neighbours counts interactions in whole windows with presence throughout:
// how many windows, what they have in all, the squared differences of those
// that follow each other, and how many these are.
func neighbours(t *score.Trace, size int) (windows, total, squares, pairs int64) {
	next, previous := 0, int64(-1)
	for first := 0; first < score.DayBuckets; first += size {
		count := int64(0)
		for ; next < len(t.Acts) && int(t.Acts[next].Bucket) < first+size; next++ {
			count = min(count+min(t.Acts[next].Count, math.MaxInt32), math.MaxInt32)
		}
		if t.PresentBuckets(first, size) < size {
			previous = -1
			continue
		}
		windows, total = windows+1, total+count
		if previous >= 0 {
			d := min(max(count-previous, -1<<20), 1<<20)
			squares, pairs = squares+d*d, pairs+1
		}
		previous = count
	}
	return windows, total, squares, pairs
}

// presence returns how long a person was there and the longest pause within
// the day, in minutes, rounded down.
func presence(t *score.Trace) (presentMinutes, pauseMinutes int64) {
	pause, longest := int64(0), int64(0)
	for bucket := range score.DayBuckets {
		if t.IsPresent(bucket) {
			pause = 0
			continue
		}
		pause++
		longest = max(longest, pause)
	}
	return int64(t.PresentBuckets(0, score.DayBuckets)) * bucketSeconds / 60, longest * bucketSeconds / 60
}

// unattended returns how long a person was there in stretches of more than some
// minutes without an interaction, in minutes, rounded down. A stretch is time
// present; a pause neither ends it nor counts.
func unattended(t *score.Trace, afterMinutes int64) (minutes int64) {
	sum, stretch, next := int64(0), int64(0), 0
	after := afterMinutes * 60 / bucketSeconds
	end := func() {
		if stretch > after {
			sum += stretch
		}
		stretch = 0
	}
	for bucket := range score.DayBuckets {
		acts := next < len(t.Acts) && int(t.Acts[next].Bucket) == bucket
		if acts {
			next++
			end()
		} else if t.IsPresent(bucket) {
			stretch++
		}
	}
	end()
	return sum * bucketSeconds / 60
}
