package bank

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// stepAccounts bounds how many points accounts, and how many holds that
// expire, one Tick deals with.
const stepAccounts = 2048

// Epoch is a period whose points are turned into TIME together.
type Epoch struct {
	Number         uint64
	StartMS, EndMS int64
	Policy         MonetaryPolicy
}

// epochs holds the running epoch, the one before while it is being paid, and
// the points accounts that wait for either, by the parity of the number.
type epochs struct {
	running Epoch
	next    MonetaryPolicy // holds from the next epoch on
	waiting [2]pages.Array[uint64]

	closing Epoch // Number is 0 when none is being paid
	paid    int   // how many of its accounts have been paid
	worlds  []closingWorld
	issued  int64
}

// closingWorld is the rate of a world in the closing epoch.
type closingWorld struct {
	rate       rate
	shares     bool
	shareMicro int64
	paidMicro  int64
}

// begin opens the first epoch at the time of the first record.
func (e *epochs) begin(nowMS int64) {
	if e.running.Number == 0 {
		e.running = epochAt(1, nowMS, e.next)
	}
}

// epochAt returns the epoch that runs at nowMS. Epochs end at multiples of
// their length, so that days are days.
func epochAt(number uint64, nowMS int64, policy MonetaryPolicy) Epoch {
	end := nowMS - nowMS%policy.EpochMS + policy.EpochMS
	return Epoch{Number: number, StartMS: nowMS, EndMS: end, Policy: policy}
}

// NextDueMS returns the earliest time at which a Tick has something to do.
func (s *State) NextDueMS() (dueMS int64, any bool) {
	if s.epochs.closing.Number != 0 {
		return s.nowMS, true
	}
	if s.epochs.running.Number != 0 {
		dueMS, any = s.epochs.running.EndMS+s.epochs.running.Policy.CloseDelayMS, true
	}
	if atMS, expires := s.books.NextExpiryMS(); expires && (!any || atMS < dueMS) {
		dueMS, any = atMS, true
	}
	if atMS, ends := s.reviews.nextForfeitMS(); ends && (!any || atMS < dueMS) {
		dueMS, any = atMS, true
	}
	if atMS, trades := s.nextMarketMS(); trades && (!any || atMS < dueMS) {
		dueMS, any = atMS, true
	}
	if atMS, expires := s.operators.proposals.nextExpiryMS(); expires && (!any || atMS < dueMS) {
		dueMS, any = atMS, true
	}
	return dueMS, any
}

// tick lets time take effect: holds expire, then markets, then the epoch closes.
func (s *State) tick(r *reader) Refusal {
	if !r.finished() {
		return Malformed
	}
	for range stepAccounts {
		number, open, more := s.books.PopExpired(s.nowMS)
		if !more {
			break
		}
		if open {
			s.release(number, HoldExpired)
		}
	}
	s.tickMarkets()
	s.expireProposals()
	s.forfeit()
	running := s.epochs.running
	if s.epochs.closing.Number == 0 && s.nowMS >= running.EndMS+running.Policy.CloseDelayMS {
		s.endEpoch()
	}
	if s.epochs.closing.Number != 0 {
		s.payEpoch()
	}
	return Accepted
}

// endEpoch starts the next epoch and fixes the rates of the one that ended.
func (s *State) endEpoch() {
	e := &s.epochs
	e.closing = e.running
	e.running = epochAt(e.closing.Number+1, s.nowMS, e.next)
	e.running.StartMS = e.closing.EndMS
	e.paid, e.issued, e.worlds = 0, 0, make([]closingWorld, len(s.worlds))

	parity := e.closing.Number & 1
	policy := e.closing.Policy
	budget := s.issuable(ledger.Time)
	if policy.Mode != Fixed {
		budget = min(budget, policy.BudgetMicro)
	}
	var weights int64
	for i := range s.worlds {
		weights += int64(s.worlds[i].ShareWeight)
	}
	for i := range s.worlds {
		w := &e.worlds[i]
		w.shareMicro, _ = amount.MulDivDown(budget, int64(s.worlds[i].ShareWeight), max(weights, 1))
		w.rate, w.shares = policy.rateOf(s.worlds[i].pendingMicro[parity], w.shareMicro)
	}
	dst := le.AppendUint64(append(s.answer, uint8(factEpochClosing)), e.closing.Number)
	dst = appendI64(appendI64(dst, e.closing.StartMS), e.closing.EndMS)
	s.answer = le.AppendUint64(dst, uint64(e.waiting[parity].Len()))
}

// payEpoch pays the next accounts of the closing epoch.
func (s *State) payEpoch() {
	e := &s.epochs
	parity := e.closing.Number & 1
	waiting := &e.waiting[parity]
	end := min(e.paid+stepAccounts, waiting.Len())
	for ; e.paid < end; e.paid++ {
		s.payAccount(*waiting.At(e.paid), parity)
	}
	if e.paid < waiting.Len() {
		return
	}
	treasury := s.closeRemainders()
	dst := le.AppendUint64(append(s.answer, uint8(factEpochClosed)), e.closing.Number)
	s.answer = appendI64(appendI64(dst, e.issued), treasury)
	for i := range s.worlds {
		if left := s.worlds[i].pendingMicro[parity]; left != 0 {
			panic(fmt.Sprintf("bank: epoch %d closed with %d points of world %d unpaid", e.closing.Number, left, i+1))
		}
	}
	waiting.Truncate(0)
	e.closing, e.worlds, e.paid = Epoch{}, nil, 0
}

// payAccount burns the points of an account and issues TIME to its owner. An
// account is listed again when it was emptied and filled in between; the
// second time it is empty.
func (s *State) payAccount(number uint64, parity uint64) {
	account := *s.books.Account(number)
	if account.Balance == 0 {
		return
	}
	world := account.Sub / 2
	w := &s.epochs.worlds[world-1]
	pay, ok := w.rate.pay(account.Balance)
	if !ok {
		panic(fmt.Sprintf("bank: account %d: %d points at rate %+v do not fit", number, account.Balance, w.rate))
	}
	owner := s.payee(account.Owner, pay)
	s.epochPaid(EpochPaid{Epoch: s.epochs.closing.Number, Person: account.Owner, World: world, PointsMicro: account.Balance, TimeMicro: pay})
	s.mustPost(number, s.books.Asset(ledger.Points).Issuer, account.Balance)
	s.worlds[world-1].pendingMicro[parity] -= account.Balance
	if pay > 0 {
		s.mustPost(s.books.Asset(ledger.Time).Issuer, owner, pay)
		w.paidMicro += pay
		s.epochs.issued += pay
	}
}

// closeRemainders issues to the treasury what rounding left of the shares that
// were paid out whole, so that a share is issued to the last unit.
func (s *State) closeRemainders() (treasuryMicro int64) {
	treasury, _ := s.books.Find(ledger.Key{Asset: ledger.Time, Purpose: ledger.PurposeTreasury})
	for i := range s.epochs.worlds {
		w := &s.epochs.worlds[i]
		if left := w.shareMicro - w.paidMicro; w.shares && left > 0 {
			s.mustPost(s.books.Asset(ledger.Time).Issuer, treasury, left)
			treasuryMicro += left
		}
	}
	s.epochs.issued += treasuryMicro
	return treasuryMicro
}

// mustPost posts what the rules have made sure of, and answers it.
func (s *State) mustPost(debit, credit uint64, value int64) {
	if refusal := s.books.Post(debit, credit, value); refusal != ledger.Accepted {
		panic(fmt.Sprintf("bank: epoch %d: posting %d from %d to %d: %s", s.epochs.closing.Number, value, debit, credit, refusal))
	}
	s.postedLeg(ledger.Leg{Debit: debit, Credit: credit, Amount: value})
}
