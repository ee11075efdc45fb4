package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/score"
)

// policyBook finds the policy of a world on a day among those that the bank
// has published.
type policyBook struct {
	bank  stateReader
	nowMS func() int64

	mu     sync.Mutex
	worlds map[uint32]*worldPolicies
}

type stateReader interface {
	Read(ctx context.Context, read func(*bank.State)) error
}

// worldPolicies are the versions that were published up to day asOf. A policy
// takes effect after the day on which it is published, so the list of a day is
// complete for all days up to that one.
type worldPolicies struct {
	asOf     int32
	versions []parsedPolicy
}

type parsedPolicy struct {
	bank.Policy
	parsed *score.Policy
}

// defaultPolicy is version 0 of every world.
var defaultPolicy = score.DefaultPolicy()

func newPolicyBook(reader stateReader, nowMS func() int64) *policyBook {
	return &policyBook{bank: reader, nowMS: nowMS, worlds: map[uint32]*worldPolicies{}}
}

// of implements collect.Policies.
func (b *policyBook) of(world uint32, day int32, importVersion uint32) (*score.Policy, uint32) {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.worlds[world]
	if list == nil || day > list.asOf || importVersion != 0 && !list.has(importVersion) {
		list = b.refresh(world)
	}
	for i := len(list.versions) - 1; i >= 0; i-- {
		p := &list.versions[i]
		if importVersion != 0 && p.Version == importVersion || importVersion == 0 && !p.ForImport && p.EffectiveDay <= day {
			return p.parsed, p.Version
		}
	}
	return defaultPolicy, 0
}

func (l *worldPolicies) has(version uint32) bool {
	return int(version) <= len(l.versions)
}

// refresh reads the list anew. If the bank has stopped, nothing can be minted
// any longer, and what is answered is what was known last.
func (b *policyBook) refresh(world uint32) *worldPolicies {
	list := &worldPolicies{asOf: bank.Day(b.nowMS())}
	var published []bank.Policy
	if err := b.bank.Read(context.Background(), func(state *bank.State) { published = state.Policies(world) }); err != nil {
		if known := b.worlds[world]; known != nil {
			return known
		}
		return list
	}
	for _, p := range published {
		parsed, err := score.ParsePolicy([]byte(p.Text))
		if err != nil {
			panic(fmt.Sprintf("version %d of the policy of world %d was published and cannot be read: %v", p.Version, world, err))
		}
		list.versions = append(list.versions, parsedPolicy{p, parsed})
	}
	b.worlds[world] = list
	return list
}
