package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/danielgtaylor/huma/v2"
)

// Bounds and times of streams of server-sent events. docs/streams.md states them
// for clients.
const (
	maxStreams         = 10_000 // open at a time
	maxStreamsOfPublic = 2_000  // of them, by whoever shows no key
	maxStreamsOfKey    = 32
	// streamHeartbeat is how often a silent stream says that it is alive, and
	// how often it is looked whether its credential still is.
	streamHeartbeat = 15 * time.Second
	// streamWriteWait is how long one write may take before the client is given up.
	streamWriteWait = 10 * time.Second
	// streamMessages bounds what is written between two looks at anything else.
	streamMessages = 256
)

// feed is what one client follows: a topic, and what came before it.
type feed struct {
	topic *topic
	// snapshot returns the state as the data of the first event, and the number
	// of the topic's last message that is in it: what follows has the next. It is
	// nil for a topic that needs none.
	snapshot func(ctx context.Context) (data any, seq uint64, err error)
	// check, if not nil, is asked with each heartbeat whether the client may go on.
	check func(ctx context.Context) error
	// leave, if not nil, is called once the client has gone.
	leave func()
}

// StreamStats counts what streams have done.
type StreamStats struct {
	Open                                       atomic.Int64
	Opened, Resumed, Refused, TooSlow, Written atomic.Int64
}

// streams bounds the streams that are open.
type streams struct {
	mu    sync.Mutex
	all   int
	ofKey map[string]int // by whom; nobody's under ""
}

// enter takes a place for a stream.
func (l *streams) enter(who string) (leave func(), err error) {
	bound := maxStreamsOfKey
	if who == "" {
		bound = maxStreamsOfPublic
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all >= maxStreams || l.ofKey[who] >= bound {
		return nil, &Problem{Status: http.StatusTooManyRequests, Code: "too_many_streams", RetryAfterSeconds: 5,
			Detail: fmt.Sprintf("Accepted: %d streams of a key at a time, %d without a key, %d in all. Close one first.", maxStreamsOfKey, maxStreamsOfPublic, maxStreams)}
	}
	if l.ofKey == nil {
		l.ofKey = map[string]int{}
	}
	l.all++
	l.ofKey[who]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.all--
		if l.ofKey[who]--; l.ofKey[who] == 0 {
			delete(l.ofKey, who)
		}
	}, nil
}

// registerStream adds an operation that answers with server-sent events, for the
// roles that are allowed. events are the kinds of event besides "end", with the
// type of the data of each; open returns what a client follows, or why it may not.
// Pages of any origin may read it: there are no cookies, the key is the page's own.
func (s *server) registerStream(op huma.Operation, allowed role, events map[string]reflect.Type, open func(r *http.Request, who identity.Principal) (*feed, error)) {
	describe(&op, allowed)
	op.Description += " Server-sent events: each has an id, and the header Last-Event-ID goes on behind it; where that is no longer possible, and at first, comes a snapshot. The event end says why the stream ends: connect again. See docs/streams.md."
	op.Parameters = append(op.Parameters, &huma.Param{Name: "Last-Event-ID", In: "header", Description: "The id of the last event that was seen.", Schema: &huma.Schema{Type: "string"}})
	s.document(&op, map[string]*huma.Response{"200": {Description: "Events, until the client or the bank ends it.", Content: map[string]*huma.MediaType{"text/event-stream": {Schema: s.eventSchema(events)}}}},
		map[string]string{"401": "The key is missing or not valid.", "403": "It may not follow this.", "404": "There is nothing to follow.", "422": "A parameter is wrong.", "429": "Too many streams or calls; see Retry-After.", "503": "The bank is stopping."})
	s.handleOpen(op, func(w http.ResponseWriter, r *http.Request) error {
		secret := secretOf(r.Header.Get("Authorization"))
		var who identity.Principal
		var err error
		if secret != "" || allowed&public == 0 {
			if who, err = s.authenticate(r.Context(), secret, allowed); err == nil {
				err = s.limit(r.Context(), w, who)
			}
			if err != nil {
				return err
			}
		}
		if s.draining() {
			return stopping()
		}
		leave, err := s.following.enter(counted(who))
		if err != nil {
			s.Streams.Refused.Add(1)
			return err
		}
		defer leave()
		f, err := open(r, who)
		if err != nil {
			return err
		}
		if f.leave != nil {
			defer f.leave()
		}
		if secret != "" {
			f.check = both(func(ctx context.Context) error { _, err := s.authenticate(ctx, secret, allowed); return err }, f.check)
		}
		return s.serveStream(w, r, op.OperationID, f)
	})
}

// eventSchema describes the events of a stream, as a list of which one after the
// other arrives.
func (s *server) eventSchema(events map[string]reflect.Type) *huma.Schema {
	kinds := maps.Clone(events)
	kinds["end"] = typeOf[Problem]()
	one := &huma.Schema{}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		data := s.huma.OpenAPI().Components.Schemas.Schema(kinds[name], true, name)
		one.OneOf = append(one.OneOf, &huma.Schema{Type: "object", Title: name, Required: []string{"event", "data"}, Properties: map[string]*huma.Schema{
			"id": {Type: "string"}, "event": {Type: "string", Enum: []any{name}}, "data": data,
		}})
	}
	return &huma.Schema{Type: "array", Title: "Server-sent events", Items: one}
}

func both(first, second func(context.Context) error) func(context.Context) error {
	if second == nil {
		return first
	}
	return func(ctx context.Context) error {
		if err := first(ctx); err != nil {
			return err
		}
		return second(ctx)
	}
}

func (s *server) draining() bool {
	select {
	case <-s.Draining:
		return true
	default:
		return false
	}
}

func stopping() *Problem {
	return &Problem{Status: http.StatusServiceUnavailable, Code: "stopping", RetryAfterSeconds: 2, Detail: "The bank is being stopped or moved. Connect again, with Last-Event-ID."}
}

// errGone: the client cannot be written to any more.
var errGone = errors.New("the client has gone or does not read")

// eventWriter writes to a client, within a time for each write. The times of
// the server are for whole requests, and do not hold for a stream.
type eventWriter struct {
	w       io.Writer
	control *http.ResponseController
}

func (e *eventWriter) write(parts ...message) error {
	// Whoever cannot set a time, as a recorder in tests, needs none.
	if err := e.control.SetWriteDeadline(time.Now().Add(streamWriteWait)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errGone
	}
	for _, part := range parts {
		if _, err := e.w.Write(part); err != nil {
			return errGone
		}
	}
	if e.control.Flush() != nil {
		return errGone
	}
	return nil
}

// serveStream writes a feed until the client or the bank ends it. After the
// first byte nothing can be answered as a problem any more, so it is an event.
func (s *server) serveStream(w http.ResponseWriter, r *http.Request, operation string, f *feed) error {
	seq, resumed := f.topic.resume(r.Header.Get("Last-Event-ID"))
	var first message
	if !resumed {
		var err error
		if seq, first, err = f.begin(r.Context()); err != nil {
			return err
		}
	} else {
		s.Streams.Resumed.Add(1)
	}
	out := &eventWriter{w, http.NewResponseController(w)}
	out.control.SetReadDeadline(time.Time{}) // a recorder in tests has none
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // nginx passes on what comes
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	s.Streams.Opened.Add(1)
	s.Streams.Open.Add(1)
	defer s.Streams.Open.Add(-1)
	// When all streams end at once, they do not come back at once.
	retry := message("retry: " + strconv.Itoa(1000+rand.IntN(3000)) + "\n\n")
	err := out.write(retry, first)
	if err == nil {
		err = s.follow(r.Context(), out, f, seq)
	}
	if errors.Is(err, errGone) || r.Context().Err() != nil {
		return nil
	}
	text, _ := json.Marshal(s.problem(operation, err)) // a problem has nothing that cannot be encoded
	out.write(encode("", "end", text))                 // a client that has gone away is no fault
	return nil
}

// begin returns the event with which a feed begins, and the number behind which
// its topic goes on.
func (f *feed) begin(ctx context.Context) (seq uint64, first message, err error) {
	if f.snapshot == nil {
		return f.topic.position(), nil, nil
	}
	data, seq, err := f.snapshot(ctx)
	if err != nil {
		return 0, nil, err
	}
	text, err := json.Marshal(data)
	if err != nil {
		return 0, nil, fmt.Errorf("encoding a snapshot: %w", err)
	}
	return seq, encode(f.topic.id(seq), "snapshot", text), nil
}

// follow writes what comes behind a number. It returns why it has ended.
func (s *server) follow(ctx context.Context, out *eventWriter, f *feed, seq uint64) error {
	heartbeat := time.NewTicker(s.heartbeat)
	defer heartbeat.Stop()
	for {
		list, grew, lost, end := f.topic.after(seq, streamMessages)
		switch {
		case lost:
			s.Streams.TooSlow.Add(1)
			return &Problem{Status: http.StatusServiceUnavailable, Code: "too_slow", RetryAfterSeconds: 1, Detail: "Events came faster than they were read, and are no longer kept. Connect again: a snapshot comes first."}
		case end != nil:
			return end
		case len(list) > 0:
			if err := out.write(list...); err != nil {
				return err
			}
			seq += uint64(len(list))
			s.Streams.Written.Add(int64(len(list)))
			grew = ready
		}
		select {
		case <-ctx.Done():
			return errGone
		case <-s.Draining:
			return stopping()
		case <-heartbeat.C:
			if f.check != nil {
				if err := f.check(ctx); err != nil {
					return err
				}
			}
			if err := out.write(message(": alive\n\n")); err != nil {
				return err
			}
		case <-grew:
		}
	}
}

// ready is a channel from which nobody waits.
var ready = func() <-chan struct{} { c := make(chan struct{}); close(c); return c }()
