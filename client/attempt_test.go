package client_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/attentionbank/attentionbank/client"
)

// answers is a bank that answers from a list, and says when it was asked.
type answers struct {
	list  []answer
	began time.Time
	asked []time.Duration
}

type answer struct {
	status     int
	retryAfter string
	body       string
	err        error
}

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	if len(a.list) == 0 {
		return nil, errors.New("no answer is left")
	}
	next := a.list[0]
	a.list, a.asked = a.list[1:], append(a.asked, time.Since(a.began))
	if next.err != nil {
		return nil, next.err
	}
	response := &http.Response{StatusCode: next.status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(next.body))}
	if next.retryAfter != "" {
		response.Header.Set("Retry-After", next.retryAfter)
	}
	return response, nil
}

func answering(t *testing.T, list ...answer) (*client.Client, *answers) {
	t.Helper()
	a := &answers{list: list, began: time.Now()}
	c, err := client.New(client.Config{URL: "http://bank.example", HTTP: &http.Client{Transport: a}})
	if err != nil {
		t.Fatal(err)
	}
	return c, a
}

// The bank says when to come back, in seconds or by a time; before that nobody
// does. By the bubble's clock, so exactly.
func TestPausesAreWhatTheBankAsksFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(40 * time.Second).UTC().Format(http.TimeFormat)
		c, a := answering(t, answer{status: 429, retryAfter: "7"}, answer{status: 503, retryAfter: at}, answer{status: 200, body: `{"status":"ok"}`})
		health, err := c.GetHealth(t.Context())
		if err != nil || health.Status != "ok" {
			t.Fatalf("%+v, %v", health, err)
		}
		if len(a.asked) != 3 || a.asked[1] != 7*time.Second || a.asked[2] < 40*time.Second || a.asked[2] > 42*time.Second {
			t.Errorf("it was asked at %v", a.asked)
		}
	})
}

// Without a wish of the bank the pauses double, with jitter, and end.
func TestPausesDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var list []answer
		for range 10 {
			list = append(list, answer{err: io.ErrUnexpectedEOF})
		}
		c, a := answering(t, list...)
		if _, err := c.GetHealth(t.Context()); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		if len(a.asked) != 6 {
			t.Fatalf("%d attempts", len(a.asked))
		}
		for i := 1; i < len(a.asked); i++ {
			mean := 200 * time.Millisecond << (i - 1)
			if pause := a.asked[i] - a.asked[i-1]; pause < mean/2 || pause > mean*3/2 {
				t.Errorf("pause %d is %s, about %s was expected", i, pause, mean)
			}
		}
	})
}

// Errors that another attempt cannot mend, and pauses longer than the caller
// bears, are returned at once.
func TestWhatIsNotRepeated(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer answer
		code   string
	}{
		{"a refusal", answer{status: 422, body: `{"status":422,"code":"code_invalid","detail":"…"}`}, "code_invalid"},
		{"the bank's own fault", answer{status: 500, body: `{"status":500,"code":"internal"}`}, "internal"},
		{"something between that is no bank", answer{status: 404, body: "<html>"}, "http_404"},
		{"a redirect", answer{status: 307}, "http_307"},
		{"a pause of an hour", answer{status: 429, retryAfter: "3600", body: `{"code":"rate_limited"}`}, "rate_limited"},
	} {
		c, a := answering(t, test.answer)
		if _, err := c.GetHealth(t.Context()); client.Code(err) != test.code {
			t.Errorf("%s: %v", test.name, err)
		}
		if len(a.asked) != 1 {
			t.Errorf("%s: %d attempts", test.name, len(a.asked))
		}
	}
	c, _ := answering(t, answer{status: 200, body: "{"})
	if _, err := c.GetHealth(t.Context()); err == nil {
		t.Error("half an answer was taken")
	}
}
