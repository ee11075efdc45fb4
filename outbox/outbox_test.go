package outbox_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/outbox"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// rig is an outbox on a bank with a person who has TIME and a world that sells
// a song, and a receiver on a real server.
type rig struct {
	*testing.T
	state   *bank.State
	records []outbox.Record
	nowMS   int64

	store  *memory.Outbox
	outbox *outbox.Outbox
	ended  []bool

	receiver *httptest.Server
	mu       sync.Mutex
	got      []received
	answer   func(n int) (status int, body string) // n counts from 1
}

type received struct {
	id   string
	body map[string]any
}

var secret = [32]byte{1, 2, 3}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, state: bank.New(), nowMS: 1_767_225_600_000, store: memory.NewOutbox(), answer: func(int) (int, string) { return 204, "" }}
	r.apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	r.apply(bank.Mint{Person: [16]byte{7}, World: 1, Day: bank.Day(r.nowMS), Revision: 1, CumulativePointsMicro: 600_000_000}.AppendTo(nil))
	r.nowMS += 26 * 60 * 60 * 1000
	r.apply(bank.AppendTick(nil))
	r.apply(bank.SetProduct{Product: bank.Product{World: 1, Code: "song", Kind: bank.Service, PriceMicro: 500_000, DeadlineMS: 600_000, OnSale: true}}.AppendTo(nil))
	r.receiver = httptest.NewServer(http.HandlerFunc(r.receive))
	t.Cleanup(r.receiver.Close)
	r.open()
	return r
}

func (r *rig) open() {
	r.outbox = outbox.New(r.store, r, outbox.Options{
		NowMS: func() int64 { return r.nowMS }, Sales: r, Private: true,
		Secret: func(uint32, uint32) [32]byte { return secret },
		EndPurchase: func(_ context.Context, purchase uint64, delivered bool) error {
			r.apply(bank.EndPurchase{Purchase: purchase, Delivered: delivered}.AppendTo(nil))
			r.ended = append(r.ended, delivered)
			return nil
		},
	})
}

func (r *rig) apply(command []byte) {
	seq := uint64(len(r.records) + 1)
	r.state.Begin(seq, r.nowMS)
	r.records = append(r.records, outbox.Record{Seq: seq, TimeMS: r.nowMS, Answers: [][]byte{r.state.Apply(command, nil)}})
}

// buy buys a song.
func (r *rig) buy() {
	r.apply(bank.Purchase{Buyer: 1, Product: 1, Quantity: 1, MaxTotalMicro: 500_000}.AppendTo(nil))
}

// receive checks the signature as receivers do, and answers.
func (r *rig) receive(w http.ResponseWriter, request *http.Request) {
	text, err := io.ReadAll(request.Body)
	if err != nil {
		return // the sender has gone away
	}
	webhook, err := standardwebhooks.NewWebhook(outbox.SecretText(secret))
	if err == nil {
		err = webhook.VerifyIgnoringTimestamp(text, request.Header)
	}
	if err != nil {
		r.Errorf("the signature: %v", err)
	}
	got := received{id: request.Header.Get("webhook-id")}
	if err := json.Unmarshal(text, &got.body); err != nil {
		r.Error(err)
	}
	r.mu.Lock()
	r.got = append(r.got, got)
	status, body := r.answer(len(r.got))
	r.mu.Unlock()
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func (r *rig) Durable() uint64                   { return uint64(len(r.records)) }
func (r *rig) WaitNewer(context.Context, uint64) {}

func (r *rig) Sale(_ context.Context, number uint64) (outbox.Sale, error) {
	purchase, _ := r.state.Purchase(number)
	product := r.state.Product(purchase.Product)
	buyer, _ := r.state.PersonID(purchase.Buyer)
	return outbox.Sale{World: product.World, Product: product.Code, Buyer: buyer}, nil
}

func (r *rig) Thing(_ context.Context, number uint64) (outbox.Thing, error) {
	good, _ := r.state.Good(number)
	asset := r.state.Books().Asset(good.Asset)
	return outbox.Thing{World: asset.World, Asset: asset.Code, ID: good.ID}, nil
}

func (r *rig) Person(_ context.Context, number uint64) ([16]byte, error) {
	id, _ := r.state.PersonID(number)
	return id, nil
}

func (r *rig) Load(_ context.Context, from uint64) iter.Seq2[outbox.Record, error] {
	return func(yield func(outbox.Record, error) bool) {
		for _, record := range r.records[from-1:] {
			if !yield(record, nil) {
				return
			}
		}
	}
}

// pass reads the journal and sends what is due.
func (r *rig) pass() {
	r.Helper()
	if err := r.outbox.CatchUp(r.Context()); err != nil {
		r.Fatal(err)
	}
	if _, err := r.outbox.SendDue(r.Context()); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) endpoint() {
	r.Helper()
	if err := r.store.SetEndpoint(r.Context(), outbox.Endpoint{World: 1, URL: r.receiver.URL}); err != nil {
		r.Fatal(err)
	}
}

// message returns a message of world 1, counted from 0, the oldest.
func (r *rig) message(place int) outbox.Message {
	r.Helper()
	messages, err := r.store.Messages(r.Context(), 1, 0, 100)
	if err != nil || place >= len(messages) {
		r.Fatalf("%d messages, %v", len(messages), err)
	}
	return messages[len(messages)-1-place]
}

// A world that answers at once ends the purchase, one way or the other.
func TestAPurchaseIsEndedByTheAnswer(t *testing.T) {
	for _, delivered := range []bool{true, false} {
		r := newRig(t)
		r.endpoint()
		r.answer = func(int) (int, string) {
			return 200, map[bool]string{true: `{"delivered":true}`, false: `{"delivered":false}`}[delivered]
		}
		r.buy()
		r.pass()
		if view, _ := r.state.Purchase(1); (view.Outcome == bank.Delivered) != delivered || view.Outcome == bank.Pending {
			t.Errorf("the purchase is %s, answered was %v", view.Outcome, delivered)
		}
		r.pass() // tells how it ended
		var kinds []string
		for _, got := range r.got {
			kinds = append(kinds, got.body["type"].(string))
		}
		if strings.Join(kinds, " ") != "purchase.created purchase.ended" {
			t.Errorf("told was %v", kinds)
		}
		if data := r.got[0].body["data"].(map[string]any); data["total"] != "0.5" || data["product"] != "song" || data["service"] != true || data["purchase"] != "1" {
			t.Errorf("told of the purchase was %v", data)
		}
	}
}

// What fails is tried again with growing pauses under the same id, and is dead
// after the last attempt; somebody can send it again.
func TestFailuresAreTriedAgain(t *testing.T) {
	r := newRig(t)
	r.endpoint()
	r.answer = func(int) (int, string) { return 500, "secret of the receiver" }
	r.buy()
	for attempt := 1; attempt <= outbox.MaxAttempts; attempt++ {
		r.pass()
		message := r.message(0)
		if message.Attempts != attempt || message.Fault != "status 500" || (message.Status == outbox.Dead) != (attempt == outbox.MaxAttempts) {
			t.Fatalf("after attempt %d: %+v", attempt, message)
		}
		r.pass() // nothing is due
		r.nowMS = max(r.nowMS, message.NextMS)
	}
	if len(r.got) != outbox.MaxAttempts || r.got[0].id != r.got[len(r.got)-1].id || r.got[0].id == "" {
		t.Fatalf("%d attempts, expected %d under one id", len(r.got), outbox.MaxAttempts)
	}
	r.answer = func(int) (int, string) { return 204, "" }
	if err := r.outbox.SendAgain(t.Context(), r.message(0).Number); err != nil {
		t.Fatal(err)
	}
	r.pass()
	if message := r.message(0); message.Status != outbox.Delivered {
		t.Errorf("sent again it is %+v", message)
	}
}

// A crash or a lost reply of the store sends a message twice, under one id, and
// never lets one out.
func TestNothingIsLetOut(t *testing.T) {
	r := newRig(t)
	r.endpoint()
	r.buy()
	failing := 0
	r.store.After = func() error {
		if failing++; failing%2 == 1 {
			return errors.New("the reply was lost")
		}
		return nil
	}
	for range 20 {
		r.open() // a restart
		if err := r.outbox.CatchUp(t.Context()); err == nil {
			r.outbox.SendDue(t.Context()) // it fails every other time
		}
	}
	r.store.After = nil
	r.open()
	r.pass()
	messages, err := r.store.Messages(t.Context(), 1, 0, 10)
	if err != nil || len(messages) != 1 || messages[0].Status != outbox.Delivered {
		t.Fatalf("%v, %v; expected one message, delivered", messages, err)
	}
	for _, got := range r.got {
		if got.id != r.got[0].id {
			t.Errorf("sent as %s and as %s", r.got[0].id, got.id)
		}
	}
}

// A receiver that says that it is gone gets nothing more, and a world without
// one has its messages kept.
func TestGoneAndNowhere(t *testing.T) {
	r := newRig(t)
	r.buy()
	r.pass()
	if message := r.message(0); message.Status != outbox.Dead || message.Fault != "the world has no endpoint" {
		t.Errorf("without an endpoint: %+v", message)
	}
	r.endpoint()
	r.answer = func(int) (int, string) { return 410, "" }
	r.buy()
	r.buy()
	r.pass()
	r.pass()
	if endpoint, err := r.store.Endpoint(t.Context(), 1); err != nil || !endpoint.Disabled {
		t.Errorf("after 410: %+v, %v", endpoint, err)
	}
	sent := len(r.got)
	r.buy()
	r.pass()
	if len(r.got) != sent || r.message(3).Status != outbox.Dead {
		t.Errorf("a message was sent to a receiver that is gone")
	}
}

// An outbox that has read another journal says so and tells nobody anything.
func TestAnotherJournal(t *testing.T) {
	r := newRig(t)
	r.endpoint()
	r.buy()
	r.pass()
	for _, records := range [][]outbox.Record{r.records[:3], append(r.records[:len(r.records)-1:len(r.records)-1], outbox.Record{Seq: r.Durable(), Hash: [32]byte{9}})} {
		r.records = records
		r.open()
		if err := r.outbox.CatchUp(t.Context()); !errors.Is(err, outbox.ErrForeign) {
			t.Errorf("%v, expected that it belongs to another journal", err)
		}
	}
}

// Nothing is sent into networks of the operator, whatever a URL or a name says.
func TestPrivateNetworksAreOutOfReach(t *testing.T) {
	for url, want := range map[string]bool{
		"https://cafe.example/hook": true, "https://203.0.113.9/hook": true, "http://cafe.example/hook": false, "https://127.0.0.1/": false,
		"https://[::1]/": false, "https://10.0.0.1/": false, "https://192.168.1.1/": false, "https://169.254.169.254/latest": false,
		"https://[::ffff:10.0.0.1]/": false, "https://100.64.0.1/": false, "https://user:word@cafe.example/": false, "ftp://cafe.example/": false, "https:///x": false, "cafe": false,
	} {
		if err := outbox.CheckURL(url, false); (err == nil) != want {
			t.Errorf("%s: %v", url, err)
		}
	}
	if err := outbox.CheckURL("http://127.0.0.1:8080/hook", true); err != nil {
		t.Errorf("where private networks are allowed: %v", err)
	}
	// A name that leads inside.
	r := newRig(t)
	inside := strings.Replace(r.receiver.URL, "127.0.0.1", "localhost", 1)
	if err := r.store.SetEndpoint(t.Context(), outbox.Endpoint{World: 1, URL: inside}); err != nil {
		t.Fatal(err)
	}
	r.outbox = outbox.New(r.store, r, outbox.Options{
		NowMS: func() int64 { return r.nowMS }, Sales: r, Secret: func(uint32, uint32) [32]byte { return secret },
		EndPurchase: func(context.Context, uint64, bool) error { return nil },
	})
	r.buy()
	r.pass()
	if message := r.message(0); len(r.got) != 0 || message.Fault != "no connection" {
		t.Errorf("a message went inside: %+v", message)
	}
}

// A world is told whose its unique goods become: bought of it, sold on, given,
// taken back.
func TestGoodsAreTold(t *testing.T) {
	r := newRig(t)
	r.endpoint()
	r.apply(bank.Mint{Person: [16]byte{8}, World: 1, Day: bank.Day(r.nowMS), Revision: 1, CumulativePointsMicro: 600_000_000}.AppendTo(nil))
	r.nowMS += 26 * 60 * 60 * 1000
	r.apply(bank.AppendTick(nil))
	r.apply(bank.RegisterAsset{Code: "LAND", World: 1}.AppendTo(nil))
	r.apply(bank.SetCollection{Collection: bank.Collection{Asset: 3, RefundWindowMS: 3_600_000, RoyaltyBPS: 1000, Givable: true}}.AppendTo(nil))
	r.apply(bank.SetGood{Asset: 3, ID: "0,1", PriceMicro: 500_000}.AppendTo(nil))
	r.apply(bank.BuyGood{Buyer: 1, Good: 1, MaxPriceMicro: 500_000}.AppendTo(nil))
	r.apply(bank.RefundGood{Good: 1}.AppendTo(nil))
	r.apply(bank.GiveGood{Good: 1, To: 1}.AppendTo(nil))
	r.apply(bank.OfferGood{Owner: 1, Good: 1, PriceMicro: 300_000}.AppendTo(nil))
	r.apply(bank.BuyGood{Buyer: 2, Good: 1, MaxPriceMicro: 300_000}.AppendTo(nil))
	r.apply(bank.BuyGood{Buyer: 2, Good: 1, MaxPriceMicro: 300_000}.AppendTo(nil)) // refused: told to nobody
	for _, command := range [][]byte{bank.BuyGood{}.AppendTo(nil), bank.GiveGood{}.AppendTo(nil), bank.RefundGood{}.AppendTo(nil)} {
		if !bank.TellsOthers(command) {
			t.Errorf("%v is not read by the outbox", command)
		}
	}
	r.pass()
	first, second := "07"+strings.Repeat("00", 15), "08"+strings.Repeat("00", 15)
	want := []map[string]any{
		{"type": "good.sold", "to": first, "price": "0.5"}, {"type": "good.refunded", "from": first, "price": "0.5"},
		{"type": "good.given", "to": first}, {"type": "good.sold", "from": first, "to": second, "price": "0.3", "royalty": "0.03"},
	}
	if len(r.got) != len(want) {
		t.Fatalf("%d messages came: %+v", len(r.got), r.got)
	}
	// They are sent side by side; their numbers are in order.
	slices.SortFunc(r.got, func(a, b received) int { return cmp.Or(cmp.Compare(len(a.id), len(b.id)), cmp.Compare(a.id, b.id)) })
	for i, got := range r.got {
		data := got.body["data"].(map[string]any)
		for _, name := range []string{"from", "to", "price", "royalty"} {
			if data[name] != want[i][name] {
				t.Errorf("message %d: %s is %v, want %v", i, name, data[name], want[i][name])
			}
		}
		if got.body["type"] != want[i]["type"] || data["asset"] != "LAND" || data["id"] != "0,1" || data["good"] != "1" {
			t.Errorf("message %d: %v", i, got.body)
		}
	}
}
