// Package crowd is a day of people of whom everything is known: honest ones of
// many habits, and those whom reviews are for. They report to a bank in memory
// by the real path, from the collector to the payout, and what was found and
// counted is compared with what they were and did.
package crowd

import (
	"fmt"
	"math/rand/v2"

	"github.com/attentionbank/attentionbank/abuse"
)

// Kind is what somebody is.
type Kind int

// The kinds. Honest are all up to Watcher.
const (
	Casual    Kind = iota // an hour or three, in bursts
	Heavy                 // nine to fourteen hours with breaks, one in ten of them far more
	Rhythm                // steady by the nature of the game, songs with pauses
	TwoDevice             // by a phone and a desktop, often at once
	Family                // two to five by one tablet
	Cafe                  // ten by one machine, after each other
	Newcomer              // comes for the first time
	Watcher               // up to five hours of films, with few words
	Idle                  // away for hours, with heartbeats
	Clicker               // a program that clicks faster than hands
	Macro                 // a program that acts, with more or less jitter
	Replay                // a program that repeats what a human did
	Marathon              // an account that several use around the clock, some with a gap
	Farm                  // an army of new accounts that one program plays
	kinds
)

var kindNames = [kinds]string{"casual", "heavy", "rhythm", "two_device", "family", "cafe", "newcomer", "watcher", "idle", "clicker", "macro", "replay", "marathon", "farm"}

// String returns the name.
func (k Kind) String() string { return kindNames[k] }

// IsHonest reports whether nothing should be found.
func (k Kind) IsHonest() bool { return k <= Watcher }

// truth says of each signal whose it is.
var truth = map[abuse.Signal][]Kind{
	abuse.ImpossibleRate: {Clicker},
	abuse.Regularity:     {Clicker, Macro, Replay, Farm},
	abuse.AroundTheClock: {Marathon},
	abuse.Unattended:     {Idle},
	abuse.SharedDevice:   {Farm},
	abuse.NewPeopleBurst: {Farm},
	abuse.Sybil:          {Farm},
}

// shares of a crowd of 1000; what is left is casual.
var shares = [kinds]int{Heavy: 60, Rhythm: 50, TwoDevice: 90, Family: 120, Cafe: 20, Newcomer: 50, Watcher: 50, Idle: 70, Clicker: 25, Macro: 80, Replay: 20, Marathon: 35, Farm: 110}

// act is a report of a person's client.
type act struct {
	atMS   int64 // since the day began
	device int   // of the person's devices
	beat   bool  // a heartbeat; otherwise an interaction
}

// span is a time in which somebody is there, since the day began.
type span struct{ fromMS, untilMS int64 }

// person is one of the crowd.
type person struct {
	kind    Kind
	name    string
	devices []string
	isNew   bool
	spans   []span // sessions of one device each
	acts    []act
}

const (
	secondMS = 1000
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
	beatMS   = 10 * secondMS
)

// crowd draws a crowd of so many people.
func draw(random *rand.Rand, count int) []*person {
	var people []*person
	farms := random.IntN(len(farmDevices))
	add := func(kind Kind, devices ...string) *person {
		p := &person{kind: kind, name: fmt.Sprintf("%s-%d", kind, len(people)), devices: devices}
		if len(devices) == 0 {
			p.devices = []string{"device of " + p.name}
		}
		people = append(people, p)
		return p
	}
	for kind := Casual + 1; kind < kinds; kind++ {
		want := count * shares[kind] / 1000
		for have := 0; have < want; {
			switch kind {
			case Family, Cafe:
				size := 10
				if kind == Family {
					size = 2 + random.IntN(4)
				}
				device := fmt.Sprintf("%s device %d", kind, len(people))
				for i := range size {
					p := add(kind, device)
					p.plays(random, p.turn(random, i, size))
				}
				have += size
			case Farm:
				size := 14 + random.IntN(24)
				farm(random, size, farmDevices[farms%len(farmDevices)], add)
				farms++
				have += size
			default:
				p := add(kind)
				p.lives(random)
				have++
			}
		}
	}
	for len(people) < count {
		add(Casual).lives(random)
	}
	random.Shuffle(len(people), func(i, j int) { people[i], people[j] = people[j], people[i] })
	return people
}

// between draws a time from a span of hours.
func between(random *rand.Rand, fromHours, untilHours float64) int64 {
	return int64((fromHours + random.Float64()*(untilHours-fromHours)) * hourMS)
}

// lives draws the day of somebody who shares it with nobody.
func (p *person) lives(random *rand.Rand) {
	switch p.kind {
	case Casual, Newcomer:
		p.isNew = p.kind == Newcomer
		at := between(random, 6, 21)
		for range 1 + random.IntN(3) {
			length := between(random, 0.15, 1.6)
			p.plays(random, span{at, at + length})
			at += length + between(random, 0.2, 3)
		}
	case Heavy:
		at, left := between(random, 0.2, 8), between(random, 9, 14)
		if random.IntN(10) == 0 {
			at, left = between(random, 0.1, 2), between(random, 17, 21) // a contest, or a stream for a good cause
		}
		for left > 0 && at < dayMS {
			length := min(left, between(random, 0.8, 3.5))
			p.plays(random, span{at, at + length})
			at, left = at+length+between(random, 0.1, 0.9), left-length
		}
	case Rhythm:
		at := between(random, 8, 20)
		s := p.present(random, span{at, at + between(random, 0.7, 3)}, 0)
		for t := s.fromMS; t < s.untilMS; {
			song := t + 150*secondMS + random.Int64N(120*secondMS)
			gap := 300 + random.Int64N(700) // of this song
			for ; t < min(song, s.untilMS); t += max(gap+int64(random.NormFloat64()*float64(gap)/5), 50) {
				p.do(t, 0)
			}
			t += 15*secondMS + random.Int64N(60*secondMS)
		}
	case TwoDevice:
		p.devices = append(p.devices, "phone of "+p.name)
		at := between(random, 7, 18)
		for i := range 2 + random.IntN(3) {
			length := between(random, 0.3, 2)
			p.playsBy(random, span{at, at + length}, i%2)
			at += length/2 + between(random, 0, 1) // the next often begins before
		}
	case Watcher:
		at := between(random, 14, 19)
		s := p.present(random, span{at, at + between(random, 1.5, 4.8)}, 0)
		p.moves(random, span{s.fromMS, s.fromMS + 5*minuteMS}, 0)
	case Idle:
		p.idles(random)
	case Clicker, Macro, Replay:
		p.runs(random)
	case Marathon:
		at, sleeps := random.Int64N(20*minuteMS), random.IntN(4) == 0
		for at < dayMS-hourMS {
			length := between(random, 2, 5)
			p.plays(random, span{at, min(at+length, dayMS-minuteMS)})
			at += length + between(random, 0.05, 0.8)
			if sleeps && at > 8*hourMS {
				at, sleeps = at+between(random, 2, 4.5), false
			}
		}
	}
}

// turn is the time of one of several who use a device after each other.
func (p *person) turn(random *rand.Rand, i, size int) span {
	each := 14 * hourMS / int64(size)
	from := 7*hourMS + int64(i)*each
	return span{from, from + each/4 + random.Int64N(each/2)}
}
