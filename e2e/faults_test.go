package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
)

// faultProxy stands between a client and the bank and fails as networks do:
// refusals before the bank has seen a request, and answers that are lost after
// it has made the events durable.
type faultProxy struct {
	*httptest.Server
	mu       sync.Mutex
	requests int
	faults   map[string]int
	attempts map[string]int // by the first message id of a request
}

// next returns how an attempt at a request fails, empty if it does not: every
// request meets up to three faults and then passes, so that no client gives up.
func (p *faultProxy) next(body []byte) string {
	first := string(firstMessage.Find(body))
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests++
	attempt, again := p.attempts[first]
	if !again {
		attempt = len(p.attempts) // they do not all begin with the same fault
	}
	p.attempts[first] = attempt + 1
	fault := [...]string{"429", "503", "cut after commit", ""}[attempt%4]
	if fault != "" {
		p.faults[fault]++
	}
	return fault
}

var firstMessage = regexp.MustCompile(`"messageId":"[^"]*"`)

func newFaultProxy(t *testing.T, b *bank) *faultProxy {
	p := &faultProxy{faults: map[string]int{}, attempts: map[string]int{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		fault := p.next(sent)
		switch fault {
		case "429":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case "503":
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		request, err := http.NewRequest(r.Method, b.url+r.URL.Path, bytes.NewReader(sent))
		if err != nil {
			t.Error(err)
			return
		}
		request.Header = r.Header.Clone()
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK {
			t.Errorf("the bank answered %d, %v: %s", response.StatusCode, err, body)
		}
		if fault == "cut after commit" {
			connection, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			connection.Close()
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(response.StatusCode)
		w.Write(body)
	}))
	t.Cleanup(p.Close)
	return p
}

// requireAllFaults makes sure that the client has met every fault.
func (p *faultProxy) requireAllFaults(t *testing.T) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	t.Logf("%d requests, faults %v", p.requests, p.faults)
	for _, fault := range []string{"429", "503", "cut after commit"} {
		if p.faults[fault] == 0 {
			t.Errorf("the client never met %q", fault)
		}
	}
}
