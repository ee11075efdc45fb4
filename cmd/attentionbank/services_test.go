package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// program is the serve command as a process of its own, which can be killed.
type program struct {
	t       *testing.T
	path    string
	args    []string
	url     string
	link    string
	process *exec.Cmd
}

func newProgram(t *testing.T, data string, args ...string) *program {
	t.Helper()
	address := freeAddress(t)
	path := filepath.Join(t.TempDir(), "attentionbank") // by this name the test is the program
	if err := os.Symlink(os.Args[0], path); err != nil {
		t.Fatal(err)
	}
	p := &program{t: t, path: path, url: "http://" + address, args: append([]string{"serve", "--data", data, "--listen", address, "--single-operator"}, args...)}
	t.Cleanup(p.kill)
	p.start()
	return p
}

// start starts the process and waits until it has said everything that it says
// at its start.
func (p *program) start() {
	p.t.Helper()
	p.process = exec.Command(p.path, p.args...)
	stdout, err := p.process.StdoutPipe()
	if err == nil {
		err = p.process.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if _, link, found := strings.Cut(lines.Text(), "within 24 hours: "); found {
			p.link = link
		}
		if strings.Contains(lines.Text(), "listening on") && p.link != "" || strings.Contains(lines.Text(), "within 24 hours: ") {
			go io.Copy(io.Discard, stdout)
			return
		}
	}
	p.t.Fatal("the bank did not start")
}

// kill ends the process as a power cut would.
func (p *program) kill() {
	if p.process != nil {
		p.process.Process.Kill()
		p.process.Wait() // it was killed, which Wait reports as an error
		p.process = nil
	}
}

// services is a world that renders services, on a real server, and what it was
// told.
type services struct {
	*testing.T
	mu     sync.Mutex
	secret string
	ids    map[string]string // of messages, by what they tell
	odd    []string
}

// receive checks a message by the library of the Standard Webhooks and answers
// by what was bought.
func (s *services) receive(w http.ResponseWriter, request *http.Request) {
	text, err := io.ReadAll(request.Body)
	if err != nil {
		return // the bank was killed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	webhook, err := standardwebhooks.NewWebhook(s.secret)
	if err == nil {
		err = webhook.Verify(text, request.Header)
	}
	if forged := append([]byte(nil), text...); err == nil {
		forged[len(forged)/2] ^= 1
		if webhook.Verify(forged, request.Header) == nil {
			err = errors.New("a forged body was taken")
		}
	}
	var told struct {
		Type string
		Data struct{ Purchase, Product, Status string }
	}
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	if err != nil {
		s.odd = append(s.odd, err.Error())
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	what, id := told.Type+" "+told.Data.Purchase+" "+told.Data.Status, request.Header.Get("webhook-id")
	if before, again := s.ids[what]; again && before != id {
		s.odd = append(s.odd, fmt.Sprintf("%s came as %s and as %s", what, before, id))
	}
	s.ids[what] = id
	if told.Type == "purchase.created" {
		switch told.Data.Product {
		case "render":
			io.WriteString(w, `{"delivered":true}`)
		case "refuse":
			io.WriteString(w, `{"delivered":false}`)
		default: // silent now, and for ever
			w.WriteHeader(http.StatusAccepted)
		}
	}
}

// created is of how many purchases the world was told.
func (s *services) created() (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for what := range s.ids {
		if strings.HasPrefix(what, "purchase.created") {
			count++
		}
	}
	return count
}

// withTime makes a bank in a directory in which a user of a world has TIME,
// earned yesterday.
func withTime(t *testing.T, site Site) (timeMicro int64) {
	t.Helper()
	ctx, clockMS := t.Context(), time.Now().UnixMilli()-27*60*60*1000
	n, err := openNode(ctx, site, func() int64 { return clockMS }, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.journal.Submit(ctx, bank.RegisterWorld{Code: "cafe"}.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	people, err := n.identity.Resolve(ctx, []identity.SubjectRef{{World: 1, UserID: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.journal.Submit(ctx, bank.Mint{Person: people[0].Person, World: 1, Day: bank.Day(clockMS), Revision: 1, CumulativePointsMicro: 600_000_000}.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	clockMS += 26 * 60 * 60 * 1000
	if _, err := n.journal.Submit(ctx, bank.AppendTick(nil)); err != nil {
		t.Fatal(err)
	}
	err = n.journal.Read(ctx, func(state *bank.State) {
		account, _ := state.TimeAccount(1)
		timeMicro = state.Books().Account(account).Balance
	})
	if err := errors.Join(err, n.close()); err != nil || timeMicro == 0 {
		t.Fatalf("%d of TIME, %v", timeMicro, err)
	}
	return timeMicro
}

// retry makes a request under one key until it is answered, whatever happens to
// the bank meanwhile.
func (p *program) retry(path, key, name, body string) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		request, err := http.NewRequest("POST", p.url+path, strings.NewReader(body))
		if err != nil {
			p.t.Error(err)
			return
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", "Bearer "+key)
		request.Header.Set("Idempotency-Key", name)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			continue // it is down
		}
		text, err := io.ReadAll(response.Body)
		response.Body.Close()
		switch {
		case err == nil && response.StatusCode == http.StatusCreated:
			return
		case err == nil && response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests:
			p.t.Errorf("%s was answered %d: %s", path, response.StatusCode, text)
			return
		}
	}
	p.t.Errorf("%s was not answered", path)
}

// A person buys services while the bank is killed again and again. What the
// world renders is paid, what it refuses and what it is silent about is given
// back; each purchase is told under one id, with a signature that the library
// of receivers takes.
func TestServicesThroughKills(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	timeMicro := withTime(t, Site{Data: data})
	world := &services{T: t, ids: map[string]string{}}
	receiver := httptest.NewServer(http.HandlerFunc(world.receive))
	defer receiver.Close()
	p := newProgram(t, data, "--webhooks-to-private")
	s := &server{t: t, url: p.url}
	var operator, key, person struct{ ID, Secret string }
	var claim struct{ Code string }
	s.ask("POST", strings.TrimPrefix(p.link, p.url), "", "", http.StatusCreated, &operator)
	// The test looks as often as it can.
	s.ask("PUT", "/v1/keys/"+operator.ID+"/rate-limit", operator.Secret, `{"per_second":100000,"burst":100000}`, http.StatusOK, nil)
	s.ask("POST", "/v1/worlds/cafe/keys", operator.Secret, `{"kind":"server"}`, http.StatusCreated, &key)
	s.ask("POST", "/v1/worlds/cafe/users/ann/claim", key.Secret, "", http.StatusCreated, &claim)
	s.ask("POST", "/v1/claims", "", `{"code":"`+claim.Code+`"}`, http.StatusCreated, &person)
	var hook struct{ Secret string }
	s.ask("PUT", "/v1/worlds/cafe/webhook", key.Secret, `{"url":"`+receiver.URL+`"}`, http.StatusOK, &hook)
	world.mu.Lock()
	world.secret = hook.Secret
	world.mu.Unlock()
	products := []string{"render", "refuse", "silent"}
	for _, product := range products {
		deadline := map[bool]int{true: 3, false: 3600}[product == "silent"]
		s.ask("PUT", "/v1/worlds/cafe/products/"+product, key.Secret, fmt.Sprintf(`{"kind":"service","price":"0.1","deadline_seconds":%d,"on_sale":true}`, deadline), http.StatusOK, nil)
	}
	const purchases = 18
	bought := make(chan struct{})
	go func() {
		defer close(bought)
		for i := range purchases {
			p.retry("/v1/purchases", person.Secret, fmt.Sprintf("purchase-%d", i), `{"world":"cafe","product":"`+products[i%3]+`","quantity":1,"max_total":"0.1"}`)
		}
	}()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	for range 6 {
		time.Sleep(time.Duration(20+random.IntN(150)) * time.Millisecond)
		p.kill()
		p.start()
	}
	<-bought
	statuses := func() map[string]int {
		count := map[string]int{}
		for number := 1; number <= purchases; number++ {
			var shown struct{ Product, Status string }
			s.ask("GET", fmt.Sprintf("/v1/purchases/%d", number), operator.Secret, "", http.StatusOK, &shown)
			count[shown.Product+" "+shown.Status]++
		}
		return count
	}
	want := map[string]int{"render delivered": purchases / 3, "refuse declined": purchases / 3, "silent lapsed": purchases / 3}
	s.until("every purchase has ended and was told", func() bool { return fmt.Sprint(statuses()) == fmt.Sprint(want) && world.created() == purchases })
	p.kill()
	n, err := openNode(t.Context(), Site{Data: data}, systemMS, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	err = n.journal.Read(t.Context(), func(state *bank.State) {
		account, _ := state.TimeAccount(1)
		if left := state.Books().Account(account); left.Balance != timeMicro-100_000*purchases/3 || left.Held != 0 {
			t.Errorf("left is %d of %d with %d held", left.Balance, timeMicro, left.Held)
		}
		if err := state.Check(); err != nil {
			t.Error(err)
		}
	})
	if err := errors.Join(err, n.close()); err != nil {
		t.Fatal(err)
	}
	world.mu.Lock()
	defer world.mu.Unlock()
	for _, fault := range world.odd {
		t.Error(fault)
	}
}
