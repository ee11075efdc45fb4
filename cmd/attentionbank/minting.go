package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/attentionbank/attentionbank/bank"
)

// mint posts what was earned every so often, and once more after the end of an
// epoch, before the epoch closes.
func (c *serveCommand) mint(ctx context.Context, n *node, logger *slog.Logger, nowMS func() int64) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	saved := time.Now()
	var nextMS, flushedEpoch int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var epoch bank.Epoch
		if err := n.journal.Read(ctx, func(state *bank.State) { epoch = state.RunningEpoch() }); err != nil {
			return // the journal's end is reported by itself
		}
		ended := nowMS() >= epoch.EndMS && flushedEpoch != epoch.EndMS
		if nowMS() < nextMS && !ended {
			continue
		}
		minted, err := n.flush(ctx)
		if err != nil {
			if ctx.Err() == nil {
				logger.Error("posting what was earned failed and will be tried again", "error", err)
			}
			continue
		}
		if ended {
			flushedEpoch = epoch.EndMS
		}
		nextMS = nowMS() + c.MintEvery.Milliseconds()
		logger.Info("posted what was earned", "person_days", minted)
		if time.Since(saved) > time.Hour {
			saved = time.Now()
			if err := n.identity.SaveLastUsed(ctx); err != nil {
				logger.Error("saving when keys were last used", "error", err)
			}
		}
	}
}
