package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

// Two banks get the same commands at the same times. One runs through; the
// other is closed, crashes or is taken over again and again. Nobody can tell:
// the answers are the same, the balances are the same, and the journal of
// either, run again from its first record, gives the state that is live.
func TestRestartsCannotBeNoticed(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		through, broken := newRig(t), newRig(t)
		broken.clock = through.clock
		p := &pair{t: t, through: through, broken: broken, steady: mustOpen(rt, through), restarted: mustOpen(rt, broken)}
		p.steadyAccounts()
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				p.restart(rt)
			case 1:
				through.clock.ms.Add(rapid.SampledFrom([]int64{1, 1000, 3_600_000, 86_400_000}).Draw(rt, "ms later"))
				// What time causes happens with a record, so each bank gets one now:
				// here a command that is refused.
				p.submit(rt, [][]byte{transfer(0, p.accounts[0], p.accounts[1], 0)})
			default:
				p.submit(rt, rapid.SliceOfN(rapid.Custom(p.command), 1, 5).Draw(rt, "commands"))
			}
		}
		p.compare(rt)
	})
}

func mustOpen(rt *rapid.T, r *rig) *journal.Writer {
	w, err := r.open()
	if err != nil {
		rt.Fatal(err)
	}
	return w
}

type pair struct {
	t                 *testing.T
	through, broken   *rig
	steady, restarted *journal.Writer
	accounts          []uint64
	holds             []uint64
}

// steadyAccounts makes the same accounts in both banks.
func (p *pair) steadyAccounts() {
	p.accounts = fund(p.t, p.steady, 3, 1000)
	fund(p.t, p.restarted, 3, 1000)
	for _, w := range []*journal.Writer{p.steady, p.restarted} {
		submit(p.t, w, bank.RegisterWorld{Code: "arcade"}.AppendTo(nil))
	}
}

// command draws one command; keys are few, so that some are repeated and some
// come again with another command.
func (p *pair) command(rt *rapid.T) []byte {
	keyOf := func() bank.Key { return key(rapid.Uint64Range(0, 12).Draw(rt, "key")) }
	account := rapid.SampledFrom(p.accounts)
	hold := uint64(1)
	if len(p.holds) > 0 {
		hold = rapid.SampledFrom(p.holds).Draw(rt, "hold")
	}
	value := rapid.Int64Range(0, 400).Draw(rt, "amount")
	switch rapid.IntRange(0, 5).Draw(rt, "kind") {
	case 0:
		return bank.PlaceHold{Key: keyOf(), Account: account.Draw(rt, "from"), Beneficiary: account.Draw(rt, "to"), Amount: value,
			ExpiresAtMS: p.through.clock.now() + rapid.Int64Range(0, 5000).Draw(rt, "expires in")}.AppendTo(nil)
	case 1:
		return bank.SettleHold{Key: keyOf(), Hold: hold, Amount: value, Final: rapid.Bool().Draw(rt, "final")}.AppendTo(nil)
	case 2:
		return bank.ReleaseHold{Key: keyOf(), Hold: hold}.AppendTo(nil)
	case 3:
		return bank.Mint{Person: [16]byte{byte(rapid.IntRange(1, 3).Draw(rt, "person"))}, World: 1, Day: bank.Day(p.through.clock.now()),
			Revision: rapid.Uint64Range(1, 5).Draw(rt, "revision"), CumulativePointsMicro: value * 1_000_000, PolicyVersion: 1}.AppendTo(nil)
	}
	return bank.Transfer{Key: keyOf(), Legs: []ledger.Leg{{Debit: account.Draw(rt, "from"), Credit: account.Draw(rt, "to"), Amount: value}}}.AppendTo(nil)
}

func (p *pair) submit(rt *rapid.T, commands [][]byte) {
	want, err := p.steady.Submit(context.Background(), commands...)
	if err != nil {
		rt.Fatal(err)
	}
	got, err := p.restarted.Submit(context.Background(), commands...)
	if err != nil {
		rt.Fatal(err)
	}
	for i := range commands {
		if got[i].Refusal != want[i].Refusal || got[i].Repeated != want[i].Repeated || !bytes.Equal(got[i].Bytes, want[i].Bytes) {
			rt.Fatalf("command %d of %d was answered %+v, without restarts %+v", i, len(commands), got[i], want[i])
		}
		if placed, isHold := bank.First[bank.HoldPlaced](got[i].Bytes); isHold {
			p.holds = append(p.holds, placed.Hold)
		}
	}
}

// restart ends the writer in one of three ways and begins another.
func (p *pair) restart(rt *rapid.T) {
	old := p.restarted
	switch rapid.SampledFrom([]string{"close", "crash", "take over"}).Draw(rt, "restart") {
	case "close":
		if err := old.Close(context.Background()); err != nil {
			rt.Fatal(err)
		}
	case "crash":
		crash(p.t, p.broken, old)
	case "take over":
		defer func() {
			_, err := old.Submit(context.Background(), transfer(0, p.accounts[0], p.accounts[1], 1))
			if !errors.Is(err, journal.ErrConflict) {
				rt.Fatalf("the writer that was taken over answered %v", err)
			}
		}()
	}
	p.restarted = mustOpen(rt, p.broken)
}

func (p *pair) compare(rt *rapid.T) {
	for _, number := range p.accounts {
		if want, got := account(p.t, p.steady, number), account(p.t, p.restarted, number); got != want {
			rt.Fatalf("account %d is %+v, without restarts %+v", number, got, want)
		}
	}
	for _, r := range []*rig{p.through, p.broken} {
		w := p.steady
		if r == p.broken {
			w = p.restarted
		}
		live := fmt.Sprintf("%x", stateHash(p.t, w))
		if report := r.verify(); !report.Clean() || report.StateHash != live {
			rt.Fatalf("run again the state is %s, live it is %s; found %q", report.StateHash, live, report.Findings)
		}
		if err := w.Close(context.Background()); err != nil {
			rt.Fatal(err)
		}
		if report := r.verify(); !report.Clean() || report.Snapshots == 0 {
			rt.Fatalf("after closing: %+v", report)
		}
	}
}
