package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// receiver is an OTLP receiver over HTTP: it decodes what comes and keeps it.
type receiver struct {
	mu    sync.Mutex
	spans []*spans.Span
	raw   bytes.Buffer
	wrong []string
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	var export collector.ExportTraceServiceRequest
	r.mu.Lock()
	defer r.mu.Unlock()
	if request.URL.Path != "/v1/traces" || request.Header.Get("Content-Type") != "application/x-protobuf" || err != nil || proto.Unmarshal(body, &export) != nil {
		r.wrong = append(r.wrong, fmt.Sprintf("%s %s %v", request.URL.Path, request.Header.Get("Content-Type"), err))
	}
	r.raw.Write(body)
	for _, resource := range export.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			r.spans = append(r.spans, scope.Spans...)
		}
	}
	answer, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	w.Write(answer)
}

// path returns the names of a span and of those above it, from the top.
func (r *receiver) path(span *spans.Span) (names []string) {
	names = []string{span.Name}
	for _, above := range r.spans {
		if bytes.Equal(above.SpanId, span.ParentSpanId) {
			return append(r.path(above), names...)
		}
	}
	return names
}

// A request is seen through the API, the record or batch that it became part
// of, and the store; and who it was about is seen nowhere.
func TestTraces(t *testing.T) {
	received := &receiver{}
	endpoint := httptest.NewServer(received)
	t.Cleanup(endpoint.Close)
	s := serving(t, "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "bank"), "--traces", endpoint.URL, "--log", "json").started()
	operator := s.operator()
	s.ask("POST", "/v1/worlds", operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	var key struct{ Secret string }
	s.ask("POST", "/v1/worlds/cafe/keys", operator, `{"kind":"server"}`, http.StatusCreated, &key)
	answer := s.ask("POST", "/v1/batch", key.Secret, `{"batch":[{"type":"track","event":"Jumped","userId":"ann.example","messageId":"m-1"}]}`, http.StatusOK, nil)
	const caller = "4bf92f3577b34da6a3ce929d0e0e4736"
	request, err := http.NewRequest("GET", s.url+"/v1/people/person-of-ann?name=ann.example", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Traceparent", "00-"+caller+"-00f067aa0ba902b7-01")
	request.Header.Set("User-Agent", "ann.example")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	s.stop()
	if status := s.ended(); status != 0 {
		t.Fatalf("it ended with %d\n%s", status, s.stderr.String())
	}

	received.mu.Lock()
	defer received.mu.Unlock()
	if len(received.wrong) > 0 {
		t.Fatal("the receiver was sent ", received.wrong)
	}
	var paths []string
	joined := false
	for _, span := range received.spans {
		paths = append(paths, strings.Join(received.path(span), " > "))
		joined = joined || fmt.Sprintf("%x", span.TraceId) == caller
	}
	for _, want := range []string{
		"POST /v1/worlds > journal record > journal append",
		"POST /v1/batch > events batch > events append",
	} {
		if !slices.Contains(paths, want) {
			t.Errorf("no trace goes %s; there are\n%s", want, strings.Join(paths, "\n"))
		}
	}
	if !joined {
		t.Error("the span of a caller was not continued")
	}
	if !bytes.Contains(received.raw.Bytes(), []byte(answer.Get("X-Request-Id"))) {
		t.Error("the id of a request is in no span")
	}
	for _, personal := range []string{"ann.example", "person-of-ann", "m-1", "127.0.0.1", operator, key.Secret} {
		if bytes.Contains(received.raw.Bytes(), []byte(personal)) {
			t.Errorf("a span has %q", personal)
		}
		if strings.Contains(s.stderr.String(), personal) {
			t.Errorf("the log has %q:\n%s", personal, s.stderr.String())
		}
	}
}

// Whatever becomes of the receiver, the bank serves.
func TestTracesThatNobodyTakes(t *testing.T) {
	s := serving(t, "--listen", "127.0.0.1:0", "--data", filepath.Join(t.TempDir(), "bank"), "--traces", "http://"+freeAddress(t)).started()
	s.ask("POST", "/v1/worlds", s.operator(), `{"world":"cafe"}`, http.StatusCreated, nil)
	s.stop()
	if status := s.ended(); status != 0 || !strings.Contains(s.stderr.String(), "traces could not be sent") {
		t.Errorf("it ended with %d\n%s", status, s.stderr.String())
	}
	if status, _, stderr := command(t, "", "serve", "--traces", "collector:4318"); status != 2 || !strings.Contains(stderr, "expected a URL such as") {
		t.Errorf("a wrong URL was answered %d %s", status, stderr)
	}
}

// A failure is logged with the request's id, and with its trace if there is one.
func TestAFailureIsLogged(t *testing.T) {
	var log writtenBuffer
	logger := (&serveCommand{Log: "json"}).logger(&environment{stderr: &log})
	tracer, err := (&serveCommand{Traces: "http://" + freeAddress(t)}).tracer(t.Context(), logger)
	if err != nil {
		t.Fatal(err)
	}
	handler := tracer.Handler(logged(logger, newTraffic(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Pattern = "GET /v1/people/{person}"
		w.WriteHeader(http.StatusInternalServerError)
	})))
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest("GET", "/v1/people/ann.example", nil))
	line := log.String()
	for _, want := range []string{`"id":"` + response.Header().Get("X-Request-Id") + `"`, `"route":"GET /v1/people/{person}"`, `"status":500`} {
		if !strings.Contains(line, want) {
			t.Errorf("the log does not have %s: %s", want, line)
		}
	}
	if !regexp.MustCompile(`"trace_id":"[0-9a-f]{32}"`).MatchString(line) || strings.Contains(line, "ann") {
		t.Errorf("the log has no trace, or a name: %s", line)
	}
}
