package journal_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
)

// held is a journal whose store keeps every record waiting until a test says
// what becomes of it.
type held struct {
	*rig
	w        *journal.Writer
	accounts []uint64
	begun    atomic.Int64 // grows when a record begins
	arrived  chan journal.Record
	outcome  chan memory.Outcome
}

func newHeld(t *testing.T, snapshotEvery int) *held {
	h := &held{rig: newRig(t), arrived: make(chan journal.Record), outcome: make(chan memory.Outcome)}
	var err error
	h.w, err = journal.Open(context.Background(), h.store, h.head, journal.Options{
		Now: func() int64 { h.begun.Add(1); return noonMS }, ByRequestOnly: true, SnapshotEvery: snapshotEvery,
	})
	if err != nil {
		t.Fatal(err)
	}
	h.accounts = fund(t, h.w, 2, 1000)
	h.store.OnAppend = func(record journal.Record) memory.Outcome {
		h.arrived <- record
		return <-h.outcome
	}
	return h
}

// pay makes two transfers of 1 in one request.
func (h *held) pay(number uint64) (answer chan error) {
	answer = make(chan error, 1)
	go func() {
		_, err := h.w.Submit(context.Background(), transfer(2*number, h.accounts[0], h.accounts[1], 1), transfer(2*number+1, h.accounts[0], h.accounts[1], 1))
		answer <- err
	}()
	return answer
}

// payMeanwhile makes transfers while a record waits in the store, and returns
// when some of them are applied.
func (h *held) payMeanwhile(first, last uint64) (answers []chan error) {
	h.t.Helper()
	before := h.begun.Load()
	for number := first; number <= last; number++ {
		answers = append(answers, h.pay(number))
	}
	eventually(h.t, "the next record begins while one is under way", func() bool { return h.begun.Load() > before })
	return answers
}

// answered counts who was answered and not yet asked.
func answered(answers []chan error) (n int) {
	for _, answer := range answers {
		n += len(answer)
	}
	return n
}

// What comes while a record is under way is applied meanwhile, goes into the
// next one together, and is answered when that is durable.
func TestTheNextRecordIsMadeWhileOneIsUnderWay(t *testing.T) {
	h := newHeld(t, 0)
	first := h.pay(0)
	record := <-h.arrived
	others := h.payMeanwhile(1, 20)
	eventually(t, "all of them wait", func() bool { return h.w.Waiting() == 20 })
	if n := answered(append(others, first)); n != 0 {
		t.Fatalf("%d were answered before the first record was durable", n)
	}
	h.outcome <- memory.Outcome{}
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	next := <-h.arrived
	if next.Seq != record.Seq+1 || next.Header().Commands != 40 {
		t.Fatalf("record %d follows with %d commands, expected %d with all 40", next.Seq, next.Header().Commands, record.Seq+1)
	}
	if n := answered(others); n != 0 {
		t.Fatalf("%d were answered before their record was durable", n)
	}
	h.outcome <- memory.Outcome{}
	for _, answer := range others {
		if err := <-answer; err != nil {
			t.Fatal(err)
		}
	}
	h.store.OnAppend = nil
	if got := account(t, h.w, h.accounts[0]).Balance; got != 1000-42 {
		t.Fatalf("the balance is %d, expected 958", got)
	}
	if err := h.w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report := h.verify(); !report.Clean() {
		t.Fatal(report.Findings)
	}
}

// If a record fails, what was applied behind it is answered to nobody and is
// nowhere, and no snapshot has it.
func TestWhatFollowsAFailedRecordIsRefused(t *testing.T) {
	lost := errors.New("the disk failed")
	for _, persisted := range []bool{false, true} {
		h := newHeld(t, 1) // so that every record is to be followed by a snapshot
		first := h.pay(0)
		record := <-h.arrived
		others := h.payMeanwhile(1, 20)
		if persisted {
			h.store.OnLoad = func(uint64) error { return lost }
		}
		h.outcome <- memory.Outcome{Err: lost, Persisted: persisted}
		requireStopped(t, h.w, <-first, lost, record.Seq)
		for _, answer := range others {
			if err := <-answer; !errors.Is(err, journal.ErrStopped) || !errors.Is(err, lost) {
				t.Fatalf("what followed was answered %v", err)
			}
		}
		h.store.OnAppend, h.store.OnLoad = nil, nil
		if seqs, _ := h.store.Snapshots(t.Context()); len(seqs) > 0 && seqs[0] >= record.Seq {
			t.Fatalf("there is a snapshot at record %d, which failed", seqs[0])
		}
		want := int64(1000)
		if persisted {
			want = 998
		}
		if got := account(t, h.mustOpen(), h.accounts[0]).Balance; got != want {
			t.Fatalf("after the restart the balance is %d, expected %d", got, want)
		}
		if report := h.verify(); !report.Clean() {
			t.Fatal(report.Findings)
		}
	}
}

// Whoever reads sees the state of the last durable record, no other, and with it
// what was answered before; snapshots are of such states, too.
func TestReadsSeeWhatIsDurable(t *testing.T) {
	r := newRig(t)
	w, err := journal.Open(t.Context(), r.store, r.head, journal.Options{Now: r.clock.now, SnapshotEvery: 50})
	if err != nil {
		t.Fatal(err)
	}
	accounts := fund(t, w, 2, 1_000_000)
	read := func(atLeast uint64) (err error) {
		readErr := w.Read(t.Context(), func(state *bank.State) {
			if state.Seq() != w.Durable() || state.Seq() < atLeast {
				err = fmt.Errorf("record %d is read while %d is durable and %d was answered", state.Seq(), w.Durable(), atLeast)
			}
		})
		return errors.Join(err, readErr)
	}
	var group sync.WaitGroup
	for client := range uint64(16) {
		group.Go(func() {
			for n := range uint64(200) {
				number := client<<32 | n<<1
				commands := [][]byte{transfer(number, accounts[0], accounts[1], 1), transfer(number|1, accounts[1], accounts[0], 1)}
				answers, err := w.Submit(t.Context(), commands[:1+n%2]...)
				if err == nil && (n+client)%5 == 0 {
					err = read(answers[0].Seq)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if report := r.verify(); !report.Clean() || report.Snapshots == 0 {
		t.Fatalf("%+v", report)
	}
}
