package collect

import (
	"bytes"
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/attentionbank/attentionbank/score"
)

// spend lets an order wait for the end of its refund window.
func (f *fold) spend(ctx context.Context, seq uint64, receivedMS int64, subject uint64, who *person, p *prepared) error {
	number, _ := score.DayOf(p.timeMS)
	policy, _ := f.c.policies(p.world, number, p.policyVersion)
	s := spend{
		order: orderDigest(p.observation.Order), world: p.world, policy: p.policyVersion,
		dueMS: p.timeMS + int64(policy.RefundWindowDays)*24*60*60*1000, minor: p.observation.SpendMinor,
	}
	if policy.RefundWindowDays == 0 {
		return f.mature(ctx, seq, subject, who, s)
	}
	who.net(receivedMS)
	if i, _ := who.refundsOf(s.order, math.MinInt64); i < len(who.refunds) && who.refunds[i].order == s.order {
		who.forgetRefunds(receivedMS)
	}
	if len(who.spends) >= maxSpends {
		who.spends = slices.Delete(who.spends, 0, 1)
	}
	who.spends = append(who.spends, s)
	who.changed = true
	today, _ := score.DayOf(receivedMS)
	f.c.changes.touch(subject, today)
	return nil
}

// mature adds spend to the slice in which its refund window ended.
func (f *fold) mature(ctx context.Context, seq uint64, subject uint64, who *person, s spend) error {
	number, sinceMS := score.DayOf(s.dueMS)
	d, err := f.touch(ctx, seq, subject, who, number, s.world, s.policy)
	if err != nil {
		return err
	}
	d.Spend(s.world, sinceMS, s.minor)
	return nil
}

func orderDigest(order string) digest {
	if order == "" {
		return digest{}
	}
	return digestOf(0, 0, order)
}

// matureDue lets the spends of some subjects mature whose refund window has
// ended.
func (f *fold) matureDue(ctx context.Context, owners []uint64) error {
	for _, subject := range owners {
		who, err := f.person(ctx, subject)
		if err != nil {
			return err
		}
		if err := f.matureOf(ctx, subject, who); err != nil {
			return err
		}
	}
	return nil
}

func (f *fold) matureOf(ctx context.Context, subject uint64, who *person) error {
	f.people.change(subject, who)
	who.net(f.receivedMS)
	var still []spend
	for _, s := range who.spends {
		if s.dueMS > f.receivedMS {
			still = append(still, s)
			continue
		}
		who.changed = true
		if s.minor == 0 {
			continue // refunded
		}
		number, _ := score.DayOf(s.dueMS)
		d, err := f.dayOf(ctx, subject, who, number)
		if err != nil {
			return err
		}
		// Matured by time and not by a batch, so it counts up the revision of
		// the last one.
		d.seq = max(d.seq, 1)
		matured := d.matured + 1
		if err := f.mature(ctx, d.seq, subject, who, s); err != nil {
			return err
		}
		d.matured = matured
	}
	who.spends = still
	who.forgetRefunds(f.receivedMS)
	return nil
}

// refund keeps a refund for the orders of its id, whether they have arrived or
// will.
func (p *person) refund(r refund) {
	if r.order == (digest{}) {
		return
	}
	p.net(r.receivedMS)
	if len(p.refunds) >= maxRefunds {
		p.forgetRefunds(r.receivedMS)
	}
	if len(p.refunds) >= maxRefunds {
		oldest := 0
		for i := range p.refunds {
			if p.refunds[i].receivedMS < p.refunds[oldest].receivedMS {
				oldest = i
			}
		}
		p.refunds = slices.Delete(p.refunds, oldest, oldest+1)
	}
	i, _ := p.refundsOf(r.order, r.receivedMS+1)
	p.refunds = slices.Insert(p.refunds, i, r)
	p.changed = true
}

// refundsOf returns the place of the first refund of an order that arrived at
// or after a time.
func (p *person) refundsOf(order digest, receivedMS int64) (place int, found bool) {
	return slices.BinarySearchFunc(p.refunds, order, func(r refund, order digest) int {
		return cmp.Or(bytes.Compare(r.order[:], order[:]), cmp.Compare(r.receivedMS, receivedMS), 1)
	})
}

// net takes what was refunded from the orders whose window has ended by a time
// of the log, the earlier one first. Before another order or refund joins, this
// is done by the time at which it joins: so it comes to the same whenever days
// are minted, and in whichever order orders and refunds arrived in the window.
func (p *person) net(untilMS int64) {
	if len(p.refunds) == 0 {
		return
	}
	var ended []*spend
	for i := range p.spends {
		if s := &p.spends[i]; s.dueMS <= untilMS && s.order != (digest{}) {
			ended = append(ended, s)
		}
	}
	slices.SortStableFunc(ended, func(a, b *spend) int { return cmp.Compare(a.dueMS, b.dueMS) })
	for _, s := range ended {
		first, _ := p.refundsOf(s.order, math.MinInt64)
		for i := first; i < len(p.refunds) && p.refunds[i].order == s.order && p.refunds[i].receivedMS < s.dueMS; i++ {
			taken := min(s.minor, p.refunds[i].minor)
			s.minor -= taken
			p.refunds[i].minor -= taken
		}
		s.order, p.changed = digest{}, true
	}
}

// forgetRefunds drops what arrived before the horizon and waits in vain: no
// order is there that it could take from. An order that arrives now must not
// find it.
func (p *person) forgetRefunds(receivedMS int64) {
	late := func(r refund) bool { return r.minor == 0 || r.receivedMS < receivedMS-HorizonMS }
	if !slices.ContainsFunc(p.refunds, late) {
		return
	}
	orders := map[digest]bool{}
	for _, s := range p.spends {
		orders[s.order] = true
	}
	p.refunds = slices.DeleteFunc(p.refunds, func(r refund) bool { return late(r) && !orders[r.order] })
}
