package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/attentionbank/attentionbank/bank"
)

// batch puts the payouts that wait into files every so often, counted from the
// last file: a restart neither hurries nor delays it.
func (c *serveCommand) batch(ctx context.Context, n *node, logger *slog.Logger, nowMS func() int64) {
	if c.PayoutEvery == 0 {
		return
	}
	ticker := time.NewTicker(min(c.PayoutEvery, 10*time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		files, err := n.batchPayouts(ctx, nowMS()-c.PayoutEvery.Milliseconds())
		if err != nil && ctx.Err() == nil {
			logger.Error("putting payouts into files failed and will be tried again", "error", err)
		}
		if files > 0 {
			logger.Info("put payouts into files", "files", files)
		}
	}
}

// batchPayouts puts all payouts that wait into files, of each currency as many
// as it takes, unless there was a file after a time.
func (n *node) batchPayouts(ctx context.Context, afterMS int64) (files int, err error) {
	var currencies []uint32
	err = n.journal.Read(ctx, func(state *bank.State) {
		if last, _, any := state.PayoutFile(state.PayoutFiles()); any && last.AtMS > afterMS {
			return
		}
		for _, rate := range state.PayoutRates() {
			currencies = append(currencies, rate.Currency)
		}
	})
	slices.Sort(currencies)
	for _, currency := range slices.Compact(currencies) {
		for refusal := bank.Accepted; err == nil && refusal == bank.Accepted; {
			answers, submitErr := n.journal.Submit(ctx, bank.FilePayouts{Currency: currency, Most: bank.MaxPerFile}.AppendTo(nil))
			if submitErr != nil {
				return files, submitErr
			}
			switch refusal = answers[0].Refusal; refusal {
			case bank.Accepted:
				files++
			case bank.PayoutNotFound: // nothing waits any more
			default:
				err = fmt.Errorf("the bank refused: %s", refusal)
			}
		}
	}
	return files, err
}
