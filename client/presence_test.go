package client

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// hands are two clocks that a test turns: time that passes moves both, a sleep
// of the machine moves the one on the wall (and, on some systems, the steady one
// too), setting the clock moves the one on the wall alone.
type hands struct{ wallMS, steadyMS int64 }

func (h *hands) read() (int64, int64) { return h.wallMS, h.steadyMS }

func (h *hands) pass(d time.Duration) {
	h.wallMS, h.steadyMS = h.wallMS+d.Milliseconds(), h.steadyMS+d.Milliseconds()
}

// measured is a meter with a visit of one user, and the buckets that it reported.
type measured struct {
	*hands
	meter   *meter
	visit   *Visit
	buckets []string
}

// measure begins at 12:00:00 of some day.
func measure(idle time.Duration) *measured {
	m := &measured{hands: &hands{wallMS: time.Date(2026, 1, 10, 12, 0, 0, 0, time.UTC).UnixMilli()}, visit: &Visit{}}
	m.meter = newMeter(m.read, idle.Milliseconds(), func(_ *Visit, bucketMS int64) {
		m.buckets = append(m.buckets, time.UnixMilli(bucketMS).UTC().Format("15:04:05"))
	})
	return m
}

// run lets time pass with a look at the clock every second, as the Tracker has.
func (m *measured) run(d time.Duration) {
	for ; d >= time.Second; d -= time.Second {
		m.pass(time.Second)
		m.meter.look()
	}
	m.pass(d)
	m.meter.look()
}

// Each line is what happens to a visit, and the heartbeats that it makes.
func TestPresence(t *testing.T) {
	tests := []struct {
		name string
		idle time.Duration
		do   func(m *measured)
		want string
	}{
		{"half a minute is three heartbeats, at their buckets' beginnings", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(30 * time.Second)
		}, "12:00:00 12:00:10 12:00:20"},
		{"a bucket counts from half of it on", 0, func(m *measured) {
			m.run(4 * time.Second)
			m.meter.enter(m.visit)
			m.run(10 * time.Second)
			m.meter.leave(m.visit)
		}, "12:00:00"},
		{"what rounding left over is carried on: six of ten seconds each are three fifths", 0, func(m *measured) {
			m.meter.enter(m.visit)
			for range 5 {
				m.meter.setPresent(m.visit, true)
				m.run(6 * time.Second)
				m.meter.setPresent(m.visit, false)
				m.run(4 * time.Second)
			}
		}, "12:00:00 12:00:20 12:00:40"},
		{"nobody is present while away", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(10 * time.Second)
			m.meter.setPresent(m.visit, false)
			m.run(30 * time.Second)
			m.meter.setPresent(m.visit, true)
			m.run(10 * time.Second)
		}, "12:00:00 12:00:40"},
		{"without a sign of somebody presence ends", 20 * time.Second, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(60 * time.Second)
			m.meter.touch(m.visit)
			m.run(60 * time.Second)
		}, "12:00:00 12:00:10 12:01:00 12:01:10"},
		{"signs of somebody keep it up", 20 * time.Second, func(m *measured) {
			m.meter.enter(m.visit)
			for range 4 {
				m.run(15 * time.Second)
				m.meter.touch(m.visit)
			}
		}, "12:00:00 12:00:10 12:00:20 12:00:30 12:00:40 12:00:50"},
		{"the machine sleeps and its steady clock with it: the night is nobody's", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(20 * time.Second)
			m.wallMS += (8 * time.Hour).Milliseconds()
			m.run(20 * time.Second)
		}, "12:00:00 12:00:10 20:00:20 20:00:30"},
		{"the machine sleeps and its steady clock goes on", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(20 * time.Second)
			m.pass(8 * time.Hour)
			m.run(20 * time.Second)
		}, "12:00:00 12:00:10 20:00:20 20:00:30"},
		{"the clock is set ahead: no presence comes of it", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(20 * time.Second)
			m.wallMS += (5 * time.Minute).Milliseconds()
			m.run(20 * time.Second)
		}, "12:00:00 12:00:10 12:05:20 12:05:30"},
		{"the clock is set back: the same buckets again, which the bank counts once", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(20 * time.Second)
			m.wallMS -= (10 * time.Second).Milliseconds()
			m.run(20 * time.Second)
		}, "12:00:00 12:00:10 12:00:10 12:00:20"},
		{"a clock that is slewed by a fraction of a second is followed by none", 0, func(m *measured) {
			m.meter.enter(m.visit)
			for range 30 {
				m.run(time.Second)
				m.wallMS += 20
			}
		}, "12:00:00 12:00:10 12:00:20"},
		{"what comes after leaving is nothing", 0, func(m *measured) {
			m.meter.enter(m.visit)
			m.run(10 * time.Second)
			m.meter.leave(m.visit)
			m.meter.leave(m.visit)
			m.run(30 * time.Second)
		}, "12:00:00"},
	}
	for _, test := range tests {
		m := measure(test.idle)
		test.do(m)
		if got := strings.Join(m.buckets, " "); got != test.want {
			t.Errorf("%s:\n got  %s\n want %s", test.name, got, test.want)
		}
	}
}

// Whatever somebody does, the heartbeats are of buckets in which somebody was
// there, each once, and stand for the truth to within a bucket.
func TestPresenceStaysWithinABucketOfTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := measure(0)
		m.pass(time.Duration(rapid.IntRange(0, 9_999).Draw(t, "begin")) * time.Millisecond)
		m.meter = newMeter(m.read, 0, m.meter.heartbeat)
		m.meter.enter(m.visit)
		present, truthMS := true, int64(0)
		there := map[string]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			d := rapid.IntRange(1, 14_000).Draw(t, "ms")
			for range d {
				if present {
					truthMS++
					there[time.UnixMilli(m.wallMS-m.wallMS%bucketMS).UTC().Format("15:04:05")] = true
				}
				m.pass(time.Millisecond)
			}
			if rapid.Bool().Draw(t, "turn") {
				present = !present
				m.meter.setPresent(m.visit, present)
			} else {
				m.meter.look()
			}
		}
		m.meter.leave(m.visit)
		if off := int64(len(m.buckets))*bucketMS - truthMS; off > bucketMS || off < -bucketMS {
			t.Fatalf("%d heartbeats for %d ms", len(m.buckets), truthMS)
		}
		seen := map[string]bool{}
		for _, bucket := range m.buckets {
			if !there[bucket] || seen[bucket] {
				t.Fatalf("bucket %s: somebody was there: %v; reported before: %v", bucket, there[bucket], seen[bucket])
			}
			seen[bucket] = true
		}
		if !slices.IsSorted(m.buckets) {
			t.Fatal(fmt.Errorf("out of order: %v", m.buckets))
		}
	})
}
