package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/wire"
)

const (
	traders       = 2000
	ordersATrader = 5
	coinEach      = 1_000_000 // hundredths of COIN
	gemEach       = 500
)

// trader is one of thousands who trade at once, each with a key of their own.
type trader struct {
	key       string
	coin, gem string // accounts
	placed    map[string]bool
	open      []wire.Order
	failure   error
}

// exchange is the bank as its traders see it: at an address that changes when it
// is started again.
type exchange struct {
	*bank
	address atomic.Pointer[string]
	client  *http.Client
	answers atomic.Int64
}

// Thousands of people place, amend and cancel at once, over HTTP, in a market
// that trades continuously and in one that trades in batches, while the power
// fails. Whoever got no answer asks again under the same key. In the end fills,
// fees and balances agree to the unit, and no order is there that nobody placed.
func TestThousandsTradeThroughPowerCuts(t *testing.T) {
	b := newBank(t)
	e := &exchange{bank: b, client: &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxConnsPerHost: 512, MaxIdleConnsPerHost: 512}}}
	e.address.Store(&b.url)
	e.openMarkets()
	people := e.admit()
	var clients sync.WaitGroup
	for i := range people {
		clients.Go(func() { people[i].failure = e.trade(&people[i], rand.New(rand.NewPCG(uint64(i), 7))) })
	}
	for cut := range int64(3) {
		for deadline := time.Now().Add(time.Minute); e.answers.Load() < (cut+1)*traders*ordersATrader/4 && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		b.kill()
		b.start()
		e.address.Store(&b.url)
	}
	clients.Wait()
	for i := range people {
		if people[i].failure != nil {
			t.Fatalf("trader %d: %v", i, people[i].failure)
		}
	}
	e.reconcile(people)
	b.stop()
	b.requireClean()
}

func (e *exchange) openMarkets() {
	e.t.Helper()
	e.call("POST", "/v1/assets", e.operator, `{"asset":"COIN","scale":2,"world":"cafe"}`, http.StatusCreated, nil)
	e.call("POST", "/v1/assets", e.operator, `{"asset":"GEM","scale":0,"world":"cafe"}`, http.StatusCreated, nil)
	for i, mode := range []string{"continuous", "batch"} {
		e.call("POST", "/v1/markets", e.operator, `{"base":"GEM","quote":"COIN","mode":"`+mode+`","lot":"1","tick":"0.01","maker_fee_bps":7,"taker_fee_bps":23,"call_fee_bps":11,"value":"0.000001",
			"auction_ms":1,"batch_ms":200,"random_end_ms":0,"locked_ms":0,"dynamic_band_bps":0,"static_band_bps":0}`, http.StatusCreated, nil)
		e.call("POST", fmt.Sprintf("/v1/markets/%d/auction", i+1), e.operator, `{"reference":"10"}`, http.StatusOK, nil)
	}
	e.call("PUT", "/v1/tiers/0", e.operator, `{"tier":0,"order":"1000000","daily":"1000000","holdings":"1000000000","open_orders":1000,"messages_per_second":100000,"messages_burst":100000}`, http.StatusOK, nil)
}

// admit makes people with accounts and money.
func (e *exchange) admit() []trader {
	e.t.Helper()
	var issuers [2]string
	var supply wire.List[wire.Supply]
	e.call("GET", "/v1/supply", "", "", http.StatusOK, &supply)
	for _, asset := range supply.Items {
		switch asset.Asset {
		case "COIN":
			issuers[0] = asset.Issuer
		case "GEM":
			issuers[1] = asset.Issuer
		}
	}
	var events []string
	people := make([]trader, traders)
	for i := range people {
		events = append(events, fmt.Sprintf(`{"type":"track","event":"Came","userId":"t%d","messageId":"came-%d"}`, i, i))
	}
	for half := range 4 {
		part := events[half*traders/4 : (half+1)*traders/4]
		if _, done := e.post("/v1/batch", "", `{"batch":[`+strings.Join(part, ",")+`]}`, http.StatusOK); !done {
			e.t.Fatal("the events of the people were not taken")
		}
	}
	var workers sync.WaitGroup
	for worker := range 16 {
		workers.Go(func() {
			for i := worker; i < traders; i += 16 {
				people[i] = e.newTrader(i)
			}
		})
	}
	workers.Wait()
	if e.t.Failed() {
		e.t.FailNow()
	}
	for first := 0; first < traders; first += 500 {
		var legs []string
		for _, p := range people[first : first+500] {
			legs = append(legs, fmt.Sprintf(`{"from":%q,"to":%q,"amount":%q}`, issuers[0], p.coin, amount.Format(coinEach, 2)),
				fmt.Sprintf(`{"from":%q,"to":%q,"amount":"%d"}`, issuers[1], p.gem, gemEach))
		}
		e.call("POST", "/v1/transfers", e.operator, `{"legs":[`+strings.Join(legs, ",")+`]}`, http.StatusCreated, nil)
	}
	return people
}

func (e *exchange) newTrader(i int) trader {
	p := trader{placed: map[string]bool{}}
	var claim struct{ Code string }
	var key struct{ Secret, Person string }
	e.mustDo("POST", fmt.Sprintf("/v1/worlds/cafe/users/t%d/claim", i), e.server, "", &claim)
	e.mustDo("POST", "/v1/claims", "", fmt.Sprintf(`{"code":%q}`, claim.Code), &key)
	p.key = key.Secret
	for asset, into := range map[string]*string{"COIN": &p.coin, "GEM": &p.gem} {
		var account struct{ Account string }
		e.mustDo("POST", "/v1/accounts", p.key, fmt.Sprintf(`{"person":%q,"asset":%q}`, key.Person, asset), &account)
		*into = account.Account
	}
	return p
}

// mustDo makes a request that may not fail, from any goroutine.
func (e *exchange) mustDo(method, path, key, body string, into any) {
	if status, err := e.ask(method, path, key, "", body, into); err != nil || status >= 300 {
		e.t.Errorf("%s %s: status %d, %v", method, path, status, err)
	}
}

// ask makes a request once.
func (e *exchange) ask(method, path, key, idempotencyKey, body string, into any) (status int, err error) {
	request, err := http.NewRequest(method, *e.address.Load()+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	request.Header.Set("Content-Type", "application/json")
	if idempotencyKey != "" {
		request.Header.Set("Idempotency-Key", idempotencyKey)
	}
	response, err := e.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	var read bytes.Buffer
	if _, err := read.ReadFrom(response.Body); err != nil {
		return 0, err
	}
	if response.StatusCode < 300 {
		return response.StatusCode, json.Unmarshal(read.Bytes(), into)
	}
	if response.StatusCode >= 500 || response.StatusCode == http.StatusTooManyRequests {
		return response.StatusCode, fmt.Errorf("%s", read.Bytes())
	}
	return response.StatusCode, nil
}

// insist asks until there is an answer: under one key it is done once.
func (e *exchange) insist(path, key, idempotencyKey, body string, into any) (status int, err error) {
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if status, err = e.ask("POST", path, key, idempotencyKey, body, into); err == nil {
			e.answers.Add(1)
			return status, nil
		}
	}
	return status, fmt.Errorf("no answer in two minutes: %w", err)
}

func (e *exchange) trade(p *trader, random *rand.Rand) error {
	for n := range ordersATrader {
		var order wire.Order
		side := []string{"buy", "sell"}[random.IntN(2)]
		body := fmt.Sprintf(`{"market":"%d","side":%q,"price":"%s","quantity":"%d"}`, 1+random.IntN(2), side, amount.Format(995+random.Int64N(11), 2), 1+random.IntN(9))
		status, err := e.insist("/v1/orders", p.key, fmt.Sprintf("place-%d", n), body, &order)
		if err != nil {
			return err
		}
		if status < 300 {
			p.placed[order.Order] = true
			p.open = append(p.open, order)
		}
		if len(p.open) == 0 || random.IntN(2) == 0 {
			continue
		}
		some := p.open[random.IntN(len(p.open))].Order
		path, change := "/v1/orders/"+some+"/cancel", "{}"
		if random.IntN(2) == 0 {
			path, change = "/v1/orders/"+some+"/amend", fmt.Sprintf(`{"price":"%s","quantity":"%d"}`, amount.Format(995+random.Int64N(11), 2), 1+random.IntN(12))
		}
		if _, err := e.insist(path, p.key, fmt.Sprintf("change-%d", n), change, &order); err != nil {
			return err
		}
	}
	var ended wire.OrdersCancelled
	_, err := e.insist("/v1/orders/cancel", p.key, "end", "{}", &ended)
	return err
}

// caughtUp waits until the history has everything.
func (e *exchange) caughtUp() {
	e.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if response, err := e.client.Get(*e.address.Load() + "/v1/markets/1/ticker"); err == nil {
			response.Body.Close()
			if response.Header.Get("X-History-Lag-Records") == "0" {
				return
			}
		}
	}
	e.t.Fatal("the history has not caught up in two minutes")
}

// reconcile computes everybody's money from their fills.
func (e *exchange) reconcile(people []trader) {
	e.t.Helper()
	e.caughtUp()
	var fills, fees, coins, gems atomic.Int64
	var workers sync.WaitGroup
	for worker := range 16 {
		workers.Go(func() {
			for i := worker; i < len(people); i += 16 {
				p := &people[i]
				coin, gem := int64(coinEach), int64(gemEach)
				for _, f := range e.fillsOf(p) {
					if !p.placed[f.Order] {
						e.t.Errorf("trader %d has a fill of order %s, which they did not place", i, f.Order)
					}
					paid, fee, quantity := e.parse(f.Paid, 2), e.parse(f.Fee, 2), e.parse(f.Quantity, 0)
					if f.Side == "sell" {
						paid, quantity = -paid, -quantity
					}
					coin, gem = coin-paid-fee, gem+quantity
					fills.Add(1)
					fees.Add(fee)
				}
				for account, want := range map[string]int64{p.coin: coin, p.gem: gem} {
					var shown wire.Account
					e.mustDo("GET", "/v1/accounts/"+account, p.key, "", &shown)
					scale := map[bool]int{true: 2, false: 0}[account == p.coin]
					if got := e.parse(shown.Balance, scale); got != want || shown.Available != shown.Balance || got < 0 {
						e.t.Errorf("trader %d has %s (%s available) on %s, their fills come to %d", i, shown.Balance, shown.Available, account, want)
					}
				}
				coins.Add(coin)
				gems.Add(gem)
			}
		})
	}
	workers.Wait()
	e.t.Logf("%d answers, %d fills, %d hundredths of COIN in fees", e.answers.Load(), fills.Load(), fees.Load())
	if coins.Load()+fees.Load() != traders*coinEach || gems.Load() != traders*gemEach {
		e.t.Errorf("people have %d and %d, fees are %d: not what was issued", coins.Load(), gems.Load(), fees.Load())
	}
	if fills.Load() < traders || fees.Load() == 0 {
		e.t.Error("too little was traded for the power cuts to mean anything")
	}
}

func (e *exchange) fillsOf(p *trader) (all []wire.PastFill) {
	for cursor := ""; ; {
		var page wire.List[wire.PastFill]
		e.mustDo("GET", "/v1/people/me/fills?limit=500&cursor="+cursor, p.key, "", &page)
		if all = append(all, page.Items...); page.NextCursor == "" {
			return all
		}
		cursor = page.NextCursor
	}
}

func (e *exchange) parse(text string, scale int) int64 {
	v, err := amount.Parse(text, scale)
	if err != nil {
		e.t.Errorf("%q is no amount: %v", text, err)
	}
	return v
}
