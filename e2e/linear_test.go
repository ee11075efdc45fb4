package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// Clients pay, hold, settle, release and look at once while the power fails
// again and again. Every answer is what a naive ledger says at its place in
// the journal; no answer stands before one that was given before its request
// came; and, with nothing known of the journal, there is an order of all that
// was asked which explains all that was answered.
func TestAnswersAreLinearizable(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ATTENTIONBANK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat with ATTENTIONBANK_SEED=%d", seed)
	b := newBank(t)
	c := newCounter(b)
	const rounds, clients, dealsEach = 8, 6, 40
	for round := range rounds {
		var busy sync.WaitGroup
		for client := range clients {
			random := rand.New(rand.NewPCG(seed, uint64(round*clients+client)))
			busy.Go(func() { c.deal(random, client, dealsEach) })
		}
		// The power fails when some of the deals of the round are done.
		random := rand.New(rand.NewPCG(seed, uint64(1000+round)))
		target := c.done() + 5 + random.IntN(clients*dealsEach/2)
		for c.done() < target && time.Since(c.began) < 5*time.Minute {
			time.Sleep(time.Millisecond)
		}
		b.kill()
		b.start()
		c.moved()
		busy.Wait()
		if t.Failed() {
			return
		}
	}
	c.askUnsure(t)
	refused, lost := 0, 0
	for _, d := range c.history.deals {
		if d.code != "" {
			refused++
		}
		if d.lost {
			lost++
		}
	}
	t.Logf("%d deals, %d refused, %d of which the answer was lost", len(c.history.deals), refused, lost)
	if refused == 0 || lost == 0 {
		t.Error("nothing was refused, or no answer was lost: the history shows too little")
	}
	if err := c.history.checkOrder(); err != nil {
		t.Errorf("in the order of the journal: %v", err)
	}
	if got := c.history.first(400).explain(); got == porcupine.Illegal {
		t.Error("in real time: porcupine finds no order that explains the answers")
	} else {
		t.Logf("in real time: porcupine says %s", got)
	}
	requireCheckCanFail(t, c.history.first(60))
	b.stop()
	b.requireClean()
}

// explain looks for an order that explains the answers, without the journal.
func (h *history) explain() porcupine.CheckResult {
	type output struct {
		d       *deal
		unknown bool
	}
	var operations []porcupine.Operation
	for _, d := range h.deals {
		call, settled := d.called, d.settled
		operations = append(operations, porcupine.Operation{ClientId: len(operations), Input: d, Call: int64(call), Output: output{d, d.unsure}, Return: int64(settled)})
	}
	model := porcupine.Model{
		Init: func() any { return h.begin },
		Step: func(state, input, result any) (bool, any) {
			ledger, d := state.(naiveLedger), input.(*deal)
			code := ledger.carryOut(d)
			return result.(output).unknown || ledger.agrees(d, code), ledger
		},
		Equal: func(a, b any) bool { return a.(naiveLedger) == b.(naiveLedger) },
	}
	return porcupine.CheckOperationsTimeout(model, operations, 30*time.Second)
}

// requireCheckCanFail makes small lies of a true history and requires that both
// checks find every one.
func requireCheckCanFail(t *testing.T, h *history) {
	t.Helper()
	find := func(what string, fits func(*deal) bool) int {
		for i, d := range h.deals {
			if fits(d) && i > len(h.deals)/3 {
				return i
			}
		}
		t.Fatalf("the history has no %s to lie about", what)
		return 0
	}
	paid := func(d *deal) bool { return d.kind == "transfer" && d.code == "" && !d.unsure }
	for what, lie := range map[string]func(lied *history){
		"a read shows a unit too much": func(lied *history) {
			i := find("read", func(d *deal) bool { return d.kind == "read" })
			d := *lied.deals[i]
			shown := map[int]standing{}
			for account, s := range d.postings {
				shown[account] = standing{s.balance + 1, s.held}
			}
			d.postings, lied.deals[i] = shown, &d
		},
		"a transfer that was carried out is told as refused": func(lied *history) {
			d := *lied.deals[find("transfer", paid)]
			d.code, d.postings = "insufficient_available", nil
			lied.deals[find("transfer", paid)] = &d
		},
		"an acknowledged transfer was lost": func(lied *history) {
			i := find("transfer", paid)
			lied.deals = append(lied.deals[:i:i], lied.deals[i+1:]...)
		},
		"a transfer was carried out twice": func(lied *history) {
			d := *lied.deals[find("transfer", paid)]
			d.postings, d.at.index = nil, d.at.index+1
			lied.deals = append(lied.deals, &d)
		},
		"a read shows the past": func(lied *history) {
			i := find("read", func(d *deal) bool { return d.kind == "read" })
			d := *lied.deals[i]
			d.at, d.postings = place{}, map[int]standing{}
			for account := range h.deals[i].postings {
				d.postings[account] = h.begin.accounts[account]
			}
			lied.deals[i] = &d
		},
	} {
		lied := &history{begin: h.begin, deals: append([]*deal(nil), h.deals...)}
		lie(lied)
		if err := lied.checkOrder(); err == nil {
			t.Errorf("%s: the check by the journal finds nothing", what)
		}
		if got := lied.explain(); got != porcupine.Illegal {
			t.Errorf("%s: porcupine says %s", what, got)
		}
	}
}

// counter is where clients deal with the bank; its history grows.
type counter struct {
	bank     *bank
	began    time.Time
	accounts [historyAccounts]string
	numbers  map[string]int // of the accounts

	mu      sync.Mutex
	url     string
	holds   []string
	history history
	next    int
	left    int // deals without an answer until the end
}

func newCounter(b *bank) *counter {
	c := &counter{bank: b, began: time.Now(), numbers: map[string]int{}, url: b.url}
	var asset struct{ Issuer string }
	b.call("POST", "/v1/assets", b.operator, `{"asset":"TOKEN","scale":0,"world":"cafe"}`, http.StatusCreated, &asset)
	for i := range c.accounts {
		var account struct{ Account string }
		b.call("POST", "/v1/accounts", b.operator, fmt.Sprintf(`{"world":"cafe","asset":"TOKEN","sub":%d}`, i), http.StatusCreated, &account)
		c.accounts[i], c.numbers[account.Account] = account.Account, i
		b.call("POST", "/v1/transfers", b.operator, fmt.Sprintf(`{"legs":[{"from":%q,"to":%q,"amount":"100"}]}`, asset.Issuer, account.Account), http.StatusCreated, nil)
		c.history.begin.accounts[i].balance = 100
	}
	return c
}

func (c *counter) done() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.history.deals)
}

// moved tells the clients where the bank is after a restart.
func (c *counter) moved() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.url = c.bank.url
}

// deal makes deals, one after the other, each until it is answered; a few that
// were lost are left for the end.
func (c *counter) deal(random *rand.Rand, client, n int) {
	for range n {
		d := c.draw(random, client)
		d.called = time.Since(c.began)
		answered, err := c.try(d)
		for ; err == nil && !answered; answered, err = c.try(d) {
			if d.lost = true; d.kind == "read" {
				break
			}
			if d.kind == "transfer" && c.leave() {
				d.unsure = true
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
		if err != nil {
			c.bank.t.Errorf("%v: %v", d, err)
			return
		}
		d.settled = time.Since(c.began)
		if !answered && d.kind == "read" {
			continue
		}
		c.mu.Lock()
		c.history.deals = append(c.history.deals, d)
		if d.kind == "hold" && d.code == "" {
			c.holds = append(c.holds, d.hold)
		}
		c.mu.Unlock()
	}
}

// leave reports whether a lost deal may be left for the end. They are few, as
// each doubles the orders that have to be looked at.
func (c *counter) leave() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left++
	return c.left <= 4
}

func (c *counter) draw(random *rand.Rand, client int) *deal {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	d := &deal{client: client, key: fmt.Sprintf("deal-%d", c.next), from: random.IntN(historyAccounts), amount: 1 + random.Int64N(60)}
	d.to = (d.from + 1 + random.IntN(historyAccounts-1)) % historyAccounts
	switch draw := random.IntN(10); {
	case draw < 4:
		d.kind = "transfer"
	case draw < 6:
		d.kind = "hold"
	case draw < 8 && len(c.holds) > 0:
		d.kind, d.hold, d.final = "settle", c.holds[random.IntN(len(c.holds))], random.IntN(2) == 0
		if random.IntN(3) == 0 {
			d.kind, d.final = "release", false
		}
	default:
		d.kind = "read"
	}
	return d
}

// askUnsure asks again what was never answered: it was carried out or is now.
func (c *counter) askUnsure(t *testing.T) {
	t.Helper()
	for _, d := range c.history.deals {
		if !d.unsure {
			continue
		}
		if answered, err := c.try(d); err != nil || !answered {
			t.Fatalf("%v: asked again, %v", d, err)
		}
		d.settled = time.Since(c.began)
	}
}

// try asks once. It reports whether there was an answer; an error is an answer
// that should not be.
func (c *counter) try(d *deal) (answered bool, err error) {
	method, path, body := "POST", "/v1/transfers", fmt.Sprintf(`{"legs":[{"from":%q,"to":%q,"amount":"%d"}]}`, c.accounts[d.from], c.accounts[d.to], d.amount)
	switch d.kind {
	case "hold":
		path, body = "/v1/holds", fmt.Sprintf(`{"account":%q,"beneficiary":%q,"amount":"%d"}`, c.accounts[d.from], c.accounts[d.to], d.amount)
	case "settle":
		path, body = "/v1/holds/"+d.hold+"/settle", fmt.Sprintf(`{"amount":"%d","final":%v}`, d.amount, d.final)
	case "release":
		path, body = "/v1/holds/"+d.hold+"/release", "{}"
	case "read":
		method, path, body = "GET", "/v1/accounts/"+c.accounts[d.from], ""
	}
	c.mu.Lock()
	request, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	c.mu.Unlock()
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+c.bank.server)
	if method == "POST" {
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Idempotency-Key", d.key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, nil // the connection is gone, and nobody knows
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode == http.StatusServiceUnavailable || response.StatusCode == http.StatusTooManyRequests {
		return false, nil
	}
	return true, c.read(d, response, answer)
}

// shown is what of the answers matters here.
type shown struct {
	Code, Operation string
	Postings        []struct{ Account, Balance, Held string }
	Hold            *struct{ Hold, Account, Remaining string }
	Balance, Held   string
}

func (c *counter) read(d *deal, response *http.Response, answer []byte) error {
	var got shown
	if err := json.Unmarshal(answer, &got); err != nil {
		return fmt.Errorf("status %d: %s: %w", response.StatusCode, answer, err)
	}
	number := func(text string) int64 {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			c.bank.t.Errorf("%s: %v", answer, err)
		}
		return n
	}
	d.postings = map[int]standing{}
	if d.kind == "read" {
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d: %s", response.StatusCode, answer)
		}
		d.at.seq = uint64(number(response.Header.Get("X-Journal-Sequence")))
		d.postings[d.from] = standing{number(got.Balance), number(got.Held)}
		return nil
	}
	if response.StatusCode == http.StatusNotFound && (d.kind == "settle" || d.kind == "release") {
		// A hold that has ended is forgotten once its place is used again and
		// the server was restarted; the journal has no such command.
		d.code, d.unplaced = "hold_not_open", true
		return nil
	}
	if response.StatusCode >= 300 && response.StatusCode != http.StatusConflict && response.StatusCode != http.StatusUnprocessableEntity {
		return fmt.Errorf("status %d: %s", response.StatusCode, answer)
	}
	if _, err := fmt.Sscanf(got.Operation, "%d.%d.", &d.at.seq, &d.at.index); err != nil {
		return fmt.Errorf("%s names no place in the journal: %w", answer, err)
	}
	if d.code = got.Code; d.code != "" {
		return nil
	}
	for _, p := range got.Postings {
		d.postings[c.numbers[p.Account]] = standing{number(p.Balance), number(p.Held)}
	}
	if d.kind == "hold" && got.Hold != nil {
		d.hold = got.Hold.Hold
	}
	return nil
}

// The answer to a settlement is lost; the hold's place is used again and the
// server restarts, so nobody knows the hold any more. Its retry gets the first
// answer all the same.
func TestRetryAfterTheHoldIsForgotten(t *testing.T) {
	t.Parallel()
	b := newBank(t)
	from, to := b.fundedAccounts()
	place := func(key string) string {
		t.Helper()
		answer, placed := b.post("/v1/holds", key, fmt.Sprintf(`{"account":%q,"beneficiary":%q,"amount":"5"}`, from, to), http.StatusCreated)
		var got shown
		if err := json.Unmarshal(answer, &got); err != nil || !placed || got.Hold == nil {
			t.Fatalf("a hold was answered %s, %v", answer, err)
		}
		return got.Hold.Hold
	}
	hold := place("place-1")
	settle := func() string {
		t.Helper()
		answer, settled := b.post("/v1/holds/"+hold+"/settle", "settle-1", `{"amount":"5"}`, http.StatusOK)
		if !settled {
			t.Fatalf("the settlement was answered %s", answer)
		}
		var got shown
		if err := json.Unmarshal(answer, &got); err != nil {
			t.Fatal(err)
		}
		return got.Operation
	}
	first := settle()
	place("place-2")
	b.kill()
	b.start()
	if again := settle(); again != first {
		t.Errorf("the retry was answered from %s, the first from %s", again, first)
	}
	if answer, settled := b.post("/v1/holds/"+hold+"/settle", "settle-2", `{"amount":"5"}`, http.StatusNotFound); !settled {
		t.Errorf("a settlement under another key was answered %s", answer)
	}
	if got := b.balance(to); got != 5 {
		t.Errorf("5 were held, and %d were paid", got)
	}
	b.stop()
	b.requireClean()
}
