package score

// Stretch returns the presence that goes on at a time since the day began: in a
// world, or in any for world 0. Pauses shorter than pauseMS do not end it, the
// one until atMS included. Its begin and end are those of buckets. found is
// false if nobody was present within the last pauseMS.
func (d *Day) Stretch(world uint32, atMS, pauseMS int64) (fromMS, untilMS int64, found bool) {
	var presence [DayBuckets / 64]uint64
	for i := range d.worlds {
		if world == 0 || d.worlds[i].world == world {
			for word := range presence {
				presence[word] |= d.worlds[i].presence[word]
			}
		}
	}
	fromMS = atMS // of what was found last
	for bucket := min(atMS/BucketMS, DayBuckets-1); bucket >= 0; bucket-- {
		beginMS, endMS := bucket*BucketMS, (bucket+1)*BucketMS
		if fromMS-endMS >= pauseMS {
			break
		}
		if presence[bucket/64]>>(bucket%64)&1 == 0 {
			continue
		}
		if !found {
			untilMS, found = endMS, true
		}
		fromMS = beginMS
	}
	return fromMS, untilMS, found
}
