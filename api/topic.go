package api

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
)

// topic is what changes and can be followed: its last messages, numbered
// without a gap. Whoever follows reads from here at a pace of its own, so a
// slow one costs no memory: what it has not read in time is gone for it, and it
// begins again with a snapshot. Its methods may be called from any goroutine.
type topic struct {
	run      string // tells its numbers from those of a topic of the same name before a restart
	maxBytes int

	mu      sync.Mutex
	ring    []message // the message of number n is at n modulo its length
	oldest  uint64    // number of the oldest message that is kept
	last    uint64    // number of the newest; 0 before the first
	bytes   int       // of the messages that are kept
	grew    chan struct{}
	awaited bool // somebody waits for grew
	end     error
}

// message is an event, encoded once for everybody who follows.
type message []byte

// newTopic returns a topic that keeps so many messages, of so many bytes in
// all, but always the last one.
func newTopic(messages, bytes int) *topic {
	return &topic{run: rand.Text()[:8], maxBytes: bytes, ring: make([]message, messages), oldest: 1, grew: make(chan struct{})}
}

// publish adds a message and returns its number. data is encoded as JSON.
func (t *topic) publish(event string, data any) (seq uint64, err error) {
	text, err := json.Marshal(data)
	if err != nil {
		return 0, fmt.Errorf("publishing %s: %w", event, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last-t.oldest+1 == uint64(len(t.ring)) {
		t.forget()
	}
	t.last++
	m := encode(t.id(t.last), event, text)
	*t.at(t.last) = m
	for t.bytes += len(m); t.bytes > t.maxBytes && t.oldest < t.last; {
		t.forget()
	}
	t.wake()
	return t.last, nil
}

// close ends the topic: who follows is told why.
func (t *topic) close(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.end == nil {
		t.end = why
		t.wake()
	}
}

func (t *topic) wake() {
	if t.awaited {
		close(t.grew)
		t.grew, t.awaited = make(chan struct{}), false
	}
}

func (t *topic) at(seq uint64) *message { return &t.ring[seq%uint64(len(t.ring))] }

func (t *topic) forget() {
	t.bytes -= len(*t.at(t.oldest))
	*t.at(t.oldest) = nil
	t.oldest++
}

// position returns the number of the newest message.
func (t *topic) position() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// after returns up to limit messages behind a number. If there are none, grew is
// closed when that changes, and end says that there will be none any more. lost
// says that some are no longer kept.
func (t *topic) after(seq uint64, limit int) (list []message, grew <-chan struct{}, lost bool, end error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq+1 < t.oldest {
		return nil, nil, true, nil
	}
	for n := seq + 1; n <= t.last && len(list) < limit; n++ {
		list = append(list, *t.at(n))
	}
	if len(list) == 0 {
		t.awaited = true
		return nil, t.grew, false, t.end
	}
	return list, nil, false, nil
}

func (t *topic) id(seq uint64) string { return t.run + "-" + strconv.FormatUint(seq, 10) }

// resume reads a Last-Event-ID. It reports whether everything behind it is
// still kept.
func (t *topic) resume(id string) (seq uint64, ok bool) {
	run, number, _ := strings.Cut(id, "-")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || run != t.run {
		return 0, false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return seq, seq <= t.last && seq+1 >= t.oldest
}

// encode writes an event in the form of a stream of server-sent events. JSON has
// no line breaks of its own.
func encode(id, event string, data []byte) message {
	m := make(message, 0, len(id)+len(event)+len(data)+24)
	if id != "" {
		m = append(append(append(m, "id: "...), id...), '\n')
	}
	m = append(append(append(m, "event: "...), event...), '\n')
	return append(append(append(m, "data: "...), data...), "\n\n"...)
}
