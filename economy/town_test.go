package economy_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/economy"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
)

// startMS is 2026-01-01 00:00 UTC.
const (
	startMS = 1_767_225_600_000
	hourMS  = 60 * 60 * 1000
	dayMS   = 24 * hourMS
)

// town is a bank whose journal is kept as entries.
type town struct {
	t       testing.TB
	state   *bank.State
	nowMS   int64
	entries []economy.Entry
}

func newTown(t testing.TB) *town { return &town{t: t, state: bank.New(), nowMS: startMS} }

// do carries out commands as one record, now.
func (w *town) do(commands ...[]byte) (answers [][]byte) {
	w.t.Helper()
	seq := w.state.Seq() + 1
	w.state.Begin(seq, w.nowMS)
	for _, command := range commands {
		answer := w.state.Apply(command, nil)
		kind, _, err := history.KindOf(command)
		if err != nil {
			w.t.Fatal(err)
		}
		w.entries = append(w.entries, economy.Entry{Seq: seq, TimeMS: w.nowMS, Kind: kind, Command: command, Answer: answer})
		answers = append(answers, answer)
	}
	return answers
}

// must does what the bank may not refuse.
func (w *town) must(commands ...[]byte) {
	w.t.Helper()
	for i, answer := range w.do(commands...) {
		if bank.Refusal(answer[0]) != bank.Accepted {
			w.t.Fatalf("command %d of kind %d: %s", i, commands[i][0], bank.Refusal(answer[0]))
		}
	}
}

// wait lets time pass and take effect.
func (w *town) wait(ms int64) {
	w.nowMS += ms
	for range 10_000 {
		if due, any := w.state.NextDueMS(); !any || due > w.nowMS {
			return
		}
		w.must(bank.AppendTick(nil))
	}
	w.t.Fatal("time does not come to an end")
}

func id(n int) (id [16]byte) {
	binary.BigEndian.PutUint64(id[:], uint64(n)+1)
	return id
}

// earn posts what a person's day has come to, in points.
func (w *town) earn(person int, world uint32, points int64) {
	w.must(bank.Mint{Person: id(person), World: world, Day: bank.Day(w.nowMS), Revision: uint64(len(w.entries) + 1), CumulativePointsMicro: points * 1_000_000}.AppendTo(nil))
}

func (w *town) time(person int) uint64 {
	number, _ := w.state.PersonByID(id(person))
	account, found := w.state.TimeAccount(number)
	if !found {
		w.t.Fatalf("person %d has no account", person)
	}
	return account
}

// gems is the account of a person in a world's currency, 0 if there is none.
func (w *town) gems(person uint64) uint64 {
	number, _ := w.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: 4})
	return number
}

func (w *town) pay(from, to uint64, micro int64) []byte {
	return bank.Transfer{Reference: "pay", Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: micro}}}.AppendTo(nil)
}

func (w *town) report(fromMS, toMS int64) *economy.Report {
	w.t.Helper()
	fold, err := economy.New(fromMS, toMS)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range w.entries {
		more, err := fold.Add(e)
		if err != nil {
			w.t.Fatal(err)
		}
		if !more {
			break
		}
	}
	return fold.Report()
}

// randomTown lives for some days: people earn, are corrected, pay each other,
// buy, refund and resell; the operator issues and changes λ.
func randomTown(t testing.TB, seed uint64, days, people int) *town {
	w := newTown(t)
	random := rand.New(rand.NewPCG(seed, 1))
	w.must(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterWorld{Code: "park"}.AppendTo(nil),
		bank.RegisterAsset{Code: "HAT", World: 1}.AppendTo(nil), bank.RegisterAsset{Code: "GEM", Scale: 2, World: 2}.AppendTo(nil))
	w.must(bank.SetProduct{Product: bank.Product{World: 1, Code: "hat", Kind: bank.Item, Asset: 3, PriceMicro: 300_000, RefundWindowMS: 2 * dayMS, RoyaltyBPS: 500, OnSale: true}}.AppendTo(nil),
		bank.SetProduct{Product: bank.Product{World: 2, Code: "tour", Kind: bank.Service, PriceMicro: 150_000, DeadlineMS: dayMS, OnSale: true}}.AppendTo(nil))
	issuer := w.state.Books().Asset(4).Issuer
	earned := map[[2]int]int64{}
	for day := range days {
		policy := bank.DefaultMonetaryPolicy()
		policy.LambdaMicro, policy.BudgetMicro = int64(10_000+random.IntN(20_000)), int64(1+random.IntN(40))*1_000_000
		w.must(bank.SetMonetaryPolicy{Policy: policy}.AppendTo(nil))
		for range people * 3 {
			w.wait(int64(random.IntN(20 * hourMS / (people * 3))))
			a, b := random.IntN(people), random.IntN(people)
			points := int64(random.IntN(90))
			if random.IntN(9) > 0 { // seldom a day comes to less
				points = max(points, earned[[2]int{day, a}])
			}
			earned[[2]int{day, a}] = points
			w.earn(a, 1+uint32(a%2), points)
			w.earn(b, 1+uint32(b%2), max(1, earned[[2]int{day, b}]))
			number, _ := w.state.PersonByID(id(a))
			micro := int64(1 + random.IntN(400_000))
			switch random.IntN(8) {
			case 0:
				w.do(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: number, Asset: 4}.AppendTo(nil))
				w.do(w.pay(issuer, w.gems(number), micro))
			case 1:
				w.do(w.pay(w.gems(number), issuer, micro/2))
			case 2:
				w.do(bank.Purchase{Buyer: number, Product: 1, Quantity: int64(1 + random.IntN(2)), MaxTotalMicro: 1 << 40}.AppendTo(nil))
			case 3:
				w.do(bank.Purchase{Buyer: number, Product: 2, Quantity: 1, MaxTotalMicro: 1 << 40}.AppendTo(nil))
			case 4:
				w.do(bank.EndPurchase{Purchase: uint64(1 + random.IntN(20)), Delivered: random.IntN(3) > 0}.AppendTo(nil))
			case 5:
				w.do(bank.Refund{Purchase: uint64(1 + random.IntN(20))}.AppendTo(nil))
			case 6:
				w.do(bank.PlaceListing{Seller: number, Asset: 3, Quantity: 1, PriceMicro: micro}.AppendTo(nil),
					bank.BuyListing{Buyer: number%uint64(people) + 1, Listing: uint64(1 + random.IntN(9)), MaxPriceMicro: 1 << 40}.AppendTo(nil))
			case 7:
				w.do(w.pay(w.time(a), w.time(b), micro))
			}
		}
		w.wait(startMS + int64(day+1)*dayMS - w.nowMS)
	}
	w.wait(hourMS)
	return w
}
