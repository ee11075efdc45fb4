package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// MaxPointsMicro bounds what a person can earn of one world on one day:
// a hundred million points.
const MaxPointsMicro = 100_000_000 * 1_000_000

// personDay is what is known of a person's day in a world, for ever: it is the
// natural key by which a Mint may be repeated.
type personDay struct {
	person   uint64
	world    uint32
	day      int32
	revision uint64
	// cumulativeMicro is what the day has earned by that revision.
	cumulativeMicro int64
}

func (d *personDay) hash() uint64 {
	return pages.Mix(pages.Mix(0, d.person), uint64(d.world)<<32|uint64(uint32(d.day)))
}

// same reports whether two records are of the same day of a person in a world.
func (d *personDay) same(other *personDay) bool {
	return d.person == other.person && d.world == other.world && d.day == other.day
}

// mint posts the difference between what a day has earned and what was known
// of it. More repays what the person owes and then joins the points that wait
// for the running epoch's close. Less is taken from these points, and beyond
// them becomes a receivable of the bank: no account of a person goes below
// zero.
func (s *State) mint(r *reader) Refusal {
	id := r.id()
	want := personDay{world: r.u32(), day: int32(r.u32()), revision: r.u64(), cumulativeMicro: r.i64()}
	policyVersion, commitment := r.u32(), r.digest()
	if !r.finished() {
		return Malformed
	}
	if s.World(want.world) == nil {
		return WorldNotFound
	}
	if want.day > Day(s.nowMS)+1 {
		return DayNotCome
	}
	if want.cumulativeMicro < 0 || want.cumulativeMicro > MaxPointsMicro {
		return AttentionOutOfRange
	}
	if want.cumulativeMicro > s.issuable(ledger.Points) {
		return Overflow
	}
	want.person = s.person(id)
	known := s.knownDay(want)
	answered := Minted{
		Person: want.person, World: want.world, Day: want.day, Epoch: s.epochs.running.Number,
		PolicyVersion: policyVersion, Commitment: commitment,
	}
	var legs [2]ledger.Leg
	count := 0
	if want.revision > known.revision {
		count = s.correct(want, want.cumulativeMicro-known.cumulativeMicro, &legs, &answered)
		*known = want
	}
	answered.Revision, answered.CumulativePointsMicro = known.revision, known.cumulativeMicro
	answered.ReceivablePointsMicro = s.balance(receivable(want.person, want.world))
	s.minted(answered)
	for _, leg := range legs[:count] {
		s.postedLeg(leg)
	}
	return Accepted
}

// issuable returns how much more of an asset can be issued.
func (s *State) issuable(asset uint32) int64 { return s.books.Asset(asset).Issuable() }

// knownDay returns the record of a day for writing, appended if it is new.
func (s *State) knownDay(want personDay) *personDay {
	hash := want.hash()
	i, found := s.dayOf.Find(hash, func(i int) bool { return s.days.At(i).same(&want) })
	if !found {
		i = s.days.Append(personDay{person: want.person, world: want.world, day: want.day})
		s.dayOf.Insert(hash, i)
	}
	return s.days.Write(i)
}

// correct posts a difference of points, at most two legs, and says what it
// came to.
func (s *State) correct(day personDay, differenceMicro int64, legs *[2]ledger.Leg, answered *Minted) (count int) {
	contra, _ := s.books.Find(ledger.Key{Asset: ledger.Points, Purpose: ledger.PurposeReceivableContra})
	issuer := s.books.Asset(ledger.Points).Issuer
	post := func(debit, credit uint64, valueMicro int64) {
		if valueMicro == 0 {
			return
		}
		if refusal := s.books.Post(debit, credit, valueMicro); refusal != ledger.Accepted {
			panic(fmt.Sprintf("bank: minting %+v: posting %d from %d to %d: %s", day, valueMicro, debit, credit, refusal))
		}
		legs[count] = ledger.Leg{Debit: debit, Credit: credit, Amount: valueMicro}
		count++
	}
	owed := s.balance(receivable(day.person, day.world))
	if differenceMicro >= 0 {
		repaid := min(owed, differenceMicro)
		if repaid > 0 {
			post(s.open(receivable(day.person, day.world)), contra, repaid)
		}
		earned := differenceMicro - repaid
		if earned > 0 {
			post(issuer, s.pendingAccount(day.person, day.world), earned)
			s.addPending(day.world, earned)
		}
		answered.DeltaPointsMicro = earned
		return count
	}
	pending := s.pendingKey(day.person, day.world)
	taken := min(s.balance(pending), -differenceMicro)
	if taken > 0 {
		post(s.open(pending), issuer, taken)
		s.addPending(day.world, -taken)
	}
	if rest := -differenceMicro - taken; rest > 0 {
		post(contra, s.open(receivable(day.person, day.world)), rest)
	}
	answered.DeltaPointsMicro = -taken
	return count
}

func receivable(person uint64, world uint32) ledger.Key {
	return ledger.Key{Owner: person, Asset: ledger.Points, Purpose: ledger.PurposeReceivable, Sub: world}
}

// pendingKey is the account of the points that wait for the running epoch.
func (s *State) pendingKey(person uint64, world uint32) ledger.Key {
	return ledger.Key{
		OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Points, Purpose: ledger.PurposePoints,
		Sub: world*2 + uint32(s.epochs.running.Number&1),
	}
}

// pendingAccount opens the account of points that wait for the running epoch
// and notes it for the close if it is empty.
func (s *State) pendingAccount(person uint64, world uint32) uint64 {
	account := s.open(s.pendingKey(person, world))
	if s.books.Account(account).Balance == 0 {
		s.epochs.waiting[s.epochs.running.Number&1].Append(account)
	}
	return account
}

func (s *State) addPending(world uint32, valueMicro int64) {
	pending := &s.worlds[world-1].pendingMicro[s.epochs.running.Number&1]
	sum, ok := amount.Add(*pending, valueMicro)
	if !ok || sum < 0 {
		panic(fmt.Sprintf("bank: pending points of world %d went from %d by %d", world, *pending, valueMicro))
	}
	*pending = sum
}

// open returns the account with this key; if it opens it, it says so.
func (s *State) open(key ledger.Key) uint64 {
	number, opened := s.books.Open(key)
	if opened {
		s.accountOpened(number)
	}
	return number
}

func (s *State) balance(key ledger.Key) int64 {
	number, found := s.books.Find(key)
	if !found {
		return 0
	}
	return s.books.Account(number).Balance
}
