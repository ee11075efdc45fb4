package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/wire"
)

// maxAnswerBytes bounds what is read of an answer.
const maxAnswerBytes = 64 << 20

// firstPause is the mean pause before the second attempt; each further one is
// twice as long.
const firstPause = 200 * time.Millisecond

// do makes a call, again where that is safe, and reads its answer into out,
// which may be nil.
func (c *Client) do(ctx context.Context, request *call, out any) error {
	if err := request.check(); err != nil {
		return err
	}
	var body []byte
	if request.body != nil {
		var err error
		if body, err = json.Marshal(request.body); err != nil {
			return fmt.Errorf("client: %s %s: %w", request.method, request.path, err)
		}
	}
	for attempt := 1; ; attempt++ {
		err := c.attempt(ctx, request, body, out)
		pause, retry := pauseAfter(err, request.repeat, attempt)
		if err == nil || !retry || attempt >= c.attempts || pause > c.maxWait || ctx.Err() != nil {
			return err
		}
		if !wait(ctx, pause) {
			return errors.Join(err, ctx.Err())
		}
	}
}

// attempt makes a call once.
func (c *Client) attempt(ctx context.Context, request *call, body []byte, out any) error {
	response, err := c.open(ctx, request, body)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes+1))
	switch {
	case err != nil:
		return &lostError{fmt.Errorf("client: %s %s: the answer broke off: %w", request.method, request.path, err)}
	case len(text) > maxAnswerBytes:
		return fmt.Errorf("client: %s %s: an answer of more than %d bytes", request.method, request.path, maxAnswerBytes)
	}
	switch out := out.(type) {
	case nil:
		return nil
	case *[]byte:
		*out = text
		return nil
	}
	if err := json.Unmarshal(text, out); err != nil {
		return fmt.Errorf("client: %s %s: the answer cannot be read: %w", request.method, request.path, err)
	}
	return nil
}

// open makes a request and returns its answer if that is a success.
func (c *Client) open(ctx context.Context, request *call, body []byte) (*http.Response, error) {
	address := c.base + request.path
	if len(request.query) > 0 {
		address += "?" + request.query.Encode()
	}
	made, err := http.NewRequestWithContext(ctx, request.method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	made.Header.Set("Accept", "application/json")
	if request.streams {
		made.Header.Set("Accept", "text/event-stream")
	}
	if request.lastEventID != "" {
		made.Header.Set("Last-Event-ID", request.lastEventID)
	}
	if body != nil {
		made.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		made.Header.Set("Authorization", "Bearer "+c.key)
	}
	if request.idempotencyKey != "" {
		made.Header.Set("Idempotency-Key", request.idempotencyKey)
	}
	response, err := c.http.Do(made)
	if err != nil {
		return nil, &lostError{fmt.Errorf("client: %w", err)}
	}
	if request.header != nil {
		*request.header = response.Header
	}
	if response.StatusCode/100 == 2 && response.StatusCode != http.StatusAccepted {
		return response, nil
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return nil, &lostError{fmt.Errorf("client: the answer broke off: %w", err)}
	}
	if response.StatusCode == http.StatusAccepted {
		proposed := &Proposed{}
		if err := json.Unmarshal(text, &proposed.Proposal); err != nil {
			return nil, fmt.Errorf("client: a proposal that cannot be read: %w", err)
		}
		return nil, proposed
	}
	return nil, problemOf(response, text)
}

// problemOf reads a refusal. What stands between client and bank may answer with
// anything: that becomes a problem too, with a code such as http_502.
func problemOf(response *http.Response, text []byte) *Problem {
	problem := &Problem{}
	if json.Unmarshal(text, problem) != nil || problem.Code == "" {
		detail := strings.TrimSpace(string(text[:min(len(text), 200)]))
		*problem = Problem{Code: "http_" + strconv.Itoa(response.StatusCode), Title: http.StatusText(response.StatusCode), Detail: detail}
	}
	problem.Status = response.StatusCode
	problem.RetryAfterSeconds = retryAfter(response.Header.Get("Retry-After"), time.Now())
	return problem
}

// retryAfter reads a Retry-After header, which is a number of seconds or a time;
// zero if there is none.
func retryAfter(header string, now time.Time) int64 {
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		return max(seconds, 0)
	}
	if at, err := http.ParseTime(header); err == nil {
		return int64(max(at.Sub(now), 0).Seconds()) + 1
	}
	return 0
}

// lostError is a connection that was lost: whether the call was carried out is
// not known.
type lostError struct{ error }

// Unwrap returns what lost it.
func (e *lostError) Unwrap() error { return e.error }

// pauseAfter says whether a call may be made again after an error, and after
// which pause: what the bank asks for, or one that doubles, with jitter, so
// that clients do not come back all at once.
func pauseAfter(err error, repeat repetition, attempt int) (pause time.Duration, retry bool) {
	doubled := firstPause << min(attempt-1, 10)
	pause = doubled/2 + rand.N(doubled)
	if lost := new(lostError); errors.As(err, &lost) {
		return pause, repeat != once
	}
	problem := new(wire.Problem)
	if !errors.As(err, &problem) {
		return 0, false
	}
	pause = max(pause, time.Duration(problem.RetryAfterSeconds)*time.Second)
	switch problem.Status {
	case http.StatusTooManyRequests:
		return pause, true // nothing was done
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return pause, repeat != once
	}
	return 0, false
}

// wait pauses; false if the context ended first.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
