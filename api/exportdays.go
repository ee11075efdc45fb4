package api

import (
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// dayTables are what a person's days have earned, and why.
func (x *exported) dayTables() []export.Table {
	return []export.Table{{
		Name: "days", About: "What each day has earned in each world so far: T, I, C and the points that they come to.",
		Fields: []export.Field{
			field("day", export.Time, ""), field("world", export.Text, ""), field("points", export.Amount, "A, rounded down once for the day."),
			field("minted", export.Amount, "What of it the bank has posted."), field("provisional", export.Bool, "It may still change."),
			field("present_seconds", export.Number, "T."), field("interactions", export.Amount, "I, weighted."), field("spend", export.Amount, "C."), field("currency", export.Text, "Of C."),
			field("policy", export.Text, "Its name."), field("policy_version", export.Number, "0 is the default policy."), field("day_capped", export.Bool, "A cap of the day has cut it."),
			field("minor", export.Bool, "By the caps for minors."), field("own_limit_seconds", export.Number, "By your own limit."), field("revision", export.Text, ""),
			field("commitment", export.Text, "What the journal shows of it."), field("blind", export.Text, "Opens the commitment; told to you only."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.days(func(a wire.Attention) error {
				var limit any
				if a.OwnLimit != nil {
					limit = *a.OwnLimit
				}
				return emit(a.Day, a.World, a.Points, a.Minted, a.Provisional, a.Present, a.Interactions, a.Spend, a.Currency, a.Policy, a.PolicyVersion, a.DayCapped, a.Minor, limit, a.Revision, a.Commitment, a.Blind)
			})
		}),
	}, {
		Name: "slices", About: "How the points of each day came about, slice by slice.",
		Fields: []export.Field{
			field("day", export.Time, ""), field("world", export.Text, ""), field("start", export.Text, "Time of day, UTC."), field("present_seconds", export.Number, "T."),
			field("count", export.Number, "Interactions as they were reported."), field("interactions", export.Amount, "I, after caps."), field("spend", export.Amount, "C, after caps."),
			field("alpha", export.Amount, "What T is worth."), field("beta", export.Amount, "What I is worth."), field("gamma", export.Amount, "What C is worth."),
			field("formula", export.Amount, "Of the world's own formula."), field("factor", export.Amount, "Of the daily curve: 1, 0.5 or 0."), field("caps", export.JSON, "That cut it."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.days(func(a wire.Attention) error {
				for i := range a.Slices {
					s := &a.Slices[i]
					if err := emit(a.Day, a.World, s.Start, s.Present, s.Count, s.Interactions, s.Spend, s.Alpha, s.Beta, s.Gamma, s.Formula, s.Factor, s.Caps); err != nil {
						return err
					}
				}
				return nil
			})
		}),
	}, x.findingsTable()}
}

func (x *exported) findingsTable() export.Table {
	return export.Table{
		Name: "findings", About: "What review rules have found of your days; docs/review.md.",
		Fields: []export.Field{
			field("day", export.Time, ""), field("signal", export.Text, "What was found."), field("meaning", export.Text, ""),
			field("mode", export.Text, "enforce, or shadow: a rule that only watches and holds nothing back."), field("rules_version", export.Number, "0 are the default rules."),
			field("evidence", export.Text, "What was measured, in words."), field("cost", export.Number, "What it took from the trust of 1000."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			return x.ownDays(x.subject.Number, collect.PersonPart, func(day int32) error {
				found, err := x.Collector.Findings(x.ctx, x.subject.Number, day, day)
				if err != nil {
					return err
				}
				for i := range found {
					f := &found[i]
					mode := "enforce"
					if f.Shadow {
						mode = "shadow"
					}
					if err := emit(dayText(f.Day), f.Signal.String(), f.Signal.Meaning(), mode, f.RulesVersion, f.Evidence(), f.Cost); err != nil {
						return err
					}
				}
				return nil
			})
		}),
	}
}

// ownDays gives the days of a subject behind one.
func (x *exported) ownDays(subject uint64, after int32, each func(day int32) error) error {
	const page = 64
	for {
		days, err := x.Collector.Days(x.ctx, subject, after, page)
		if err != nil {
			return err
		}
		for _, day := range days {
			after = day
			if err := each(day); err != nil {
				return err
			}
		}
		if len(days) < page {
			return nil
		}
	}
}

// days gives what each day has earned: of days that are another's by a link what
// is of the person's own world, as in attention.
func (x *exported) days(each func(wire.Attention) error) error {
	tell := func(day int32) error {
		list, err := x.attentionOn(x.ctx, identity.Principal{Kind: identity.Person, PersonID: x.subject.Person, World: x.subject.World}, x.subject, day)
		if err != nil {
			return err
		}
		for i := range list {
			if !x.own {
				list[i].Blind = ""
			}
			if err := each(list[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := x.ownDays(x.subject.Number, collect.PersonPart, tell); err != nil {
		return err
	}
	links, err := x.Identity.Links(x.ctx, x.subject.Number)
	if err != nil {
		return err
	}
	for _, link := range links {
		if link.Member != x.subject.Number {
			continue
		}
		err := x.ownDays(link.Head, link.FromDay-1, func(day int32) error {
			if day >= link.UntilDay {
				return nil
			}
			return tell(day)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
