package api

import (
	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/export"
)

// eventTables are what was reported of a person, and what is known of the person
// apart from days.
func (x *exported) eventTables() []export.Table {
	return []export.Table{x.meteringTable(), x.reportsTable(), {
		Name: "sessions", About: "Times in which what your devices report is believed.",
		Fields: []export.Field{field("from", export.Time, ""), field("until", export.Time, "")},
		Rows: x.rows(func(emit func(...any) error) error {
			known, err := x.Collector.Folded(x.ctx, x.subject.Number)
			if err != nil {
				return err
			}
			for _, session := range known.Sessions {
				if err := emit(timeText(session[0]), timeText(session[1])); err != nil {
					return err
				}
			}
			return nil
		}),
	}, {
		Name: "spends", About: "What you have spent in worlds and may still be refunded, and refunds that have met no order yet.",
		Fields: []export.Field{
			field("what", export.Text, "order or refund."), field("world", export.Text, "Of an order."),
			field("time", export.Time, "When an order counts, or a refund arrived."), field("amount", export.Amount, "In the currency of the world's policy."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			known, err := x.Collector.Folded(x.ctx, x.subject.Number)
			if err != nil {
				return err
			}
			for what, list := range map[string][]collect.Spend{"order": known.Spends, "refund": known.Refunds} {
				for _, s := range list {
					world, err := x.worldCode(x.ctx, s.World)
					if err != nil {
						return err
					}
					if err := emit(what, world, timeText(s.AtMS), amount.Format(s.Minor, 2)); err != nil {
						return err
					}
				}
			}
			return nil
		}),
	}}
}

func (x *exported) meteringTable() export.Table {
	return export.Table{
		Name: "metering", About: "The terms by which your behaviour is metered now.",
		Fields: []export.Field{
			field("first_reported", export.Time, "When something of you was first reported."), field("scoring", export.Text, "Your decision: undecided, given or withdrawn."),
			field("analytics", export.Text, "Your decision."), field("minor", export.Bool, "The caps for minors hold."),
			field("earn_seconds", export.Number, "How much presence of a day earns by your own limit; none for no limit."), field("next_earn_seconds", export.Number, "The same from a time on."),
			field("next_from", export.Time, "From when on."), field("excluded_until", export.Time, "Until then you earn nothing, by your own choice."),
			field("unvouched", export.Number, "Events that wait for a session that covers them."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			known, err := x.Collector.Folded(x.ctx, x.subject.Number)
			if err != nil {
				return err
			}
			since := ""
			if known.SinceMS > 1 {
				since = timeText(known.SinceMS)
			}
			seconds := func(n int32) any {
				if n == collect.NoLimit {
					return nil
				}
				return n
			}
			t := known.Terms
			return emit(since, decisionText(t.Scoring), decisionText(t.Analytics), t.Minor, seconds(t.EarnSeconds), seconds(t.NextEarnSeconds), timeText(t.NextFromMS), timeText(t.ExcludedUntilMS), known.Waiting)
		}),
	}
}

// reportsTable is the log of events, as far as it is of the person.
func (x *exported) reportsTable() export.Table {
	return export.Table{
		Name: "events", About: "What was reported of you, by whom, and what became of it; first under your name, then by your devices. What a world no longer keeps is not there.",
		Fields: []export.Field{
			field("received", export.Time, "When it arrived."), field("what", export.Text, "event, session (a world vouches that you are there), link, appeal (what you said about a case) or terms (what you decided about metering)."),
			field("world", export.Text, ""), field("by", export.Text, "The credential: server, write or import."),
			field("verdict", export.Text, "accepted, capped, late or quarantined; docs/collect.md."), field("rule", export.Text, "Why."),
			field("happened", export.Time, "When, by the bank's judgement."), field("call", export.Text, "track, page, screen, identify, group or alias."), field("event", export.Text, "Its name."),
			field("message_id", export.Text, ""), field("user_id", export.Text, ""), field("anonymous_id", export.Text, ""),
			field("client_time", export.Time, "When, by the client's clock."), field("client_sent", export.Time, "When the client sent it, by its clock."),
			field("covers_ms", export.Number, "Of an import: how long it lasted."), field("count", export.Number, "Of an import: how many interactions."),
			field("properties", export.JSON, "What else was said."), field("from", export.Time, "Of a session."), field("until", export.Time, "Of a session."),
			field("case", export.Text, "Of an appeal."), field("text", export.Text, "Of an appeal; of a link whether it begins or ends; of terms the decisions."),
		},
		Rows: x.rows(func(emit func(...any) error) error {
			for r, err := range x.Collector.Reports(x.ctx, x.subject.Number, x.known.Devices, x.batch) {
				if err != nil {
					return err
				}
				world, err := x.worldCode(x.ctx, r.World)
				if err != nil {
					return err
				}
				if err := emit(reportRow(&r, world)...); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

func reportRow(r *collect.Report, world string) []any {
	e := &r.Event
	var properties any
	if len(e.Properties) > 0 {
		members := map[string]string{}
		for _, p := range e.Properties {
			members[p.Name] = p.Value
		}
		properties = members
	}
	var covers, count any
	if e.CoversMS != 0 || e.Count != 0 {
		covers, count = e.CoversMS, e.Count
	}
	text := r.Text
	switch r.Kind {
	case "link":
		if text = "begins"; r.Ends {
			text = "ends"
		}
	case "terms":
		text = "scoring " + decisionText(r.Terms.Scoring) + ", analytics " + decisionText(r.Terms.Analytics)
	}
	return []any{
		timeText(r.ReceivedMS), r.Kind, world, trustText(r.Trust), r.Verdict.String(), r.Rule.String(), timeText(r.HappenedMS), e.Call.String(), e.Type,
		e.MessageID, e.UserID, e.AnonymousID, timeText(e.TimeMS), timeText(e.SentMS), covers, count, properties, timeText(r.FromMS), timeText(r.UntilMS),
		idText(r.Case), text,
	}
}
