package economy

import (
	"cmp"
	"math/big"
	"slices"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// Report returns what was taken in so far.
func (f *Fold) Report() *Report {
	r := &Report{From: instant(f.fromMS), To: instant(f.toMS), LastRecord: f.lastSeq, LastTime: instant(f.lastMS), Others: []Money{}}
	for number := range f.assets {
		m := f.money(uint32(number + 1))
		switch uint32(number + 1) {
		case ledger.Time:
			r.Time = m
		case ledger.Points:
			r.Points = m
		default:
			r.Others = append(r.Others, m)
		}
	}
	f.reportPeople(r)
	r.Worlds = make([]WorldReport, len(f.worlds))
	for i := range f.worlds {
		r.Worlds[i] = f.worlds[i].report()
	}
	r.Epochs = make([]EpochReport, len(f.epochs))
	for i := range f.epochs {
		r.Epochs[i] = f.epochs[i].report()
	}
	r.Shop = Shop{
		Purchases: f.shop.purchases, Sold: six(&f.shop.sold), Delivered: f.shop.delivered, Declined: f.shop.declined, Refunds: f.shop.refunds,
		Resales: f.shop.resales, Resold: six(&f.shop.resold), Royalties: six(&f.shop.royalties),
	}
	r.Markets, r.Reviews = f.reportMarkets(), f.reviews
	r.Fees, r.Treasury, r.Commands = f.reportFees(), f.reportTreasury(), f.reportCommands()
	f.reportDays(r)
	return r
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }

func six(v *big.Int) string { return decimal(v, ledger.TimeScale) }

// money is what happened to an asset.
func (f *Fold) money(number uint32) Money {
	a := &f.assets[number-1]
	return Money{
		Asset: a.code, World: f.worldCode(a.world),
		Opening: amount.Format(a.opening, a.scale), Closing: amount.Format(a.supply, a.scale),
		Minted: decimal(&a.total[minted], a.scale), Burned: decimal(&a.total[burned], a.scale), Volume: decimal(&a.total[moved], a.scale),
		MintedBy: f.flows(a.flows, minted, a.scale, 0), BurnedBy: f.flows(a.flows, burned, a.scale, 0), VolumeBy: f.flows(a.flows, moved, a.scale, 0),
	}
}

func (f *Fold) worldCode(number uint32) string {
	if number == 0 || int(number) > len(f.worlds) {
		return ""
	}
	return f.worlds[number-1].code
}

// flows lists those of a direction, and of an asset where the table has several.
func (f *Fold) flows(table map[flowKey]*flow, d direction, scale int, number uint32) []Flow {
	list := []Flow{}
	for _, key := range sortedFlows(table, func(k flowKey) bool { return k.direction == d && k.asset == number }) {
		list = append(list, Flow{Source: key.source, World: f.worldCode(key.world), Amount: decimal(&table[key].amount, scale), Count: table[key].count})
	}
	return list
}

// reportPeople counts people and says what they have and what they earned.
func (f *Fold) reportPeople(r *Report) {
	r.People.Registered, r.People.New = int64(len(f.people)), f.newPeople
	var paid, earned []int64
	for i := range f.people {
		p := &f.people[i]
		if p.paid > 0 {
			paid = append(paid, p.paid)
		}
		if p.earned > 0 {
			earned = append(earned, p.earned)
		}
		if p.spent {
			r.People.Spent++
		}
	}
	owners := f.owners()
	var holdings, all []int64
	for _, o := range owners {
		if o.balance <= 0 {
			continue
		}
		if all = append(all, o.balance); o.kind == ledger.OwnerPerson {
			holdings = append(holdings, o.balance)
		}
	}
	r.People.Paid, r.People.Earned, r.People.Holding = int64(len(paid)), int64(len(earned)), int64(len(holdings))
	r.Holdings, r.Earnings, r.Attention = distributionOf(holdings, ledger.TimeScale), distributionOf(paid, ledger.TimeScale), distributionOf(earned, ledger.TimeScale)
	r.Nakamoto = nakamoto(all)
}

type owner struct {
	kind    ledger.OwnerKind
	number  uint64
	balance int64
}

// owners returns what each owner has of TIME, over all accounts, holds
// included; what the bank has, it has together.
func (f *Fold) owners() (list []owner) {
	for i := range f.accounts {
		a := &f.accounts[i]
		if a.Asset == ledger.Time && a.Purpose != ledger.PurposeIssuer {
			list = append(list, owner{a.OwnerKind, a.Owner, a.balance})
		}
	}
	slices.SortFunc(list, func(a, b owner) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.number, b.number)) })
	kept := list[:0]
	for _, o := range list {
		if last := len(kept) - 1; last >= 0 && kept[last].kind == o.kind && kept[last].number == o.number {
			kept[last].balance += o.balance // all balances together are the supply
			continue
		}
		kept = append(kept, o)
	}
	return kept
}

func (w *world) report() WorldReport {
	return WorldReport{
		World: w.code, Earned: six(&w.earned), TakenBack: six(&w.taken), PaidPoints: six(&w.points), PaidTime: six(&w.time),
		Lambda: ratio(&w.time, &w.points), TimeIn: six(&w.timeIn), TimeOut: six(&w.out),
	}
}

func (e *epoch) report() EpochReport {
	r := EpochReport{
		Epoch: e.Epoch, Start: instant(e.StartMS), End: instant(e.EndMS), Closed: instant(e.closedMS),
		Mode: e.policy.Mode.String(), Lambda: amount.Format(e.policy.LambdaMicro, 6), Accounts: e.Accounts,
		Points: six(&e.points), Issued: amount.Format(e.issued, ledger.TimeScale), Treasury: amount.Format(e.treasury, ledger.TimeScale),
		Effective: ratio(&e.paid, &e.points),
	}
	if e.policy.Mode != bank.Fixed {
		r.Budget = amount.Format(e.policy.BudgetMicro, ledger.TimeScale)
	}
	return r
}

func (f *Fold) reportFees() []Fee {
	list := []Fee{}
	keys := make([]feeKey, 0, len(f.fees))
	for key := range f.fees {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b feeKey) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.asset, b.asset)) })
	for _, key := range keys {
		a, v := &f.assets[key.asset-1], f.fees[key]
		list = append(list, Fee{key.kind, a.code, decimal(&v.treasury, a.scale), decimal(&v.operator, a.scale), decimal(&v.burned, a.scale)})
	}
	return list
}

func (f *Fold) reportTreasury() []Treasury {
	list := []Treasury{}
	for i := range f.accounts {
		a := &f.accounts[i]
		if a.Purpose != ledger.PurposeTreasury || a.Asset == 0 {
			continue
		}
		of := &f.assets[a.Asset-1]
		list = append(list, Treasury{
			Asset: of.code, Opening: amount.Format(a.opening, of.scale), Closing: amount.Format(a.balance, of.scale),
			In: f.flows(f.treasuries, intoTreasury, of.scale, a.Asset), Out: f.flows(f.treasuries, outOfTreasury, of.scale, a.Asset),
		})
	}
	return list
}

func (f *Fold) reportCommands() []CommandCount {
	list := []CommandCount{}
	for kind, c := range f.commands {
		counted := CommandCount{Kind: kind, Accepted: c.accepted, Repeated: c.repeated}
		for refusal, n := range c.refused {
			counted.Refused = append(counted.Refused, RefusalCount{refusal.String(), n})
		}
		slices.SortFunc(counted.Refused, func(a, b RefusalCount) int { return cmp.Compare(a.Refusal, b.Refusal) })
		list = append(list, counted)
	}
	slices.SortFunc(list, func(a, b CommandCount) int { return cmp.Compare(a.Kind, b.Kind) })
	return list
}

// reportDays lists the days, those without entries too, and what follows from
// them.
func (f *Fold) reportDays(r *Report) {
	money := &f.assets[ledger.Time-1]
	supply, supplies := big.NewInt(money.opening), new(big.Int)
	r.Days = make([]Day, len(f.days))
	for i := range f.days {
		d := &f.days[i]
		supply = supply.Sub(supply.Add(supply, &d.minted), &d.burned)
		supplies.Add(supplies, supply)
		r.Days[i] = Day{
			Day:    time.Unix((int64(bank.Day(f.fromMS))+int64(i))*24*60*60, 0).UTC().Format(time.DateOnly),
			Minted: six(&d.minted), Burned: six(&d.burned), Supply: six(supply), Volume: six(&d.volume), Points: six(&d.points), Active: d.active,
		}
	}
	volume := new(big.Int).Mul(&money.total[moved], big.NewInt(int64(len(f.days))))
	r.Velocity = ratio(volume, supplies)
}
