package event_test

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/event"
)

// The requests of CloudEvents' own conformance features are read as their
// tables say. They name no person, so each gets one, as a world would.
func TestCloudEventsFeatures(t *testing.T) {
	dir := os.Getenv("ATTENTIONBANK_TESTDATA")
	if dir == "" {
		dir = "../../shared/data"
	}
	text, err := os.ReadFile(filepath.Join(dir, "conf-cloudevents", "features", "http-protocol-binding.feature"))
	if err != nil {
		t.Skipf("no conformance features: %v; set ATTENTIONBANK_TESTDATA to the folder of test data", err)
	}
	outline := regexp.MustCompile(`(?s)Scenario Outline: (.*?)\n.*?"""\n(.*?)\n\s*"""\n.*?Examples:\n\s*\|[^\n]*\n(.*?)(?:\n\s*\n|$)`)
	scenarios := outline.FindAllStringSubmatch(string(text), -1)
	requests := 0
	for _, scenario := range scenarios {
		for example := range strings.Lines(scenario[3]) {
			contentType := strings.Trim(example, " |\n")
			raw := strings.ReplaceAll(scenario[2], "<contentType>", contentType)
			lines := strings.Split(raw, "\n")
			for i := range lines {
				lines[i] = strings.TrimSpace(lines[i])
			}
			head, body, _ := strings.Cut(strings.Join(lines, "\n"), "\n\n")
			head = regexp.MustCompile(`(?m)^Content-Length:.*\n?`).ReplaceAllString(head+"\n", "")
			request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(strings.ReplaceAll(head, "\n", "\r\n") + "\r\n")))
			if err != nil {
				t.Fatalf("%s: %v\n%s", scenario[1], err, head)
			}
			io.Copy(io.Discard, request.Body)
			if strings.Contains(contentType, "cloudevents") {
				body = strings.Replace(body, "{", `{"subject": "u",`, 1)
			} else {
				request.Header.Set("ce-subject", "u")
			}
			batch, err := event.DecodeCloudEvents(request.Header.Get, []byte(body))
			if err != nil || len(batch.Items) != 1 || batch.Items[0].Err != nil {
				t.Errorf("%s %s: %v %+v", scenario[1], contentType, err, batch)
				continue
			}
			e := batch.Items[0].Event
			if e.MessageID != "/mycontext/subcontext 1234-1234-1234" || e.Type != "com.example.someevent" || e.TimeMS != 1522900584000 || e.UserID != "u" {
				t.Errorf("%s %s: %+v", scenario[1], contentType, e)
			}
			if message, _ := e.Property("message"); message != "Hello World!" {
				t.Errorf("%s %s: the data is %v", scenario[1], contentType, e.Properties)
			}
			requests++
		}
	}
	if requests != 4 {
		t.Errorf("%d requests in %d scenarios were read, expected 4", requests, len(scenarios))
	}
}
