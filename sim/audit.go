package sim

import (
	"fmt"
	"math/big"
)

// auditor recomputes from the inputs alone what the bank must have come to:
// balances from the transfers that were asked for, in their order, and points
// from the events that were sent. It shares no code with what it audits.
type auditor struct {
	balances map[uint64]*big.Int
	issuer   uint64
	holds    map[string]*auditedHold // by the key under which they were placed
	events   map[string]auditedEvent // by message id
	sessions []auditedSession
}

type auditedHold struct {
	from, to uint64
	amount   int64
}

type auditedEvent struct {
	user   string
	server bool
	late   bool
	timeMS int64
	beat   bool
}

type auditedSession struct {
	user            string
	fromMS, untilMS int64
}

func newAuditor(issuer uint64, accounts []uint64) *auditor {
	a := &auditor{balances: map[uint64]*big.Int{issuer: {}}, issuer: issuer, holds: map[string]*auditedHold{}, events: map[string]auditedEvent{}}
	for _, account := range accounts {
		a.balances[account] = new(big.Int)
	}
	return a
}

func (a *auditor) available(account uint64) *big.Int {
	left := new(big.Int).Set(a.balances[account])
	for _, hold := range a.holds {
		if hold.from == account {
			left.Sub(left, big.NewInt(hold.amount))
		}
	}
	return left
}

// transfer carries out a transfer and reports whether it may be.
func (a *auditor) transfer(from, to uint64, amount int64) bool {
	if from == to || amount <= 0 || from != a.issuer && a.available(from).Cmp(big.NewInt(amount)) < 0 {
		return false
	}
	a.balances[from].Sub(a.balances[from], big.NewInt(amount))
	a.balances[to].Add(a.balances[to], big.NewInt(amount))
	return true
}

// hold places a hold under a key.
func (a *auditor) hold(key string, from, to uint64, amount int64) bool {
	if from == to || amount <= 0 || from == a.issuer || to == a.issuer || a.available(from).Cmp(big.NewInt(amount)) < 0 {
		return false
	}
	a.holds[key] = &auditedHold{from, to, amount}
	return true
}

// settle pays a hold in whole.
func (a *auditor) settle(key string) bool {
	hold, open := a.holds[key]
	if !open {
		return false
	}
	delete(a.holds, key)
	return a.transfer(hold.from, hold.to, hold.amount)
}

// counts reports whether an event is believed: a server's is, a client's if a
// session of the person covers it, and none that came too late.
func (a *auditor) counts(e auditedEvent) bool {
	if e.late {
		return false
	}
	for _, s := range a.sessions {
		if s.user == e.user && s.fromMS <= e.timeMS && e.timeMS < s.untilMS {
			return true
		}
	}
	return e.server
}

// points recomputes what each user has earned on each day by the default
// policy: 30 points an hour, half a point an interaction, at most 60 of them
// in five minutes, full to four hours of the day, half to eight.
func (a *auditor) points() map[string]int64 {
	type key struct {
		user string
		day  int64
	}
	buckets, acts := map[key]map[int64]bool{}, map[key]map[int64]int64{}
	for _, e := range a.events {
		if !a.counts(e) {
			continue
		}
		covers := int64(30_000)
		if e.beat {
			covers = 10_000
		}
		for at := e.timeMS / 10_000; at*10_000 < e.timeMS+covers; at++ {
			k := key{e.user, at / 8640}
			if buckets[k] == nil {
				buckets[k] = map[int64]bool{}
			}
			buckets[k][at%8640] = true
		}
		if !e.beat {
			k := key{e.user, e.timeMS / 86_400_000}
			if acts[k] == nil {
				acts[k] = map[int64]int64{}
			}
			acts[k][e.timeMS%86_400_000/300_000]++
		}
	}
	earned := map[string]int64{}
	for k := range buckets {
		var halfMillionths, seconds int64 // of a point, in 1/240 to stay whole
		for slice := range int64(288) {
			present := int64(0)
			for bucket := slice * 30; bucket < slice*30+30; bucket++ {
				if buckets[k][bucket] {
					present += 10
				}
			}
			halves := int64(2)
			if seconds >= 4*3600 {
				halves = 1
			}
			if seconds >= 8*3600 {
				halves = 0
			}
			// 30 points an hour is 1/120 point a second; in 1/240 of a
			// millionth, and half a point an interaction.
			halfMillionths += halves * (present*1_000_000 + min(acts[k][slice], 60)*60_000_000)
			seconds += present
		}
		earned[fmt.Sprintf("%s/%d", k.user, k.day)] = halfMillionths / 240
	}
	return earned
}
