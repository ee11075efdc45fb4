package crowd

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// present lets somebody be there by a device, whose client sends a heartbeat
// every ten seconds, as exactly as timers are.
func (p *person) present(random *rand.Rand, s span, device int) span {
	s.untilMS = min(s.untilMS, dayMS-minuteMS)
	if s.fromMS >= s.untilMS {
		return span{s.fromMS, s.fromMS}
	}
	p.spans = append(p.spans, s)
	for at := s.fromMS; at < s.untilMS; at += beatMS {
		late := int64(0)
		if at > s.fromMS {
			late = random.Int64N(300)
		}
		if at+late < s.untilMS {
			p.acts = append(p.acts, act{at + late, device, true})
		}
	}
	return s
}

func (p *person) do(atMS int64, device int) {
	p.acts = append(p.acts, act{atMS: atMS, device: device})
}

// plays lets a human be there and act.
func (p *person) plays(random *rand.Rand, s span) { p.playsBy(random, s, 0) }

func (p *person) playsBy(random *rand.Rand, s span, device int) {
	p.moves(random, p.present(random, s, device), device)
}

// moves lets a human act: in bursts with gaps of seconds, between which there
// is reading and looking, sometimes as fast as fingers are, and pauses.
func (p *person) moves(random *rand.Rand, s span, device int) {
	pace := math.Exp(random.NormFloat64() * 0.4)
	for at := s.fromMS + random.Int64N(20*secondMS); at < s.untilMS; {
		median, count := 2500*pace, 5+random.IntN(60)
		if random.IntN(12) == 0 {
			median, count = 220, 40+random.IntN(160)
		}
		for range count {
			if at >= s.untilMS {
				return
			}
			p.do(at, device)
			at += max(int64(median*math.Exp(random.NormFloat64()*0.8)), 60)
		}
		at += int64((8 + random.ExpFloat64()*60) * secondMS)
	}
}

// idles is away with the client running: after a while of play hours of
// heartbeats, with a look now and then, or a weight on a key.
func (p *person) idles(random *rand.Rand) {
	from := between(random, 0.5, 12)
	s := p.present(random, span{from, from + between(random, 3.5, 11)}, 0)
	at := s.fromMS + between(random, 0.05, 0.5)
	p.moves(random, span{s.fromMS, min(at, s.untilMS)}, 0)
	for looks := random.IntN(4); looks > 0 && at < s.untilMS; looks-- {
		at += between(random, 0.6, 3)
		p.moves(random, span{at, min(at+minuteMS, s.untilMS)}, 0)
	}
}

// runs is a program that acts for hours.
func (p *person) runs(random *rand.Rand) {
	from := between(random, 0.5, 14)
	s := p.present(random, span{from, from + between(random, 2, 9)}, 0)
	switch p.kind {
	case Clicker:
		p.moves(random, s, 0)
		for range 1 + random.IntN(4) {
			at := s.fromMS + random.Int64N(s.untilMS-s.fromMS)
			rate := int64(8 + random.IntN(30)) // a second
			for end := min(at+30*secondMS+random.Int64N(90*secondMS), s.untilMS); at < end; at += secondMS / rate {
				p.do(at, 0)
			}
		}
	case Replay:
		recorded := &person{}
		recorded.moves(random, span{0, between(random, 0.1, 0.4)}, 0)
		length := recorded.acts[len(recorded.acts)-1].atMS + 10*secondMS
		for start := s.fromMS; start < s.untilMS; start += length {
			for _, a := range recorded.acts {
				if start+a.atMS < s.untilMS {
					p.do(start+a.atMS, 0)
				}
			}
		}
	default:
		p.ticks(random, s, 0)
	}
}

// ticks lets a program act with a period, a jitter of up to the whole of it,
// and a restart now and then.
func (p *person) ticks(random *rand.Rand, s span, device int) {
	period := int64(math.Exp(random.Float64()*math.Log(60))) * 1500 // 1.5 s to 90 s, small ones more often
	jitter := random.Float64()
	restart := s.fromMS + between(random, 1, 3)
	for at := s.fromMS; at < s.untilMS; at += max(int64(float64(period)*(1+jitter*(2*random.Float64()-1))), 100) {
		if at > restart {
			at += minuteMS + random.Int64N(4*minuteMS)
			restart = at + between(random, 1, 3)
		}
		if at < s.untilMS {
			p.do(at, device)
		}
	}
}

// farmDevices are how many of an army come by a device: all by one machine, some
// by each of several, or each by one of its own that the program makes up.
var farmDevices = []int{1000, 5, 1}

// farm is an army of new accounts that come within an hour.
func farm(random *rand.Rand, size, perDevice int, add func(Kind, ...string) *person) {
	start := between(random, 8, 15)
	farm := random.Uint32()
	for i := range size {
		p := add(Farm, fmt.Sprintf("farm %d device %d", farm, i/perDevice))
		p.isNew = true
		from := start + random.Int64N(40*minuteMS)
		p.ticks(random, p.present(random, span{from, from + between(random, 1.5, 6)}, 0), 0)
	}
}

// bucketsThere counts the ten-second buckets in which the person was there, of
// whichever device, and the sessions.
func (p *person) bucketsThere() (buckets, sessions int) {
	there := map[int64]bool{}
	for _, s := range p.spans {
		for bucket := s.fromMS / beatMS; bucket*beatMS < s.untilMS; bucket++ {
			there[bucket] = true
		}
	}
	return len(there), len(p.spans)
}
