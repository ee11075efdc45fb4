package main

import (
	"context"

	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/journal"
)

// boundedBank takes nothing new from outside while the history has been behind
// for too long. What the bank causes itself, such as what was earned, is not
// held back.
type boundedBank struct {
	*journal.Writer
	follower *history.Follower
	lagMS    int64
}

// Submit carries out commands, or returns history.ErrLagging.
func (b boundedBank) Submit(ctx context.Context, commands ...[]byte) ([]journal.Answer, error) {
	if err := b.follower.Bound(b.lagMS); err != nil {
		return nil, err
	}
	return b.Writer.Submit(ctx, commands...)
}
