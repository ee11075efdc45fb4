package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// lived is what was true of somebody, by the driver's own clock.
type lived struct {
	PresentMS    float64
	Interactions int64
	Hidden       string // the page's own word while another tab was in front
	Left         int64
	Beacon       int64
	Verdicts     []string
	Device       int
	Kept         []struct{ Bases, Items int }
}

// Our own client in real pages that are seen, hidden, left, offline and closed,
// and in Node behind networks that fail: the bank's presence is the truth to
// within a bucket, everything counts once, and nothing is done without consent.
func TestOurClientInPages(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("Node is not installed")
	}
	if chromium() == "" {
		t.Skip("there is no Chromium for the pages; make test installs it (e2e/install-chromium)")
	}
	b := newBank(t)
	began := time.Now()
	from := began.Add(-time.Minute).UTC().Format(time.RFC3339)
	for _, user := range []string{"tabs", "idle", "offline", "unload", "consent", "node"} {
		b.call("POST", "/v1/worlds/cafe/sessions", b.server, fmt.Sprintf(`{"user_id":%q,"from":%q,"seconds":3600}`, user, from), http.StatusCreated, nil)
	}
	faulty := map[string]string{}
	for _, fault := range []string{"429", "503", "cut"} {
		faulty[fault] = newNetwork(t, b, fault).URL
	}
	ask := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, b.interactions(r.FormValue("user"), began))
	}))
	t.Cleanup(ask.Close)
	truths := live(t, map[string]any{"url": b.url, "key": b.write, "faulty": faulty, "ask": ask.URL})
	for user, truth := range truths {
		if truth.PresentMS > 0 {
			present := time.Duration(b.present(user, began)) * time.Second
			lasted := time.Duration(truth.PresentMS) * time.Millisecond
			t.Logf("%s: %s of presence count of %s", user, present, lasted.Round(time.Millisecond))
			if off := present - lasted; off.Abs() > 10*time.Second {
				t.Errorf("%s: %s of presence count of %s", user, present, lasted)
			}
		} else if count := b.interactions(user, began); count != truth.Interactions {
			t.Errorf("%s: %d interactions count of %d", user, count, truth.Interactions)
		}
		if truth.Left != 0 {
			t.Errorf("%s: %d events still waited at the end", user, truth.Left)
		}
	}
	if truths["tabs"].Hidden != "hidden" || truths["idle"].Hidden != "visible" {
		t.Errorf("the pages were %q behind another tab and %q alone", truths["tabs"].Hidden, truths["idle"].Hidden)
	}
	if unload := truths["unload"]; unload.Beacon != 5 || !slices.Equal(unload.Verdicts, []string{"duplicate"}) {
		t.Errorf("the beacon of a page that ended brought %d of 5; sent again they were %v", unload.Beacon, unload.Verdicts)
	}
	consent := truths["consent"]
	for i, kept := range consent.Kept {
		if kept.Bases != 0 || kept.Items != 0 {
			t.Errorf("without consent (%d) the browser keeps %d databases and %d items", i, kept.Bases, kept.Items)
		}
	}
	if len(consent.Kept) != 2 || consent.Device != 1 {
		t.Errorf("the browser was asked %d times what it keeps; with consent it kept %d items", len(consent.Kept), consent.Device)
	}
}

// live runs the driver.
func live(t *testing.T, input any) (truths map[string]lived) {
	t.Helper()
	text, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	driver := exec.Command("node", "sdk.mjs")
	driver.Dir, driver.Stdin = "node", bytes.NewReader(text)
	driver.Env = append(os.Environ(), "CHROMIUM="+chromium())
	var stderr bytes.Buffer
	driver.Stderr = &stderr
	output, err := driver.Output()
	if err != nil {
		t.Fatalf("the driver: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(output, &truths); err != nil {
		t.Fatalf("%s: %v", output, err)
	}
	if len(truths) != 6 {
		t.Fatalf("the driver tells of %d people: %s", len(truths), output)
	}
	return truths
}

// present returns the seconds of presence that count of a user's day.
func (b *bank) present(userID string, day time.Time) (seconds int64) {
	b.t.Helper()
	var list struct {
		Items []struct {
			Seconds int64 `json:"present_seconds"`
		}
	}
	b.call("GET", "/v1/people/"+b.person(userID)+"/attention?day="+day.UTC().Format(time.DateOnly), b.operator, "", http.StatusOK, &list)
	for _, item := range list.Items {
		seconds += item.Seconds
	}
	return seconds
}
