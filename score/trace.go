package score

import "slices"

// Trace is when a person was there on a day, over several worlds, without what
// it earned: what is looked at to tell people from programs.
type Trace struct {
	Present [DayBuckets / 64]uint64
	// Acts are by bucket, ascending, of those with interactions.
	Acts []BucketActs
}

// BucketActs is how many interactions a bucket has, unweighted.
type BucketActs struct {
	Bucket uint16
	Count  int64
}

// Trace joins the worlds of a day that are counted.
func (d *Day) Trace(counted func(world uint32) bool) (t Trace) {
	joined := 0
	for i := range d.worlds {
		w := &d.worlds[i]
		if !counted(w.world) {
			continue
		}
		for word := range w.presence {
			t.Present[word] |= w.presence[word]
		}
		for _, a := range w.acts {
			if a.count > 0 {
				t.Acts = append(t.Acts, BucketActs{a.bucket, a.count})
			}
		}
		joined++
	}
	if joined < 2 {
		return t
	}
	slices.SortFunc(t.Acts, func(a, b BucketActs) int { return int(a.Bucket) - int(b.Bucket) })
	kept := t.Acts[:0]
	for _, a := range t.Acts {
		if n := len(kept); n > 0 && kept[n-1].Bucket == a.Bucket {
			kept[n-1].Count = saturated(kept[n-1].Count, a.Count)
		} else {
			kept = append(kept, a)
		}
	}
	t.Acts = kept
	return t
}

// PresentBuckets counts the buckets with presence from first on.
func (t *Trace) PresentBuckets(first, count int) int { return ones(&t.Present, first, count) }

// IsPresent reports whether a bucket has presence.
func (t *Trace) IsPresent(bucket int) bool { return t.Present[bucket/64]>>(bucket%64)&1 == 1 }
