package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// orderStream draws the operations of a client: 60 % passive limits one tick
// and more from a middle that walks, 30 % cancellations of a random own order
// that may still live, 10 % marketable limits. The middle is the same for all.
type orderStream struct {
	random draws
	middle *atomic.Int64
	live   []liveOrder
}

type liveOrder struct {
	person uint64
	number uint64
	name   string // over HTTP
}

// operation is an order, or the cancellation of one.
type operation struct {
	cancel          bool
	order           liveOrder
	side            market.Side
	price, quantity int64
}

// maxLive keeps a client's people below what their tier lets them have open.
const maxLive = 8000

func (s *orderStream) next() (o operation) {
	if s.random.next(20) == 0 {
		s.middle.Add(int64(s.random.next(2)*2 - 1))
	}
	kind := s.random.next(10)
	if len(s.live) > 0 && (kind >= 6 && kind < 9 || len(s.live) >= maxLive) {
		at := s.random.next(len(s.live))
		o.cancel, o.order = true, s.live[at]
		s.live[at] = s.live[len(s.live)-1]
		s.live = s.live[:len(s.live)-1]
		return o
	}
	o.side, o.quantity = market.Side(s.random.next(2)), int64(1+s.random.next(100))
	away := 1 + int64(-10*math.Log(float64(1+s.random.next(1<<20))/(1<<20)))
	if kind == 9 {
		away = -60
	}
	if o.price = s.middle.Load() - away; o.side == market.Sell {
		o.price = s.middle.Load() + away
	}
	return o
}

// placed notes an order that rests.
func (s *orderStream) placed(o liveOrder) { s.live = append(s.live, o) }

const benchMiddle = 100_000

// openBenchMarket makes people known, gives them items and coins, and opens a
// continuous market without bands between the two; everybody may trade without
// bounds.
func (n *node) openBenchMarket(ctx context.Context, people [][16]byte) error {
	config := market.DefaultConfig()
	config.Mode, config.MaxOwnerOrders, config.AuctionMS, config.RandomMS = market.Continuous, bank.MaxTierOrders, 0, 0
	config.DynamicBPS, config.StaticBPS, config.MaxOrders = 0, 0, 1<<22
	commands := [][]byte{
		bank.RegisterWorld{Code: "bench"}.AppendTo(nil),
		bank.RegisterAsset{Code: "ITEM", World: 1}.AppendTo(nil),
		bank.RegisterAsset{Code: "COIN", Scale: 2, World: 1}.AppendTo(nil),
		bank.OpenMarket{Config: config, Market: bank.Market{Base: 3, Quote: 4, LotUnits: 1, Terms: bank.Terms{MakerBPS: 10, TakerBPS: 20, CallBPS: 15, ValueMicro: 1}}}.AppendTo(nil),
		bank.CallAuction{Market: 1, Reference: benchMiddle}.AppendTo(nil),
		bank.SetTier{Tier: bank.Tier{
			OrderMicro: bank.MaxTierMicro, DailyMicro: 1 << 62, HoldingsMicro: 1 << 62, OpenOrders: bank.MaxTierOrders,
			MessagesPerSecond: bank.MaxMessages, MessagesBurst: bank.MaxMessages,
		}}.AppendTo(nil),
	}
	for _, id := range people {
		commands = append(commands, bank.RegisterPerson{ID: id}.AppendTo(nil))
	}
	for person := range people {
		for asset := uint32(3); asset <= 4; asset++ {
			commands = append(commands, bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(person + 1), Asset: asset}.AppendTo(nil))
		}
	}
	answers, err := n.journal.Submit(ctx, commands...)
	if err != nil {
		return err
	}
	var issuers [5]uint64
	var grants [][]byte
	for i, answer := range answers {
		if answer.Refusal != bank.Accepted {
			return fmt.Errorf("step %d of opening the market: %s", i, answer.Refusal)
		}
		if registered, is := bank.First[bank.AssetRegistered](answer.Bytes); is {
			issuers[registered.Asset] = registered.Issuer
		}
		if opened, is := bank.First[bank.AccountOpened](answer.Bytes); is && i >= len(answers)-2*len(people) {
			grants = append(grants, bank.Transfer{Legs: []ledger.Leg{{Debit: issuers[opened.Asset], Credit: opened.Account, Amount: 1_000_000_000_000}}}.AppendTo(nil))
		}
	}
	if _, err := n.journal.Submit(ctx, grants...); err != nil {
		return err
	}
	time.Sleep(10 * time.Millisecond) // the auction ends
	return nil
}

// benchOrders gives orders in process.
func benchOrders(ctx context.Context, site Site, length time.Duration) (m measured, err error) {
	n, err := openBench(ctx, site)
	if err != nil {
		return m, err
	}
	defer n.close()
	return n.giveOrders(ctx, length)
}

// benchOrdersFollowed gives orders and ends when the history has them all: more
// of them cannot come for ever.
func benchOrdersFollowed(ctx context.Context, site Site, length time.Duration) (m measured, err error) {
	n, err := openBench(ctx, site)
	if err != nil {
		return m, err
	}
	defer n.close()
	began := time.Now()
	if m, err = n.giveOrders(ctx, length); err != nil {
		return m, err
	}
	err = n.follower.WaitFor(ctx, n.journal.Durable())
	return measured{done: m.done, took: time.Since(began)}, err
}

// giveOrders lets 256 clients give orders, each of which waits until its order
// is durable before it gives the next.
func (n *node) giveOrders(ctx context.Context, length time.Duration) (measured, error) {
	const clients = 256
	people := make([][16]byte, 2*clients)
	for i := range people {
		binary.BigEndian.PutUint64(people[i][:], uint64(i+1))
	}
	if err := n.openBenchMarket(ctx, people); err != nil {
		return measured{}, err
	}
	middle := &atomic.Int64{}
	middle.Store(benchMiddle)
	return together(clients, length, func(client int, until time.Time) (m measured, err error) {
		stream, number := orderStream{random: draws(client + 1), middle: middle}, uint64(client)<<40
		for time.Now().Before(until) {
			o := stream.next()
			number++
			var key bank.Key
			binary.LittleEndian.PutUint64(key[:], number)
			// Who buys and who sells differ, so that nobody meets himself.
			person := uint64(1 + 2*client + int(o.side))
			var command []byte
			if o.cancel {
				command = bank.CancelOrder{Key: key, Market: 1, Person: o.order.person, Order: o.order.number}.AppendTo(nil)
			} else {
				command = bank.PlaceOrder{Key: key, Market: 1, Person: person, Side: o.side, Price: o.price, Quantity: o.quantity}.AppendTo(nil)
			}
			began := time.Now()
			answers, err := n.journal.Submit(ctx, command)
			if err != nil {
				return m, err
			}
			m.answers = append(m.answers, time.Since(began))
			m.done++
			// An order that others took meanwhile cannot be cancelled any more.
			if gone := bank.MarketRefusal(market.OrderNotFound); answers[0].Refusal != bank.Accepted && !(o.cancel && answers[0].Refusal == gone) {
				return m, fmt.Errorf("refused: %s", answers[0].Refusal)
			}
			if number, rests := restsIn(answers[0].Bytes); rests {
				stream.placed(liveOrder{person: person, number: number})
			}
		}
		return m, nil
	})
}

// restsIn returns the order that an answer placed, if it is still open.
func restsIn(answer []byte) (order uint64, rests bool) {
	for fact, err := range bank.Facts(answer) {
		if err != nil {
			return 0, false
		}
		switch f := fact.(type) {
		case bank.OrderPlaced:
			order, rests = f.Order, true
		case bank.OrderFilled:
			if f.Order == order && f.Open == 0 {
				return 0, false
			}
		}
	}
	return order, rests
}

// benchOrdersHTTP gives orders over HTTP, one a request.
func benchOrdersHTTP(ctx context.Context, site Site, length time.Duration) (measured, error) {
	const clients = 64
	n, err := openBench(ctx, site)
	if err != nil {
		return measured{}, err
	}
	defer n.close()
	keys, err := n.benchTraders(ctx, 2*clients)
	if err != nil {
		return measured{}, err
	}
	address, stop, err := serveBench(n)
	if err != nil {
		return measured{}, err
	}
	defer stop()
	middle := &atomic.Int64{}
	middle.Store(benchMiddle)
	return together(clients, length, func(client int, until time.Time) (m measured, err error) {
		wire, err := dialWire(address)
		if err != nil {
			return m, err
		}
		defer wire.close()
		stream := orderStream{random: draws(client + 1), middle: middle}
		for number := 0; time.Now().Before(until); number++ {
			o := stream.next()
			person := uint64(2*client + int(o.side))
			path, body := "/v1/orders", fmt.Appendf(nil, `{"market":"1","side":"%s","price":"%d.%02d","quantity":"%d"}`, [...]string{"buy", "sell"}[o.side], o.price/100, o.price%100, o.quantity)
			if o.cancel {
				person, path, body = o.order.person, "/v1/orders/"+o.order.name+"/cancel", []byte(`{}`)
			}
			began := time.Now()
			status, answer, err := wire.send(path, keys[person], fmt.Sprintf("%d-%d", client, number), body)
			if err != nil {
				return m, err
			}
			m.answers = append(m.answers, time.Since(began))
			m.done++
			if status/100 != 2 && !(o.cancel && status == http.StatusNotFound) {
				return m, fmt.Errorf("status %d: %s", status, answer)
			}
			var shown struct{ Order, Status string }
			if !o.cancel {
				if err := json.Unmarshal(answer, &shown); err != nil {
					return m, err
				}
			}
			if shown.Status == "open" {
				stream.placed(liveOrder{person: person, name: shown.Order})
			}
		}
		return m, nil
	})
}

// benchTraders makes people who hold keys that may call as often as the machine
// lets them, and a market in which they trade.
func (n *node) benchTraders(ctx context.Context, people int) (keys []string, err error) {
	refs := make([]identity.SubjectRef, people)
	for i := range refs {
		refs[i] = identity.SubjectRef{World: 1, UserID: fmt.Sprintf("trader-%d", i)}
	}
	subjects, err := n.identity.Resolve(ctx, refs)
	if err != nil {
		return nil, err
	}
	ids := make([][16]byte, people)
	for i := range subjects {
		ids[i] = subjects[i].Person
	}
	if err := n.openBenchMarket(ctx, ids); err != nil {
		return nil, err
	}
	for _, subject := range subjects {
		secret, err := n.unlimitedKey(ctx, identity.Principal{Kind: identity.Person, World: 1, Subject: subject.Number, PersonID: subject.Person})
		if err != nil {
			return nil, err
		}
		keys = append(keys, secret)
	}
	return keys, nil
}
