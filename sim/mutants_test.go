package sim

import (
	"context"
	"iter"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/score"
)

// A simulator that finds nothing may be blind. Each mutant is the program with
// one deliberate bug in a joint; the table says within how many seeds the world
// must find it.
func TestMutantsAreFound(t *testing.T) {
	const steps = 80
	for _, mutant := range []struct {
		bug    string
		seeds  uint64
		change func(*joints)
	}{
		{"a record is acknowledged before it is appended", 40, func(j *joints) {
			j.journal = func(s journal.Store) journal.Store { return &hastyJournal{Store: s} }
		}},
		{"a taken sequence is no conflict to the journal", 40, func(j *joints) {
			j.journal = func(s journal.Store) journal.Store { return heedlessJournal{s} }
		}},
		{"the last record is dropped at a restart, and the head with it", 40, func(j *joints) {
			j.journal = func(s journal.Store) journal.Store { return shortJournal{s} }
			j.head = func(journal.Head) journal.Head { return new(blankHead) }
		}},
		{"the second head of the journal is not saved", 40, func(j *joints) {
			j.head = func(journal.Head) journal.Head { return new(blankHead) }
		}},
		{"a batch is acknowledged before it is appended", 40, func(j *joints) {
			j.events = func(s EventStore) EventStore { return &hastyEvents{EventStore: s} }
		}},
		{"a taken sequence is no conflict to the log of events", 200, func(j *joints) {
			j.events = func(s EventStore) EventStore { return heedlessEvents{s} }
		}},
		{"the last batch is dropped at a restart, and the head with it", 40, func(j *joints) {
			j.events = func(s EventStore) EventStore { return shortEvents{s} }
			j.tail = func(collect.Head) collect.Head { return new(blankHead) }
		}},
		{"a checkpoint moves on without its parts", 40, func(j *joints) {
			j.events = func(s EventStore) EventStore { return partlessEvents{s} }
		}},
		{"a checkpoint saves its parts and does not move", 40, func(j *joints) {
			j.events = func(s EventStore) EventStore { return stuckEvents{s} }
		}},
		{"an old program saves its checkpoint", 200, func(j *joints) {
			j.events = func(s EventStore) EventStore { return backwardEvents{s} }
		}},
		{"message ids are forgotten at a restart", 40, func(j *joints) {
			j.events = func(s EventStore) EventStore { return forgetfulEvents{s} }
		}},
		{"events are dropped a day too early", 40, func(j *joints) {
			j.keeps = func(keepMS map[uint32]int64) map[uint32]int64 {
				for world := range keepMS {
					keepMS[world] -= dayMS
				}
				return keepMS
			}
		}},
		{"no world's events are ever dropped", 40, func(j *joints) {
			j.keeps = func(map[uint32]int64) map[uint32]int64 { return nil }
		}},
		{"a purge notes how far it got and drops nothing", 40, func(j *joints) {
			j.events = func(s EventStore) EventStore { return lazyEvents{s} }
		}},
		{"no cases are opened", 40, func(j *joints) {
			j.cases = func([]bank.OpenCase) []bank.OpenCase { return nil }
		}},
		{"a case is opened for the day after", 40, func(j *joints) {
			j.cases = func(cases []bank.OpenCase) []bank.OpenCase {
				for i := range cases {
					cases[i].Day++
				}
				return cases
			}
		}},
		{"an operator's decision is turned round", 40, func(j *joints) { j.command = turnedRound }},
		{"a Mint is posted twice", 40, func(j *joints) { j.mints = mintTwice }},
		{"a Mint is left out", 40, func(j *joints) {
			j.mints = func(mints []bank.Mint) []bank.Mint { return mints[1:] }
		}},
		{"a client's retry carries no key", 40, func(j *joints) { j.command = withoutKey }},
		{"α is a thousandth too high", 40, func(j *joints) {
			generous := *defaultPolicy
			generous.AlphaMicro += 1000
			j.policies = map[uint32]*score.Policy{1: &generous, 2: plazaPolicy}
		}},
		{"a cap is not looked at", 100, func(j *joints) {
			boundless := *plazaPolicy
			boundless.Caps.DaySpendMinor = 0
			j.policies = map[uint32]*score.Policy{1: defaultPolicy, 2: &boundless}
		}},
		{"the bank's clock is an hour behind", 40, func(j *joints) {
			j.clock = func(now func() int64) func() int64 { return func() int64 { return now() - hourMS } }
		}},
	} {
		t.Run(mutant.bug, func(t *testing.T) {
			t.Parallel()
			for seed := uint64(1); seed <= mutant.seeds; seed++ {
				program := sound()
				mutant.change(&program)
				if _, err := run(context.Background(), seed, steps, program); err != nil {
					t.Logf("found by seed %d: %.160v", seed, err)
					return
				}
			}
			t.Errorf("not found within %d seeds", mutant.seeds)
		})
	}
}

// hastyJournal appends a record when the next one comes.
type hastyJournal struct {
	journal.Store
	waiting []journal.Record
}

func (h *hastyJournal) Append(ctx context.Context, record journal.Record) error {
	for _, late := range h.waiting {
		h.Store.Append(ctx, late) // whoever waits for it has been answered
	}
	h.waiting = []journal.Record{record}
	return nil
}

type heedlessJournal struct{ journal.Store }

func (h heedlessJournal) Append(ctx context.Context, record journal.Record) error {
	if err := h.Store.Append(ctx, record); err != journal.ErrConflict {
		return err
	}
	return nil
}

type shortJournal struct{ journal.Store }

func (s shortJournal) Load(ctx context.Context, from uint64) iter.Seq2[journal.Record, error] {
	return butLast(s.Store.Load(ctx, from))
}

// butLast yields all but the last of a sequence.
func butLast[T any](all iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var held T
		any := false
		for value, err := range all {
			if any && !yield(held, err) {
				return
			}
			held, any = value, true
		}
	}
}

type blankHead struct{}

func (*blankHead) Load() (seq uint64, hash [32]byte, err error) { return 0, hash, nil }
func (*blankHead) Save(uint64, [32]byte) error                  { return nil }

type hastyEvents struct {
	EventStore
	waiting []collect.Batch
}

func (h *hastyEvents) Append(ctx context.Context, batch collect.Batch) error {
	for _, late := range h.waiting {
		h.EventStore.Append(ctx, late) // whoever waits for it has been answered
	}
	h.waiting = []collect.Batch{batch}
	return nil
}

type heedlessEvents struct{ EventStore }

func (h heedlessEvents) Append(ctx context.Context, batch collect.Batch) error {
	if err := h.EventStore.Append(ctx, batch); err != collect.ErrConflict {
		return err
	}
	return nil
}

type shortEvents struct{ EventStore }

func (s shortEvents) Load(ctx context.Context, from uint64) iter.Seq2[collect.Batch, error] {
	return butLast(s.EventStore.Load(ctx, from))
}

type partlessEvents struct{ EventStore }

func (p partlessEvents) Save(ctx context.Context, term, seq uint64, _ []collect.Part, places []collect.Place) error {
	return p.EventStore.Save(ctx, term, seq, nil, places)
}

type stuckEvents struct{ EventStore }

func (s stuckEvents) Begin(ctx context.Context) (term, seq uint64, err error) {
	term, _, err = s.EventStore.Begin(ctx)
	return term, 0, err
}

type backwardEvents struct{ EventStore }

func (b backwardEvents) Save(ctx context.Context, term, seq uint64, parts []collect.Part, places []collect.Place) error {
	err := b.EventStore.Save(ctx, term, seq, parts, places)
	for ; err == collect.ErrConflict; err = b.EventStore.Save(ctx, term, seq, parts, places) {
		term++
	}
	return err
}

type lazyEvents struct{ EventStore }

func (l lazyEvents) Purge(ctx context.Context, term uint64, step collect.Purged) error {
	step.Batches = nil
	return l.EventStore.Purge(ctx, term, step)
}

type forgetfulEvents struct{ EventStore }

func (f forgetfulEvents) FirstSince(ctx context.Context, receivedMS int64) (uint64, error) {
	if receivedMS < startMS+1000*dayMS {
		receivedMS += collect.HorizonMS - hourMS
	}
	return f.EventStore.FirstSince(ctx, receivedMS)
}

func mintTwice(mints []bank.Mint) []bank.Mint {
	again := mints[0]
	again.Revision++
	again.CumulativePointsMicro *= 2
	return append(mints, again)
}

// turnedRound releases what is to be upheld, and the other way round.
func turnedRound(command []byte) []byte {
	if _, isAct := bank.ActOf(command); !isAct {
		return command
	}
	other := append([]byte(nil), command...)
	other[len(other)-1] ^= 1
	return other
}

// withoutKey takes the idempotency key out of a command.
func withoutKey(command []byte) []byte {
	const kindBytes, keyBytes = 1, 16
	bare := append([]byte(nil), command...)
	clear(bare[kindBytes : kindBytes+keyBytes])
	return bare
}
