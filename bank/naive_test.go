package bank_test

import (
	"bytes"
	"fmt"
	"math/big"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

// naive is the oracle for transfers and holds: maps and big integers, written
// from the documentation of the commands, with none of the bank's code.
type naive struct {
	balance map[uint64]*big.Int
	asset   map[uint64]uint32
	issuer  map[uint64]bool
	holds   map[uint64]*naiveHold
	keys    map[bank.Key]string // what was given under a key
}

type naiveHold struct {
	account, beneficiary uint64
	amount               int64
	expiresAtMS          int64
}

func (n *naive) available(account uint64) *big.Int {
	left := new(big.Int).Set(n.balance[account])
	for _, hold := range n.holds {
		if hold.account == account {
			left.Sub(left, big.NewInt(hold.amount))
		}
	}
	return left
}

func (n *naive) move(debit, credit uint64, value int64) {
	n.balance[debit].Sub(n.balance[debit], big.NewInt(value))
	n.balance[credit].Add(n.balance[credit], big.NewInt(value))
}

func (n *naive) refuses(leg ledger.Leg) bool {
	return leg.Amount <= 0 || leg.Debit == leg.Credit || n.balance[leg.Debit] == nil || n.balance[leg.Credit] == nil ||
		n.asset[leg.Debit] != n.asset[leg.Credit] ||
		!n.issuer[leg.Debit] && n.available(leg.Debit).Cmp(big.NewInt(leg.Amount)) < 0
}

func (n *naive) transfer(legs []ledger.Leg) (accepted bool) {
	for i, leg := range legs {
		if n.refuses(leg) {
			for _, done := range legs[:i] {
				n.move(done.Debit, done.Credit, -done.Amount)
			}
			return false
		}
		n.move(leg.Debit, leg.Credit, leg.Amount)
	}
	return len(legs) > 0
}

// twins drives bank and oracle with the same commands.
type twins struct {
	*naive
	state    *bank.State
	seq      uint64
	nowMS    int64
	journal  []record
	accounts []uint64
	numbers  []uint64 // of holds, closed ones too
}

type record struct {
	nowMS   int64
	command []byte
	answer  []byte
}

func (w *twins) apply(command []byte) []byte {
	w.seq++
	w.state.Begin(w.seq, w.nowMS)
	answer := w.state.Apply(command, nil)
	w.journal = append(w.journal, record{w.nowMS, command, answer})
	return answer
}

func newTwins() *twins {
	w := &twins{state: bank.New(), nowMS: 1_767_225_600_000, naive: &naive{
		balance: map[uint64]*big.Int{}, asset: map[uint64]uint32{}, issuer: map[uint64]bool{},
		holds: map[uint64]*naiveHold{}, keys: map[bank.Key]string{},
	}}
	for asset := range uint32(2) {
		answer := w.apply(bank.RegisterAsset{Code: fmt.Sprintf("GOLD%d", asset), Scale: 2}.AppendTo(nil))
		registered, _ := bank.First[bank.AssetRegistered](answer)
		w.know(registered.Issuer, registered.Asset, true)
		for person := range byte(3) {
			answer := w.apply(bank.RegisterPerson{ID: [16]byte{person + 1}}.AppendTo(nil))
			known, _ := bank.First[bank.PersonRegistered](answer)
			answer = w.apply(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: known.Person, Asset: registered.Asset}.AppendTo(nil))
			opened, _ := bank.First[bank.AccountOpened](answer)
			w.know(opened.Account, registered.Asset, false)
		}
	}
	return w
}

func (w *twins) know(account uint64, asset uint32, issuer bool) {
	w.balance[account], w.asset[account], w.issuer[account] = new(big.Int), asset, issuer
	w.accounts = append(w.accounts, account)
}

func (w *twins) drawAccount(t *rapid.T, label string) uint64 {
	return rapid.SampledFrom(append([]uint64{0, 999}, w.accounts...)).Draw(t, label)
}

func (w *twins) drawHold(t *rapid.T) uint64 {
	return rapid.SampledFrom(append([]uint64{0, 77}, w.numbers...)).Draw(t, "hold")
}

var drawAmount = rapid.OneOf(rapid.Int64Range(1, 50), rapid.Int64Range(-2, 10_000))

// Any sequence of transfers, holds, retries and expiries gives the balances of
// the oracle; the books check after every command; a replay and a restored
// copy give the same hash.
func TestBankEqualsNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTwins()
		t.Repeat(map[string]func(*rapid.T){
			"transfer": w.drawTransfer,
			"hold":     w.drawPlaceHold,
			"settle":   w.drawSettle,
			"release":  w.drawRelease,
			"time":     w.drawTime,
			"":         w.check,
		})
		w.requireReplayable(t)
	})
}

func (w *twins) drawTransfer(t *rapid.T) {
	transfer := bank.Transfer{Key: bank.Key{byte(rapid.IntRange(0, 5).Draw(t, "key"))}}
	for range rapid.IntRange(0, 3).Draw(t, "legs") {
		transfer.Legs = append(transfer.Legs, ledger.Leg{
			Debit: w.drawAccount(t, "debit"), Credit: w.drawAccount(t, "credit"), Amount: drawAmount.Draw(t, "amount"),
		})
	}
	command := transfer.AppendTo(nil)
	answer := w.apply(command)
	refusal := bank.Refusal(answer[0])
	if first, used := w.keys[transfer.Key]; used && transfer.Key != (bank.Key{}) {
		want := bank.KeyReused
		if first == string(command) {
			want = bank.Repeated
		}
		if refusal != want {
			t.Fatalf("key %v came again and was answered %s, expected %s", transfer.Key, refusal, want)
		}
		return
	}
	w.keys[transfer.Key] = string(command)
	if want := w.transfer(transfer.Legs); (refusal == bank.Accepted) != want {
		t.Fatalf("%+v was answered %s, the oracle says accepted: %v", transfer, refusal, want)
	}
}

func (w *twins) drawPlaceHold(t *rapid.T) {
	hold := bank.PlaceHold{
		Account: w.drawAccount(t, "account"), Beneficiary: w.drawAccount(t, "beneficiary"), Amount: drawAmount.Draw(t, "amount"),
	}
	if rapid.Bool().Draw(t, "expires") {
		hold.ExpiresAtMS = w.nowMS + rapid.Int64Range(0, 5000).Draw(t, "after")
	}
	leg := ledger.Leg{Debit: hold.Account, Credit: hold.Beneficiary, Amount: hold.Amount}
	want := !w.refuses(leg) && !w.issuer[hold.Account] && !w.issuer[hold.Beneficiary] && (hold.ExpiresAtMS == 0 || hold.ExpiresAtMS > w.nowMS)
	answer := w.apply(hold.AppendTo(nil))
	if accepted := bank.Refusal(answer[0]) == bank.Accepted; accepted != want {
		t.Fatalf("%+v was answered %s, the oracle says accepted: %v", hold, bank.Refusal(answer[0]), want)
	}
	if placed, ok := bank.First[bank.HoldPlaced](answer); ok {
		if _, used := w.holds[placed.Hold]; used {
			t.Fatalf("hold number %d was given twice", placed.Hold)
		}
		w.holds[placed.Hold] = &naiveHold{hold.Account, hold.Beneficiary, hold.Amount, hold.ExpiresAtMS}
		w.numbers = append(w.numbers, placed.Hold)
	}
}

func (w *twins) drawSettle(t *rapid.T) {
	number, value, final := w.drawHold(t), drawAmount.Draw(t, "amount"), rapid.Bool().Draw(t, "final")
	hold := w.holds[number]
	want := hold != nil && value > 0 && value <= hold.amount
	answer := w.apply(bank.SettleHold{Hold: number, Amount: value, Final: final}.AppendTo(nil))
	if accepted := bank.Refusal(answer[0]) == bank.Accepted; accepted != want {
		t.Fatalf("settling %d of hold %d was answered %s, the oracle says accepted: %v", value, number, bank.Refusal(answer[0]), want)
	}
	if want {
		w.move(hold.account, hold.beneficiary, value)
		hold.amount -= value
		if final || hold.amount == 0 {
			delete(w.holds, number)
		}
	}
}

func (w *twins) drawRelease(t *rapid.T) {
	number := w.drawHold(t)
	answer := w.apply(bank.ReleaseHold{Hold: number}.AppendTo(nil))
	if accepted := bank.Refusal(answer[0]) == bank.Accepted; accepted != (w.holds[number] != nil) {
		t.Fatalf("releasing hold %d was answered %s", number, bank.Refusal(answer[0]))
	}
	delete(w.holds, number)
}

func (w *twins) drawTime(t *rapid.T) {
	w.nowMS += rapid.Int64Range(0, 4000).Draw(t, "passes")
	w.apply(bank.AppendTick(nil))
	for number, hold := range w.holds {
		if hold.expiresAtMS != 0 && hold.expiresAtMS <= w.nowMS {
			delete(w.holds, number)
		}
	}
}

func (w *twins) check(t *rapid.T) {
	if err := w.state.Check(); err != nil {
		t.Fatal(err)
	}
	for _, number := range w.accounts {
		account := w.state.Books().Account(number)
		if want := w.balance[number]; want.Cmp(big.NewInt(account.Balance)) != 0 {
			t.Fatalf("account %d is at %d, the oracle says %s", number, account.Balance, want)
		}
		if want := w.available(number); !w.issuer[number] && want.Cmp(big.NewInt(account.Available())) != 0 {
			t.Fatalf("account %d has %d available, the oracle says %s", number, account.Available(), want)
		}
	}
}

func (w *twins) requireReplayable(t *rapid.T) {
	replayed := bank.New()
	for i, record := range w.journal {
		replayed.Begin(uint64(i+1), record.nowMS)
		if answer := replayed.Apply(record.command, nil); !bytes.Equal(answer, record.answer) {
			t.Fatalf("command %d is answered differently in a replay", i)
		}
	}
	if replayed.Hash() != w.state.Hash() {
		t.Fatal("a replay gives another hash")
	}
	var encoded bytes.Buffer
	if _, err := w.state.Freeze().WriteTo(&encoded); err != nil {
		t.Fatal(err)
	}
	if restored, err := bank.Restore(&encoded); err != nil || restored.Hash() != w.state.Hash() {
		t.Fatalf("a restored copy differs: %v", err)
	}
}
