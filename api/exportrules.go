package api

import (
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/history"
)

// ruleTables are what a person may do, what the person has set for themselves,
// and what others have decided about the person.
func (x *exported) ruleTables() []export.Table {
	return []export.Table{x.ownLimitsTable(), x.standingTable(), x.casesTable(), {
		Name: "case_changes", About: "How your cases came to where they are.",
		Fields: []export.Field{field("time", export.Time, ""), field("operation", export.Text, ""), field("case", export.Text, ""), field("status", export.Text, "")},
		Rows: x.rows(func(emit func(...any) error) error {
			for _, c := range x.cases {
				number, err := parseNumber("case", c.Case)
				if err != nil {
					return err
				}
				err = x.affairs(history.OfCase, number, func(t *history.Transaction, fact bank.Fact) error {
					f, is := fact.(bank.CaseChanged)
					if !is || f.Case != number {
						return nil
					}
					return emit(timeText(t.TimeMS), operationOf(t), c.Case, f.Status.String())
				})
				if err != nil {
					return err
				}
			}
			return nil
		}),
	}, x.actsTable()}
}

func (x *exported) ownLimitsTable() export.Table {
	return export.Table{
		Name: "own_limits", About: "What you have set for yourself, each time; none for no limit. What next says holds from a time on.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("spend_daily", export.Amount, "TIME."), field("next_spend_daily", export.Amount, ""), field("spend_from", export.Time, ""),
			field("orders_daily", export.Amount, "TIME."), field("next_orders_daily", export.Amount, ""), field("orders_from", export.Time, ""),
			field("earn_minutes", export.Number, ""), field("next_earn_minutes", export.Number, ""), field("earn_from", export.Time, ""),
			field("reminder_minutes", export.Number, "0 for never."), field("earns_nothing_until", export.Time, ""), field("spent", export.Amount, "Of the day then."), field("ordered", export.Amount, "Of the day then."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.OwnLimits, x.person, func(t *history.Transaction, fact bank.Fact) error {
				f, is := fact.(bank.OwnLimitsSet)
				if !is || f.Limits.Person != x.person {
					return nil
				}
				amount := func(value int64) any {
					if value == bank.NoOwnLimit {
						return nil
					}
					return points(value)
				}
				minutes := func(value int64) any {
					if value == bank.NoOwnLimit {
						return nil
					}
					return value
				}
				l := f.Limits
				return emit(timeText(t.TimeMS), operationOf(t), amount(l.SpendMicro.Value), amount(l.SpendMicro.Next), timeText(l.SpendMicro.NextFromMS),
					amount(l.OrdersMicro.Value), amount(l.OrdersMicro.Next), timeText(l.OrdersMicro.NextFromMS),
					minutes(l.EarnMinutes.Value), minutes(l.EarnMinutes.Next), timeText(l.EarnMinutes.NextFromMS),
					int(l.ReminderMinutes), timeText(l.EarnsNothingUntilMS), points(l.SpentMicro), points(l.OrderedMicro))
			})
		}),
	}
}

func (x *exported) standingTable() export.Table {
	return export.Table{
		Name: "standing", About: "What you may do, each time that it changed.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("what", export.Text, "standing, or trading: whether the operator lets you place orders."),
			field("features", export.JSON, "What you may do."), field("tier", export.Number, ""), field("excluded_until", export.Time, "By your own choice."),
			field("revision", export.Text, "Of what it follows from."), field("halted", export.Bool, "You may place no orders."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.affairs(history.Standings, x.person, func(t *history.Transaction, fact bank.Fact) error {
				switch f := fact.(type) {
				case bank.StandingSet:
					if f.Person == x.person {
						return emit(timeText(t.TimeMS), operationOf(t), "standing", f.Standing.Features.Names(), int(f.Standing.Tier), timeText(f.Standing.ExcludedUntilMS), idText(f.Standing.Revision), nil)
					}
				case bank.PersonHalted:
					if f.Person == x.person {
						return emit(timeText(t.TimeMS), operationOf(t), "trading", nil, nil, "", "", f.Halted)
					}
				}
				return nil
			})
		}),
	}
}

func (x *exported) casesTable() export.Table {
	return export.Table{
		Name: "cases", About: "Why TIME of yours is, was or would be held back. What you said about it stands among the events.",
		Fields: []export.Field{
			field("case", export.Text, ""), field("status", export.Text, "open, released, upheld, appealed, forfeited, or shadow: by rules that only watch and hold nothing back."),
			field("from", export.Time, "First day that was found odd."), field("to", export.Time, "Last day."), field("signals", export.JSON, "What was found, and what it means."),
			field("trust", export.Number, "The least that was found, of 1000."), field("rules_version", export.Number, ""), field("held", export.Amount, "TIME."), field("contested", export.Bool, "You have asked to be heard."),
			field("opened", export.Time, ""), field("decided", export.Time, ""), field("decided_by", export.Number, "Number of the operator."), field("appeal_until", export.Time, ""),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			for _, c := range x.cases {
				var by any
				if c.DecidedBy != nil {
					by = *c.DecidedBy
				}
				if err := emit(c.Case, c.Status, c.From, c.To, c.Signals, c.Trust, c.RulesVersion, c.Held, c.Contested, c.Opened, c.Decided, by, c.AppealUntil); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func (x *exported) actsTable() export.Table {
	return export.Table{
		Name: "acts", About: "What operators did that is about you, exports included, the newest first.",
		Fields: []export.Field{
			field("time", export.Time, ""), field("operation", export.Text, ""), field("operator", export.Number, "Their number."), field("act", export.Text, "Which call it was."), field("about", export.Text, ""),
			field("before", export.JSON, "How it was."), field("after", export.JSON, "What was asked for."), field("outcome", export.Text, "done, or why not."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			query := history.ActQuery{Target: "person=" + personText(x.subject.Person), BeforeSeq: x.seq + 1, Limit: history.MaxPage}
			for {
				page, err := x.History.Acts(x.ctx, query)
				if err != nil {
					return err
				}
				for _, a := range page {
					query.BeforeSeq, query.BeforeIndex = a.Seq, a.Index
					outcome := "done"
					if a.Refusal != bank.Accepted {
						outcome = a.Refusal.String()
					}
					at := history.Position{Seq: a.Seq, Index: a.Index}
					if err := emit(timeText(a.TimeMS), at.String(), a.Operator, a.Operation, a.Target, jsonOf(a.Before), jsonOf(a.After), outcome); err != nil {
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
