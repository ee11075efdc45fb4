package abuse

import (
	"math"
	"testing"

	"github.com/attentionbank/attentionbank/score"
	"pgregory.net/rapid"
)

// drawn is a day as arrays of buckets, and the same as a trace.
func drawn(t *rapid.T) (present []bool, counts []int64, trace score.Trace) {
	var day score.Day
	present, counts = make([]bool, score.DayBuckets), make([]int64, score.DayBuckets)
	for range rapid.IntRange(0, 4).Draw(t, "stretches") {
		from := rapid.IntRange(0, score.DayBuckets-1).Draw(t, "from")
		until := min(from+rapid.IntRange(1, 2000).Draw(t, "length"), score.DayBuckets)
		every := rapid.IntRange(1, 200).Draw(t, "every")
		for bucket := from; bucket < until; bucket++ {
			present[bucket] = true
			day.Present(1, int64(bucket)*score.BucketMS, int64(bucket)*score.BucketMS+1)
			if bucket%every == 0 {
				world := uint32(1 + bucket%2)
				n := int64(rapid.IntRange(1, 9).Draw(t, "count"))
				counts[bucket] += n
				day.Act(world, int64(bucket)*score.BucketMS, n, n)
			}
		}
	}
	return present, counts, day.Trace(func(uint32) bool { return true })
}

// The measures are what a naive reading of their definitions comes to.
func TestMeasuresEqualTheirDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		present, counts, trace := drawn(t)
		seconds := int64(rapid.IntRange(1, 40).Draw(t, "window")) * bucketSeconds
		most := int64(0)
		for first := range counts {
			sum := int64(0)
			for i := first; i < min(first+int(seconds/bucketSeconds), len(counts)); i++ {
				sum += counts[i]
			}
			most = max(most, sum)
		}
		if got := rate(&trace, seconds); got != most {
			t.Fatalf("rate within %d s: %d, want %d", seconds, got, most)
		}
		there, pause, longest, idle, stretch := 0, 0, 0, 0, 0
		after := rapid.IntRange(1, 120).Draw(t, "after")
		for i := 0; i <= len(present); i++ {
			if i == len(present) || counts[i] > 0 {
				if stretch > after*6 {
					idle += stretch
				}
				stretch = 0
			}
			if i == len(present) {
				break
			}
			if !present[i] {
				pause++
				longest = max(longest, pause)
				continue
			}
			there, pause = there+1, 0
			if counts[i] == 0 {
				stretch++
			}
		}
		if minutes, pauseMinutes := presence(&trace); minutes != int64(there/6) || pauseMinutes != int64(longest/6) {
			t.Fatalf("present for %d with a pause of %d, want %d and %d", minutes, pauseMinutes, there/6, longest/6)
		}
		if got := unattended(&trace, int64(after)); got != int64(idle/6) {
			t.Fatalf("unattended for %d, want %d", got, idle/6)
		}
		wantRatio, wantPairs := naiveDispersion(present, counts)
		if ratio, pairs := dispersion(&trace); pairs != wantPairs || math.Abs(float64(ratio)-wantRatio) > 1 {
			t.Fatalf("dispersion %d of %d pairs, want %f of %d", ratio, pairs, wantRatio, wantPairs)
		}
	})
}

func naiveDispersion(present []bool, counts []int64) (permille float64, pairs int64) {
	for _, size := range []int{1, 2, 3, 6, 12, 30, 60, 90, 180} {
		var windows [][2]int // number and count
		total := 0
		for number := range score.DayBuckets / size {
			whole, count := true, 0
			for i := number * size; i < (number+1)*size; i++ {
				whole, count = whole && present[i], count+int(counts[i])
			}
			if whole {
				windows, total = append(windows, [2]int{number, count}), total+count
			}
		}
		squares := 0.0
		pairs = 0
		for i := 1; i < len(windows); i++ {
			if windows[i][0] == windows[i-1][0]+1 {
				squares += math.Pow(float64(windows[i][1]-windows[i-1][1]), 2)
				pairs++
			}
		}
		if pairs > 0 && total >= meanPerWindow*len(windows) {
			return 1000 * squares / float64(2*pairs) / (float64(total) / float64(len(windows))), pairs
		}
	}
	return 0, 0
}
