package journal_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
)

// A client that repeats a command gets the answer that it got first: within a
// batch, in a later one, and from a bank that was restarted in between.
func TestRepeatedCommandsGetTheirFirstAnswer(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	accounts := fund(t, w, 2, 1000)
	pay := transfer(7, accounts[0], accounts[1], 10)
	both, err := w.Submit(t.Context(), pay, transfer(8, accounts[0], accounts[1], 5), pay)
	if err != nil {
		t.Fatal(err)
	}
	requireRepeat := func(got, first journal.Answer) {
		t.Helper()
		if !got.Repeated || got.Refusal != bank.Accepted || got.Seq != first.Seq || got.Index != first.Index || !bytes.Equal(got.Bytes, first.Bytes) {
			t.Fatalf("the repeated command was answered %+v, the first one %+v", got, first)
		}
	}
	requireRepeat(both[2], both[0])
	if both[0].Repeated || both[1].Repeated {
		t.Fatal("a first command is said to be repeated")
	}
	requireRepeat(submit(t, w, pay), both[0])
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w = r.mustOpen()
	requireRepeat(submit(t, w, pay), both[0])
	other, err := w.Submit(t.Context(), transfer(7, accounts[0], accounts[1], 11))
	if err != nil || other[0].Refusal != bank.KeyReused {
		t.Fatalf("another command under the key was answered %v, %v", other, err)
	}
	if got := account(t, w, accounts[0]).Balance; got != 985 {
		t.Fatalf("the balance is %d, expected 1000 - 10 - 5", got)
	}
}

// Time takes effect through Ticks that the writer journals itself, and only
// when something is due.
func TestTicksAreJournaledWhenDue(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	accounts := fund(t, w, 2, 1000)
	submit(t, w, bank.PlaceHold{Account: accounts[0], Beneficiary: accounts[1], Amount: 400, ExpiresAtMS: noonMS + 60_000}.AppendTo(nil))
	before := w.Durable()
	r.clock.ms.Store(noonMS + 59_999)
	if held := account(t, w, accounts[0]).Held; held != 400 || w.Durable() != before {
		t.Fatalf("before anything is due %d is held and records %d to %d were written", held, before, w.Durable())
	}
	r.clock.ms.Store(noonMS + 60_000)
	eventually(t, "the hold expires without any request", func() bool { return w.Durable() > before })
	if held := account(t, w, accounts[0]).Held; held != 0 || w.Durable() != before+1 {
		t.Fatalf("after the expiry %d is held and the journal went from record %d to %d", held, before, w.Durable())
	}
	r.clock.ms.Store(noonMS) // a clock that goes back does not take the records along
	submit(t, w, transfer(1, accounts[0], accounts[1], 1))
	var nowMS int64
	if err := w.Read(t.Context(), func(state *bank.State) { nowMS = state.NowMS() }); err != nil || nowMS != noonMS+60_000 {
		t.Fatalf("the time went back to %d, %v", nowMS, err)
	}
}

// Once a second writer has begun its term, the first one acknowledges nothing.
func TestSecondWriterTakesOver(t *testing.T) {
	r := newRig(t)
	first := r.mustOpen()
	accounts := fund(t, first, 2, 1000)
	second := r.mustOpen()
	if _, err := first.Submit(t.Context(), transfer(1, accounts[0], accounts[1], 10)); !errors.Is(err, journal.ErrStopped) || !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the first writer answered %v", err)
	}
	<-first.Done()
	if err := first.Err(); !errors.Is(err, journal.ErrConflict) {
		t.Fatalf("the first writer says it stopped because of %v", err)
	}
	if err := first.Read(t.Context(), func(*bank.State) { t.Error("the first writer still shows its state") }); !errors.Is(err, journal.ErrStopped) {
		t.Fatalf("reading from the first writer was answered %v", err)
	}
	if got := account(t, second, accounts[0]).Balance; got != 1000 {
		t.Fatalf("the second writer has a balance of %d: it carried out what nobody was answered", got)
	}
	submit(t, second, transfer(1, accounts[0], accounts[1], 10))
	if report := r.verify(); !report.Clean() {
		t.Fatal(report.Findings)
	}
}

// When more waits than the queue holds, the next one is told so at once; what
// was taken is answered.
func TestFullQueueIsBusy(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	accounts := fund(t, w, 2, 1_000_000)
	goOn := make(chan struct{})
	r.store.OnAppend = func(journal.Record) memory.Outcome { <-goOn; return memory.Outcome{} }
	var wait sync.WaitGroup
	var mu sync.Mutex
	accepted, busy := int64(0), false
	for n := uint64(1); ; n++ {
		mu.Lock()
		full := busy
		mu.Unlock()
		if full {
			break
		}
		if n > 100_000 {
			t.Fatal("100,000 requests wait and none was refused")
		}
		wait.Go(func() {
			_, err := w.Submit(t.Context(), transfer(n, accounts[0], accounts[1], 1))
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				accepted++
			case errors.Is(err, journal.ErrBusy):
				busy = true
			default:
				t.Error(err)
			}
		})
	}
	close(goOn)
	wait.Wait()
	if got := account(t, w, accounts[1]).Balance; got != 1_000_000+accepted {
		t.Fatalf("%d transfers were acknowledged, the balance is %d", accepted, got)
	}
}

// A request that is too large for a record is refused before it is queued.
func TestTooLargeIsRefused(t *testing.T) {
	w := newRig(t).mustOpen()
	large := make([]byte, 1<<20)
	for what, commands := range map[string][][]byte{
		"too many":           make([][]byte, 8193),
		"one too large":      {append(large, 0)},
		"too large together": {large, large, large, large, large, large, large, large, large},
	} {
		if _, err := w.Submit(t.Context(), commands...); err == nil || !strings.Contains(err.Error(), "at most") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if w.Durable() != 1 {
		t.Errorf("the journal has %d records", w.Durable())
	}
}

// Followers wait for records and load them from the store.
func TestWaitNewer(t *testing.T) {
	r := newRig(t)
	w := r.mustOpen()
	seen := make(chan uint64)
	go func() {
		w.WaitNewer(context.Background(), 1)
		seen <- w.Durable()
	}()
	submit(t, w, bank.RegisterPerson{ID: [16]byte{1}}.AppendTo(nil))
	if seq := <-seen; seq < 2 {
		t.Fatalf("the follower was woken at record %d", seq)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	w.WaitNewer(ended, 100) // returns, since nobody waits any longer
	if err := w.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.WaitNewer(context.Background(), 100) // returns, since nothing will come
}
