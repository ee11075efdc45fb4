package journal_test

import (
	"context"
	"encoding/binary"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/sqldb"
)

// noonMS is 2026-01-01 12:00 UTC, where the clocks of the tests begin.
const noonMS = 1_767_268_800_000

// rig is a journal in memory with a clock that a test turns.
type rig struct {
	t     testing.TB
	store *memory.Journal
	head  *memory.Head
	clock *clock
	warns []string
}

type clock struct{ ms atomic.Int64 }

func (c *clock) now() int64 { return c.ms.Load() }

func newRig(t testing.TB) *rig {
	r := &rig{t: t, store: memory.NewJournal(), head: &memory.Head{}, clock: &clock{}}
	r.clock.ms.Store(noonMS)
	return r
}

func (r *rig) open() (*journal.Writer, error) {
	return journal.Open(context.Background(), r.store, r.head, journal.Options{
		Now: r.clock.now, Warn: func(message string) { r.warns = append(r.warns, message) },
	})
}

// mustOpen opens a writer that is closed at the end of the test.
func (r *rig) mustOpen() *journal.Writer {
	r.t.Helper()
	w, err := r.open()
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { w.Close(context.Background()) }) // a test that cares closes it itself
	return w
}

// requireDamage opens the journal and expects an error that names a record.
func (r *rig) requireDamage(what string, names ...string) {
	r.t.Helper()
	w, err := r.open()
	if err == nil {
		w.Close(context.Background())
		r.t.Fatalf("%s: the journal was opened", what)
	}
	if !errors.Is(err, journal.ErrDamaged) {
		r.t.Fatalf("%s: %v; expected ErrDamaged", what, err)
	}
	for _, name := range names {
		if !strings.Contains(err.Error(), name) {
			r.t.Fatalf("%s: %q does not name %q", what, err, name)
		}
	}
}

func (r *rig) verify() journal.Report {
	r.t.Helper()
	return verify(r.t, r.store, r.head)
}

func verify(t testing.TB, store journal.Store, head journal.Head) journal.Report {
	t.Helper()
	report, err := journal.Verify(context.Background(), store, head, func(uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// submit carries out one command that is expected to be accepted.
func submit(t testing.TB, w *journal.Writer, command []byte) journal.Answer {
	t.Helper()
	answers, err := w.Submit(context.Background(), command)
	if err != nil {
		t.Fatal(err)
	}
	if answers[0].Refusal != bank.Accepted {
		t.Fatalf("refused: %s", answers[0].Refusal)
	}
	return answers[0]
}

// stateHash returns the hash of the live state.
func stateHash(t testing.TB, w *journal.Writer) (hash [32]byte) {
	t.Helper()
	if err := w.Read(context.Background(), func(state *bank.State) { hash = state.Hash() }); err != nil {
		t.Fatal(err)
	}
	return hash
}

func account(t testing.TB, w *journal.Writer, number uint64) (found ledger.Account) {
	t.Helper()
	if err := w.Read(context.Background(), func(state *bank.State) { found = *state.Books().Account(number) }); err != nil {
		t.Fatal(err)
	}
	return found
}

// eventually polls until a condition holds; the deadline is far beyond what a
// slow machine needs.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute still not: %s", what)
		}
	}
}

func key(n uint64) (key bank.Key) {
	binary.LittleEndian.PutUint64(key[:], n)
	return key
}

func transfer(n, from, to uint64, value int64) []byte {
	return bank.Transfer{Key: key(n), Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: value}}}.AppendTo(nil)
}

// openFiles opens a writer on real files.
func openFiles(t testing.TB, folder string) *journal.Writer {
	t.Helper()
	ctx := context.Background()
	store, err := sqldb.OpenJournal(ctx, filepath.Join(folder, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	head, err := journal.OpenHeadFile(filepath.Join(folder, "head"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := journal.Open(ctx, store, head, journal.Options{Warn: func(m string) { t.Log(m) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		w.Close(ctx)
		head.Close()
		store.Close()
	})
	return w
}

// fund opens n accounts of persons in an asset and puts an amount into each.
func fund(t testing.TB, w *journal.Writer, n int, amount int64) (accounts []uint64) {
	t.Helper()
	ctx := context.Background()
	asset, _ := bank.First[bank.AssetRegistered](submit(t, w, bank.RegisterAsset{Code: "GOLD", Scale: 2}.AppendTo(nil)).Bytes)
	var commands [][]byte
	for i := range n {
		commands = append(commands, bank.RegisterPerson{ID: [16]byte(binary.BigEndian.AppendUint64(make([]byte, 8), uint64(i+1)))}.AppendTo(nil))
	}
	for part := range chunks(commands) {
		if _, err := w.Submit(ctx, part...); err != nil {
			t.Fatal(err)
		}
	}
	commands = nil
	for i := range n {
		commands = append(commands, bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(i + 1), Asset: asset.Asset}.AppendTo(nil))
	}
	for part := range chunks(commands) {
		answers, err := w.Submit(ctx, part...)
		if err != nil {
			t.Fatal(err)
		}
		commands = nil
		for _, answer := range answers {
			opened, _ := bank.First[bank.AccountOpened](answer.Bytes)
			accounts = append(accounts, opened.Account)
			commands = append(commands, bank.Transfer{Legs: []ledger.Leg{{Debit: asset.Issuer, Credit: opened.Account, Amount: amount}}}.AppendTo(nil))
		}
		if _, err := w.Submit(ctx, commands...); err != nil {
			t.Fatal(err)
		}
	}
	return accounts
}

func chunks(commands [][]byte) func(func([][]byte) bool) {
	return func(yield func([][]byte) bool) {
		for len(commands) > 0 {
			n := min(len(commands), 8000)
			if !yield(commands[:n]) {
				return
			}
			commands = commands[n:]
		}
	}
}
