package api

import (
	"context"
	"net/http"
	"reflect"
	"sync"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

const (
	// marketEvery is how often a market that is followed is looked at: what
	// changed in between is told together, however much it was.
	marketEvery = 100 * time.Millisecond
	// marketLinger is how long a market is still looked at when nobody follows
	// any more, so that who comes back soon goes on behind what was seen.
	marketLinger        = 30 * time.Second
	marketMessages      = 4096
	marketMessagesBytes = 4 << 20
)

// marketFeeds are the markets that somebody follows. Each has one loop that
// looks at the book and at what was traded, for all who follow.
type marketFeeds struct {
	mu sync.Mutex
	of map[uint32]*marketFeed
}

// marketFeed is one market that is followed.
type marketFeed struct {
	topic *topic
	units marketUnits
	start sync.Once
	fault error // of the first look

	mu        sync.Mutex
	followers int
	idle      time.Time // since nobody follows
	told      wire.Book
	traded    history.Position // of the last trade that was told
}

func (s *server) registerMarketStream() {
	op := operation("follow-market", "GET", "/v1/markets/{market}/stream", "The best 100 prices of each side as they change, trades, and what a running call would trade", "market-data")
	op.Parameters = []*huma.Param{{Name: "market", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}}}
	s.registerStream(op, public,
		map[string]reflect.Type{"snapshot": typeOf[wire.BookSnapshot](), "change": typeOf[wire.BookChange](), "trades": typeOf[wire.NewTrades]()},
		func(r *http.Request, _ identity.Principal) (*feed, error) {
			u, err := s.marketUnits(r.Context(), r.PathValue("market"))
			if err != nil {
				return nil, err
			}
			m := s.followMarket(u)
			m.start.Do(func() { m.fault = s.beginMarket(r.Context(), m) })
			if m.fault != nil {
				m.leave()
				s.forgetMarket(m)
				return nil, m.fault
			}
			return &feed{topic: m.topic, snapshot: m.snapshot, leave: m.leave}, nil
		})
}

// followMarket returns the feed of a market with one follower more.
func (s *server) followMarket(u marketUnits) *marketFeed {
	s.marketFeeds.mu.Lock()
	defer s.marketFeeds.mu.Unlock()
	if s.marketFeeds.of == nil {
		s.marketFeeds.of = map[uint32]*marketFeed{}
	}
	m := s.marketFeeds.of[u.number]
	if m == nil {
		m = &marketFeed{topic: newTopic(marketMessages, marketMessagesBytes), units: u}
		s.marketFeeds.of[u.number] = m
	}
	m.mu.Lock()
	m.followers++
	m.mu.Unlock()
	return m
}

func (s *server) forgetMarket(m *marketFeed) {
	s.marketFeeds.mu.Lock()
	defer s.marketFeeds.mu.Unlock()
	if s.marketFeeds.of[m.units.number] == m {
		delete(s.marketFeeds.of, m.units.number)
	}
}

func (m *marketFeed) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.followers--; m.followers == 0 {
		m.idle = time.Now()
	}
}

// snapshot returns the book as it was told last, and the number of the last
// message.
func (m *marketFeed) snapshot(context.Context) (any, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	seq := m.topic.position()
	return wire.BookSnapshot{Sequence: seq, Book: m.told}, seq, nil
}

// beginMarket looks at a market for the first time and lets its loop run.
func (s *server) beginMarket(ctx context.Context, m *marketFeed) error {
	book, err := s.book(ctx, &m.units, maxDepth)
	if err != nil {
		return err
	}
	newest, err := s.History.Trades(ctx, m.units.number, history.TradeQuery{Limit: 1})
	if err != nil {
		return err
	}
	if len(newest) > 0 {
		m.traded = newest[0].Position
	}
	m.told = book
	go s.watchMarket(m)
	return nil
}

// watchMarket tells what changes until nobody follows or the bank stops.
func (s *server) watchMarket(m *marketFeed) {
	defer s.forgetMarket(m)
	ticker := time.NewTicker(marketEvery)
	defer ticker.Stop()
	for range ticker.C {
		if m.abandoned(s) {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := s.lookAtMarket(ctx, m)
		cancel()
		if err != nil {
			m.topic.close(s.problem("follow-market", err))
			return
		}
	}
}

// abandoned reports whether nobody has followed for a while. It then takes the
// feed away, so that who comes now makes another.
func (m *marketFeed) abandoned(s *server) bool {
	s.marketFeeds.mu.Lock()
	defer s.marketFeeds.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	over := m.followers == 0 && time.Since(m.idle) > marketLinger
	if over {
		delete(s.marketFeeds.of, m.units.number)
	}
	return over
}

// lookAtMarket tells what was traded since the last look and then how the book
// has changed.
func (s *server) lookAtMarket(ctx context.Context, m *marketFeed) error {
	var book wire.Book
	if err := s.Bank.Read(ctx, func(state *bank.State) { book = bookOf(state, &m.units, maxDepth) }); err != nil {
		return err
	}
	trades, err := s.History.Trades(ctx, m.units.number, history.TradeQuery{After: m.traded, Ascending: true, Limit: history.MaxPage})
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(trades) > 0 {
		told := wire.NewTrades{Sequence: m.topic.position() + 1}
		for i := range trades {
			told.Trades = append(told.Trades, shownTrade(&m.units, &trades[i]))
		}
		if _, err := m.topic.publish("trades", told); err != nil {
			return err
		}
		m.traded = trades[len(trades)-1].Position
	}
	change := wire.BookChange{Sequence: m.topic.position() + 1, BookState: book.BookState, Bids: changed(m.told.Bids, book.Bids), Asks: changed(m.told.Asks, book.Asks)}
	was := m.told.BookState
	was.Record = book.Record // a record that changed nothing here is not told
	if len(change.Bids) == 0 && len(change.Asks) == 0 && reflect.DeepEqual(was, book.BookState) {
		return nil
	}
	m.told = book
	_, err = m.topic.publish("change", change)
	return err
}

// changed returns the levels that are not as they were, and those that are gone
// with a quantity of 0. A level that has left the best ones is gone too.
func changed(was, now []wire.Level) (list []wire.Level) {
	before := make(map[string]wire.Level, len(was))
	for _, l := range was {
		before[l.Price] = l
	}
	for _, l := range now {
		if before[l.Price] != l {
			list = append(list, l)
		}
		delete(before, l.Price)
	}
	for _, l := range was {
		if _, gone := before[l.Price]; gone {
			list = append(list, wire.Level{Price: l.Price, Quantity: "0"})
		}
	}
	return list
}
