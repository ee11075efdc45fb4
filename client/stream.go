package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/attentionbank/attentionbank/wire"
)

// silence is how long a stream may say nothing before it is given up and begun
// anew. The bank says every 15 seconds that it is there.
const silence = 50 * time.Second

// StreamEvent is an event of a stream. The first is usually a "snapshot", of the
// state behind which the others go on; docs/streams.md has the kinds.
type StreamEvent struct {
	ID   string
	Name string
	Data json.RawMessage
}

// stream follows something for as long as it is asked for. When the connection
// is lost, or the bank ends it for a reason that passes, it is begun anew
// behind the last event that was seen; where that is no longer possible, the
// bank sends another snapshot. Any other end is an error, and the last thing
// that comes.
func stream(ctx context.Context, c *Client, path string, options []Option, filters ...string) iter.Seq2[StreamEvent, error] {
	return func(yield func(StreamEvent, error) bool) {
		request := newCall(http.MethodGet, path, again, nil, options)
		request.filters, request.streams = filters, true
		if err := request.check(); err != nil {
			yield(StreamEvent{}, err)
			return
		}
		patient, unbounded := *c, *c.http
		unbounded.Timeout = 0
		patient.http = &unbounded
		f := &follower{client: &patient, request: request, yield: yield}
		for failures := 1; ; failures++ {
			seen, err := f.follow(ctx)
			if f.over {
				return
			}
			if seen > 0 {
				failures = 1
			}
			pause, retry := pauseAfter(err, again, failures)
			pause = max(pause, f.retry)
			if !retry || failures >= c.attempts || pause > c.maxWait || ctx.Err() != nil {
				yield(StreamEvent{}, errors.Join(ctx.Err(), err))
				return
			}
			if !wait(ctx, pause) {
				yield(StreamEvent{}, ctx.Err())
				return
			}
		}
	}
}

// follower is a stream that goes on over several connections.
type follower struct {
	client  *Client
	request *call
	yield   func(StreamEvent, error) bool
	retry   time.Duration // what the bank asks for between connections
	over    bool          // nobody wants more
}

// follow reads one connection to its end. It returns how many events came, and
// why it ended.
func (f *follower) follow(ctx context.Context) (seen int, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	quiet := time.AfterFunc(silence, cancel)
	defer quiet.Stop()
	response, err := f.client.open(ctx, f.request, nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxAnswerBytes)
	var event StreamEvent
	for lines.Scan() {
		quiet.Reset(silence)
		name, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			event.ID = value
		case "event":
			event.Name = value
		case "data":
			if event.Data != nil {
				event.Data = append(event.Data, '\n')
			}
			event.Data = append(event.Data, value...)
		case "retry":
			if ms, err := strconv.ParseUint(value, 10, 31); err == nil {
				f.retry = time.Duration(ms) * time.Millisecond
			}
		}
		if lines.Text() != "" || event.Data == nil { // an empty line ends an event
			continue
		}
		if event.Name == "end" {
			return seen, endOf(event)
		}
		if event.ID != "" {
			f.request.lastEventID = event.ID
		}
		seen++
		if !f.yield(event, nil) {
			f.over = true
			return seen, nil
		}
		event = StreamEvent{}
	}
	return seen, &lostError{fmt.Errorf("client: the stream broke off: %w", errors.Join(lines.Err(), context.Cause(ctx)))}
}

// endOf is the error of a stream that the bank has ended.
func endOf(event StreamEvent) error {
	problem := new(wire.Problem)
	if err := json.Unmarshal(event.Data, problem); err != nil || problem.Code == "" {
		return fmt.Errorf("client: a stream ended with %q", event.Data)
	}
	return problem
}
