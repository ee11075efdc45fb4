package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/analytics-go/v3"
)

// outcomes collects what a Go client reports of its messages.
type outcomes struct {
	mu                sync.Mutex
	succeeded, failed []string
}

func (o *outcomes) Success(m analytics.Message) { o.note(&o.succeeded, m) }

func (o *outcomes) Failure(m analytics.Message, _ error) { o.note(&o.failed, m) }

func (o *outcomes) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.succeeded) + len(o.failed)
}

func (o *outcomes) note(list *[]string, m analytics.Message) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if track, isTrack := m.(analytics.Track); isTrack {
		*list = append(*list, track.MessageId)
	}
}

// Segment's own Go client, unmodified, behind a network that refuses, fails
// and loses answers: everything that it was acknowledged counts, and once.
func TestSegmentGoClient(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	proxy := newFaultProxy(t, b)
	reported := &outcomes{}
	client, err := analytics.NewWithConfig(b.server, analytics.Config{
		Endpoint: proxy.URL, BatchSize: 10, Interval: 50 * time.Millisecond, Callback: reported,
		Logger:     analytics.StdLogger(log.New(io.Discard, "", 0)),
		RetryAfter: func(int) time.Duration { return 20 * time.Millisecond },
	})
	if err != nil {
		t.Fatal(err)
	}
	const messages = 200
	day := time.Now()
	for i := range messages {
		err := client.Enqueue(analytics.Track{
			UserId: "go-user", Event: "Jumped", MessageId: fmt.Sprintf("go-%d", i), Timestamp: day,
			Properties: analytics.NewProperties().Set("height", i),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// The client drops what it has not sent when it is closed, so it gets the
	// time that its retries take.
	for deadline := time.Now().Add(2 * time.Minute); reported.count() < messages && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
	proxy.requireAllFaults(t)
	reported.mu.Lock()
	defer reported.mu.Unlock()
	if len(reported.succeeded) != messages || len(reported.failed) != 0 {
		t.Fatalf("the client reports %d sent and %d failed of %d", len(reported.succeeded), len(reported.failed), messages)
	}
	for _, id := range reported.succeeded {
		if verdict := b.verdict(id); verdict != "accepted" {
			t.Errorf("message %s is %s", id, verdict)
		}
	}
	if count := b.interactions("go-user", day); count != messages {
		t.Errorf("%d interactions count, %d were sent", count, messages)
	}
	b.stop()
	b.requireClean()
}

// Segment's Node client, unmodified, behind the same network.
func TestSegmentNodeClient(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("node/node_modules/@segment/analytics-node"); err != nil {
		t.Skip("the Node clients are not installed; make test installs them (cd e2e/node && npm ci)")
	}
	b := newBank(t)
	proxy := newFaultProxy(t, b)
	const messages = 50
	day := time.Now()
	script := exec.Command("node", "segment.mjs", proxy.URL, b.server, "node-user", fmt.Sprint(messages))
	script.Dir = "node"
	var stderr bytes.Buffer
	script.Stderr = &stderr
	output, err := script.Output()
	if err != nil {
		t.Fatalf("the client: %v\n%s", err, stderr.String())
	}
	var report struct {
		Sent   []string
		Failed []string
	}
	if err := json.Unmarshal([]byte(strings.TrimSpace(string(output))), &report); err != nil {
		t.Fatalf("%s: %v", output, err)
	}
	proxy.requireAllFaults(t)
	if len(report.Sent) != messages || len(report.Failed) != 0 {
		t.Fatalf("the client reports %d sent and %d failed of %d", len(report.Sent), len(report.Failed), messages)
	}
	for _, id := range report.Sent {
		if verdict := b.verdict(id); verdict != "accepted" {
			t.Errorf("message %s is %s", id, verdict)
		}
	}
	if count := b.interactions("node-user", day); count != messages {
		t.Errorf("%d interactions count, %d were sent", count, messages)
	}
	b.stop()
	b.requireClean()
}
