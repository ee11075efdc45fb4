package client

import "time"

// The bank counts presence in buckets of ten seconds by UTC. A heartbeat stands
// for one bucket and bears the time at which the bucket began, so that it
// touches no other.
const (
	bucketMS = 10_000
	// maxGapMS is the longest time between two looks at the clock through which
	// somebody may have been present. Longer ones are a sleep of the machine or
	// of the program, and nobody's presence.
	maxGapMS = 15_000
	// maxDriftMS is how far the clock on the wall may move against the monotonic
	// one before it counts as having been set.
	maxDriftMS = 2_000
)

// clock reads both clocks: ms since 1970, and ms since some moment on a clock
// that is never set.
type clock func() (wallMS, steadyMS int64)

func systemClock() clock {
	began := time.Now()
	return func() (wallMS, steadyMS int64) {
		now := time.Now()
		return now.UnixMilli(), now.Sub(began).Milliseconds()
	}
}

// meter measures presence. It adds up steady time, so that a clock that is set
// adds none, and says when by the clock on the wall. Whoever uses it holds a
// lock.
type meter struct {
	now    clock
	idleMS int64 // 0: presence ends by Leave and Away only
	// heartbeat is told that a visit was present in the bucket that began then.
	heartbeat func(v *Visit, bucketMS int64)
	visits    map[*Visit]struct{}

	// Time goes on from wall at steady until a gap or a set clock breaks it.
	wallMS, steadyMS int64
	lastMS           int64 // the latest time that was looked at, by the wall
	lastSteadyMS     int64
	bucketMS         int64 // beginning of the bucket that is measured
}

func newMeter(now clock, idleMS int64, heartbeat func(*Visit, int64)) *meter {
	m := &meter{now: now, idleMS: idleMS, heartbeat: heartbeat, visits: map[*Visit]struct{}{}}
	m.anchor(now())
	return m
}

func (m *meter) anchor(wallMS, steadyMS int64) {
	m.wallMS, m.steadyMS = wallMS, steadyMS
	m.lastMS, m.lastSteadyMS = wallMS, steadyMS
	m.bucketMS = wallMS - wallMS%bucketMS
}

// presence is what a visit has been present.
type presence struct {
	present   bool
	sinceMS   int64 // from when on it is not counted yet
	touchedMS int64 // the last sign of somebody being there
	countedMS int64 // in the bucket that is measured
	// carriedMS is what rounding to whole buckets has left over: below zero when
	// the heartbeats so far stand for more than there was.
	carriedMS int64
}

// look brings everything up to now, and returns it.
func (m *meter) look() int64 {
	wallMS, steadyMS := m.now()
	now := m.wallMS + steadyMS - m.steadyMS
	drift := wallMS - now
	if steadyMS-m.lastSteadyMS > maxGapMS || drift > maxDriftMS || drift < -maxDriftMS {
		m.resume(wallMS, steadyMS)
		return wallMS
	}
	m.lastMS, m.lastSteadyMS = now, steadyMS
	for m.bucketMS+bucketMS <= now {
		for v := range m.visits {
			m.settle(v, m.bucketMS+bucketMS)
		}
		m.bucketMS += bucketMS
	}
	return now
}

// resume goes on after a gap, or with a clock that was set: what was measured
// ends with the last look, and begins anew.
func (m *meter) resume(wallMS, steadyMS int64) {
	lastMS := m.lastMS
	for v := range m.visits {
		m.settle(v, lastMS)
	}
	m.anchor(wallMS, steadyMS)
	for v := range m.visits {
		v.sinceMS, v.touchedMS = wallMS, v.touchedMS+wallMS-lastMS
	}
}

// settle ends the measuring of a bucket for a visit at a time within it, or at
// its end. A bucket counts when at least half of it was there, counting what
// was left over before; what is over or under is carried on, so that the sum of
// the heartbeats stays within half a bucket of the truth.
func (m *meter) settle(v *Visit, atMS int64) {
	m.count(v, atMS)
	due := v.carriedMS + v.countedMS
	if v.countedMS > 0 && due >= bucketMS/2 {
		m.heartbeat(v, m.bucketMS)
		due -= bucketMS
	}
	v.carriedMS, v.countedMS = due, 0
}

// count adds the presence up to a time. Without a sign of somebody it ends when
// the time for that is over.
func (m *meter) count(v *Visit, atMS int64) {
	if !v.present {
		return
	}
	untilMS := atMS
	if m.idleMS > 0 {
		untilMS = min(untilMS, v.touchedMS+m.idleMS)
	}
	v.countedMS += max(untilMS-v.sinceMS, 0)
	v.sinceMS = atMS
}

func (m *meter) enter(v *Visit) {
	now := m.look()
	v.present, v.sinceMS, v.touchedMS = true, now, now
	m.visits[v] = struct{}{}
}

func (m *meter) touch(v *Visit) {
	now := m.look()
	m.count(v, now)
	v.touchedMS = now
}

func (m *meter) setPresent(v *Visit, present bool) {
	now := m.look()
	m.count(v, now)
	v.present, v.sinceMS = present, now
	if present {
		v.touchedMS = now
	}
}

func (m *meter) leave(v *Visit) {
	if _, there := m.visits[v]; !there {
		return
	}
	m.settle(v, m.look())
	v.present = false
	delete(m.visits, v)
}
