package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// load is what clients have done to a bank: what was acknowledged, and what
// was sent and never answered.
type load struct {
	mu                           sync.Mutex
	ackedEvents, ackedTransfers  []string
	unsureEvents, unsureTransfer []string
}

// The power fails twenty times at random moments while events and transfers
// come in. After every restart all that was acknowledged is there; what was
// not is sent again, and in the end everything is there once.
func TestKilledTwentyTimes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("ATTENTIONBANK_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("repeat with ATTENTIONBANK_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	b := newBank(t)
	from, to := b.fundedAccounts()
	day := time.Now()
	all := &load{}
	for round := range 20 {
		l := &load{}
		var clients sync.WaitGroup
		stop := make(chan struct{})
		for client := range 3 {
			clients.Go(func() { b.sendEvents(l, fmt.Sprintf("r%d-c%d", round, client), stop) })
			clients.Go(func() { b.sendTransfers(l, from, to, fmt.Sprintf("r%d-c%d", round, client), stop) })
		}
		time.Sleep(time.Duration(20+random.IntN(300)) * time.Millisecond)
		b.kill()
		close(stop)
		clients.Wait()
		b.start()
		b.requireThere(l, to, len(all.ackedTransfers))
		b.sendAgain(l, from, to)
		all.ackedEvents = append(all.ackedEvents, append(l.ackedEvents, l.unsureEvents...)...)
		all.ackedTransfers = append(all.ackedTransfers, append(l.ackedTransfers, l.unsureTransfer...)...)
	}
	t.Logf("%d events and %d transfers", len(all.ackedEvents), len(all.ackedTransfers))
	if len(all.ackedEvents) < 100 || len(all.ackedTransfers) < 100 {
		t.Fatal("too little happened for the kills to mean anything")
	}
	if got := b.balance(to); got != len(all.ackedTransfers) {
		t.Errorf("%d transfers were made, %d arrived", len(all.ackedTransfers), got)
	}
	if got := b.interactions("killed-user", day); got != int64(len(all.ackedEvents)) {
		t.Errorf("%d events were sent, %d count", len(all.ackedEvents), got)
	}
	b.stop()
	b.requireClean()
}

// fundedAccounts returns a world's account with plenty of an asset of scale 0,
// and an empty one.
func (b *bank) fundedAccounts() (from, to string) {
	b.t.Helper()
	var asset struct{ Issuer string }
	b.call("POST", "/v1/assets", b.operator, `{"asset":"TOKEN","scale":0,"world":"cafe"}`, http.StatusCreated, &asset)
	for sub, into := range []*string{&from, &to} {
		var account struct{ Account string }
		b.call("POST", "/v1/accounts", b.operator, fmt.Sprintf(`{"world":"cafe","asset":"TOKEN","sub":%d}`, sub), http.StatusCreated, &account)
		*into = account.Account
	}
	b.call("POST", "/v1/transfers", b.operator, fmt.Sprintf(`{"legs":[{"from":%q,"to":%q,"amount":"1000000"}]}`, asset.Issuer, from), http.StatusCreated, nil)
	return from, to
}

func (b *bank) balance(account string) int {
	b.t.Helper()
	var shown struct{ Balance string }
	b.call("GET", "/v1/accounts/"+account, b.operator, "", http.StatusOK, &shown)
	balance, err := strconv.Atoi(shown.Balance)
	if err != nil {
		b.t.Fatal(err)
	}
	return balance
}

// post sends a request and reports whether it was answered with the status.
func (b *bank) post(path, idempotencyKey, body string, status int) (answer []byte, acknowledged bool) {
	request, err := http.NewRequest("POST", b.url+path, strings.NewReader(body))
	if err != nil {
		return nil, false
	}
	request.Header.Set("Authorization", "Bearer "+b.server)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", idempotencyKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, false
	}
	defer response.Body.Close()
	var read bytes.Buffer
	if _, err := read.ReadFrom(response.Body); err != nil {
		return nil, false
	}
	return read.Bytes(), response.StatusCode == status
}

func eventBody(id string) string {
	return fmt.Sprintf(`{"type":"track","event":"Jumped","userId":"killed-user","messageId":%q}`, id)
}

func (b *bank) sendEvents(l *load, name string, stop chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		var ids, bodies []string
		for i := range 5 {
			id := fmt.Sprintf("%s-%d-%d", name, n, i)
			ids, bodies = append(ids, id), append(bodies, eventBody(id))
		}
		_, acknowledged := b.post("/v1/batch", "", `{"batch":[`+strings.Join(bodies, ",")+`]}`, http.StatusOK)
		l.mu.Lock()
		if acknowledged {
			l.ackedEvents = append(l.ackedEvents, ids...)
		} else {
			l.unsureEvents = append(l.unsureEvents, ids...)
		}
		l.mu.Unlock()
		if !acknowledged {
			return
		}
	}
}

func transferBody(from, to string) string {
	return fmt.Sprintf(`{"legs":[{"from":%q,"to":%q,"amount":"1"}]}`, from, to)
}

func (b *bank) sendTransfers(l *load, from, to, name string, stop chan struct{}) {
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		default:
		}
		key := fmt.Sprintf("%s-%d", name, n)
		_, acknowledged := b.post("/v1/transfers", key, transferBody(from, to), http.StatusCreated)
		l.mu.Lock()
		if acknowledged {
			l.ackedTransfers = append(l.ackedTransfers, key)
		} else {
			l.unsureTransfer = append(l.unsureTransfer, key)
		}
		l.mu.Unlock()
		if !acknowledged {
			return
		}
	}
}

// requireThere requires what was acknowledged to be there after a restart, and
// nothing that was never sent.
func (b *bank) requireThere(l *load, to string, before int) {
	b.t.Helper()
	least, most := before+len(l.ackedTransfers), before+len(l.ackedTransfers)+len(l.unsureTransfer)
	if got := b.balance(to); got < least || got > most {
		b.t.Fatalf("after a restart %d transfers are there, at least %d were acknowledged and at most %d sent", got, least, most)
	}
	for _, id := range l.ackedEvents {
		if verdict := b.verdict(id); verdict != "accepted" {
			b.t.Fatalf("after a restart the acknowledged message %s is %s", id, verdict)
		}
	}
}

// sendAgain retries what was never answered.
func (b *bank) sendAgain(l *load, from, to string) {
	b.t.Helper()
	for _, key := range l.unsureTransfer {
		if answer, acknowledged := b.post("/v1/transfers", key, transferBody(from, to), http.StatusCreated); !acknowledged {
			b.t.Fatalf("the retry of transfer %s was answered %s", key, answer)
		}
	}
	for _, id := range l.unsureEvents {
		answer, acknowledged := b.post("/v1/batch", "", `{"batch":[`+eventBody(id)+`]}`, http.StatusOK)
		var verdicts struct {
			Verdicts []struct{ Verdict, First string }
		}
		if err := json.Unmarshal(answer, &verdicts); err != nil || !acknowledged || len(verdicts.Verdicts) != 1 {
			b.t.Fatalf("the retry of message %s was answered %s", id, answer)
		}
		if v := verdicts.Verdicts[0]; v.Verdict != "accepted" && (v.Verdict != "duplicate" || v.First != "accepted") {
			b.t.Fatalf("the retry of message %s is %+v", id, v)
		}
	}
}
