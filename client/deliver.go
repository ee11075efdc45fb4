package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/attentionbank/attentionbank/wire"
)

// maxPause bounds the pause between attempts that the Tracker chooses itself.
const maxPause = time.Minute

// deliver sends what waits: when there is a batch, when FlushEvery is over, and
// when it is asked to.
func (t *Tracker) deliver(ctx context.Context) {
	ticker := time.NewTicker(t.config.FlushEvery)
	defer ticker.Stop()
	for {
		t.deliverAll(ctx)
		select {
		case <-ticker.C:
		case <-t.queue.full:
		case <-t.flush:
		case <-ctx.Done():
			return
		}
	}
}

// deliverAll sends until nothing waits any more. The oldest events go first,
// the same ones until they are done with.
func (t *Tracker) deliverAll(ctx context.Context) {
	most, failures := maxBatchEvents, 0
	for ctx.Err() == nil {
		events := t.queue.batch(most)
		if len(events) == 0 {
			return
		}
		verdicts, err := t.send(ctx, events)
		switch {
		case err == nil:
			most, failures = maxBatchEvents, 0
			t.acknowledged(len(events), verdicts)
		case ctx.Err() != nil:
			return
		case cannotBeRead(err) && len(events) > 1:
			most = (len(events) + 1) / 2 // one of them is at fault
		case cannotBeRead(err):
			most = maxBatchEvents
			t.dropped(fmt.Errorf("client: the bank cannot read an event of %d bytes: %w", len(events[0]), err))
			t.acknowledged(1, nil)
		default:
			failures++
			t.fault(err)
			wait(ctx, pauseOf(err, failures))
		}
	}
}

// send makes one attempt to send events. When each is sent is said anew, so
// that the bank sees how far this machine's clock is off.
func (t *Tracker) send(ctx context.Context, events [][]byte) ([]wire.Verdict, error) {
	var answer wire.EventsAnswer
	request := newCall(http.MethodPost, "/v1/batch", again, nil, nil)
	if err := t.config.Client.attempt(ctx, request, batchOf(events, time.Now()), &answer); err != nil {
		return nil, err
	}
	if !answer.Success {
		return nil, errors.New("client: what answered is no bank: it does not say that the events are durable")
	}
	return answer.Verdicts, nil
}

// acknowledged forgets events that are done with.
func (t *Tracker) acknowledged(n int, verdicts []wire.Verdict) {
	if err := t.queue.done(n); err != nil {
		t.fault(err) // they are sent again after a restart, and count once
	}
	t.report.Lock()
	defer t.report.Unlock()
	for _, v := range verdicts {
		t.sent.Verdicts[v.Verdict]++
		if t.config.Verdict != nil {
			t.config.Verdict(v)
		}
	}
	close(t.moved)
	t.moved = make(chan struct{})
}

// cannotBeRead says that the events themselves are what the bank refuses.
// Anything else may pass: a key that is renewed, a bank that comes back.
func cannotBeRead(err error) bool {
	problem := new(wire.Problem)
	if !errors.As(err, &problem) {
		return false
	}
	switch problem.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// pauseOf is what the bank asks for, or a pause that doubles.
func pauseOf(err error, failures int) time.Duration {
	pause, _ := pauseAfter(&lostError{err}, again, failures)
	pause = min(pause, maxPause)
	problem := new(wire.Problem)
	if errors.As(err, &problem) {
		pause = max(pause, time.Duration(problem.RetryAfterSeconds)*time.Second)
	}
	return pause
}
