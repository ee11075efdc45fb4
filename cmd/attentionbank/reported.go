package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/score"
)

// reported are the events of a name in a sample, and what a policy makes of
// them: sums before any cap, presence as if none overlapped.
type reported struct {
	Event           string `json:"event"`
	Count           int    `json:"events"`
	PresenceSeconds int64  `json:"presence_seconds"`
	Weight          string `json:"weight"`
	Spend           string `json:"spend"`
	By              string `json:"meant_by"`

	weightMicro, spendMinor int64
}

// readReported reads a sample of events, the most frequent name first.
func readReported(env *environment, file string, policy *score.Policy) ([]reported, error) {
	names := map[string]*reported{}
	var bad error
	add := func(r row) error {
		name := strings.ToLower(r.event.Type)
		if names[name] == nil {
			names[name] = &reported{Event: r.event.Type, By: "its name"}
			if !policy.Names(name) {
				names[name].By = "*"
			}
		}
		sum, o := names[name], policy.Observe(&r.event, r.event.TimeMS)
		weight, fits := amount.Add(sum.weightMicro, o.WeightMicro)
		spend, fitsToo := amount.Add(sum.spendMinor, o.SpendMinor)
		if !fits || !fitsToo {
			return errSum
		}
		sum.Count++
		sum.PresenceSeconds += (o.UntilMS - o.FromMS) / 1000
		sum.weightMicro, sum.spendMinor = weight, spend
		return nil
	}
	if err := readFile(env, file, nil, "comma", add, func(err error) { bad = cmp.Or(bad, err) }); err != nil {
		return nil, withHint(err, "expected an event in Segment's form on each line")
	}
	if bad != nil {
		return nil, withHint(fmt.Errorf("a line cannot be read: %w", bad), "expected an event in Segment's form on each line")
	}
	list := make([]reported, 0, len(names))
	for _, r := range names {
		r.Weight, r.Spend = amount.Format(r.weightMicro, 6), amount.Format(r.spendMinor, score.CurrencyScale)
		list = append(list, *r)
	}
	slices.SortFunc(list, func(a, b reported) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Event, b.Event)) })
	return list, nil
}
