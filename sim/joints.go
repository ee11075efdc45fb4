package sim

import (
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/score"
)

// joints are where the program of a world is joined together, as the command
// serve joins the real one. The tests put a deliberate bug into one of them and
// require that the world finds it.
type joints struct {
	journal  func(journal.Store) journal.Store
	head     func(journal.Head) journal.Head
	events   func(EventStore) EventStore
	tail     func(collect.Head) collect.Head
	clock    func(now func() int64) func() int64 // of the bank
	command  func([]byte) []byte
	keeps    func(keepMS map[uint32]int64) map[uint32]int64 // how long worlds keep events
	cases    func([]bank.OpenCase) []bank.OpenCase
	mints    func([]bank.Mint) []bank.Mint
	policies map[uint32]*score.Policy
}

// sound joins the program as it should be.
func sound() joints {
	return joints{
		journal: func(s journal.Store) journal.Store { return s },
		head:    func(h journal.Head) journal.Head { return h },
		events:  func(s EventStore) EventStore { return s },
		tail:    func(h collect.Head) collect.Head { return h },
		clock:   func(now func() int64) func() int64 { return now },
		command: func(command []byte) []byte { return command },
		keeps:   func(keepMS map[uint32]int64) map[uint32]int64 { return keepMS },
		cases:   func(cases []bank.OpenCase) []bank.OpenCase { return cases },
		mints:   func(mints []bank.Mint) []bank.Mint { return mints },

		policies: map[uint32]*score.Policy{1: defaultPolicy, 2: plazaPolicy},
	}
}
