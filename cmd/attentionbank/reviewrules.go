package main

import (
	"context"
	"fmt"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
)

// reviewRules returns the review rules that hold now: the last that were
// published, or the default ones as version 0.
func reviewRules(reader stateReader) func(ctx context.Context) (*abuse.Rules, uint32, error) {
	return func(ctx context.Context) (rules *abuse.Rules, version uint32, err error) {
		var text string
		if err := reader.Read(ctx, func(state *bank.State) { text, version = state.LastReviewRules() }); err != nil {
			return nil, 0, err
		}
		if version == 0 {
			return abuse.DefaultRules(), 0, nil
		}
		if rules, err = abuse.ParseRules([]byte(text)); err != nil {
			return nil, 0, fmt.Errorf("version %d was published and cannot be read: %w", version, err)
		}
		return rules, version, nil
	}
}

// markSecret keys what stands for devices: of the bank, and of no world.
func markSecret(registry *identity.Registry) [32]byte { return registry.WorldSecret(0, "marks") }
