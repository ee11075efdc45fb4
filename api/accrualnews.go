package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

// registered returns who is followed by the person's number in the bank, which
// numberOf knows of those whom the bank knows.
func (l *accruals) registered(numberOf func(id [16]byte) uint64) map[uint64][]*accrual {
	l.mu.Lock()
	var list []*accrual
	for _, a := range l.open {
		list = append(list, a)
	}
	l.mu.Unlock()
	open := make(map[uint64][]*accrual, len(list))
	for _, a := range list {
		if a.number == 0 {
			a.number = numberOf(a.who.Person)
		}
		if a.number != 0 {
			open[a.number] = append(open[a.number], a)
		}
	}
	return open
}

// sees reports whether a client is told of what was posted for a world.
func (a *accrual) sees(world uint32) bool { return a.view != viewOfWorld || world == a.who.World }

// tellAccruals shows what history has just learned to those whom it is about.
// The history's own goroutine calls it, so it looks first whether anybody
// follows at all. What cannot be read now is not told: the stream ends by
// itself when the bank does.
func (s *server) tellAccruals(chunk *history.Chunk) {
	ctx := context.Background()
	open := s.accruals.registered(func(id [16]byte) uint64 {
		number, _, _ := s.personNumber(ctx, id)
		return number
	})
	if len(open) == 0 {
		return
	}
	for _, m := range chunk.Mints {
		for _, a := range open[m.Person] {
			if shown, err := s.mintOf(ctx, m); err == nil && a.sees(m.World) {
				a.topic.publish("minted", shown)
			}
		}
	}
	for i := range chunk.Transactions {
		s.tellTransaction(ctx, &chunk.Transactions[i], open)
	}
}

// tellTransaction tells of payments at the close of an epoch and of reviews.
func (s *server) tellTransaction(ctx context.Context, t *history.Transaction, open map[uint64][]*accrual) {
	operation := history.Position{Seq: t.Seq, Index: t.Index}.String()
	var paid bank.EpochPaid
	postings := 0 // of the payment, that have been read
	for fact, err := range bank.Facts(t.Answer) {
		if err != nil {
			return // history has read it before
		}
		switch f := fact.(type) {
		case bank.EpochPaid:
			paid, postings = f, 0
		case bank.Posted:
			// The last of the four postings of a payment goes to whom it is paid.
			if postings++; postings == 4 && len(open[paid.Person]) > 0 {
				s.tellPayment(ctx, paid, f.Account, operation, open[paid.Person])
			}
		case bank.OwnLimitsSet:
			for _, a := range open[f.Limits.Person] {
				a.own.Store(int64(f.Limits.ReminderMinutes))
			}
		case bank.CaseChanged:
			var whose uint64
			s.Bank.Read(ctx, func(state *bank.State) {
				if c, found := state.Case(f.Case); found {
					whose = c.Person
				}
			})
			for _, a := range open[whose] {
				if a.view != viewOfWorld {
					a.topic.publish("review", wire.ReviewNews{Case: strconv.FormatUint(f.Case, 10), Status: f.Status.String(), Operation: operation})
				}
			}
		}
	}
}

func (s *server) tellPayment(ctx context.Context, paid bank.EpochPaid, to uint64, operation string, open []*accrual) {
	code, err := s.worldCode(ctx, paid.World)
	account, found, err2 := s.accountFacts(ctx, to)
	if err != nil || err2 != nil || !found {
		return
	}
	shown := wire.Payment{
		Epoch: paid.Epoch, World: code, Points: points(paid.PointsMicro), Time: points(paid.TimeMicro),
		HeldBack: account.Key.Purpose == ledger.PurposeHeldBack, Operation: operation,
	}
	for _, a := range open {
		if a.sees(paid.World) {
			a.topic.publish("paid", shown)
		}
	}
}
