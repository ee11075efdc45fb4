package storetest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"iter"
	"reflect"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/memory"
)

// Records is a source of records for histories: a bank that is given commands
// and remembers what it answered. It is no journal: nothing of it is durable.
type Records struct {
	state   *bank.State
	records []history.Record
	nowMS   int64
	// durable is set back to let a follower see a part only.
	durable atomic.Uint64
}

const dayMS = 24 * 60 * 60 * 1000

// NewRecords begins with a world that has a budget for TIME, an asset GOLD of
// two decimal places with number 3, and two persons with accounts of it.
func NewRecords() *Records {
	j := &Records{state: bank.New(), nowMS: 20_000*dayMS + 1000}
	j.Add(
		bank.RegisterWorld{Code: "plaza"}.AppendTo(nil),
		bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil),
		bank.RegisterPerson{ID: [16]byte{1}}.AppendTo(nil),
		bank.RegisterPerson{ID: [16]byte{2}}.AppendTo(nil),
		bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: 1, Asset: gold}.AppendTo(nil),
		bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: 2, Asset: gold}.AppendTo(nil),
	)
	return j
}

const gold = 3

// Account returns the number of a person's account of GOLD, or its issuer's
// for person 0.
func (j *Records) Account(person uint64) uint64 {
	if person == 0 {
		return j.state.Books().Asset(gold).Issuer
	}
	number, _ := j.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: gold})
	return number
}

// Add applies commands as one record, a second after the one before.
func (j *Records) Add(commands ...[]byte) (answers [][]byte) {
	j.nowMS += 1000
	record := history.Record{Seq: uint64(len(j.records)) + 1, TimeMS: j.nowMS}
	j.state.Begin(record.Seq, record.TimeMS)
	hash := sha256.New()
	for _, command := range commands {
		answer := j.state.Apply(command, nil)
		record.Pairs = append(record.Pairs, history.Pair{Command: command, Answer: answer})
		answers = append(answers, answer)
		hash.Write(command)
		hash.Write(answer)
	}
	hash.Write(binary.LittleEndian.AppendUint64(nil, record.Seq))
	record.Hash = [32]byte(hash.Sum(nil))
	j.records = append(j.records, record)
	j.durable.Store(record.Seq)
	return answers
}

// Wait lets time pass.
func (j *Records) Wait(ms int64) { j.nowMS += ms }

// ShowUpTo lets a follower see the records up to seq only.
func (j *Records) ShowUpTo(seq uint64) { j.durable.Store(seq) }

// Len returns the number of records.
func (j *Records) Len() uint64 { return uint64(len(j.records)) }

// Load implements history.Source.
func (j *Records) Load(ctx context.Context, from uint64) iter.Seq2[history.Record, error] {
	return func(yield func(history.Record, error) bool) {
		for _, record := range j.records[min(from-1, j.Len()):] {
			if err := ctx.Err(); err != nil {
				yield(history.Record{}, err)
				return
			}
			if !yield(record, nil) {
				return
			}
		}
	}
}

// Durable implements history.Source.
func (j *Records) Durable() uint64 { return j.durable.Load() }

// WaitNewer implements history.Source: there is never more.
func (j *Records) WaitNewer(context.Context, uint64) {}

// Follow opens a follower with a few rows a chunk.
func (j *Records) Follow(t tester, tables history.Store, chunkRows int) *history.Follower {
	t.Helper()
	return must(history.Open(context.Background(), tables, j, history.Options{NowMS: func() int64 { return j.nowMS }, ChunkRows: chunkRows}))(t)
}

// History checks that an adapter keeps and answers what history.Tables
// promises. For each test, create returns a function that opens one and the
// same tables, empty the first time.
func History(t *testing.T, create func(t *testing.T) (open func() history.Tables)) {
	tests := map[string]func(*testing.T, func() history.Tables){
		"statements tell what happened to an account": historyStatement,
		"references, holds, mints and epochs":         historyOperations,
		"trades, fills and candles":                   historyTrades,
		"orders":                                      historyOrders,
		"a chunk is applied once":                     historyOnce,
		"a history of another journal is refused":     historyForeign,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, create(t)) })
	}
	t.Run("any journal, in any chunks and with breaks, equals the naive tables", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) { historyEqualsNaive(t, rt, create(t)) })
	})
}

func historyStatement(t *testing.T, open func() history.Tables) {
	j := NewRecords()
	issuer, ann, bob := j.Account(0), j.Account(1), j.Account(2)
	j.Add(bank.Transfer{Reference: "buy-1", Legs: []ledger.Leg{{Debit: issuer, Credit: ann, Amount: 500}}}.AppendTo(nil))
	j.Add(
		bank.Transfer{Legs: []ledger.Leg{{Debit: ann, Credit: bob, Amount: 900}}}.AppendTo(nil), // refused
		bank.Transfer{Reference: "gift", Legs: []ledger.Leg{{Debit: ann, Credit: bob, Amount: 20}, {Debit: ann, Credit: bob, Amount: 3}}}.AppendTo(nil),
	)
	check(t, j.Follow(t, open(), 1).CatchUp(t.Context()))
	tables := open()
	entry := func(seq uint64, index, n uint32, account, other uint64, amount, balance int64, kind, reference string) history.Entry {
		return history.Entry{
			Posting: history.Posting{Account: account, Position: history.Position{Seq: seq, Index: index, N: n}, Other: other, Amount: amount, Balance: balance},
			TimeMS:  j.records[seq-1].TimeMS, Kind: kind, Reference: reference,
		}
	}
	want := []history.Entry{
		entry(3, 1, 2, ann, bob, -3, 477, "transfer", "gift"),
		entry(3, 1, 0, ann, bob, -20, 480, "transfer", "gift"),
		entry(2, 0, 1, ann, issuer, 500, 500, "transfer", "buy-1"),
	}
	for name, test := range map[string]struct {
		query history.StatementQuery
		want  []history.Entry
	}{
		"all":                      {history.StatementQuery{}, want},
		"the newest":               {history.StatementQuery{Limit: 1}, want[:1]},
		"read on within a command": {history.StatementQuery{Before: want[0].Position, Limit: 1}, want[1:2]},
		"read on to the end":       {history.StatementQuery{Before: want[1].Position}, want[2:]},
		"nothing is left":          {history.StatementQuery{Before: want[2].Position}, nil},
		"from a time":              {history.StatementQuery{FromMS: j.records[2].TimeMS}, want[:2]},
		"after all time":           {history.StatementQuery{FromMS: j.records[2].TimeMS + 1}, nil},
		"before a time":            {history.StatementQuery{ToMS: j.records[2].TimeMS}, want[2:]},
		"before all time":          {history.StatementQuery{ToMS: 1}, nil},
	} {
		same(t, name, must(tables.Statement(t.Context(), ann, test.query))(t), test.want)
	}
	same(t, "the other side", must(tables.Statement(t.Context(), bob, history.StatementQuery{}))(t), []history.Entry{
		entry(3, 1, 3, bob, ann, 3, 23, "transfer", "gift"),
		entry(3, 1, 1, bob, ann, 20, 20, "transfer", "gift"),
	})
	same(t, "an account that is not there", must(tables.Statement(t.Context(), 99, history.StatementQuery{}))(t), nil)

	gift := must(tables.Transaction(t.Context(), 3, 1))(t)
	postings := must(gift.Postings())(t)
	if gift.Reference != "gift" || gift.Kind != "transfer" || len(postings) != 4 || postings[3].Balance != 23 {
		t.Fatalf("the transaction is %+v with postings %+v", gift, postings)
	}
	_, err := tables.Transaction(t.Context(), 3, 0)
	wantErr(t, err, history.ErrNotFound)
}

func historyOperations(t *testing.T, open func() history.Tables) {
	j := NewRecords()
	issuer, ann, bob := j.Account(0), j.Account(1), j.Account(2)
	answers := j.Add(
		bank.Transfer{Reference: "order-1", Legs: []ledger.Leg{{Debit: issuer, Credit: ann, Amount: 100}}}.AppendTo(nil),
		bank.PlaceHold{Reference: "order-1", Account: ann, Beneficiary: bob, Amount: 60, ExpiresAtMS: j.nowMS + 2*dayMS}.AppendTo(nil),
		bank.PlaceHold{Reference: "order-2", Account: ann, Beneficiary: bob, Amount: 10}.AppendTo(nil),
	)
	first, _ := bank.First[bank.HoldPlaced](answers[1])
	second, _ := bank.First[bank.HoldPlaced](answers[2])
	placedMS := j.nowMS
	j.Add(bank.SettleHold{Reference: "order-1", Hold: first.Hold, Amount: 25}.AppendTo(nil))
	mint := bank.Mint{Person: [16]byte{1}, World: 1, Day: 20_000, Revision: 1, CumulativePointsMicro: 60_000_000, PolicyVersion: 1, Commitment: [32]byte{5}}
	j.Add(mint.AppendTo(nil))
	mint.Revision, mint.CumulativePointsMicro = 2, 90_000_000
	j.Add(mint.AppendTo(nil), mint.AppendTo(nil)) // the repetition adds nothing
	mintedMS := j.nowMS
	follower := j.Follow(t, open(), 1)
	check(t, follower.CatchUp(t.Context()))
	tables := open()

	hold1 := history.Hold{
		Number: first.Hold, Account: ann, Beneficiary: bob, Amount: 60, Remaining: 35, ExpiresAtMS: first.ExpiresAtMS,
		Reference: "order-1", Seq: 2, Index: 1, PlacedMS: placedMS, SettledAmount: 25,
	}
	hold2 := history.Hold{Number: second.Hold, Account: ann, Beneficiary: bob, Amount: 10, Remaining: 10, Reference: "order-2", Seq: 2, Index: 2, PlacedMS: placedMS}
	same(t, "holds", must(tables.Holds(t.Context(), ann, false, 0, 0, 0))(t), []history.Hold{hold2, hold1})
	same(t, "holds before one", must(tables.Holds(t.Context(), ann, true, 2, 2, 0))(t), []history.Hold{hold1})
	var kinds []string
	for _, tx := range must(tables.OfReference(t.Context(), "order-1", 0, 0, 0))(t) {
		kinds = append(kinds, fmt.Sprintf("%d.%d %s", tx.Seq, tx.Index, tx.Kind))
	}
	same(t, "the operation", kinds, []string{"2.0 transfer", "2.1 place_hold", "3.0 settle_hold"})
	if read := must(tables.OfReference(t.Context(), "order-1", 2, 0, 1))(t); len(read) != 1 || read[0].Index != 1 {
		t.Fatalf("read on behind 2.0: %+v", read)
	}
	mints := must(tables.Mints(t.Context(), 1, history.MintQuery{}))(t)
	if len(mints) != 2 || mints[0].Revision != 2 || mints[0].DeltaPointsMicro != 30_000_000 || mints[0].TimeMS != mintedMS ||
		mints[0].Commitment != [32]byte{5} || mints[1].CumulativePointsMicro != 60_000_000 {
		t.Fatalf("mints: %+v", mints)
	}

	// Two days later the hold has expired and the epoch is paid.
	j.Wait(3 * dayMS)
	j.Add(bank.AppendTick(nil))
	check(t, j.Follow(t, tables, 1).CatchUp(t.Context()))
	hold1.Remaining, hold1.ExpiredAmount, hold1.EndedMS = 0, 35, j.nowMS
	same(t, "holds at the end", must(tables.Holds(t.Context(), ann, false, 0, 0, 0))(t), []history.Hold{hold2, hold1})
	same(t, "open holds", must(tables.Holds(t.Context(), ann, true, 0, 0, 0))(t), []history.Hold{hold2})
	epochs := must(tables.Epochs(t.Context(), 0, 0))(t)
	if len(epochs) != 1 || epochs[0].Number != 1 || epochs[0].Accounts != 1 || epochs[0].ClosedMS != j.nowMS || epochs[0].EndMS <= epochs[0].StartMS {
		t.Fatalf("epochs: %+v", epochs)
	}
	payments := must(tables.Payments(t.Context(), 1, 0, 0, 0))(t)
	if len(payments) != 1 || payments[0].PointsMicro != 90_000_000 || payments[0].TimeMicro != epochs[0].IssuedMicro {
		t.Fatalf("payments %+v of %+v", payments, epochs)
	}
	same(t, "payments before the first", must(tables.Payments(t.Context(), 1, 1, 0, 0))(t), nil)
}

func historyOnce(t *testing.T, open func() history.Tables) {
	j := NewRecords()
	tables := open()
	check(t, j.Follow(t, tables, 1).CatchUp(t.Context()))
	wantErr(t, tables.Apply(t.Context(), 0, &history.Chunk{Cursor: history.Cursor{Seq: 1}}), history.ErrBehind)
	wantErr(t, tables.Apply(t.Context(), 7, &history.Chunk{Cursor: history.Cursor{Seq: 8}}), history.ErrBehind)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantErr(t, tables.Apply(ctx, 1, &history.Chunk{Cursor: history.Cursor{Seq: 2}}), context.Canceled)
	want := history.Cursor{Seq: 1, TimeMS: j.records[0].TimeMS, Hash: j.records[0].Hash}
	same(t, "the cursor", must(open().Cursor(t.Context()))(t), want)
}

func historyForeign(t *testing.T, open func() history.Tables) {
	tables := open()
	j := NewRecords()
	check(t, j.Follow(t, tables, 0).CatchUp(t.Context()))
	other := NewRecords()
	other.records[0].Hash[0] ^= 1
	options := history.Options{NowMS: func() int64 { return 0 }}
	_, err := history.Open(t.Context(), tables, other, options)
	wantErr(t, err, history.ErrForeign)
	j.ShowUpTo(0)
	_, err = history.Open(t.Context(), tables, j, options)
	wantErr(t, err, history.ErrForeign)
	check(t, tables.Clear(t.Context()))
	check(t, other.Follow(t, tables, 0).CatchUp(t.Context()))
	if read := must(tables.Accounts(t.Context(), ledger.OwnerPerson, 1, 0, 0))(t); len(read) != 2 {
		t.Fatalf("after clearing and following again: %+v", read)
	}
}

// historyEqualsNaive follows a random journal into the tables with breaks, into
// fresh naive ones without, rebuilds, and compares all answers.
func historyEqualsNaive(t *testing.T, rt *rapid.T, open func() history.Tables) {
	j := NewRecords()
	j.randomRecords(rt)
	tables := open()
	for seen := uint64(0); seen < j.Len(); {
		seen += rapid.Uint64Range(1, j.Len()-seen).Draw(rt, "records before a break")
		j.ShowUpTo(seen)
		follower := j.Follow(rt, tables, rapid.IntRange(1, 40).Draw(rt, "rows a chunk"))
		check(rt, follower.CatchUp(t.Context()))
		tables = open()
	}
	naive := memory.NewHistory()
	check(rt, j.Follow(rt, naive, 0).CatchUp(t.Context()))
	limit := rapid.IntRange(1, 5).Draw(rt, "rows a page")
	want := answers(rt, naive, j, limit)
	same(rt, "followed with breaks", answers(rt, tables, j, limit), want)
	check(rt, j.Follow(rt, tables, 3).Rebuild(t.Context()))
	same(rt, "rebuilt", answers(rt, tables, j, limit), want)
}

// same compares what was answered; an empty list equals none.
func same(t tester, what string, got, want any) {
	t.Helper()
	if v := reflect.ValueOf(got); v.Kind() == reflect.Slice && v.Len() == 0 && want == nil {
		return
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s: got\n%+v\nwant\n%+v", what, got, want)
	}
}
