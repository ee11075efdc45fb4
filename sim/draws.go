package sim

// draws is the seed's generator: SplitMix64 (Steele, Lea and Flood, 2014).
type draws uint64

// below returns a number from 0 to n-1.
func (d *draws) below(n int) int {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int((z ^ z>>31) % uint64(n))
}

// within returns a time span from 0 to just below spanMS.
func (d *draws) within(spanMS int64) int64 { return int64(d.below(int(spanMS))) }

// of returns one of a list.
func of[T any](d *draws, list []T) T { return list[d.below(len(list))] }
