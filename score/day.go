package score

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
)

// Day is a person's UTC day over all worlds. It does not depend on the order
// in which it was filled: presence is a union, and whoever fills it adds each
// interaction and spend once. The zero value is an empty day.
type Day struct {
	worlds []worldDay // by number
}

// worldDay is the part of a day that one world reported.
type worldDay struct {
	world    uint32
	presence [DayBuckets / 64]uint64
	acts     []act // by bucket, of those with interactions or spend
}

// act is what happened in a bucket other than presence.
type act struct {
	bucket      uint16
	count       int64
	weightMicro int64
	spendMinor  int64
}

func (d *Day) world(number uint32) *worldDay {
	for i := range d.worlds {
		if d.worlds[i].world == number {
			return &d.worlds[i]
		}
	}
	i, _ := slices.BinarySearchFunc(d.worlds, number, func(w worldDay, n uint32) int { return int(int64(w.world) - int64(n)) })
	d.worlds = slices.Insert(d.worlds, i, worldDay{world: number})
	return &d.worlds[i]
}

// Worlds returns the numbers of the worlds of the day, ascending.
func (d *Day) Worlds() []uint32 {
	numbers := make([]uint32, len(d.worlds))
	for i := range d.worlds {
		numbers[i] = d.worlds[i].world
	}
	return numbers
}

// DayOf returns the UTC day of a time, in days since 1970-01-01, and the time
// since that day began.
func DayOf(timeMS int64) (day int32, sinceMS int64) {
	day, sinceMS = int32(timeMS/dayMS), timeMS%dayMS
	if sinceMS < 0 {
		return day - 1, sinceMS + dayMS
	}
	return day, sinceMS
}

// Present adds presence in a world from fromMS to untilMS, both since the day
// began and cut to the day. A bucket counts when the interval touches it. It
// reports whether the world's presence grew.
func (d *Day) Present(world uint32, fromMS, untilMS int64) (grew bool) {
	fromMS, untilMS = max(fromMS, 0), min(untilMS, dayMS)
	if fromMS >= untilMS {
		return false
	}
	w := d.world(world)
	first, last := uint(fromMS/BucketMS), uint((untilMS-1)/BucketMS)
	for word := first / 64; word <= last/64; word++ {
		mask := ^uint64(0)
		if word == first/64 {
			mask &= ^uint64(0) << (first % 64)
		}
		if word == last/64 {
			mask &= ^uint64(0) >> (63 - last%64)
		}
		grew = grew || w.presence[word]&mask != mask
		w.presence[word] |= mask
	}
	return grew
}

// Act adds count interactions of a weighted number at a time since the day
// began. Sums beyond 63 bits stay at the largest number.
func (d *Day) Act(world uint32, sinceMS, count, weightMicro int64) {
	a := d.world(world).at(sinceMS)
	a.count, a.weightMicro = saturated(a.count, count), saturated(a.weightMicro, weightMicro)
}

// Spend adds spend that counts at a time since the day began.
func (d *Day) Spend(world uint32, sinceMS, minor int64) {
	a := d.world(world).at(sinceMS)
	a.spendMinor = saturated(a.spendMinor, minor)
}

func saturated(a, b int64) int64 {
	if sum := a + b; sum >= a {
		return sum
	}
	return 1<<63 - 1
}

func (w *worldDay) at(sinceMS int64) *act {
	bucket := uint16(min(max(sinceMS, 0), dayMS-1) / BucketMS)
	if n := len(w.acts); n > 0 && w.acts[n-1].bucket == bucket {
		return &w.acts[n-1]
	}
	i, found := slices.BinarySearchFunc(w.acts, bucket, func(a act, b uint16) int { return int(a.bucket) - int(b) })
	if !found {
		w.acts = slices.Insert(w.acts, i, act{bucket: bucket})
	}
	return &w.acts[i]
}

// PresentSeconds returns the presence over all worlds: at most 86,400.
func (d *Day) PresentSeconds() int64 {
	buckets := 0
	for word := range DayBuckets / 64 {
		var union uint64
		for i := range d.worlds {
			union |= d.worlds[i].presence[word]
		}
		buckets += bits.OnesCount64(union)
	}
	return int64(buckets) * bucketSeconds
}

// CountedSeconds returns the presence that counts for a world, without what
// others claimed and got.
func (d *Day) CountedSeconds(world uint32) int64 {
	if len(d.worlds) == 1 && d.worlds[0].world == world {
		return d.PresentSeconds() // nobody else claims anything
	}
	presence := d.assigned(world)
	return int64(ones(&presence, 0, DayBuckets)) * bucketSeconds
}

// assigned returns the presence that counts for a world. A bucket that n
// worlds claim goes to number bucket modulo n of them, in the order of their
// numbers: each gets an equal part, whoever reported first.
func (d *Day) assigned(world uint32) (presence [DayBuckets / 64]uint64) {
	own := -1
	for i := range d.worlds {
		if d.worlds[i].world == world {
			own = i
		}
	}
	if own < 0 {
		return presence
	}
	presence = d.worlds[own].presence
	if len(d.worlds) == 1 {
		return presence
	}
	for word := range presence {
		var others uint64
		for i := range d.worlds {
			if i != own {
				others |= d.worlds[i].presence[word]
			}
		}
		for contested := presence[word] & others; contested != 0; contested &= contested - 1 {
			bit := uint(bits.TrailingZeros64(contested))
			before, claims := 0, 0
			for i := range d.worlds {
				if d.worlds[i].presence[word]>>bit&1 == 1 {
					if i < own {
						before++
					}
					claims++
				}
			}
			if (word*64+int(bit))%claims != before {
				presence[word] &^= 1 << bit
			}
		}
	}
	return presence
}

// Merge adds another part of the same day, filled from other events.
func (d *Day) Merge(other *Day) {
	for i := range other.worlds {
		from := &other.worlds[i]
		into := d.world(from.world)
		for word := range from.presence {
			into.presence[word] |= from.presence[word]
		}
		for _, a := range from.acts {
			d.Act(from.world, int64(a.bucket)*BucketMS, a.count, a.weightMicro)
			d.Spend(from.world, int64(a.bucket)*BucketMS, a.spendMinor)
		}
	}
}

// An encoded day (little-endian):
//
//	| version u8 = 1 | worlds u16 |
//	| per world: number u32 | words u16 | per word that is not zero: index u8, bits u64 |
//	|   acts u16 | per act: bucket u16, count i64, weight i64, spend i64 |
//
// Equal days have equal bytes.
const dayVersion = 1

// AppendTo appends the encoded day.
func (d *Day) AppendTo(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint16(append(dst, dayVersion), uint16(len(d.worlds)))
	for i := range d.worlds {
		w := &d.worlds[i]
		dst = le.AppendUint32(dst, w.world)
		at := len(dst)
		dst = append(dst, 0, 0)
		for index, word := range w.presence {
			if word != 0 {
				dst = le.AppendUint64(append(dst, uint8(index)), word)
			}
		}
		le.PutUint16(dst[at:], uint16((len(dst)-at-2)/9))
		dst = le.AppendUint16(dst, uint16(len(w.acts)))
		for _, a := range w.acts {
			dst = le.AppendUint16(dst, a.bucket)
			for _, n := range [...]int64{a.count, a.weightMicro, a.spendMinor} {
				dst = le.AppendUint64(dst, uint64(n))
			}
		}
	}
	return dst
}

var errDay = errors.New("decoding a day: the bytes are no encoded day")

// DecodeDay reads an encoded day.
func DecodeDay(src []byte) (*Day, error) {
	le := binary.LittleEndian
	short := false
	take := func(n int) []byte {
		if len(src) < n {
			short, src = true, nil
			return make([]byte, n)
		}
		field := src[:n]
		src = src[n:]
		return field
	}
	if version := take(1)[0]; version != dayVersion {
		return nil, fmt.Errorf("decoding a day: version %d, expected %d", version, dayVersion)
	}
	d := &Day{}
	for worlds := le.Uint16(take(2)); worlds > 0 && !short; worlds-- {
		w := worldDay{world: le.Uint32(take(4))}
		for words := le.Uint16(take(2)); words > 0 && !short; words-- {
			field := take(9)
			if int(field[0]) >= len(w.presence) {
				return nil, errDay
			}
			w.presence[field[0]] = le.Uint64(field[1:])
		}
		for acts := le.Uint16(take(2)); acts > 0 && !short; acts-- {
			field := take(26)
			a := act{le.Uint16(field), int64(le.Uint64(field[2:])), int64(le.Uint64(field[10:])), int64(le.Uint64(field[18:]))}
			if a.bucket >= DayBuckets || a.count < 0 || a.weightMicro < 0 || a.spendMinor < 0 || len(w.acts) > 0 && a.bucket <= w.acts[len(w.acts)-1].bucket {
				return nil, errDay
			}
			w.acts = append(w.acts, a)
		}
		if n := len(d.worlds); n > 0 && w.world <= d.worlds[n-1].world {
			return nil, errDay
		}
		d.worlds = append(d.worlds, w)
	}
	if short || len(src) != 0 {
		return nil, errDay
	}
	return d, nil
}
