// Package abuse looks at a person's day for what people do not do: it finds
// signals, each with the numbers that it follows from, and comes to a trust of
// 0 to 1000 that decides whether what the day earns is paid out at once or
// looked at by a human first. It never decides whether somebody may play, and
// it never takes anything. docs/review.md has the rules.
package abuse

import (
	"fmt"
	"math/bits"
)

// Signal is something that was found odd, as a bit: a set of them is their sum.
type Signal uint32

// The signals. Their numbers are in the journal and never change.
const (
	// ImpossibleRate: more interactions in a short time than hands can do.
	ImpossibleRate Signal = 1 << iota
	// Regularity: interactions that come as evenly as a clock.
	Regularity
	// AroundTheClock: presence all day without a night.
	AroundTheClock
	// Unattended: hours of presence in which nothing was done.
	Unattended
	// SharedDevice: many people came by one device on the day.
	SharedDevice
	// NewPeopleBurst: the person came for the first time in an hour in which
	// far more did than usual.
	NewPeopleBurst
	// Sybil: several people came for the first time on the day by one device.
	Sybil
)

// Signals lists all signals.
var Signals = []Signal{ImpossibleRate, Regularity, AroundTheClock, Unattended, SharedDevice, NewPeopleBurst, Sybil}

var signalNames = [...]string{"impossible_rate", "regularity", "around_the_clock", "unattended", "shared_device", "new_people_burst", "sybil"}

// String returns the name of a single signal.
func (s Signal) String() string {
	if i := bits.TrailingZeros32(uint32(s)); i < len(signalNames) && bits.OnesCount32(uint32(s)) == 1 {
		return signalNames[i]
	}
	return fmt.Sprintf("signals %#x", uint32(s))
}

// Split returns the single signals of a set that are known, in their order.
func (s Signal) Split() (list []Signal) {
	for _, single := range Signals {
		if s&single != 0 {
			list = append(list, single)
		}
	}
	return list
}

// ParseSignal reads a signal's name.
func ParseSignal(name string) (Signal, bool) {
	for _, s := range Signals {
		if s.String() == name {
			return s, true
		}
	}
	return 0, false
}

// Meaning says what a signal means to whom it is about.
func (s Signal) Meaning() string {
	switch s {
	case ImpossibleRate:
		return "More was done within a short time than hands can do."
	case Regularity:
		return "What was done came as evenly as from a program."
	case AroundTheClock:
		return "You were there nearly all day, without a longer pause."
	case Unattended:
		return "You were there for hours in which nothing was done."
	case SharedDevice:
		return "Very many people came by the same device."
	case NewPeopleBurst:
		return "You came for the first time together with unusually many others."
	case Sybil:
		return "Several people came for the first time by the same device."
	}
	return ""
}

// MaxTrust is the trust in whom nothing was found about, in permille.
const MaxTrust = 1000

// Finding is a rule that a day is odd by, with the numbers it follows from.
type Finding struct {
	Signal Signal
	Shadow bool // by a rule that only watches
	Cost   int64
	// Value is what was measured, Limit the bound of the rule that it is beyond.
	Value, Limit int64
	// Beside is what Value has to be seen beside; Evidence says what that is.
	Beside int64
}

// Evidence says what was measured, in words.
func (f *Finding) Evidence() string {
	switch f.Signal {
	case ImpossibleRate:
		return fmt.Sprintf("%d interactions within %d s; up to %d are taken for possible", f.Value, f.Beside, f.Limit)
	case Regularity:
		return fmt.Sprintf("counts of interactions vary by %d permille of what independent ones do, over %d neighbouring intervals; from %d permille on they are taken for a human's", f.Value, f.Beside, f.Limit)
	case AroundTheClock:
		return fmt.Sprintf("present for %d minutes with a longest pause of %d; from %d minutes on it is taken for more than a human's day", f.Value, f.Beside, f.Limit)
	case Unattended:
		return fmt.Sprintf("%d of %d minutes of presence lie in stretches without any interaction; up to %d are taken for watching", f.Value, f.Beside, f.Limit)
	case SharedDevice:
		return fmt.Sprintf("%d people came by one device on the day; up to %d are taken for a family or a school", f.Value, f.Limit)
	case NewPeopleBurst:
		return fmt.Sprintf("%d people came for the first time in the same hour, beside %d in the 24 hours before; up to %d are usual", f.Value, f.Beside, f.Limit)
	case Sybil:
		return fmt.Sprintf("%d of the %d people of one device came for the first time on the day; up to %d are taken for friends", f.Value, f.Beside, f.Limit)
	}
	return ""
}
