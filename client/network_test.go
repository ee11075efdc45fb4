package client_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// network lies between client and bank, and fails as it is told: for each
// request that carries something, the next fault of the list.
type network struct {
	*httptest.Server
	t  *testing.T
	b  *bank
	mu sync.Mutex
	// faults: "429" and "503" before the bank has seen the request, "cut" after
	// it was carried out, "down" without an answer, "" for none.
	faults []string
	keys   []string // Idempotency-Keys as they came
	bodies []string
	failed int
}

func newNetwork(t *testing.T, b *bank, faults ...string) *network {
	n := &network{t: t, b: b, faults: faults}
	n.Server = httptest.NewServer(n)
	t.Cleanup(n.Close)
	return n
}

// next returns the fault for a request.
func (n *network) next(r *http.Request, body []byte) (fault string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.keys, n.bodies = append(n.keys, r.Header.Get("Idempotency-Key")), append(n.bodies, string(body))
	if len(n.faults) > 0 {
		fault, n.faults = n.faults[0], n.faults[1:]
	}
	if fault != "" {
		n.failed++
	}
	return fault
}

// seen returns what requests the client made so far.
func (n *network) seen() (keys, bodies []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string{}, n.keys...), append([]string{}, n.bodies...)
}

// requireFailed requires that every fault has happened.
func (n *network) requireFailed() {
	n.t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.faults) > 0 {
		n.t.Errorf("the network did not get to fail by %v", n.faults)
	}
}

func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	fault := n.next(r, body)
	switch fault {
	case "429":
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	case "503", "400", "401", "413":
		w.WriteHeader(map[string]int{"503": 503, "400": 400, "401": 401, "413": 413}[fault])
		return
	case "down":
		hangUp(w)
		return
	}
	n.pass(w, r, body, fault == "cut")
}

func (n *network) pass(w http.ResponseWriter, r *http.Request, body []byte, cut bool) {
	response, err := n.forward(r, body)
	if err != nil {
		hangUp(w) // the bank is not there
		return
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || cut {
		hangUp(w)
		return
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	w.Write(answer) // a client that went away has another try
}

func (n *network) forward(r *http.Request, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(r.Context(), r.Method, n.b.url+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header = r.Header.Clone()
	return http.DefaultTransport.RoundTrip(request)
}

// hangUp closes the connection without an answer.
func hangUp(w http.ResponseWriter) {
	if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
		connection.Close()
	}
}
