package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
)

// benchMessageIDs fills the horizon with the events of a scaled-down week: what
// a remembered message id takes does not depend on how many there are.
func benchMessageIDs(ctx context.Context, site Site, length time.Duration) (m measured, err error) {
	const hours, perHour, perBatch = 8 * 24, 20_000, 2000
	var clockMS atomic.Int64
	clockMS.Store(1_767_225_600_000)
	n, err := openNode(ctx, site, clockMS.Load, func(string) {})
	if err != nil {
		return m, err
	}
	defer n.close()
	if _, err := n.journal.Submit(ctx, bank.RegisterWorld{Code: "bench"}.AppendTo(nil)); err != nil {
		return m, err
	}
	number := 0
	batch := func() error {
		request := collect.Request{World: 1, Trust: collect.TrustServer, Items: make([]event.Item, perBatch)}
		for i := range request.Items {
			number++
			request.Items[i].Event = event.Event{Call: event.Track, Type: "heartbeat", UserID: fmt.Sprintf("user-%04d", number%1000), MessageID: fmt.Sprintf("%032d", number)}
		}
		results, err := n.collector.Accept(ctx, request)
		for _, result := range results {
			if err == nil && result.Verdict != collect.Accepted && result.Verdict != collect.Capped {
				err = fmt.Errorf("an event was %s", result.Verdict)
			}
		}
		return err
	}
	for range hours {
		for range perHour / perBatch {
			if err := batch(); err != nil {
				return m, err
			}
		}
		clockMS.Add(60 * 60 * 1000)
	}
	for began := time.Now(); time.Since(began) < length; m.done += perBatch {
		asked := time.Now()
		if err := batch(); err != nil {
			return m, err
		}
		m.answers = append(m.answers, time.Since(asked))
		m.took = time.Since(began)
	}
	seen := &n.collector.Statistics().Seen
	m.memoryBytes = float64(seen.DirectoryBytes.Load()) / float64(seen.InBlocks.Load())
	if info, err := os.Stat(site.place("ids")); err == nil { // in files only
		m.diskBytes = float64(info.Size()) / float64(seen.InBlocks.Load())
	}
	return m, nil
}
