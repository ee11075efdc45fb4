package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
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
	Statuses     []int // of what a page did with its token
	Tokens       int   // that it asked its world for
	Counted      int64
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
	sign := b.signer()
	world := http.NewServeMux() // what is asked of the world's own server
	world.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, b.interactions(r.FormValue("user"), began))
	})
	world.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(w, sign(r.FormValue("user"), 40*time.Second))
	})
	ask := httptest.NewServer(world)
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
	signed := truths["token"]
	if !slices.Equal(signed.Statuses, []int{http.StatusCreated, http.StatusOK, http.StatusOK}) || signed.Tokens < 3 || signed.Counted != 2 {
		t.Errorf("a page with tokens was answered %v, asked for %d of them, and %d of its 2 interactions count", signed.Statuses, signed.Tokens, signed.Counted)
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
	if len(truths) != 7 {
		t.Fatalf("the driver tells of %d people: %s", len(truths), output)
	}
	return truths
}

// signer registers a key for the tokens of the world's users, and returns what
// signs with it.
func (b *bank) signer() func(user string, good time.Duration) string {
	b.t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.t.Fatal(err)
	}
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: public, KeyID: "page"}}})
	if err != nil {
		b.t.Fatal(err)
	}
	b.call("PUT", "/v1/worlds/cafe/token-keys", b.server, string(set), http.StatusOK, nil)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: private}, (&jose.SignerOptions{}).WithHeader("kid", "page"))
	if err != nil {
		b.t.Fatal(err)
	}
	return func(user string, good time.Duration) string {
		now := time.Now()
		text, err := jwt.Signed(signer).Claims(map[string]any{
			"iss": "cafe", "aud": "attentionbank", "sub": user, "jti": rand.Text(), "iat": now.Add(-time.Minute).Unix(), "exp": now.Add(good).Unix(),
		}).Serialize()
		if err != nil {
			b.t.Error(err)
		}
		return text
	}
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
