package economy_test

import (
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/economy"
)

func parse(t testing.TB, text string) int64 {
	t.Helper()
	micro, err := amount.Parse(text, 6)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return micro
}

func flowSum(t testing.TB, flows []economy.Flow) (all int64) {
	for _, f := range flows {
		all += parse(t, f.Amount)
	}
	return all
}

// A day in a small town, worked out by hand: ann earns 600 points in the cafe, bob 300, and
// 100 of bob's are taken back; λ is 0.01, so ann is paid 6 TIME and bob 2. Ann buys a
// hat for 2, sells it to bob for 1 with 5 % to the cafe, and gives him 0.5.
func TestADayInASmallTown(t *testing.T) {
	w := newTown(t)
	policy := bank.DefaultMonetaryPolicy()
	policy.LambdaMicro = 10_000
	w.must(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterAsset{Code: "HAT", World: 1}.AppendTo(nil), bank.SetMonetaryPolicy{Policy: policy}.AppendTo(nil),
		bank.SetProduct{Product: bank.Product{World: 1, Code: "hat", Kind: bank.Item, Asset: 3, PriceMicro: 2_000_000, RoyaltyBPS: 500, OnSale: true}}.AppendTo(nil))
	w.wait(dayMS + hourMS) // λ holds from the second epoch on
	w.earn(0, 1, 600)
	w.earn(1, 1, 300)
	w.wait(hourMS)
	w.earn(1, 1, 200)
	w.wait(dayMS)
	w.must(bank.Purchase{Buyer: 1, Product: 1, Quantity: 1, MaxTotalMicro: 2_000_000}.AppendTo(nil))
	w.must(bank.PlaceListing{Seller: 1, Asset: 3, Quantity: 1, PriceMicro: 1_000_000}.AppendTo(nil), bank.BuyListing{Buyer: 2, Listing: 1, MaxPriceMicro: 1_000_000}.AppendTo(nil))
	w.must(w.pay(w.time(0), w.time(1), 500_000))
	refused := w.do(bank.BuyListing{Buyer: 2, Listing: 1, MaxPriceMicro: 1_000_000}.AppendTo(nil))
	if bank.Refusal(refused[0][0]) != bank.ListingOver {
		t.Fatal("a listing was sold twice")
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(w.report(startMS+dayMS, startMS+3*dayMS)); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/town.json")
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", text.String(), want)
	}
}

// Whatever happens, a report agrees with the books, and what it says of parts
// of a period with what it says of the whole.
func TestReportsAgreeWithTheBooks(t *testing.T) {
	for seed := range uint64(6) {
		w := randomTown(t, seed, 5, 12)
		endMS, middleMS := w.nowMS+1, int64(startMS+2*dayMS+5*hourMS)
		whole, first, second := w.report(startMS, endMS), w.report(startMS, middleMS), w.report(middleMS, endMS)
		moneys := func(r *economy.Report) []economy.Money { return append([]economy.Money{r.Points, r.Time}, r.Others...) }
		for i, m := range moneys(whole) {
			a := w.state.Books().Asset(uint32(i + 1))
			if got := parse(t, m.Closing); m.Asset != a.Code || m.Closing != amount.Format(a.Supply(), int(a.Scale)) || parse(t, m.Opening)+parse(t, m.Minted)-parse(t, m.Burned) != got {
				t.Errorf("seed %d: %+v, the books have %d", seed, m, a.Supply())
			}
			if flowSum(t, m.MintedBy) != parse(t, m.Minted) || flowSum(t, m.BurnedBy) != parse(t, m.Burned) || flowSum(t, m.VolumeBy) != parse(t, m.Volume) {
				t.Errorf("seed %d: the parts of %s are not the whole: %+v", seed, m.Asset, m)
			}
			// A new asset is not yet there in a period that ends before it.
			f, s := moneys(first)[i], moneys(second)[i]
			if f.Closing != s.Opening || s.Closing != m.Closing || parse(t, f.Minted)+parse(t, s.Minted) != parse(t, m.Minted) || parse(t, f.Volume)+parse(t, s.Volume) != parse(t, m.Volume) {
				t.Errorf("seed %d: %s in two parts: %+v and %+v, as a whole %+v", seed, m.Asset, f, s, m)
			}
		}
		requirePeople(t, w, whole)
		requireDays(t, whole)
	}
}

// requirePeople holds what a report says of people against the state.
func requirePeople(t *testing.T, w *town, r *economy.Report) {
	t.Helper()
	var held []int64
	for person := range w.state.People() {
		account, _ := w.state.TimeAccount(person + 1)
		if balance := w.state.Books().Account(account).Balance; balance > 0 {
			held = append(held, balance)
		}
	}
	slices.Sort(held)
	if h := r.Holdings; int64(len(held)) != h.People || h.Gini != naiveGini(held) || parse(t, h.Largest) != held[len(held)-1] || r.People.Registered != int64(w.state.People()) {
		t.Errorf("holdings %+v of %v, Gini %s", r.Holdings, held, naiveGini(held))
	}
	if r.People.New != r.People.Registered || r.People.Paid == 0 || r.Shop.Purchases == 0 || r.Shop.Resales == 0 || len(r.Epochs) != 5 {
		t.Errorf("the town did too little to be a test: %+v %+v", r.People, r.Shop)
	}
	for _, e := range r.Epochs {
		if parse(t, e.Effective) > parse(t, e.Lambda) {
			t.Errorf("epoch %d paid %s a point, λ is %s", e.Epoch, e.Effective, e.Lambda)
		}
	}
	var issued int64
	for _, e := range r.Epochs {
		issued += parse(t, e.Issued)
	}
	for _, f := range r.Time.MintedBy {
		if f.Source == "attention" || f.Source == "rounding" {
			issued -= parse(t, f.Amount)
		}
	}
	if issued != 0 {
		t.Errorf("epochs issued %d more than what is minted by attention and rounding", issued)
	}
}

func requireDays(t *testing.T, r *economy.Report) {
	t.Helper()
	supply := parse(t, r.Time.Opening)
	var minted, volume int64
	for _, d := range r.Days {
		minted, volume = minted+parse(t, d.Minted), volume+parse(t, d.Volume)
		if supply += parse(t, d.Minted) - parse(t, d.Burned); supply != parse(t, d.Supply) {
			t.Errorf("%s: supply %s, computed %d", d.Day, d.Supply, supply)
		}
	}
	if d := r.Days; minted != parse(t, r.Time.Minted) || volume != parse(t, r.Time.Volume) || d[len(d)-1].Supply != r.Time.Closing || d[0].Day != "2026-01-01" {
		t.Errorf("days do not add up to the period: %+v", r.Days)
	}
}

// naiveGini is half the mean absolute difference over the mean.
func naiveGini(amounts []int64) string {
	differences, all := new(big.Int), new(big.Int)
	for _, a := range amounts {
		all.Add(all, big.NewInt(a))
		for _, b := range amounts {
			differences.Add(differences, new(big.Int).Abs(big.NewInt(a-b)))
		}
	}
	if all.Sign() == 0 {
		return "0"
	}
	millionths := new(big.Int).Mul(differences, big.NewInt(1_000_000))
	millionths.Quo(millionths, all.Mul(all, big.NewInt(2*int64(len(amounts)))))
	return amount.Format(millionths.Int64(), 6)
}

func TestAPeriodHasAnEnd(t *testing.T) {
	for _, c := range [][2]int64{{-1, 5}, {5, 5}, {6, 5}, {0, 3661 * dayMS}} {
		if _, err := economy.New(c[0], c[1]); err == nil {
			t.Errorf("a period from %d to %d is accepted", c[0], c[1])
		}
	}
}

func TestEntriesOutOfOrderAreRefused(t *testing.T) {
	w := randomTown(t, 1, 1, 3)
	fold, _ := economy.New(startMS, startMS+dayMS)
	if _, err := fold.Add(w.entries[4]); err == nil {
		if _, err = fold.Add(w.entries[0]); err == nil {
			t.Error("an entry of the past is taken in")
		}
	}
}

// Bytes that are no facts are an error and never a panic.
func FuzzFold(f *testing.F) {
	w := randomTown(f, 2, 2, 4)
	for _, e := range w.entries[:40] {
		f.Add(e.Command, e.Answer)
	}
	prefix := w.entries[:6]
	f.Fuzz(func(t *testing.T, command, answer []byte) {
		fold, err := economy.New(startMS, startMS+dayMS)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range prefix {
			if _, err := fold.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := fold.Add(economy.Entry{Seq: 1 << 40, TimeMS: startMS + dayMS/2, Kind: "fuzz", Command: command, Answer: answer}); err == nil {
			fold.Report()
		}
	})
}
