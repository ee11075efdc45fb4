package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/pages"
)

// MaxAllowanceMicro bounds what a person may let a world spend a day: a million
// TIME.
const MaxAllowanceMicro = 1_000_000 * 1_000_000

// Allowance is what a person lets one world spend of their TIME on a UTC day. It
// holds no pointers. What was granted once is kept for ever, so that a person
// and a world have one record and what was spent of a day is not forgotten when
// the person takes the allowance back and grants it anew.
type Allowance struct {
	Person uint64
	World  uint32
	// DailyMicro is 0 for one that was taken back.
	DailyMicro int64
	SetMS      int64
	// SpentMicro is what the world has spent on Day, the last on which it spent.
	Day        int32
	SpentMicro int64
}

const allowanceBytes = 8 + 4 + 8 + 8 + 4 + 8

func (a *Allowance) hash() uint64 { return pages.Mix(pages.Mix(1, a.Person), uint64(a.World)) }

func (a *Allowance) same(other *Allowance) bool {
	return a.Person == other.Person && a.World == other.World
}

// LeftMicro is what may still be spent on a day.
func (a *Allowance) LeftMicro(day int32) int64 {
	spent := a.SpentMicro
	if a.Day != day {
		spent = 0
	}
	return max(a.DailyMicro-spent, 0)
}

// allowances are those of all people.
type allowances struct {
	list pages.Array[Allowance]
	of   pages.Index
}

func (l *allowances) find(person uint64, world uint32) (position int, found bool) {
	want := Allowance{Person: person, World: world}
	return l.of.Find(want.hash(), func(i int) bool { return l.list.At(i).same(&want) })
}

// Allowance returns what a person lets a world spend.
func (s *State) Allowance(person uint64, world uint32) (a Allowance, granted bool) {
	i, found := s.allowances.find(person, world)
	if !found {
		return a, false
	}
	return *s.allowances.list.At(i), true
}

// SetAllowance lets a world spend up to so much of a person's TIME a UTC day,
// by the time of the commands, from now on; 0 takes it back. The person alone
// gives it.
type SetAllowance struct {
	Key        Key
	Person     uint64
	World      uint32
	DailyMicro int64 // 0 to MaxAllowanceMicro
}

// AppendTo appends the encoded command.
func (c SetAllowance) AppendTo(dst []byte) []byte {
	return appendI64(le.AppendUint32(le.AppendUint64(begin(dst, kindSetAllowance, c.Key), c.Person), c.World), c.DailyMicro)
}

// AllowanceSet says what a world may spend of a person's TIME a day now, and
// what it has spent of the running day.
type AllowanceSet struct {
	Person                 uint64
	World                  uint32
	DailyMicro, SpentMicro int64
}

// AllowanceSpent says what a world has spent on a day by an allowance, this
// included. What it was spent on stands behind it.
type AllowanceSpent struct {
	Person                  uint64
	World                   uint32
	Day                     int32
	AmountMicro, SpentMicro int64
}

func (s *State) setAllowance(r *reader) Refusal {
	want := Allowance{Person: r.u64(), World: r.u32(), DailyMicro: r.i64(), SetMS: s.nowMS}
	if !r.finished() {
		return Malformed
	}
	switch {
	case s.World(want.World) == nil:
		return WorldNotFound
	case want.Person == 0 || want.Person > s.People():
		return PersonNotFound
	case want.DailyMicro < 0 || want.DailyMicro > MaxAllowanceMicro:
		return AllowanceInvalid
	}
	l := &s.allowances
	i, found := l.find(want.Person, want.World)
	if found {
		a := l.list.Write(i)
		a.DailyMicro, a.SetMS = want.DailyMicro, want.SetMS
	} else if want.DailyMicro > 0 { // none that is taken back needs a record
		i = l.list.Append(want)
		l.of.Insert(want.hash(), i)
		found = true
	}
	spent := int64(0)
	if found && l.list.At(i).Day == Day(s.nowMS) {
		spent = l.list.At(i).SpentMicro
	}
	dst := le.AppendUint32(le.AppendUint64(append(s.answer, uint8(factAllowanceSet)), want.Person), want.World)
	s.answer = appendI64(appendI64(dst, want.DailyMicro), spent)
	return Accepted
}

// allows reports whether a world may spend so much more of a person's TIME
// today.
func (s *State) allows(person uint64, world uint32, valueMicro int64) bool {
	a, granted := s.Allowance(person, world)
	return granted && valueMicro <= a.LeftMicro(Day(s.nowMS))
}

// useAllowance notes what a world spends, which it may.
func (s *State) useAllowance(person uint64, world uint32, valueMicro int64) {
	i, found := s.allowances.find(person, world)
	if !found {
		panic(fmt.Sprintf("bank: world %d has no allowance of person %d", world, person))
	}
	a, today := s.allowances.list.Write(i), Day(s.nowMS)
	if a.Day != today {
		a.Day, a.SpentMicro = today, 0
	}
	a.SpentMicro += valueMicro
	dst := le.AppendUint32(le.AppendUint64(append(s.answer, uint8(factAllowanceSpent)), person), world)
	s.answer = appendI64(appendI64(le.AppendUint32(dst, uint32(today)), valueMicro), a.SpentMicro)
}

// PurchaseFor buys a product of a world for a person by the person's allowance.
// It is in all else a Purchase. What is given back, because the service was not
// rendered or the purchase was taken back, is not spent anew on the same day.
type PurchaseFor struct {
	World uint32 // that sells
	Purchase
}

// AppendTo appends the encoded command.
func (c PurchaseFor) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindPurchaseFor, c.Key), c.Reference)
	dst = le.AppendUint32(le.AppendUint64(le.AppendUint32(dst, c.World), c.Buyer), c.Product)
	return appendI64(appendI64(dst, c.Quantity), c.MaxTotalMicro)
}

func (s *State) purchaseFor(r *reader) Refusal {
	reference := r.text8()
	world := r.u32()
	o := order{reference: reference, world: world, buyer: r.u64(), product: r.u32(), quantity: r.i64(), maxMicro: r.i64()}
	if !r.finished() {
		return Malformed
	}
	if !referenceValid(reference) {
		return ReferenceInvalid
	}
	if s.World(world) == nil {
		return WorldNotFound
	}
	return s.buy(o)
}

// Charge pays TIME of a person to a world by the person's allowance.
type Charge struct {
	Key         Key
	Reference   string
	World       uint32
	Person      uint64
	AmountMicro int64 // more than zero
}

// AppendTo appends the encoded command.
func (c Charge) AppendTo(dst []byte) []byte {
	dst = appendText8(begin(dst, kindCharge, c.Key), c.Reference)
	return appendI64(le.AppendUint64(le.AppendUint32(dst, c.World), c.Person), c.AmountMicro)
}

func (s *State) charge(r *reader) Refusal {
	reference := r.text8()
	world, person, value := r.u32(), r.u64(), r.i64()
	if !r.finished() {
		return Malformed
	}
	switch {
	case !referenceValid(reference):
		return ReferenceInvalid
	case s.World(world) == nil:
		return WorldNotFound
	case person == 0 || person > s.People():
		return PersonNotFound
	}
	if refusal := s.may(person, FeatureRedeem); refusal != Accepted {
		return refusal
	}
	switch {
	case !s.allows(person, world, value):
		return AllowanceExceeded
	case s.maySpend(person, value) != Accepted:
		return OwnLimitReached
	case value <= 0:
		return AmountNotPositive
	}
	payer, payee := s.accountOf(timeAccount(person)), s.worldTime(world)
	if s.books.Account(payer).Available() < value {
		return InsufficientAvailable
	}
	if _, fits := amount.Add(s.books.Account(payee).Balance, value); !fits {
		return Overflow
	}
	s.useAllowance(person, world, value)
	s.spent(person, value, 0)
	s.mustPost(payer, payee, value)
	return Accepted
}

func appendAllowance(dst []byte, a *Allowance) []byte {
	dst = appendI64(appendI64(le.AppendUint32(le.AppendUint64(dst, a.Person), a.World), a.DailyMicro), a.SetMS)
	return appendI64(le.AppendUint32(dst, uint32(a.Day)), a.SpentMicro)
}

func readAllowance(src []byte) Allowance {
	r := reader{src: src}
	return Allowance{Person: r.u64(), World: r.u32(), DailyMicro: r.i64(), SetMS: r.i64(), Day: int32(r.u32()), SpentMicro: r.i64()}
}

// indexAllowances rebuilds what finds allowances and refuses those that point
// nowhere.
func (s *State) indexAllowances() error {
	l := &s.allowances
	for i := range l.list.Len() {
		a := l.list.At(i)
		if a.Person == 0 || a.Person > s.People() || s.World(a.World) == nil || a.DailyMicro < 0 || a.DailyMicro > MaxAllowanceMicro || a.SpentMicro < 0 {
			return fmt.Errorf("allowance %d is not valid: %+v", i+1, *a)
		}
	}
	first, second, twice := l.of.Fill(l.list.Len(),
		func(i int) (uint64, int) { return l.list.At(i).hash(), i },
		func(a, b int) bool { return l.list.At(a).same(l.list.At(b)) })
	if twice {
		return fmt.Errorf("allowances %d and %d are of the same person and world", first+1, second+1)
	}
	return nil
}
