package e2e

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// network passes requests on to the bank and fails once, as networks do: before
// the bank has seen the events, or after it has made them durable.
type network struct {
	*httptest.Server
	mu      sync.Mutex
	fault   string
	carried int // requests with events
	failed  int
}

func newNetwork(t *testing.T, b *bank, fault string) *network {
	n := &network{fault: fault}
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault := n.next(r)
		if fault == "429" || fault == "503" {
			if origin := r.Header.Get("Origin"); origin != "" {
				w.Header().Set("Access-Control-Allow-Origin", origin)
				w.Header().Set("Access-Control-Allow-Credentials", "true")
				w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
			}
			status := http.StatusServiceUnavailable
			if fault == "429" {
				status = http.StatusTooManyRequests
				w.Header().Set("Retry-After", "1")
			}
			w.WriteHeader(status)
			return
		}
		n.pass(t, b, w, r, fault == "cut")
	}))
	t.Cleanup(n.Close)
	return n
}

// next returns the fault for a request: the first that carries events has it.
func (n *network) next(r *http.Request) (fault string) {
	carries := r.Method == http.MethodPost && !strings.HasPrefix(r.URL.Path, "/flags") || r.URL.Path == "/i"
	n.mu.Lock()
	defer n.mu.Unlock()
	if !carries {
		return ""
	}
	if n.carried++; n.carried > 1 || n.fault == "" {
		return ""
	}
	n.failed++
	return n.fault
}

func (n *network) pass(t *testing.T, b *bank, w http.ResponseWriter, r *http.Request, cut bool) {
	request, err := http.NewRequest(r.Method, b.url+r.URL.RequestURI(), r.Body)
	if err != nil {
		t.Error(err)
		return
	}
	request.Header, request.Host = r.Header.Clone(), r.Host
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return // the client went away, or the test is over
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
		return
	}
	if cut {
		if connection, _, err := w.(http.Hijacker).Hijack(); err == nil {
			connection.Close()
		}
		return
	}
	for name, values := range response.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(response.StatusCode)
	w.Write(body)
}
