package score

import (
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/event"
)

// Observation is what an event means under a policy.
type Observation struct {
	// FromMS to UntilMS is presence; empty if they are equal. A bucket counts
	// when the interval touches it.
	FromMS, UntilMS int64
	// WeightMicro is the weighted number of interactions, Count the plain one.
	WeightMicro int64
	Count       int64
	// SpendMinor is spend, RefundMinor a refund, of order Order, in hundredths
	// of the policy's currency. Neither is attention yet: spend counts when its
	// refund window has passed.
	SpendMinor, RefundMinor int64
	Order                   string
	// Rule says why a spend or refund was not taken; empty if nothing is wrong.
	Rule string
}

// Rules by which an event's spend is not taken.
const (
	RuleOtherCurrency = "other_currency"
	RuleNoAmount      = "no_amount"
)

// Observe returns what an event that happened at timeMS means. The event's own
// claims count only as far as the policy and the bounds of package event go.
func (p *Policy) Observe(e *event.Event, timeMS int64) Observation {
	o := Observation{FromMS: timeMS, UntilMS: timeMS}
	if e.Call == event.Identify || e.Call == event.Group || e.Call == event.Alias {
		return o
	}
	r := p.ruleOf(e)
	o.UntilMS += r.presenceMS
	o.Count = 1
	if e.CoversMS != 0 || e.Count != 0 {
		// An import measured both: what it does not say is none.
		o.UntilMS = timeMS + min(max(e.CoversMS, 0), event.MaxCoversMS)
		o.Count = max(e.Count, 0)
	}
	weight, fits := amount.Mul(o.Count, r.weightMicro)
	if !fits {
		weight = 1<<63 - 1
	}
	if o.WeightMicro = weight; weight == 0 {
		o.Count = 0
	}
	if r.spend != "" {
		o.SpendMinor, o.Rule = p.money(e, r.spend)
	} else if r.refund != "" {
		o.RefundMinor, o.Rule = p.money(e, r.refund)
	}
	if order, found := e.Property("order_id"); found {
		o.Order = order
	} else {
		o.Order, _ = e.Property("orderId")
	}
	return o
}

// money reads an amount in the policy's currency. An order's total stands in
// for its revenue. Places below the hundredth are cut off.
func (p *Policy) money(e *event.Event, property string) (minor int64, rule string) {
	if currency, found := e.Property("currency"); found && !strings.EqualFold(currency, p.Currency) {
		return 0, RuleOtherCurrency
	}
	text, found := e.Property(property)
	if !found && property == "revenue" {
		text, found = e.Property("total")
	}
	if !found {
		return 0, RuleNoAmount
	}
	if minor, ok := ParseSpend(text); ok {
		return minor, ""
	}
	return 0, RuleNoAmount
}

// ParseSpend reads a decimal amount as hundredths, rounded down; amounts below
// zero or beyond 10^12 are none.
func ParseSpend(text string) (minor int64, ok bool) {
	if strings.HasPrefix(text, "-") {
		return 0, false // also if what is left of it would be zero
	}
	if point := strings.IndexByte(text, '.'); point >= 0 && len(text) > point+1+CurrencyScale {
		for _, c := range text[point+1+CurrencyScale:] {
			if c < '0' || c > '9' {
				return 0, false
			}
		}
		text = text[:point+1+CurrencyScale]
	}
	minor, err := amount.Parse(text, CurrencyScale)
	if err != nil || minor < 0 || minor > 100*Micro*Micro {
		return 0, false
	}
	return minor, true
}
