package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/wire"
)

// decoded reads an answer into a message of the API.
func decoded[T any](s *stack, path, key string) (v T) {
	s.Helper()
	answer := s.do("GET", path, key, "")
	if answer.Code != 200 {
		s.Fatalf("%s: %s", path, answer.Body)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &v); err != nil {
		s.Fatal(err)
	}
	return v
}

func (s *stack) order(key, market, side, price, quantity string) map[string]any {
	s.Helper()
	return s.ok("POST", "/v1/orders", key, `{"market":"`+market+`","side":"`+side+`","price":"`+price+`","quantity":"`+quantity+`"}`)
}

func TestMarketData(t *testing.T) {
	s := newStack(t)
	m := s.market("continuous")
	at := "/v1/markets/" + m
	sale := s.order(s.person, m, "sell", "10.1", "2")
	s.order(s.person, m, "sell", "10.2", "1")
	s.order(s.otherPerson, m, "buy", "9.5", "1.5")
	s.order(s.otherPerson, m, "buy", "10.1", "0.5")
	s.nowMS += 60_000
	s.order(s.otherPerson, m, "buy", "10.1", "0.3")
	s.catchUp()

	book := decoded[wire.Book](s, at+"/book", "")
	if want := []wire.Level{{Price: "10.1", Quantity: "1.2", Orders: 1}, {Price: "10.2", Quantity: "1", Orders: 1}}; !reflect.DeepEqual(book.Asks, want) ||
		len(book.Bids) != 1 || book.Bids[0].Price != "9.5" || book.Phase != "continuous" || book.Reference == "" {
		t.Errorf("the book: %+v", book)
	}
	if narrow := decoded[wire.Book](s, at+"/book?depth=1", ""); len(narrow.Asks) != 1 {
		t.Errorf("a level of each side: %+v", narrow)
	}
	s.refused(http.StatusUnprocessableEntity, "invalid_request", "GET", at+"/book?depth=101", "", "")
	s.refused(http.StatusNotFound, "market_not_found", "GET", "/v1/markets/7/book", "", "")

	trades := decoded[wire.List[wire.Trade]](s, at+"/trades?limit=1", "")
	if len(trades.Items) != 1 || trades.Items[0].Quantity != "0.3" || trades.Items[0].Taker != "buy" || trades.NextCursor == "" {
		t.Errorf("the last trade: %+v", trades)
	}
	if older := decoded[wire.List[wire.Trade]](s, at+"/trades?cursor="+trades.NextCursor, ""); len(older.Items) != 1 || older.Items[0].Quantity != "0.5" || older.NextCursor != "" {
		t.Errorf("the trades before: %+v", older)
	}
	candles := decoded[wire.List[wire.Candle]](s, at+"/candles?resolution=1m&limit=1", "")
	if len(candles.Items) != 1 || candles.Items[0].Volume != "0.5" || candles.NextCursor == "" {
		t.Errorf("the first minute: %+v", candles)
	}
	if rest := decoded[wire.List[wire.Candle]](s, at+"/candles?resolution=1m&cursor="+candles.NextCursor, ""); len(rest.Items) != 1 || rest.Items[0].Volume != "0.3" {
		t.Errorf("the other minutes: %+v", rest)
	}
	if day := decoded[wire.List[wire.Candle]](s, at+"/candles?resolution=1d", ""); len(day.Items) != 1 || day.Items[0].Trades != 2 || day.Items[0].Close != "10.1" {
		t.Errorf("the day: %+v", day)
	}
	if ticker := decoded[wire.Ticker](s, at+"/ticker", ""); ticker.Last != "10.1" || ticker.Bid != "9.5" || ticker.Ask != "10.1" || ticker.Volume != "0.8" || ticker.Trades != 2 || ticker.Open != "10.1" {
		t.Errorf("the ticker: %+v", ticker)
	}

	fills := decoded[wire.List[wire.PastFill]](s, "/v1/people/me/fills?order="+sale["order"].(string), s.person)
	if len(fills.Items) != 2 || fills.Items[0].Role != "maker" || fills.Items[1].Paid != "5.05" || fills.Items[1].Fee != "0.01" || fills.Items[1].Order != sale["order"] {
		t.Errorf("the fills of the sale: %+v", fills)
	}
	if all := s.walk("/v1/people/me/fills?limit=1&market="+m, s.person, "operation"); len(all) != 2 {
		t.Errorf("the fills of the person: %v", all)
	}
	s.refused(http.StatusForbidden, "not_yours", "GET", "/v1/people/"+s.personID+"/fills", s.otherPerson, "")
	s.refused(http.StatusUnauthorized, "key_missing", "GET", "/v1/people/"+s.personID+"/fills", "", "")
}

// copied is a book as a client builds it from a stream.
type copied struct {
	*testing.T
	sequence   uint64
	state      wire.BookState
	bids, asks map[string]wire.Level
	traded     []string
}

func (c *copied) take(e sent) {
	c.Helper()
	numbered := func(sequence uint64) {
		if sequence != c.sequence+1 {
			c.Fatalf("message %d follows %d", sequence, c.sequence)
		}
		c.sequence = sequence
	}
	put := func(levels map[string]wire.Level, list []wire.Level) {
		for _, l := range list {
			if levels[l.Price] = l; l.Quantity == "0" {
				delete(levels, l.Price)
			}
		}
	}
	var err error
	switch e.event {
	case "snapshot":
		var s wire.BookSnapshot
		err = json.Unmarshal([]byte(e.data), &s)
		c.sequence, c.state, c.bids, c.asks = s.Sequence, s.BookState, map[string]wire.Level{}, map[string]wire.Level{}
		put(c.bids, s.Bids)
		put(c.asks, s.Asks)
	case "change":
		var change wire.BookChange
		err = json.Unmarshal([]byte(e.data), &change)
		numbered(change.Sequence)
		c.state = change.BookState
		put(c.bids, change.Bids)
		put(c.asks, change.Asks)
	case "trades":
		var trades wire.NewTrades
		err = json.Unmarshal([]byte(e.data), &trades)
		numbered(trades.Sequence)
		for _, trade := range trades.Trades {
			c.traded = append(c.traded, trade.Quantity)
		}
	default:
		c.Fatalf("the stream says %+v", e)
	}
	if err != nil {
		c.Fatalf("%s: %v", e.data, err)
	}
}

// equals reports whether the copy is what the book says.
func (c *copied) equals(book wire.Book) bool {
	same := func(levels map[string]wire.Level, list []wire.Level) bool {
		for _, l := range list {
			if levels[l.Price] != l {
				return false
			}
		}
		return len(levels) == len(list)
	}
	state := book.BookState
	state.Record = c.state.Record
	return same(c.bids, book.Bids) && same(c.asks, book.Asks) && reflect.DeepEqual(state, c.state)
}

func TestFollowersOfAMarketHaveItsBook(t *testing.T) {
	s := newStack(t)
	m := s.market("batch")
	on := s.listen()
	s.order(s.person, m, "sell", "10.1", "2")
	stream := s.follow(on, "/v1/markets/"+m+"/stream", "", "", 200)
	book := &copied{T: t}
	book.take(stream.next())
	until := func(r *reader, done func() bool) (last sent) {
		for !done() {
			s.catchUp()
			last = r.next()
			book.take(last)
		}
		return last
	}
	now := func() wire.Book { return decoded[wire.Book](s, "/v1/markets/"+m+"/book?depth=100", "") }
	if !book.equals(now()) || book.state.Clears == "" {
		t.Fatalf("the snapshot: %+v", book)
	}
	s.order(s.otherPerson, m, "buy", "10.3", "0.5")
	until(stream, func() bool { return book.equals(now()) })
	if book.state.Indicative == nil || book.state.Indicative.Quantity != "0.5" {
		t.Errorf("while the batch runs: %+v", book.state)
	}
	// The batch ends with the next command.
	s.nowMS += 1000
	s.order(s.otherPerson, m, "buy", "9", "0.4")
	s.catchUp()
	last := until(stream, func() bool { return book.equals(now()) && len(book.traded) == 1 })
	if book.traded[0] != "0.5" {
		t.Errorf("traded was %v", book.traded)
	}

	// Who breaks off goes on behind what was seen; who is unknown begins anew.
	stream.answer.Body.Close()
	s.order(s.otherPerson, m, "buy", "8.5", "0.2")
	again := s.follow(on, "/v1/markets/"+m+"/stream", "", last.id, 200)
	until(again, func() bool { return book.equals(now()) })
	if first := s.follow(on, "/v1/markets/"+m+"/stream", "", "other-7", 200).next(); first.event != "snapshot" || !strings.Contains(first.data, `"8.5"`) {
		t.Errorf("who is unknown gets %+v", first)
	}
	s.follow(on, "/v1/markets/77/stream", "", "", 404)
}
