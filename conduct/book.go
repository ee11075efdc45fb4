package conduct

import (
	"slices"

	"github.com/attentionbank/attentionbank/market"
)

// level is what rests at a price.
type level struct{ price, quantity int64 }

// sides are the levels of a market, [market.Buy] and [market.Sell], each the
// best first.
type sides [2][]level

// find returns where a price stands or would stand.
func (s *sides) find(side market.Side, price int64) (at int, there bool) {
	return slices.BinarySearchFunc(s[side], price, func(l level, price int64) int {
		if side == market.Buy {
			l.price, price = -l.price, -price
		}
		return int(min(max(l.price-price, -1), 1))
	})
}

// add changes what rests at a price.
func (s *sides) add(side market.Side, price, quantity int64) {
	at, there := s.find(side, price)
	if !there {
		if quantity > 0 {
			s[side] = slices.Insert(s[side], at, level{price, quantity})
		}
		return
	}
	s[side][at].quantity += quantity
	if s[side][at].quantity <= 0 {
		s[side] = slices.Delete(s[side], at, at+1)
	}
}

// best returns the best level of a side.
func (s *sides) best(side market.Side) (level, bool) {
	if len(s[side]) == 0 {
		return level{}, false
	}
	return s[side][0], true
}

// indicative returns the middle of the prices at which a call would trade most
// if it ended now; 0 if nothing would trade. Only the levels that cross count,
// so it takes time in proportion to them.
func (s *sides) indicative() int64 {
	buys, sells := s[market.Buy], s[market.Sell]
	var i, j int
	var bought, sold, low, high int64
	for i < len(buys) && j < len(sells) && buys[i].price >= sells[j].price {
		// The last pair that still crosses has the prices between.
		low, high = sells[j].price, buys[i].price
		left := (bought + buys[i].quantity) - (sold + sells[j].quantity)
		if left <= 0 {
			bought += buys[i].quantity
			i++
		}
		if left >= 0 {
			sold += sells[j].quantity
			j++
		}
	}
	if high == 0 {
		return 0
	}
	return (low + high) / 2
}

// resting is an order as the watch needs it.
type resting struct {
	person   uint64
	side     market.Side
	price    int64
	open     int64
	placed   int64 // its whole quantity
	placedMS int64
	// large says that it was large and near the best price when it was placed.
	large bool
	// movedBPS is by how much it moved the price of the running call.
	movedBPS int64
}

// samples is a ring of the last quantities at the best price, of which the
// median is what is usual.
type samples struct {
	ring [101]int64
	next int
	full bool
}

func (s *samples) add(quantity int64) {
	s.ring[s.next] = quantity
	s.next++
	if s.next == len(s.ring) {
		s.next, s.full = 0, true
	}
}

// median returns the lower of the two in the middle; 0 before 20 were seen.
func (s *samples) median() int64 {
	n := s.next
	if s.full {
		n = len(s.ring)
	}
	if n < 20 {
		return 0
	}
	sorted := slices.Clone(s.ring[:n])
	slices.Sort(sorted)
	return sorted[(n-1)/2]
}
