package sim

import (
	"errors"
	"math/big"

	"github.com/attentionbank/attentionbank/auditor"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// look compares the books of the running bank with the auditor's.
func (w *world) look() error {
	w.mayQueue = false // or a second look would see what others have done meanwhile
	_, err := until(w, func(p *process) (struct{}, error) {
		var found error
		err := p.writer.Read(w.ctx, func(state *bank.State) { found = w.compare(state) })
		return struct{}{}, errors.Join(found, err)
	})
	return err
}

func (w *world) compare(state *bank.State) error {
	w.books.Expire(w.epochs.NowMS)
	for _, number := range append([]uint64{w.issuer}, w.accounts...) {
		account := state.Books().Account(number)
		if w.books.Balance(number).Cmp(big.NewInt(account.Balance)) != 0 || w.books.Held(number).Cmp(big.NewInt(account.Held)) != 0 {
			return wrong("account %d is at %d with %d held, the auditor says %s with %s", number, account.Balance, account.Held, w.books.Balance(number), w.books.Held(number))
		}
	}
	return errors.Join(w.compareTime(state), w.compareTotals(state), w.compareCases(state))
}

// compareTime compares what each person waits for, owes and was paid.
func (w *world) compareTime(state *bank.State) error {
	balance := func(key ledger.Key) int64 {
		if number, found := state.Books().Find(key); found {
			return state.Books().Account(number).Balance
		}
		return 0
	}
	for _, name := range w.people.names {
		id, _ := w.people.Person(w.ctx, w.people.numbers[name])
		person, known := state.PersonByID(id)
		if !known {
			person = 0 // owns nothing
		}
		paid := balance(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time})
		if want := w.epochs.Time[name]; paid != want {
			return wrong("%s was paid %d of TIME, the auditor says %d", name, paid, want)
		}
		held := balance(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time, Purpose: ledger.PurposeHeldBack})
		if want := w.epochs.Held[name]; held != want {
			return wrong("of %s %d of TIME is held back, the auditor says %d", name, held, want)
		}
		for world := range state.Worlds() {
			account := auditor.Account{Person: name, World: world + 1}
			points := ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Points, Purpose: ledger.PurposePoints}
			points.Sub = (world+1)*2 + uint32(state.RunningEpoch().Number&1)
			waits := balance(points)
			owes := balance(ledger.Key{Owner: person, Asset: ledger.Points, Purpose: ledger.PurposeReceivable, Sub: world + 1})
			if waits != w.epochs.Pending[account] || owes != w.epochs.Owed[account] {
				return wrong("%s has %d points of world %d waiting and owes %d, the auditor says %d and %d", name, waits, world+1, owes, w.epochs.Pending[account], w.epochs.Owed[account])
			}
		}
	}
	treasury := balance(ledger.Key{Asset: ledger.Time, Purpose: ledger.PurposeTreasury})
	if treasury != w.epochs.Treasury {
		return wrong("the treasury has %d of TIME, the auditor says %d", treasury, w.epochs.Treasury)
	}
	return nil
}

func (w *world) compareTotals(state *bank.State) error {
	points, paid := state.Books().Asset(ledger.Points), state.Books().Asset(ledger.Time)
	if points.Issued != w.epochs.PointsIssued || points.Burned != w.epochs.PointsBurned {
		return wrong("%d points were issued and %d burned, the auditor says %d and %d", points.Issued, points.Burned, w.epochs.PointsIssued, w.epochs.PointsBurned)
	}
	if paid.Burned != w.epochs.TimeBurned {
		return wrong("%d of TIME was burned, the auditor says %d", paid.Burned, w.epochs.TimeBurned)
	}
	if paid.Issued != w.epochs.TimePaid || int64(state.RunningEpoch().Number) != w.epochs.Number {
		return wrong("%d of TIME was issued before epoch %d, the auditor says %d before %d", paid.Issued, state.RunningEpoch().Number, w.epochs.TimePaid, w.epochs.Number)
	}
	return nil
}

// compareDays compares T, I, C and A of every day.
func (w *world) compareDays() error {
	_, err := until(w, func(p *process) (struct{}, error) {
		for _, want := range p.fold.Awards() {
			if p.fold.Target(want.Person) != want.Person {
				continue // a device that became a user's: the collector shows the user's days
			}
			list, err := p.events.Attention(w.ctx, w.people.numbers[want.Person], int32(want.Day))
			if err != nil {
				return struct{}{}, err
			}
			var got auditor.Award
			for _, attention := range list {
				if a := attention.Award; a.World == want.World {
					got = auditor.Award{PresentSeconds: a.PresentSeconds, ActsMilli: a.InteractionsMicro / 1000, SpendMinor: a.SpendMinor, PointsMicro: a.PointsMicro}
				}
			}
			if got.PresentSeconds != want.PresentSeconds || got.ActsMilli != want.ActsMilli || got.SpendMinor != want.SpendMinor || got.PointsMicro != want.PointsMicro {
				return struct{}{}, wrong("day %d of %s in world %d has T %d s, I %d/1000, C %d/100 and A %d, the auditor says %d, %d, %d and %d", want.Day, want.Person, want.World,
					got.PresentSeconds, got.ActsMilli, got.SpendMinor, got.PointsMicro, want.PresentSeconds, want.ActsMilli, want.SpendMinor, want.PointsMicro)
			}
		}
		return struct{}{}, nil
	})
	return err
}

// audit ends a world in peace: the disks are repaired, the old program
// returns, time passes until every refund window has ended and every epoch
// has closed. Then everything is compared.
func (w *world) audit() error {
	w.disk.calm, w.disk.full = true, false
	if err := w.ghostReturns(); err != nil {
		return err
	}
	w.nowMS = max(w.nowMS, w.latestMS) + 17*dayMS
	for _, do := range []func() error{
		func() error { return w.restart(errPower) }, w.flush, w.look, w.compareDays,
		func() error { w.nowMS += dayMS; return nil }, w.look, w.auditKeeping, w.auditReviews,
	} {
		if err := do(); err != nil {
			return err
		}
	}
	if behind := w.epochs.Behind(w.process.fold.Awards()); len(behind) > 0 {
		return wrong("the bank was never told of %+v", behind)
	}
	if found, err := w.fsck(); found {
		return wrong("%v", err)
	}
	return nil
}
