package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// follow opens a stream and returns its lines.
func (s *server) follow(t testing.TB, path, key, lastID string) *bufio.Scanner {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	request.Header.Set("Last-Event-ID", lastID)
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("following %s: %v, %+v", path, err, answer)
	}
	t.Cleanup(func() { answer.Body.Close() })
	return bufio.NewScanner(answer.Body)
}

// await reads a stream until an event of a kind, and returns its data and the
// id that was seen last; empty at the end of the stream.
func await(stream *bufio.Scanner, kind string) (data, id string) {
	event := ""
	for stream.Scan() {
		name, value, _ := strings.Cut(stream.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			if event == kind {
				return value, id
			}
		}
	}
	return "", id
}

// earner makes a world and a person of it, and returns their keys.
func (s *server) earner(operator string) (world, person string) {
	var key struct{ Secret, Code string }
	s.ask("POST", "/v1/worlds", operator, `{"world":"cafe"}`, http.StatusCreated, nil)
	s.ask("POST", "/v1/worlds/cafe/keys", operator, `{"kind":"server"}`, http.StatusCreated, &key)
	world = key.Secret
	s.ask("POST", "/v1/track", world, `{"event":"Jumped","userId":"alice","messageId":"m-0"}`, http.StatusOK, nil)
	s.ask("POST", "/v1/worlds/cafe/users/alice/claim", world, "", http.StatusCreated, &key)
	s.ask("POST", "/v1/claims", "", fmt.Sprintf(`{"code":%q}`, key.Code), http.StatusCreated, &key)
	return world, key.Secret
}

// A stream ends with a word when the bank stops, and after a restart goes on
// with everything that was earned.
func TestStreamOverARestart(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "bank")
	s := serving(t, "--listen", "127.0.0.1:0", "--data", folder).started()
	operator := s.operator()
	world, person := s.earner(operator)
	stream := s.follow(t, "/v1/people/me/stream", person, "")
	await(stream, "snapshot")
	s.ask("POST", "/v1/track", world, `{"event":"Jumped","userId":"alice","messageId":"m-1"}`, http.StatusOK, nil)
	shown, id := await(stream, "accrual")
	if !strings.Contains(shown, `"weighted_interactions":"2"`) {
		t.Errorf("it shows %s", shown)
	}
	s.stop()
	if end, _ := await(stream, "end"); !strings.Contains(end, `"code":"stopping"`) {
		t.Errorf("it ends with %q", end)
	}
	if status := s.ended(); status != 0 {
		t.Fatalf("the bank ended with %d: %s", status, s.stderr.String())
	}
	again := serving(t, "--listen", "127.0.0.1:0", "--data", folder).started()
	stream = again.follow(t, "/v1/people/me/stream", person, id)
	if begin, _ := await(stream, "snapshot"); !strings.Contains(begin, `"weighted_interactions":"2"`) {
		t.Errorf("after the restart it begins with %s", begin)
	}
	again.ask("POST", "/v1/track", world, `{"event":"Jumped","userId":"alice","messageId":"m-2"}`, http.StatusOK, nil)
	if shown, _ := await(stream, "accrual"); !strings.Contains(shown, `"weighted_interactions":"3"`) {
		t.Errorf("after the restart it shows %s", shown)
	}
	if metrics := again.metrics(operator); !strings.Contains(metrics, "\nattentionbank_streams_open 1\n") || !strings.Contains(metrics, "\nattentionbank_streams_opened_total 1\n") {
		t.Errorf("the metrics do not count the stream: %.200s", metrics)
	}
}

// metrics returns what /metrics answers to a key.
func (s *server) metrics(key string) string {
	s.t.Helper()
	request, err := http.NewRequest("GET", s.url+"/metrics", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// BenchmarkEarningShows measures from before an event is sent, over HTTP with
// its durable answer, until its stream has shown what it earned: one event at a
// time, the next half a second later, as people act.
func BenchmarkEarningShows(b *testing.B) {
	s := serving(b, "--listen", "127.0.0.1:0", "--data", filepath.Join(b.TempDir(), "bank")).started()
	world, person := s.earner(s.operator())
	stream := s.follow(b, "/v1/people/me/stream", person, "")
	await(stream, "snapshot")
	var took []time.Duration
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		s.ask("POST", "/v1/track", world, fmt.Sprintf(`{"event":"Jumped","userId":"alice","messageId":"b-%d"}`, n), http.StatusOK, nil)
		await(stream, "accrual")
		took = append(took, time.Since(began))
		time.Sleep(500 * time.Millisecond)
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
