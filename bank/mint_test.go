package bank_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

const dayMS = 24 * 60 * 60 * 1000

// Whatever is minted, corrected, repeated and reordered: an epoch never issues
// more TIME than its budget, what a day has earned less what it earned before
// is what was posted, and no person is below zero.
func TestEpochsIssueWithinTheirBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state := bank.New()
		seq, nowMS := uint64(0), int64(1_767_225_600_000)
		apply := func(command []byte) []byte {
			seq++
			state.Begin(seq, nowMS)
			answer := state.Apply(command, nil)
			if err := state.Check(); err != nil {
				t.Fatal(err)
			}
			return answer
		}
		apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
		apply(bank.RegisterWorld{Code: "arena"}.AppendTo(nil))
		type key struct {
			person byte
			world  uint32
			day    int32
		}
		earned, revisions := map[key]int64{}, map[key]uint64{}
		budgets := map[uint64]int64{}
		var posted, paidPoints, issued int64
		for range rapid.IntRange(1, 6).Draw(t, "epochs") {
			policy := bank.DefaultMonetaryPolicy()
			policy.Mode = rapid.SampledFrom([]bank.Mode{bank.Capped, bank.Budget}).Draw(t, "mode")
			policy.LambdaMicro = rapid.Int64Range(0, 100_000_000).Draw(t, "lambda")
			policy.BudgetMicro = rapid.SampledFrom([]int64{0, 1, 7, 1_000_003, 1_000_000_000_000_000_000}).Draw(t, "budget")
			apply(bank.SetMonetaryPolicy{Policy: policy}.AppendTo(nil))
			apply(bank.SetWorldShare{World: 1, Weight: rapid.Uint32Range(0, 5).Draw(t, "weight")}.AppendTo(nil))
			budgets[state.RunningEpoch().Number+1] = policy.BudgetMicro
			for range rapid.IntRange(0, 12).Draw(t, "mints") {
				k := key{rapid.ByteRange(1, 3).Draw(t, "person"), rapid.Uint32Range(1, 2).Draw(t, "world"), bank.Day(nowMS) - rapid.Int32Range(0, 2).Draw(t, "days ago")}
				mint := bank.Mint{
					Person: [16]byte{k.person}, World: k.world, Day: k.day,
					Revision: rapid.Uint64Range(0, 20).Draw(t, "revision"), CumulativePointsMicro: rapid.Int64Range(0, 1000).Draw(t, "points"),
				}
				minted, ok := bank.First[bank.Minted](apply(mint.AppendTo(nil)))
				if !ok {
					t.Fatalf("%+v was refused", mint)
				}
				if mint.Revision > revisions[k] {
					posted += mint.CumulativePointsMicro - earned[k]
					earned[k], revisions[k] = mint.CumulativePointsMicro, mint.Revision
				}
				if minted.CumulativePointsMicro != earned[k] {
					t.Fatalf("day %+v has earned %d, expected %d", k, minted.CumulativePointsMicro, earned[k])
				}
			}
			// All that days have earned was issued as points, less what was
			// taken back, plus what is still owed and less what was repaid.
			points, owed := state.Books().Asset(ledger.Points), int64(0)
			for person := uint64(1); person <= state.People(); person++ {
				owed += state.ReceivablePointsMicro(person)
			}
			running, _ := pendingOfAll(state)
			if got := paidPoints + running - owed; got != posted {
				t.Fatalf("days have earned %d, accounts say %d", posted, got)
			}
			paidPoints += running
			epoch := state.RunningEpoch()
			nowMS = epoch.EndMS + epoch.Policy.CloseDelayMS
			closed, ok := bank.First[bank.EpochClosed](apply(bank.AppendTick(nil)))
			if !ok || closed.Epoch != epoch.Number {
				t.Fatalf("epoch %d did not close: %+v", epoch.Number, closed)
			}
			if budget, set := budgets[closed.Epoch]; set && closed.IssuedMicro > budget {
				t.Fatalf("epoch %d issued %d of a budget of %d", closed.Epoch, closed.IssuedMicro, budget)
			}
			issued += closed.IssuedMicro
			if supply := state.Books().Asset(ledger.Time).Supply(); supply != issued {
				t.Fatalf("supply is %d, the epochs issued %d", supply, issued)
			}
			if points.Supply() != 0 {
				t.Fatalf("%d points are left after the close", points.Supply())
			}
		}
	})
}

func pendingOfAll(state *bank.State) (runningMicro, closingMicro int64) {
	for person := uint64(1); person <= state.People(); person++ {
		running, closing := state.PendingPointsMicro(person)
		runningMicro, closingMicro = runningMicro+running, closingMicro+closing
	}
	return runningMicro, closingMicro
}

// A close of more accounts than a step takes several ticks, during which other
// commands go on and points of the next epoch wait.
func TestCloseRunsInBoundedSteps(t *testing.T) {
	state := bank.New()
	seq, nowMS := uint64(0), int64(1_767_225_600_000)
	apply := func(command []byte) []byte {
		seq++
		state.Begin(seq, nowMS)
		return state.Apply(command, nil)
	}
	apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	const people = 5000
	mint := func(person int, day int32) {
		apply(bank.Mint{Person: [16]byte{byte(person), byte(person >> 8), 1}, World: 1, Day: day, Revision: 1, CumulativePointsMicro: 60_000_000}.AppendTo(nil))
	}
	day := bank.Day(nowMS)
	for person := range people {
		mint(person, day)
	}
	epoch := state.RunningEpoch()
	nowMS = epoch.EndMS + epoch.Policy.CloseDelayMS
	ticks := 0
	for closed := false; !closed; ticks++ {
		if due, any := state.NextDueMS(); !any || due > nowMS {
			t.Fatalf("after %d ticks the epoch is not closed and nothing is due", ticks)
		}
		_, closed = bank.First[bank.EpochClosed](apply(bank.AppendTick(nil)))
		mint(ticks, day+1)
	}
	if ticks < 3 {
		t.Errorf("%d accounts were paid in %d ticks", people, ticks)
	}
	if err := state.Check(); err != nil {
		t.Error(err)
	}
	if got, want := state.Books().Asset(ledger.Time).Supply(), int64(people*1_000_020); got != want {
		t.Errorf("%d was issued, expected %d", got, want)
	}
	if got, want := state.PendingMicro(1), int64(ticks*60_000_000); got != want {
		t.Errorf("%d points wait for the next epoch, expected %d", got, want)
	}
	requireRestorable(t, state)
}

func FuzzApply(f *testing.F) {
	f.Add(bank.AppendTick(nil), int64(dayMS))
	f.Add(bank.Transfer{Key: bank.Key{1}, Reference: "r", Legs: []ledger.Leg{{Debit: 5, Credit: 6, Amount: 1}}}.AppendTo(nil), int64(0))
	f.Add(bank.Mint{Person: [16]byte{1}, World: 1, Day: 20454, Revision: 2, CumulativePointsMicro: 5}.AppendTo(nil), int64(5))
	f.Add(bank.PlaceHold{Account: 5, Beneficiary: 6, Amount: 1, ExpiresAtMS: 9}.AppendTo(nil), int64(9))
	f.Add(bank.SetMonetaryPolicy{Policy: bank.DefaultMonetaryPolicy()}.AppendTo(nil), int64(9))
	f.Add(bank.SetProduct{Product: bank.Product{World: 1, Code: "song", Kind: bank.Service, PriceMicro: 1, DeadlineMS: 1, OnSale: true}}.AppendTo(nil), int64(9))
	f.Add(bank.Purchase{Buyer: 1, Product: 1, Quantity: 1, MaxTotalMicro: 1}.AppendTo(nil), int64(9))
	f.Add(bank.PlaceListing{Seller: 1, Asset: 3, Quantity: 1, PriceMicro: 1}.AppendTo(nil), int64(9))
	f.Add(bank.PublishPolicy{World: 1, EffectiveDay: 30000, Text: []byte("x")}.AppendTo(nil), int64(9))
	f.Fuzz(func(t *testing.T, command []byte, passesMS int64) {
		state := bank.New()
		state.Begin(1, 1_767_225_600_000)
		state.Apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), nil)
		accounts := state.Books().Accounts()
		state.Begin(2, 1_767_225_600_000+passesMS&(1<<40-1))
		answer := state.Apply(command, nil)
		if err := state.Check(); err != nil {
			t.Fatal(err)
		}
		if bank.Refusal(answer[0]) != bank.Accepted && state.Books().Accounts() != accounts {
			t.Fatalf("a command refused as %s opened an account", bank.Refusal(answer[0]))
		}
		for _, err := range bank.Facts(answer) {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzFacts(f *testing.F) {
	state := bank.New()
	state.Begin(1, 1)
	f.Add(state.Apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), nil))
	f.Fuzz(func(t *testing.T, answer []byte) {
		for range bank.Facts(answer) {
		}
		bank.RepeatOf(answer)
		bank.RefusedLeg(answer)
	})
}

func FuzzRestore(f *testing.F) {
	state := bank.New()
	state.Begin(1, 1)
	state.Apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), nil)
	state.Apply(bank.Mint{Person: [16]byte{1}, World: 1, Revision: 2, CumulativePointsMicro: 5}.AppendTo(nil), nil)
	var encoded bytes.Buffer
	if _, err := state.Freeze().WriteTo(&encoded); err != nil {
		f.Fatal(err)
	}
	f.Add(encoded.Bytes())
	f.Add(stocked(f))
	f.Fuzz(func(t *testing.T, encoded []byte) {
		restored, err := bank.Restore(bytes.NewReader(encoded))
		if err != nil {
			return
		}
		applyLater(restored, 0, bank.AppendTick(nil))
		requireUsable(restored)
	})
}
