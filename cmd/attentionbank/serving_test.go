package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/storetest"
	"github.com/attentionbank/attentionbank/transit"
)

// server is the serve command, run in this process.
type server struct {
	t              testing.TB
	url, link      string
	stdout, stderr writtenBuffer
	stop           context.CancelFunc // as SIGTERM does
	status         chan int
}

// writtenBuffer may be read while it is written.
type writtenBuffer struct {
	mu      sync.Mutex
	content bytes.Buffer
}

func (b *writtenBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.Write(p)
}

func (b *writtenBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.content.String()
}

var listening = regexp.MustCompile(`listening on (\S+)`)

// serving starts the command; started waits until it listens.
func serving(t testing.TB, args ...string) *server {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	s := &server{t: t, stop: stop, status: make(chan int, 1)}
	go func() {
		s.status <- run(&environment{ctx, strings.NewReader(""), &s.stdout, &s.stderr}, append([]string{"serve", "--single-operator"}, args...))
	}()
	t.Cleanup(func() {
		stop()
		s.ended()
	})
	return s
}

func (s *server) started() *server {
	s.t.Helper()
	s.until("it listens", func() bool {
		found := listening.FindStringSubmatch(s.stdout.String())
		if found == nil || !strings.HasSuffix(s.stdout.String(), "\n") {
			return false
		}
		s.url = found[1]
		if _, link, hasLink := strings.Cut(s.stdout.String(), "within 24 hours: "); hasLink {
			s.link = strings.TrimSpace(link)
		}
		return s.link != "" || !strings.Contains(s.stdout.String(), "Operator")
	})
	return s
}

// until waits for what must come.
func (s *server) until(what string, holds func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited a minute until %s\n%s%s", what, s.stdout.String(), s.stderr.String())
		}
	}
}

// ended waits for the end and returns the exit status.
func (s *server) ended() (status int) {
	s.t.Helper()
	select {
	case status = <-s.status:
		s.status <- status
	case <-time.After(time.Minute):
		s.t.Fatalf("the server did not end within a minute\n%s", s.stderr.String())
	}
	return status
}

// ask sends a request and returns the answer; into may be nil.
func (s *server) ask(method, path, key, body string, want int, into any) http.Header {
	s.t.Helper()
	request, err := http.NewRequest(method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != want {
		s.t.Fatalf("%s %s was answered %d, expected %d: %s %v", method, path, response.StatusCode, want, text, err)
	}
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			s.t.Fatalf("%s %s was answered %s: %v", method, path, text, err)
		}
	}
	return response.Header
}

// operator makes the operator's key by the link that is printed once.
func (s *server) operator() string {
	s.t.Helper()
	s.until("it has printed the link", func() bool { // which comes after the address
		_, link, found := strings.Cut(s.stdout.String(), "within 24 hours: ")
		s.link = strings.TrimSpace(link)
		return found && strings.HasSuffix(link, "\n")
	})
	var key struct{ Secret string }
	s.ask("POST", strings.TrimPrefix(s.link, s.url), "", "", http.StatusCreated, &key)
	return key.Secret
}

// A load balancer sees a bank that stops before it takes nothing any more, and
// what was under way is answered.
func TestDrain(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "bank")
	s := serving(t, "--listen", "127.0.0.1:0", "--data", folder, "--drain-wait", "2s").started()
	operator := s.operator()
	s.ask("GET", "/readyz", "", "", http.StatusOK, nil)
	s.ask("POST", "/v1/worlds", operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	s.stop()
	notReady, served := false, false
	for s.isUp() {
		response, err := http.Get(s.url + "/readyz")
		if err != nil {
			break
		}
		response.Body.Close()
		notReady = notReady || response.StatusCode == http.StatusServiceUnavailable
		if response, err = http.Get(s.url + "/healthz"); err == nil {
			response.Body.Close()
			served = served || notReady && response.StatusCode == http.StatusOK
		}
		time.Sleep(5 * time.Millisecond)
	}
	if status := s.ended(); status != 0 {
		t.Errorf("it ended with %d\n%s", status, s.stderr.String())
	}
	if !notReady || !served {
		t.Errorf("while it drained, it was seen not ready: %v, and serving: %v", notReady, served)
	}
	if status, stdout, stderr := command(t, "", "fsck", "--data", folder); status != 0 || !strings.Contains(stdout, "1 snapshots") {
		t.Errorf("after it, fsck ended with %d\n%s%s", status, stdout, stderr)
	}
}

func (s *server) isUp() bool {
	select {
	case status := <-s.status:
		s.status <- status
		return false
	default:
		return true
	}
}

// While the bank is being opened, here because the key service does not answer
// yet, its port answers that it lives and is not ready.
func TestHealthWhileOpening(t *testing.T) {
	engine, answer := storetest.NewTransitEngine(t, "s.token"), make(chan struct{})
	t.Setenv(transit.TokenVariable, "s.token")
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-answer; engine.ServeHTTP(w, r) }))
	t.Cleanup(service.Close)
	address := freeAddress(t)
	s := serving(t, "--listen", address, "--data", t.TempDir(), "--kms", service.URL+"/v1/transit/keys/bank")
	s.url = "http://" + address
	s.until("the port answers", func() bool {
		response, err := http.Get(s.url + "/healthz")
		return err == nil && response.StatusCode == http.StatusOK
	})
	s.ask("GET", "/readyz", "", "", http.StatusServiceUnavailable, nil)
	close(answer)
	s.started().ask("GET", "/readyz", "", "", http.StatusOK, nil)
}

// freeAddress returns an address at which nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// A bank that is being recovered says that it lives and is not ready.
func TestDoorBeforeTheBankHasRecovered(t *testing.T) {
	entry := newDoor()
	ask := func(path string) (int, string) {
		response := httptest.NewRecorder()
		entry.ServeHTTP(response, httptest.NewRequest("GET", path, nil))
		return response.Code, response.Header().Get("Content-Type")
	}
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/v1/worlds": 503, "/metrics": 503} {
		if status, kind := ask(path); status != want || want == 503 && kind != "application/problem+json" {
			t.Errorf("%s is answered %d (%s), expected %d", path, status, kind, want)
		}
	}
	entry.open(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	if status, _ := ask("/readyz"); status != http.StatusTeapot {
		t.Errorf("once it is open, the door answers %d by itself", status)
	}
}
