package api

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/identity"
	"pgregory.net/rapid"
)

// sent is an event as a client of a stream sees it.
type sent struct{ id, event, data string }

// reader is a client of a stream.
type reader struct {
	*testing.T
	answer *http.Response
	lines  *bufio.Reader
	beats  int
	retry  string
}

// listen makes a server of its own, with the read and write timeouts of one
// that is used, and shorter.
func (s *stack) listen() *httptest.Server {
	listening := httptest.NewUnstartedServer(s.server)
	listening.Config.ReadTimeout, listening.Config.WriteTimeout = 250*time.Millisecond, 250*time.Millisecond
	listening.Start()
	s.Cleanup(listening.Close)
	return listening
}

// follow opens a stream that must be answered with a status.
func (s *stack) follow(on *httptest.Server, path, key, lastID string, status int) *reader {
	s.Helper()
	request, err := http.NewRequestWithContext(s.Context(), "GET", on.URL+path, nil)
	if err != nil {
		s.Fatal(err)
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	answer, err := on.Client().Do(request)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != status {
		s.Fatalf("following %s: %s; expected %d", path, answer.Status, status)
	}
	return &reader{T: s.T, answer: answer, lines: bufio.NewReaderSize(answer.Body, 256<<10)}
}

// next returns the next event; after the last one, an empty one.
func (r *reader) next() (e sent) {
	r.Helper()
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			if e != (sent{}) {
				r.Fatalf("the stream broke off in %+v: %v", e, err)
			}
			return e
		}
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch name {
		case "":
			if strings.HasPrefix(line, ": ") {
				r.beats++
			} else if e != (sent{}) {
				return e
			}
		case "id":
			e.id = value
		case "event":
			e.event = value
		case "data":
			e.data = value
		case "retry":
			r.retry = value
		default:
			r.Fatalf("a stream has the line %q", line)
		}
	}
}

func (r *reader) expect(event, data string) sent {
	r.Helper()
	e := r.next()
	if e.event != event || !strings.Contains(e.data, data) {
		r.Fatalf("the stream says %.200s, %.200s; expected %s with %s", e.event, e.data, event, data)
	}
	return e
}

// counting adds a stream of numbers for persons: its snapshot is the number at
// which it stands.
func (s *stack) counting(messages, bytes int) *topic {
	numbers := newTopic(messages, bytes)
	s.server.registerStream(operation("follow-numbers", "GET", "/v1/numbers/stream", "Numbers", "test"), person, map[string]reflect.Type{"number": typeOf[int]()},
		func(*http.Request, identity.Principal) (*feed, error) {
			return &feed{topic: numbers, snapshot: func(context.Context) (any, uint64, error) {
				at := numbers.position()
				return fmt.Sprintf("at %d", at), at, nil
			}}, nil
		})
	return numbers
}

func count(t *testing.T, numbers *topic, n int) {
	t.Helper()
	for range n {
		if _, err := numbers.publish("number", numbers.position()+1); err != nil {
			t.Fatal(err)
		}
	}
}

func TestStreamGoesOnBehindWhatWasSeen(t *testing.T) {
	s := newStack(t)
	numbers := s.counting(4, 1<<20)
	on := s.listen()
	count(t, numbers, 2)
	first, second := s.follow(on, "/v1/numbers/stream", s.person, "", 200), s.follow(on, "/v1/numbers/stream", s.otherPerson, "", 200)
	for _, r := range []*reader{first, second} {
		r.expect("snapshot", `"at 2"`)
		if r.retry == "" || r.answer.Header.Get("Content-Type") != "text/event-stream" {
			t.Errorf("retry %q, content type %q", r.retry, r.answer.Header.Get("Content-Type"))
		}
	}
	count(t, numbers, 2)
	seen := first.expect("number", "3")
	first.expect("number", "4")
	second.expect("number", "3")
	first.answer.Body.Close()
	count(t, numbers, 2)
	again := s.follow(on, "/v1/numbers/stream", s.person, seen.id, 200)
	for _, n := range []string{"4", "5", "6"} {
		again.expect("number", n)
	}
	count(t, numbers, 2) // 4 are kept: 5 to 8
	for _, lost := range []string{seen.id, "XXXXXXXX-7", "nonsense", numbers.run + "-99"} {
		s.follow(on, "/v1/numbers/stream", s.person, lost, 200).expect("snapshot", `"at 8"`)
	}
	if head := s.do("HEAD", "/v1/numbers/stream", s.person, ""); head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD: %d with %d bytes", head.Code, head.Body.Len())
	}
	s.refused(401, "key_missing", "GET", "/v1/numbers/stream", "", "")
	s.refused(403, "role_forbidden", "GET", "/v1/numbers/stream", s.serverKey, "")
	if s.server.Streams.Resumed.Load() != 1 {
		t.Errorf("%d streams went on", s.server.Streams.Resumed.Load())
	}
}

// A stream outlives the times that the server has for whole requests, and says
// in silence that it is alive.
func TestSilentStreamStaysOpen(t *testing.T) {
	s := newStack(t)
	numbers := s.counting(4, 1<<20)
	s.server.heartbeat = 20 * time.Millisecond
	r := s.follow(s.listen(), "/v1/numbers/stream", s.person, "", 200)
	r.expect("snapshot", "at 0")
	go func() {
		time.Sleep(time.Second) // four times what the server gives a request
		numbers.publish("number", 1)
	}()
	r.expect("number", "1")
	if r.beats == 0 {
		t.Error("there was no sign of life")
	}
}

// A client that does not read loses its stream and nothing else: it is told
// why, and begins again with a snapshot.
func TestSlowReaderIsDropped(t *testing.T) {
	s := newStack(t)
	numbers := s.counting(8, 1<<20)
	on := s.listen()
	r := s.follow(on, "/v1/numbers/stream", s.person, "", 200)
	r.expect("snapshot", "at 0")
	large := strings.Repeat("x", 64<<10)
	for s.server.Streams.TooSlow.Load() == 0 && numbers.position() < 4096 { // no kernel buffers 256 MiB
		if _, err := numbers.publish("number", large); err != nil {
			t.Fatal(err)
		}
	}
	seen := uint64(0)
	for {
		e := r.next()
		if e.event == "end" {
			if !strings.Contains(e.data, `"code":"too_slow"`) {
				t.Errorf("it ends with %s", e.data)
			}
			break
		}
		if e.event == "" {
			t.Fatal("the stream broke off without a word")
		}
		if seen++; e.id != numbers.id(seen) {
			t.Fatalf("event %d has the id %s", seen, e.id)
		}
	}
	if numbers.bytes > 1<<20 {
		t.Errorf("%d bytes are kept", numbers.bytes)
	}
	s.follow(on, "/v1/numbers/stream", s.person, numbers.id(seen), 200).expect("snapshot", fmt.Sprint("at ", numbers.position()))
}

func TestStreamsAreBounded(t *testing.T) {
	s := newStack(t)
	s.counting(4, 1<<20)
	on := s.listen()
	var open []*reader
	for range maxStreamsOfKey {
		open = append(open, s.follow(on, "/v1/numbers/stream", s.person, "", 200))
	}
	s.follow(on, "/v1/numbers/stream", s.otherPerson, "", 200)
	s.refused(429, "too_many_streams", "GET", "/v1/numbers/stream", s.person, "")
	open[0].answer.Body.Close()
	for left := 0; left != maxStreamsOfKey; { // until the server has noticed
		time.Sleep(time.Millisecond)
		s.server.following.mu.Lock()
		left = s.server.following.all
		s.server.following.mu.Unlock()
	}
	s.follow(on, "/v1/numbers/stream", s.person, "", 200)
	if got := s.server.Streams.Refused.Load(); got == 0 {
		t.Error("no refusal was counted")
	}
	all := streams{all: maxStreams}
	if _, err := all.enter("key_1"); err == nil {
		t.Error("there is no bound in all")
	}
}

func TestStreamEndsWithItsCredentialAndWithTheBank(t *testing.T) {
	s := newStack(t)
	s.counting(4, 1<<20)
	draining := make(chan struct{})
	s.server.Draining, s.server.heartbeat = draining, 5*time.Millisecond
	on := s.listen()
	r, other := s.follow(on, "/v1/numbers/stream", s.person, "", 200), s.follow(on, "/v1/numbers/stream", s.otherPerson, "", 200)
	for _, one := range []*reader{r, other} {
		one.expect("snapshot", "at 0")
	}
	keys, _ := s.items("/v1/people/me/keys", s.person)
	s.ok("DELETE", "/v1/keys/"+keys[0]["id"].(string), s.operator, "")
	r.expect("end", `"code":"key_invalid"`)
	if e := r.next(); e != (sent{}) {
		t.Errorf("after the end came %+v", e)
	}
	close(draining)
	other.expect("end", `"code":"stopping"`)
	if answer := s.do("GET", "/v1/numbers/stream", s.otherPerson, ""); answer.Code != 503 || answer.Header().Get("Retry-After") == "" {
		t.Errorf("while it stops: %d %s", answer.Code, answer.Body)
	}
}

func TestStreamEndsWithItsTopic(t *testing.T) {
	s := newStack(t)
	numbers := s.counting(4, 1<<20)
	r := s.follow(s.listen(), "/v1/numbers/stream", s.person, "", 200)
	r.expect("snapshot", "at 0")
	count(t, numbers, 1)
	numbers.close(notFound("number any more"))
	r.expect("number", "1")
	r.expect("end", `"code":"not_found"`)
}

// A topic gives to whoever follows what a list of everything would, or says
// that it cannot.
func TestTopicIsTheEndOfAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size, bytes := rapid.IntRange(1, 8).Draw(t, "messages"), rapid.IntRange(1, 400).Draw(t, "bytes")
		kept := newTopic(size, bytes)
		var all []string
		t.Repeat(map[string]func(*rapid.T){
			"publish": func(t *rapid.T) {
				data := strings.Repeat("x", rapid.IntRange(0, 100).Draw(t, "length"))
				seq, err := kept.publish("n", data)
				if err != nil || seq != uint64(len(all)+1) {
					t.Fatalf("published %d, %v", seq, err)
				}
				all = append(all, string(encode(kept.id(seq), "n", []byte(`"`+data+`"`))))
			},
			"after": func(t *rapid.T) {
				seq, limit := rapid.IntRange(0, len(all)).Draw(t, "seq"), rapid.IntRange(1, 10).Draw(t, "limit")
				fits, left := 0, bytes // how many of the last are kept
				for i := len(all) - 1; i >= 0 && fits < size; i-- {
					if left -= len(all[i]); left < 0 && fits > 0 {
						break
					}
					fits++
				}
				list, grew, lost, _ := kept.after(uint64(seq), limit)
				if want := len(all)-seq > fits; lost != want {
					t.Fatalf("behind %d of %d, of which %d fit: lost %v", seq, len(all), fits, lost)
				}
				if _, ok := kept.resume(kept.id(uint64(seq))); ok == lost {
					t.Fatalf("resume says %v, after %v", ok, lost)
				}
				if lost {
					return
				}
				want := all[seq:min(seq+limit, len(all))]
				if len(list) != len(want) || (grew == nil) != (len(want) > 0) {
					t.Fatalf("behind %d came %d, expected %d", seq, len(list), len(want))
				}
				for i := range list {
					if string(list[i]) != want[i] {
						t.Fatalf("message %d is %s", seq+i+1, list[i])
					}
				}
			},
		})
	})
}
