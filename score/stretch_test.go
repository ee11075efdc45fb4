package score

import (
	"testing"

	"pgregory.net/rapid"
)

// The stretch is what walking back bucket by bucket over a plain list finds.
func TestStretchIsWhatIsBehindTheLastPause(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var day Day
		present := map[uint32]map[int64]bool{0: {}, 1: {}, 2: {}}
		for range rapid.IntRange(0, 12).Draw(t, "visits") {
			world := rapid.Uint32Range(1, 2).Draw(t, "world")
			from := rapid.Int64Range(0, 1_000_000).Draw(t, "from")
			until := from + rapid.Int64Range(1, 200_000).Draw(t, "length")
			day.Present(world, from, until)
			for bucket := from / BucketMS; bucket*BucketMS < until; bucket++ {
				present[0][bucket], present[world][bucket] = true, true
			}
		}
		world := rapid.Uint32Range(0, 2).Draw(t, "of")
		at, pause := rapid.Int64Range(0, 1_200_000).Draw(t, "at"), rapid.Int64Range(1, 400_000).Draw(t, "pause")
		begin, end, any := at, int64(0), false
		for bucket := at / BucketMS; bucket >= 0; bucket-- {
			if !present[world][bucket] {
				continue
			}
			if begin-(bucket+1)*BucketMS >= pause {
				break
			}
			if !any {
				end, any = (bucket+1)*BucketMS, true
			}
			begin = bucket * BucketMS
		}
		from, until, found := day.Stretch(world, at, pause)
		if found != any || found && (from != begin || until != end) {
			t.Fatalf("from %d to %d, %v; expected %d to %d, %v", from, until, found, begin, end, any)
		}
	})
}
