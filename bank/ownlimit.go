package bank

import (
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/pages"
)

// Bounds of the limits that people set for themselves.
const (
	// NoOwnLimit is that the person has set none.
	NoOwnLimit int64 = -1
	// RaiseAfterMS is how long a limit that is raised or taken away still holds.
	RaiseAfterMS = 24 * 60 * 60 * 1000

	maxOwnMicro   = 1_000_000_000_000_000_000
	maxOwnMinutes = 24 * 60
)

// OwnLimit is a limit that a person has set for themselves: what holds, and what
// will from a time on, which is 0 if nothing is to come.
type OwnLimit struct {
	Value, Next int64
	NextFromMS  int64
}

// At returns what holds at a time.
func (l OwnLimit) At(atMS int64) int64 {
	if l.NextFromMS != 0 && atMS >= l.NextFromMS {
		return l.Next
	}
	return l.Value
}

func orMost(limit int64) int64 {
	if limit == NoOwnLimit {
		return math.MaxInt64
	}
	return limit
}

// set makes a limit lower at once, and higher only after a day: whoever has set
// one in a quiet hour is held to it in another.
func (l *OwnLimit) set(want, nowMS int64) {
	now := l.At(nowMS)
	settled := OwnLimit{Value: now, Next: NoOwnLimit}
	switch {
	case orMost(want) <= orMost(now):
		settled.Value = want
	case l.NextFromMS > nowMS && l.Next == want:
		settled.Next, settled.NextFromMS = want, l.NextFromMS
	default:
		settled.Next, settled.NextFromMS = want, nowMS+RaiseAfterMS
	}
	*l = settled
}

// OwnLimits are what a person has set for themselves. It holds no pointers.
type OwnLimits struct {
	Person uint64
	// SpendMicro is the TIME that may be spent on a UTC day on what worlds and
	// people sell, and by worlds for the person; OrdersMicro the value of the
	// orders that may be placed in markets.
	SpendMicro, OrdersMicro OwnLimit
	// EarnMinutes is how much presence of a day earns, 0 to 1440. It is enforced
	// where events come in.
	EarnMinutes OwnLimit
	// ReminderMinutes is after how long to be reminded of a break; 0 for never.
	ReminderMinutes uint16
	// EarnsNothingUntilMS is until when nothing is earned. It is never shortened.
	EarnsNothingUntilMS int64

	// Day is the last on which something was spent or ordered, and how much.
	Day                      int32
	SpentMicro, OrderedMicro int64
}

const ownLimitsBytes = 8 + 3*24 + 2 + 8 + 4 + 8 + 8

// ownLimits are those of all people who have set some.
type ownLimits struct {
	list pages.Array[OwnLimits]
	of   pages.Index
}

func (l *ownLimits) find(person uint64) (position int, found bool) {
	if l.list.Len() == 0 {
		return 0, false
	}
	return l.of.Find(pages.Mix(2, person), func(i int) bool { return l.list.At(i).Person == person })
}

// OwnLimits returns what a person has set for themselves.
func (s *State) OwnLimits(person uint64) OwnLimits {
	if i, found := s.ownLimits.find(person); found {
		return *s.ownLimits.list.At(i)
	}
	none := OwnLimit{Value: NoOwnLimit, Next: NoOwnLimit}
	return OwnLimits{Person: person, SpendMicro: none, OrdersMicro: none, EarnMinutes: none}
}

// ReminderMinutes returns after how long a person wants to be reminded of a break,
// 0 for never; false if the person has never said.
func (s *State) ReminderMinutes(person uint64) (minutes int, said bool) {
	i, found := s.ownLimits.find(person)
	if !found {
		return 0, false
	}
	return int(s.ownLimits.list.At(i).ReminderMinutes), true
}

// SetOwnLimits replaces what a person has set for themselves. What is lower
// holds at once, what is higher after RaiseAfterMS.
type SetOwnLimits struct {
	Key                                  Key
	Person                               uint64
	SpendMicro, OrdersMicro, EarnMinutes int64 // NoOwnLimit for none
	ReminderMinutes                      uint16
}

// AppendTo appends the encoded command.
func (c SetOwnLimits) AppendTo(dst []byte) []byte {
	dst = appendI64(le.AppendUint64(begin(dst, kindSetOwnLimits, c.Key), c.Person), c.SpendMicro)
	dst = appendI64(appendI64(dst, c.OrdersMicro), c.EarnMinutes)
	return le.AppendUint16(dst, c.ReminderMinutes)
}

// StopEarning lets a person earn nothing until a time, as the person wishes. It
// can be made longer and never shorter.
type StopEarning struct {
	Person  uint64
	UntilMS int64
}

// AppendTo appends the encoded command.
func (c StopEarning) AppendTo(dst []byte) []byte {
	return appendI64(le.AppendUint64(begin(dst, kindStopEarning, Key{}), c.Person), c.UntilMS)
}

// OwnLimitsSet says what a person has set for themselves now.
type OwnLimitsSet struct{ Limits OwnLimits }

func (s *State) setOwnLimits(r *reader) Refusal {
	person, spend, orders, earn := r.u64(), r.i64(), r.i64(), r.i64()
	reminder := r.u16()
	if !r.finished() {
		return Malformed
	}
	if person == 0 || person > s.People() {
		return PersonNotFound
	}
	valid := func(limit, most int64) bool { return limit >= NoOwnLimit && limit <= most }
	if !valid(spend, maxOwnMicro) || !valid(orders, maxOwnMicro) || !valid(earn, maxOwnMinutes) || reminder > maxOwnMinutes {
		return OwnLimitInvalid
	}
	l := s.ownLimitsToWrite(person)
	l.SpendMicro.set(spend, s.nowMS)
	l.OrdersMicro.set(orders, s.nowMS)
	l.EarnMinutes.set(earn, s.nowMS)
	l.ReminderMinutes = reminder
	s.answer = appendOwnLimits(append(s.answer, uint8(factOwnLimitsSet)), l)
	return Accepted
}

func (s *State) stopEarning(r *reader) Refusal {
	person, untilMS := r.u64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	if person == 0 || person > s.People() {
		return PersonNotFound
	}
	if untilMS < 0 {
		return OwnLimitInvalid
	}
	l := s.ownLimitsToWrite(person)
	l.EarnsNothingUntilMS = max(l.EarnsNothingUntilMS, untilMS)
	s.answer = appendOwnLimits(append(s.answer, uint8(factOwnLimitsSet)), l)
	return Accepted
}

func (s *State) ownLimitsToWrite(person uint64) *OwnLimits {
	i, found := s.ownLimits.find(person)
	if !found {
		i = s.ownLimits.list.Append(s.OwnLimits(person))
		s.ownLimits.of.Insert(pages.Mix(2, person), i)
	}
	return s.ownLimits.list.Write(i)
}

// maySpend says whether a person may spend so much more today, by their own
// limit.
func (s *State) maySpend(person uint64, valueMicro int64) Refusal {
	return s.within(person, valueMicro, func(l *OwnLimits) (OwnLimit, int64) { return l.SpendMicro, l.SpentMicro })
}

// mayOrder says the same of the value of an order in a market.
func (s *State) mayOrder(person uint64, valueMicro int64) Refusal {
	return s.within(person, valueMicro, func(l *OwnLimits) (OwnLimit, int64) { return l.OrdersMicro, l.OrderedMicro })
}

func (s *State) within(person uint64, valueMicro int64, of func(*OwnLimits) (limit OwnLimit, usedMicro int64)) Refusal {
	i, found := s.ownLimits.find(person)
	if !found {
		return Accepted
	}
	l := s.ownLimits.list.At(i)
	limit, used := of(l)
	if l.Day != Day(s.nowMS) {
		used = 0
	}
	if sum, fits := amount.Add(used, valueMicro); !fits || sum > orMost(limit.At(s.nowMS)) {
		return OwnLimitReached
	}
	return Accepted
}

// spent notes what a person spends and orders, for the limits of the day.
func (s *State) spent(person uint64, spentMicro, orderedMicro int64) {
	i, found := s.ownLimits.find(person)
	if !found {
		return
	}
	l, today := s.ownLimits.list.Write(i), Day(s.nowMS)
	if l.Day != today {
		l.Day, l.SpentMicro, l.OrderedMicro = today, 0, 0
	}
	l.SpentMicro, l.OrderedMicro = addMost(l.SpentMicro, spentMicro), addMost(l.OrderedMicro, orderedMicro)
}

// addMost adds what is not negative; a sum beyond 63 bits stays at the largest.
func addMost(a, b int64) int64 {
	if sum, fits := amount.Add(a, b); fits {
		return sum
	}
	return math.MaxInt64
}

func appendOwnLimits(dst []byte, l *OwnLimits) []byte {
	dst = le.AppendUint64(dst, l.Person)
	for _, limit := range [...]OwnLimit{l.SpendMicro, l.OrdersMicro, l.EarnMinutes} {
		dst = appendI64(appendI64(appendI64(dst, limit.Value), limit.Next), limit.NextFromMS)
	}
	dst = appendI64(le.AppendUint16(dst, l.ReminderMinutes), l.EarnsNothingUntilMS)
	return appendI64(appendI64(le.AppendUint32(dst, uint32(l.Day)), l.SpentMicro), l.OrderedMicro)
}

func ownLimitsFrom(r *reader) OwnLimits {
	limit := func() OwnLimit { return OwnLimit{r.i64(), r.i64(), r.i64()} }
	return OwnLimits{
		Person: r.u64(), SpendMicro: limit(), OrdersMicro: limit(), EarnMinutes: limit(), ReminderMinutes: r.u16(), EarnsNothingUntilMS: r.i64(),
		Day: int32(r.u32()), SpentMicro: r.i64(), OrderedMicro: r.i64(),
	}
}

func readOwnLimits(src []byte) OwnLimits { return ownLimitsFrom(&reader{src: src}) }

// indexOwnLimits rebuilds what finds them and refuses those that cannot be.
func (s *State) indexOwnLimits() error {
	l := &s.ownLimits
	valid := func(limit OwnLimit, most int64) bool {
		return limit.Value >= NoOwnLimit && limit.Value <= most && limit.Next >= NoOwnLimit && limit.Next <= most && limit.NextFromMS >= 0
	}
	for i := range l.list.Len() {
		o := l.list.At(i)
		if o.Person == 0 || o.Person > s.People() || !valid(o.SpendMicro, maxOwnMicro) || !valid(o.OrdersMicro, maxOwnMicro) || !valid(o.EarnMinutes, maxOwnMinutes) ||
			o.ReminderMinutes > maxOwnMinutes || o.EarnsNothingUntilMS < 0 || o.SpentMicro < 0 || o.OrderedMicro < 0 {
			return fmt.Errorf("the own limits %d are not valid: %+v", i+1, *o)
		}
	}
	first, second, twice := l.of.Fill(l.list.Len(),
		func(i int) (uint64, int) { return pages.Mix(2, l.list.At(i).Person), i },
		func(a, b int) bool { return l.list.At(a).Person == l.list.At(b).Person })
	if twice {
		return fmt.Errorf("the own limits %d and %d are of the same person", first+1, second+1)
	}
	return nil
}
