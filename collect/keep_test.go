package collect_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/memory"
	"pgregory.net/rapid"
)

// Message ids that were put into blocks are as well remembered as those in
// memory: over two weeks of hours, with repeats, restarts and a store that
// fails, every verdict is that of a list of ids and hours.
func TestMessageIDsInBlocks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		blocks := memory.NewBlocks()
		var failing atomic.Int64
		blocks.Before = func() error {
			if failing.Load() > 0 {
				failing.Add(-1)
				return errors.New("the disk is full")
			}
			return nil
		}
		w := newWorld(t)
		w.Close()
		w.blocks = blocks
		w.open()
		arrived := map[int]int64{} // id → hour
		for range rapid.IntRange(1, 120).Draw(t, "steps") {
			w.nowMS += rapid.Int64Range(0, 9*hourMS).Draw(t, "passes")
			switch rapid.IntRange(0, 9).Draw(t, "what") {
			case 0:
				w.restart(true)
			case 1:
				w.restart(false)
			case 2:
				failing.Store(rapid.Int64Range(0, 2).Draw(t, "failures"))
			}
			var batch []event.Event
			var want []string
			for range rapid.IntRange(1, 5).Draw(t, "events") {
				id := rapid.IntRange(0, 60).Draw(t, "id")
				hour, known := arrived[id]
				batch = append(batch, jump("alice", fmt.Sprint("m", id), w.nowMS))
				if known && w.nowMS/hourMS-hour <= 7*24 {
					want = append(want, "duplicate message_id_seen, first accepted")
				} else {
					want = append(want, "accepted")
					arrived[id] = w.nowMS / hourMS
				}
			}
			for i, got := range w.accept(collect.TrustServer, batch...) {
				if got != want[i] && got != "capped daily_curve" && got != "duplicate message_id_seen, first capped" {
					t.Fatalf("%s at %s is %q, expected %q", batch[i].MessageID, time.UnixMilli(w.nowMS).UTC(), got, want[i])
				}
			}
		}
		w.Close()
	})
}

// Hours that are over leave memory, days that are over become one block, and
// what has left the horizon leaves the store. A restart reads the directories
// and not the log.
func TestHoursThatAreOverLeaveMemory(t *testing.T) {
	blocks := memory.NewBlocks()
	w := newWorld(t)
	w.Close()
	w.blocks = blocks
	w.open()
	const hours = 12 * 24
	for hour := range hours {
		for i := range 3 {
			w.requireVerdict("accepted", collect.TrustServer, jump(fmt.Sprint("user", hour), fmt.Sprintf("m%d-%d", hour, i), w.nowMS))
		}
		for deadline := time.Now().Add(10 * time.Second); w.Statistics().Seen.InMemory.Load() > 6; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("in hour %d, %d ids are in memory", hour, w.Statistics().Seen.InMemory.Load())
			}
			w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("again", fmt.Sprintf("m%d-0", hour), w.nowMS))
		}
		w.nowMS += hourMS
	}
	seen := &w.Statistics().Seen
	for deadline := time.Now().Add(10 * time.Second); seen.Blocks.Load() > 7+2*24 && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("again", fmt.Sprintf("m%d-0", hours-1), w.nowMS))
	}
	if kept, inBlocks := seen.Blocks.Load(), seen.InBlocks.Load(); kept > 7+2*24 || inBlocks < 3*(7*24-1) || inBlocks > 3*(8*24+1) || seen.DirectoryBytes.Load() == 0 {
		t.Errorf("%d ids are in %d blocks; expected those of the horizon in about eight days and the hours of one", inBlocks, kept)
	}
	w.restart(true)
	w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("again", fmt.Sprintf("m%d-2", hours-7*24+1), w.nowMS))
	w.requireVerdict("accepted", collect.TrustServer, jump("again", "m0-0", w.nowMS))
	if seen := &w.Statistics().Seen; seen.InBlocks.Load() < 3*(7*24-1) || seen.InMemory.Load() > 9 {
		t.Errorf("after a restart %d ids are in blocks and %d in memory", seen.InBlocks.Load(), seen.InMemory.Load())
	}
	w.Close()
}

// Blocks of another log's, as after a copy of the log was put back, are not
// believed: its ids are read from the log.
func TestBlocksOfAnotherLog(t *testing.T) {
	fill := func(name string, blocks collect.Blocks) *world {
		w := newWorld(t)
		w.Close()
		w.blocks = blocks
		w.open()
		for hour := range 30 {
			w.requireVerdict("accepted", collect.TrustServer, jump("alice", fmt.Sprint(name, hour), w.nowMS))
			for deadline := time.Now().Add(10 * time.Second); w.blocks != nil && w.Statistics().Seen.InMemory.Load() > 2; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatal("hours that are over stay in memory")
				}
				w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("alice", fmt.Sprint(name, hour), w.nowMS))
			}
			w.nowMS += hourMS
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return w
	}
	blocks := memory.NewBlocks()
	fill("old", blocks)
	w := fill("new", nil)
	w.blocks = blocks
	w.open()
	for hour := range 30 {
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("alice", fmt.Sprint("new", hour), w.nowMS))
	}
	w.requireVerdict("accepted", collect.TrustServer, jump("alice", "old0", w.nowMS))
	w.Close()
}

type readable = memory.Blocks

// unreadable are blocks whose entries cannot be read for a while.
type unreadable struct {
	*readable
	fails atomic.Bool
}

// BlockPage implements collect.Blocks.
func (b *unreadable) BlockPage(ctx context.Context, info collect.BlockInfo, page int) ([]byte, error) {
	if b.fails.Load() && page < info.EntryPages {
		return nil, errors.New("the disk cannot be read")
	}
	return b.readable.BlockPage(ctx, info, page)
}

// Hours that cannot be read are not put together with others: no id is lost by
// it, of however few there are.
func TestUnreadableHoursAreNotMerged(t *testing.T) {
	blocks := &unreadable{readable: memory.NewBlocks()}
	w := newWorld(t)
	w.Close()
	w.blocks = blocks
	w.open()
	seen := &w.Statistics().Seen
	until := func(what string, done func() bool) {
		t.Helper()
		for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatal(what)
			}
			w.flush(ledger{}) // looks what can be put away
		}
	}
	const hours = 11 // to the last of the day
	for hour := range hours {
		w.requireVerdict("accepted", collect.TrustServer, jump("alice", fmt.Sprint("m", hour), w.nowMS))
		w.nowMS += hourMS
		until("an hour that is over stays in memory", func() bool { return seen.InMemory.Load() <= 1 })
	}
	blocks.fails.Store(true)
	w.nowMS += 2 * hourMS
	until("nothing was tried", func() bool { return seen.Faults.Load() > 0 })
	blocks.fails.Store(false)
	for hour := range hours {
		w.requireVerdict("duplicate message_id_seen, first accepted", collect.TrustServer, jump("alice", fmt.Sprint("m", hour), w.nowMS))
	}
	w.Close()
}
