package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/wire"
)

// MarketView is a market as it is after a message of its stream.
type MarketView struct {
	// Sequence is the message's number.
	Sequence uint64
	wire.BookState
	// Bids and Asks are up to 100 levels of each side, the best first.
	Bids, Asks []wire.Level
	// Trades are those that the message tells, the oldest first.
	Trades []wire.Trade
	// Anew says that the view comes from a snapshot: at first, and when messages
	// in between are lost. What was traded meanwhile is then not told; ListTrades
	// has it.
	Anew bool
}

// ErrGap: the messages of a stream are not numbered one after the other.
var ErrGap = errors.New("client: messages of the stream are missing")

// WatchMarket follows a market by its stream (follow-market) and puts the
// messages together: each time round is the whole book as it is then. Lost
// connections and restarts of the bank are gone over, as by FollowMarket.
// Messages are numbered; where one is missing, the stream is begun anew with a
// snapshot, up to Config.Attempts times in a row.
func (c *Client) WatchMarket(ctx context.Context, market string, options ...Option) iter.Seq2[MarketView, error] {
	return func(yield func(MarketView, error) bool) {
		for failures := 1; ; failures++ {
			book := &keptBook{}
			err := func() error {
				for event, err := range c.FollowMarket(ctx, market, options...) {
					var view MarketView
					if err == nil {
						view, err = book.take(event)
					}
					if err != nil {
						return err
					}
					if !view.Anew {
						failures = 1
					}
					if !yield(view, nil) {
						return nil
					}
				}
				return nil
			}()
			if err == nil {
				return
			}
			pause, _ := pauseAfter(&lostError{err}, again, failures)
			if !errors.Is(err, ErrGap) || failures >= c.attempts || !wait(ctx, pause) {
				yield(MarketView{}, errors.Join(ctx.Err(), err))
				return
			}
			options = append(slices.Clone(options), Since("")) // a snapshot first
		}
	}
}

// keptBook is a book as the messages so far make it.
type keptBook struct {
	begun bool
	view  MarketView
}

// take puts a message to the others. It returns ErrGap if one between them is
// missing.
func (b *keptBook) take(event StreamEvent) (MarketView, error) {
	v := &b.view
	v.Trades, v.Anew = nil, false
	var err error
	switch event.Name {
	case "snapshot":
		var s wire.BookSnapshot
		err = json.Unmarshal(event.Data, &s)
		*v = MarketView{Sequence: s.Sequence, BookState: s.BookState, Bids: s.Bids, Asks: s.Asks, Anew: true}
		b.begun = true
	case "change":
		var change wire.BookChange
		if err = json.Unmarshal(event.Data, &change); err == nil {
			err = b.follows(change.Sequence)
		}
		v.BookState = change.BookState
		v.Bids, v.Asks = put(v.Bids, change.Bids, -1), put(v.Asks, change.Asks, 1)
	case "trades":
		var trades wire.NewTrades
		if err = json.Unmarshal(event.Data, &trades); err == nil {
			err = b.follows(trades.Sequence)
		}
		v.Trades = trades.Trades
	default:
		return *v, nil // of a later bank
	}
	if err != nil {
		return MarketView{}, fmt.Errorf("client: a message of the stream of a market: %w", err)
	}
	return *v, nil
}

func (b *keptBook) follows(sequence uint64) error {
	if !b.begun || sequence != b.view.Sequence+1 {
		return fmt.Errorf("%w: %d follows %d", ErrGap, sequence, b.view.Sequence)
	}
	b.view.Sequence = sequence
	return nil
}

// put returns levels with those that have changed, in their order: by price,
// ascending for 1 and descending for -1. Those of before stay as they are, so
// that a view that was handed out does.
func put(levels, changed []wire.Level, direction int) []wire.Level {
	levels = slices.Clone(levels)
	for _, l := range changed {
		i, there := slices.BinarySearchFunc(levels, l, func(a, b wire.Level) int { return direction * comparePrices(a.Price, b.Price) })
		switch {
		case there && l.Quantity == "0":
			levels = slices.Delete(levels, i, i+1)
		case there:
			levels[i] = l
		case l.Quantity != "0":
			levels = slices.Insert(levels, i, l)
		}
	}
	return levels
}

// comparePrices compares two decimals above zero as the bank writes them: with
// no sign, exponent or needless zeros in front.
func comparePrices(a, b string) int {
	wholeA, partA, _ := strings.Cut(a, ".")
	wholeB, partB, _ := strings.Cut(b, ".")
	if len(wholeA) != len(wholeB) {
		return len(wholeA) - len(wholeB)
	}
	if order := strings.Compare(wholeA, wholeB); order != 0 {
		return order
	}
	return strings.Compare(strings.TrimRight(partA, "0"), strings.TrimRight(partB, "0"))
}
