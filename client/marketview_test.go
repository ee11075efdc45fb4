package client_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"sync"
	"testing"

	"github.com/attentionbank/attentionbank/client"
	"github.com/attentionbank/attentionbank/wire"
)

// sieve lies between client and bank and fails at streams: each connection has
// the next fault of the list after its first two messages. "cut" breaks it off,
// "swallow" loses a message, and then lost is called.
type sieve struct {
	*httptest.Server
	lost   func()
	mu     sync.Mutex
	faults []string
	begun  []string // the Last-Event-IDs with which connections began
}

func newSieve(t *testing.T, target string, lost func(), faults ...string) *sieve {
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	s := &sieve{lost: lost, faults: faults}
	proxy := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			if r.Header.Get("Content-Type") == "text/event-stream" {
				r.Body = &sifted{ReadCloser: r.Body, lines: bufio.NewReader(r.Body), fault: s.next(r.Request), lost: s.lost}
			}
			return nil
		},
	}
	s.Server = httptest.NewServer(proxy)
	t.Cleanup(s.Close)
	return s
}

func (s *sieve) next(r *http.Request) (fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = append(s.begun, r.Header.Get("Last-Event-ID"))
	if len(s.faults) > 0 {
		fault, s.faults = s.faults[0], s.faults[1:]
	}
	return fault
}

// sifted is the body of a stream with a fault.
type sifted struct {
	io.ReadCloser
	lines    *bufio.Reader
	fault    string
	lost     func()
	messages int
	ready    bytes.Buffer
}

func (s *sifted) Read(into []byte) (int, error) {
	for s.ready.Len() == 0 {
		var message bytes.Buffer
		for {
			line, err := s.lines.ReadBytes('\n')
			if message.Write(line); err != nil {
				return 0, err
			}
			if len(line) == 1 { // an empty line ends a message
				break
			}
		}
		if bytes.Contains(message.Bytes(), []byte("data: ")) {
			s.messages++
		}
		if s.messages == 3 && s.fault == "cut" {
			return 0, errors.New("cut")
		}
		if s.messages == 3 && s.fault == "swallow" {
			s.messages++
			s.lost()
			continue
		}
		s.ready = message
	}
	return s.ready.Read(into)
}

// trader returns a person of the world who has GEM and GOLD, as a client.
func (b *bank) trader(user string, issuers map[string]string) *client.Client {
	b.t.Helper()
	ctx := b.t.Context()
	claim, err := b.server.CreateClaim(ctx, "cafe", user)
	if err != nil {
		b.t.Fatal(err)
	}
	key, err := b.server.As("").RedeemClaim(ctx, wire.Redemption{Code: claim.Code})
	if err != nil {
		b.t.Fatal(err)
	}
	person := b.server.As(key.Secret)
	known, err := b.operator.GetUser(ctx, "cafe", user)
	if err != nil {
		b.t.Fatal(err)
	}
	for asset, issuer := range issuers {
		account, err := person.OpenAccount(ctx, wire.NewAccount{Person: known.Person, Asset: asset})
		if err == nil {
			_, err = b.operator.CreateTransfer(ctx, wire.Transfer{Legs: []wire.Leg{{From: issuer, To: account.Account, Amount: "10000"}}})
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return person
}

// The view of a market is its book, through a connection that is cut, a message
// that is lost on the way, and a power cut of the bank.
func TestWatchMarket(t *testing.T) {
	b := newBank(t)
	ctx := t.Context()
	issuers := map[string]string{}
	for _, asset := range []string{"GEM", "GOLD"} {
		made, err := b.operator.CreateAsset(ctx, wire.NewAsset{Asset: asset, World: "cafe"})
		if err != nil {
			t.Fatal(err)
		}
		issuers[asset] = made.Issuer
	}
	none := int64(0)
	market, err := b.operator.CreateMarket(ctx, wire.NewMarket{
		Base: "GEM", Quote: "GOLD", Mode: "continuous", Lot: "1", Tick: "1", MarketTerms: wire.MarketTerms{Value: "0.0001"},
		AuctionMS: 1, RandomMS: &none, LockMS: &none, DynamicBPS: &none, StaticBPS: &none,
	})
	if err == nil {
		_, err = b.operator.CallAuction(ctx, market.Market, wire.NewAuction{Reference: "100"})
	}
	if err != nil {
		t.Fatal(err)
	}
	seller, buyer := b.trader("ann", issuers), b.trader("bob", issuers)
	place := func(who *client.Client, side, price, quantity string) {
		t.Helper()
		if _, err := who.PlaceOrder(ctx, wire.NewOrder{Market: market.Market, Side: side, Price: price, Quantity: quantity}); err != nil {
			t.Fatal(err)
		}
	}
	// That a message is missing shows with the next.
	between := newSieve(t, b.url, func() { place(buyer, "buy", "7", "1") }, "cut", "swallow", "")
	watching, err := client.New(client.Config{URL: between.URL, Attempts: 20})
	if err != nil {
		t.Fatal(err)
	}
	// Each step is taken when the one before shows.
	steps := []struct {
		do    func()
		shows func(v client.MarketView) bool
	}{
		{func() { place(seller, "sell", "101", "5") }, func(v client.MarketView) bool { return len(v.Asks) == 1 }},
		{func() { place(seller, "sell", "99", "5") }, func(v client.MarketView) bool { return len(v.Asks) == 2 && v.Asks[0].Price == "99" }},
		{func() { place(buyer, "buy", "98", "2") }, func(v client.MarketView) bool { return len(v.Bids) == 1 }},
		{func() { place(buyer, "buy", "9", "2") }, func(v client.MarketView) bool {
			return len(v.Bids) == 3 && v.Bids[0].Price == "98" && v.Bids[2].Price == "7"
		}},
		{func() { place(buyer, "buy", "99", "3") }, func(v client.MarketView) bool { return v.Asks[0].Quantity == "2" }},
		{func() { place(seller, "sell", "9", "4") }, func(v client.MarketView) bool { return len(v.Bids) == 1 }},
		{func() { b.kill(); b.start(); place(buyer, "buy", "8", "1") }, func(v client.MarketView) bool { return len(v.Bids) == 2 }},
	}
	views, snapshots, step := 0, 0, -1
	var last client.MarketView
	for v, err := range watching.WatchMarket(ctx, market.Market) {
		if err != nil {
			t.Fatal(err)
		}
		if views++; v.Anew {
			snapshots++
		} else if v.Sequence != last.Sequence+1 {
			t.Fatalf("view %d follows %d", v.Sequence, last.Sequence)
		}
		if last = v; step < 0 || steps[step].shows(v) {
			if step++; step == len(steps) {
				break
			}
			steps[step].do()
		}
	}
	book, err := b.operator.GetBook(ctx, market.Market, client.Where("depth", "100"))
	if err != nil {
		t.Fatal(err)
	}
	book.Record = last.Record
	if !reflect.DeepEqual(book, wire.Book{BookState: last.BookState, Bids: last.Bids, Asks: last.Asks}) {
		t.Errorf("the view is %+v, the book %+v", last, book)
	}
	between.mu.Lock()
	defer between.mu.Unlock()
	// The first begins, the second goes on behind the cut, the third begins anew
	// after the gap, and so does the one after the power cut.
	if len(between.faults) > 0 || len(between.begun) < 4 || between.begun[0] != "" || between.begun[1] == "" || between.begun[2] != "" || snapshots != 3 {
		t.Errorf("connections began behind %q, with %d snapshots; left are the faults %q", between.begun, snapshots, between.faults)
	}
}
