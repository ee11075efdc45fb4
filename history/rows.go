package history

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/bank"
)

// add appends the rows of a record. Bytes that the chunk keeps are copied.
func (c *Chunk) add(record Record) error {
	for index, pair := range record.Pairs {
		c.addAct(record, index, pair)
		if len(pair.Answer) < 2 || bank.Refusal(pair.Answer[0]) != bank.Accepted {
			continue // refused, repeated, or nothing came to be
		}
		t := Transaction{Seq: record.Seq, Index: uint32(index), TimeMS: record.TimeMS, Answer: slices.Clone(pair.Answer)}
		var err error
		if t.Kind, t.Reference, err = KindOf(bank.CarriedOut(pair.Command)); err == nil {
			err = c.addTransaction(t)
		}
		if err != nil {
			return fmt.Errorf("reading record %d, command %d: %w", record.Seq, index, err)
		}
	}
	c.Cursor = Cursor{Seq: record.Seq, TimeMS: record.TimeMS, Hash: record.Hash}
	return nil
}

// addAct appends what an operator did, or tried. What was repeated was done
// before.
func (c *Chunk) addAct(record Record, index int, pair Pair) {
	act, isAct := bank.ActOf(pair.Command)
	if !isAct || len(pair.Answer) == 0 {
		return
	}
	refusal := bank.Refusal(pair.Answer[0])
	if refusal == bank.Repeated || refusal == bank.Malformed {
		return
	}
	c.Acts = append(c.Acts, Act{
		Seq: record.Seq, Index: uint32(index), TimeMS: record.TimeMS, Operator: act.Operator, Credential: act.Credential,
		Operation: act.Operation, Target: act.Target, Before: act.Before, After: act.After, Refusal: refusal,
	})
}

func (c *Chunk) addTransaction(t Transaction) error {
	c.Transactions = append(c.Transactions, t)
	if t.Reference != "" {
		c.References = append(c.References, Reference{Text: t.Reference, Seq: t.Seq, Index: t.Index})
	}
	first := len(c.Postings)
	for fact, err := range bank.Facts(t.Answer) {
		if err != nil {
			return err
		}
		c.addFact(t, fact, first)
		c.addAffairs(t, fact)
	}
	if (len(c.Postings)-first)%2 != 0 {
		return fmt.Errorf("%d postings: one has no other side", len(c.Postings)-first)
	}
	return nil
}

// addFact appends the row of a fact; the postings of its transaction begin at
// first.
func (c *Chunk) addFact(t Transaction, fact bank.Fact, first int) {
	switch f := fact.(type) {
	case bank.Posted:
		c.addPosting(t, f, len(c.Postings)-first)
	case bank.AccountOpened:
		c.Accounts = append(c.Accounts, Account{Number: f.Account, Key: f.Key, Seq: t.Seq})
	case bank.HoldPlaced:
		c.Holds = append(c.Holds, Hold{
			Number: f.Hold, Account: f.Account, Beneficiary: f.Beneficiary, Amount: f.Amount, Remaining: f.Amount,
			ExpiresAtMS: f.ExpiresAtMS, Group: f.Group, Reference: t.Reference, Seq: t.Seq, Index: t.Index, PlacedMS: t.TimeMS,
		})
	case bank.HoldReduced:
		end := HoldEnd{Hold: f.Hold, Remaining: f.Remaining, TimeMS: t.TimeMS}
		switch f.End {
		case bank.HoldSettled:
			end.SettledAmount = f.Amount
		case bank.HoldReleased:
			end.ReleasedAmount = f.Amount
		case bank.HoldExpired:
			end.ExpiredAmount = f.Amount
		}
		c.HoldEnds = append(c.HoldEnds, end)
	case bank.Minted:
		c.Mints = append(c.Mints, Mint{
			Person: f.Person, Day: f.Day, World: f.World, Revision: f.Revision,
			CumulativePointsMicro: f.CumulativePointsMicro, DeltaPointsMicro: f.DeltaPointsMicro,
			ReceivablePointsMicro: f.ReceivablePointsMicro, Epoch: f.Epoch, PolicyVersion: f.PolicyVersion,
			Commitment: f.Commitment, Seq: t.Seq, Index: t.Index, TimeMS: t.TimeMS,
		})
	case bank.OrderFilled:
		c.addTrade(t, f)
		c.addOrder(t, f)
	case bank.MarketCleared:
		c.addTrade(t, f)
	case bank.OrderPlaced, bank.OrderAmended, bank.OrderCancelled:
		c.addOrder(t, f)
	case bank.EpochPaid:
		c.Payments = append(c.Payments, Payment{
			Person: f.Person, Epoch: f.Epoch, World: f.World, PointsMicro: f.PointsMicro, TimeMicro: f.TimeMicro,
			Seq: t.Seq, Index: t.Index, TimeMS: t.TimeMS,
		})
	case bank.EpochClosing:
		c.Epochs = append(c.Epochs, Epoch{Number: f.Epoch, StartMS: f.StartMS, EndMS: f.EndMS, Accounts: f.Accounts})
	case bank.EpochClosed:
		c.Epochs = append(c.Epochs, Epoch{Number: f.Epoch, IssuedMicro: f.IssuedMicro, TreasuryMicro: f.TreasuryMicro, ClosedMS: t.TimeMS})
	}
}

// addPosting appends the n-th posting of a transaction. The two postings of a
// leg follow each other, so the other side of an odd one is the one before.
func (c *Chunk) addPosting(t Transaction, posted bank.Posted, n int) {
	row := Posting{
		Account:  posted.Account,
		Position: Position{Seq: t.Seq, Index: t.Index, N: uint32(n)},
		Amount:   posted.Amount, Balance: posted.Balance,
	}
	if n%2 == 1 {
		before := &c.Postings[len(c.Postings)-1]
		row.Other, before.Other = before.Account, row.Account
	}
	c.Postings = append(c.Postings, row)
}

// Postings returns the postings of a transaction, in order.
func (t Transaction) Postings() ([]Posting, error) {
	var c Chunk
	if err := c.addTransaction(t); err != nil {
		return nil, fmt.Errorf("reading the facts of %d.%d: %w", t.Seq, t.Index, err)
	}
	return c.Postings, nil
}

// sort brings rows into the order of their tables.
func (c *Chunk) sort() {
	slices.SortFunc(c.Postings, func(a, b Posting) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index), cmp.Compare(a.N, b.N))
	})
	slices.SortFunc(c.References, func(a, b Reference) int {
		return cmp.Or(cmp.Compare(a.Text, b.Text), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index))
	})
	// Stable, because of one revision that is given twice the first counts.
	slices.SortStableFunc(c.Mints, func(a, b Mint) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Day, b.Day), cmp.Compare(a.World, b.World), cmp.Compare(a.Revision, b.Revision))
	})
	slices.SortFunc(c.Payments, func(a, b Payment) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.World, b.World))
	})
	slices.SortFunc(c.Affairs, func(a, b Affair) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Index, b.Index))
	})
	c.Affairs = slices.Compact(c.Affairs)
	slices.SortFunc(c.Trades, func(a, b Trade) int { return cmp.Or(cmp.Compare(a.Market, b.Market), a.Compare(b.Position)) })
	slices.SortFunc(c.Orders, func(a, b Order) int { return a.Compare(b.OrderName) })
	slices.SortFunc(c.OrderChanges, func(a, b OrderChange) int { return a.Compare(b.OrderName) })
	slices.SortFunc(c.Fills, func(a, b Fill) int { return cmp.Or(cmp.Compare(a.Person, b.Person), a.Compare(b.Position)) })
}
