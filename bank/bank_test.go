package bank_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

// requireRestorable writes a state, reads it back and requires that both are
// the same by hash and content. It returns what was read.
func requireRestorable(t testing.TB, state *bank.State) *bank.State {
	t.Helper()
	var encoded bytes.Buffer
	if _, err := state.Freeze().WriteTo(&encoded); err != nil {
		t.Fatal(err)
	}
	restored, err := bank.Restore(&encoded)
	if err != nil {
		t.Fatalf("restoring: %v", err)
	}
	if restored.Hash() != state.Hash() {
		t.Fatal("a restored state has another hash")
	}
	return restored
}

// The bounds that a script would be too long for.
func TestBoundsOfLegsAndGroups(t *testing.T) {
	state := bank.New()
	seq := uint64(0)
	apply := func(command []byte) bank.Refusal {
		seq++
		state.Begin(seq, 1)
		return bank.Refusal(state.Apply(command, nil)[0])
	}
	apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	apply(bank.RegisterAsset{Code: "GOLD", Scale: 0}.AppendTo(nil))
	for sub := range uint32(2) {
		apply(bank.OpenAccount{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: 3, Sub: sub}.AppendTo(nil))
	}
	issuer := state.Books().Asset(3).Issuer
	transfer := bank.Transfer{Legs: make([]ledger.Leg, ledger.MaxLegs+1)}
	for i := range transfer.Legs {
		transfer.Legs[i] = ledger.Leg{Debit: issuer, Credit: issuer + 1, Amount: 1}
	}
	if refusal := apply(transfer.AppendTo(nil)); refusal != bank.TooManyLegs {
		t.Errorf("%d legs: %s", len(transfer.Legs), refusal)
	}
	transfer.Legs = transfer.Legs[1:]
	if refusal := apply(transfer.AppendTo(nil)); refusal != bank.Accepted {
		t.Errorf("%d legs: %s", len(transfer.Legs), refusal)
	}
	hold := bank.PlaceHold{Account: issuer + 1, Beneficiary: issuer + 2, Amount: 1, Group: [16]byte{1}}
	for i := range ledger.MaxGroup {
		if refusal := apply(hold.AppendTo(nil)); refusal != bank.Accepted {
			t.Fatalf("hold %d: %s", i, refusal)
		}
	}
	// Nothing is available any more, and the group is full: the group comes first.
	if refusal := apply(hold.AppendTo(nil)); refusal != bank.GroupTooLarge {
		t.Errorf("a hold more than a group has: %s", refusal)
	}
	if refusal := apply(bank.SettleGroup{Group: [16]byte{1}}.AppendTo(nil)); refusal != bank.Accepted {
		t.Errorf("settling a full group: %s", refusal)
	}
	if balance := state.Books().Account(issuer + 2).Balance; balance != ledger.MaxGroup {
		t.Errorf("%d arrived", balance)
	}
	if err := state.Check(); err != nil {
		t.Error(err)
	}
}

// A transfer allocates nothing but, now and then, a page for its idempotency
// key, so that the collector of garbage does not grow with the load.
func TestTransferAllocatesNothing(t *testing.T) {
	state := bank.New()
	answer := make([]byte, 0, 1024)
	seq := uint64(0)
	apply := func(command []byte) {
		seq++
		state.Begin(seq, 1)
		answer = state.Apply(command, answer[:0])
		if refusal := bank.Refusal(answer[0]); refusal != bank.Accepted {
			t.Fatal(refusal)
		}
	}
	apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	apply(bank.RegisterAsset{Code: "GOLD", Scale: 0}.AppendTo(nil))
	apply(bank.OpenAccount{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: 3}.AppendTo(nil))
	issuer := state.Books().Asset(3).Issuer
	command := make([]byte, 0, 256)
	allocations := testing.AllocsPerRun(10_000, func() {
		key := bank.Key{byte(seq), byte(seq >> 8), byte(seq >> 16), 1}
		command = bank.Transfer{Key: key, Reference: "order-1", Legs: []ledger.Leg{{Debit: issuer, Credit: issuer + 1, Amount: 1}}}.AppendTo(command[:0])
		apply(command)
	})
	if allocations != 0 {
		t.Errorf("%v allocations a transfer", allocations)
	}
}

// watchedBank returns a new bank and what gives it a command in a record of its
// own, at a time that goes on, and checks it afterwards.
func watchedBank(t *rapid.T, nowMS *int64) (state *bank.State, apply func(command []byte) bank.Refusal) {
	state = bank.New()
	seq := uint64(0)
	return state, func(command []byte) bank.Refusal {
		seq++
		state.Begin(seq, *nowMS)
		refusal := bank.Refusal(state.Apply(command, nil)[0])
		if err := state.Check(); err != nil {
			t.Fatal(err)
		}
		return refusal
	}
}
