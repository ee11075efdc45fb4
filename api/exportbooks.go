package api

import (
	"encoding/hex"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/history"
)

// bookTables are what the books of the bank say of a person.
func (x *exported) bookTables() []export.Table {
	return []export.Table{{
		Name: "accounts", About: "Your accounts, and what you owe, as of the record of the journal.",
		Fields: []export.Field{
			field("account", export.Text, "Its number."), field("asset", export.Text, ""), field("purpose", export.Text, "main is what you can spend; points wait for the end of an epoch; receivable is what you owe; held_back waits for a review."),
			field("sub", export.Number, "Tells several main accounts apart."), field("balance", export.Amount, ""), field("held", export.Amount, "Set aside by holds and orders."),
			field("available", export.Amount, ""), field("floor", export.Amount, ""), field("credit_limit", export.Amount, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			for _, a := range x.accounts {
				if err := emit(a.Account, a.Asset, a.Purpose, a.Sub, a.Balance, a.Held, a.Available, a.Floor, a.CreditLimit); err != nil {
					return err
				}
			}
			return nil
		}),
	}, {
		Name: "points", About: "Your points by world.",
		Fields: []export.Field{
			field("world", export.Text, ""), field("running", export.Amount, "They wait for the end of the running epoch."),
			field("closing", export.Amount, "Being turned into TIME."), field("owed", export.Amount, "Taken back after they were paid."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			for _, p := range x.points {
				if err := emit(p.world, points(p.running), points(p.closing), points(p.owed)); err != nil {
					return err
				}
			}
			return nil
		}),
	}, x.postingsTable(), x.holdsTable(), x.mintsTable(), x.paymentsTable()}
}

func (x *exported) postingsTable() export.Table {
	return export.Table{
		Name: "postings", About: "Everything that was posted to your accounts: your statement, account by account, the newest first.",
		Fields: []export.Field{
			field("account", export.Text, ""), field("asset", export.Text, ""), field("time", export.Time, ""), field("operation", export.Text, "Where it stands in the journal."),
			field("kind", export.Text, "What was done."), field("reference", export.Text, "Of the business operation."), field("other", export.Text, "The other account."),
			field("amount", export.Amount, "Below zero, it left the account."), field("balance", export.Amount, "After it."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.eachAccount(func(number uint64, a assetFacts) error {
				query := history.StatementQuery{Before: history.Position{Seq: x.seq + 1}, Limit: history.MaxPage}
				for {
					page, err := x.History.Statement(x.ctx, number, query)
					if err != nil {
						return err
					}
					for _, e := range page {
						query.Before = e.Position
						if err := emit(idText(number), a.code, timeText(e.TimeMS), e.Position.String(), e.Kind, e.Reference, idText(e.Other), a.format(e.Amount), a.format(e.Balance)); err != nil {
							return err
						}
					}
					if len(page) < query.Limit {
						return nil
					}
				}
			})
		}),
	}
}

// eachAccount gives the person's accounts.
func (x *exported) eachAccount(each func(number uint64, asset assetFacts) error) error {
	for _, a := range x.accounts {
		number, err := strconv.ParseUint(a.Account, 10, 64)
		if err != nil {
			return err
		}
		facts, _, err := x.accountFacts(x.ctx, number)
		if err != nil {
			return err
		}
		if err := each(number, assetFacts{facts.asset, facts.scale}); err != nil {
			return err
		}
	}
	return nil
}

func (x *exported) holdsTable() export.Table {
	ends := [...]string{bank.HoldSettled: "settled", bank.HoldReleased: "released", bank.HoldExpired: "expired"}
	return export.Table{
		Name: "holds", About: "What was set aside on your accounts, and what became of it.",
		Fields: []export.Field{
			field("account", export.Text, ""), field("asset", export.Text, ""), field("time", export.Time, ""), field("operation", export.Text, ""), field("kind", export.Text, "What was done."),
			field("reference", export.Text, ""), field("hold", export.Text, "Its number."), field("what", export.Text, "placed, settled, released or expired."),
			field("amount", export.Amount, ""), field("remaining", export.Amount, "Of the hold, after it."), field("beneficiary", export.Text, "The account that it is for."),
			field("expires", export.Time, ""), field("group", export.Text, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.eachAccount(func(number uint64, a assetFacts) error {
				return x.affairs(history.Holds, number, func(t *history.Transaction, fact bank.Fact) error {
					row := func(hold uint64, what string, amount, remaining int64, beneficiary, expires, group string) error {
						return emit(idText(number), a.code, timeText(t.TimeMS), operationOf(t), t.Kind, t.Reference, idText(hold), what, a.format(amount), a.format(remaining), beneficiary, expires, group)
					}
					switch f := fact.(type) {
					case bank.HoldPlaced:
						if f.Account == number {
							group := ""
							if f.Group != [16]byte{} {
								group = hex.EncodeToString(f.Group[:])
							}
							return row(f.Hold, "placed", f.Amount, f.Amount, idText(f.Beneficiary), timeText(f.ExpiresAtMS), group)
						}
					case bank.HoldReduced:
						if f.Account == number {
							return row(f.Hold, ends[f.End], f.Amount, f.Remaining, "", "", "")
						}
					}
					return nil
				})
			})
		}),
	}
}

func (x *exported) mintsTable() export.Table {
	return export.Table{
		Name: "mints", About: "What was posted for your days, the newest day first.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("day", export.Time, ""), field("world", export.Text, ""), field("revision", export.Text, ""), field("points", export.Amount, "Cumulative for the day."),
			field("delta", export.Amount, "What was added to, or taken from, the points that wait."), field("owed", export.Amount, ""), field("epoch", export.Number, ""),
			field("policy_version", export.Number, ""), field("commitment", export.Text, ""), field("operation", export.Text, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			if x.person == 0 {
				return nil
			}
			query := history.MintQuery{Limit: history.MaxPage}
			for {
				page, err := x.History.Mints(x.ctx, x.person, query)
				if err != nil {
					return err
				}
				for _, m := range page {
					query.BeforeDay, query.BeforeWorld, query.BeforeRevision = m.Day, m.World, m.Revision
					if m.Seq > x.seq {
						continue
					}
					s, err := x.mintOf(x.ctx, m)
					if err != nil {
						return err
					}
					if err := emit(s.Time, s.Day, s.World, s.Revision, s.Points, s.Delta, s.Owed, int64(s.Epoch), s.PolicyVersion, s.Commitment, s.Operation); err != nil {
						return err
					}
				}
				if len(page) < query.Limit {
					return nil
				}
			}
		}),
	}
}

func (x *exported) paymentsTable() export.Table {
	return export.Table{
		Name: "payments", About: "What you were paid at the end of epochs, the newest first.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("epoch", export.Number, ""), field("world", export.Text, "For the points of which world."), field("points", export.Amount, ""),
			field("paid", export.Amount, "TIME."), field("operation", export.Text, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			if x.person == 0 {
				return nil
			}
			for epoch, world := uint64(0), uint32(0); ; {
				page, err := x.History.Payments(x.ctx, x.person, epoch, world, history.MaxPage)
				if err != nil {
					return err
				}
				for _, p := range page {
					if epoch, world = p.Epoch, p.World; p.Seq > x.seq {
						continue
					}
					code, err := x.worldCode(x.ctx, p.World)
					if err != nil {
						return err
					}
					at := history.Position{Seq: p.Seq, Index: p.Index}
					if err := emit(timeText(p.TimeMS), int64(p.Epoch), code, points(p.PointsMicro), points(p.TimeMicro), at.String()); err != nil {
						return err
					}
				}
				if len(page) < history.MaxPage {
					return nil
				}
			}
		}),
	}
}
