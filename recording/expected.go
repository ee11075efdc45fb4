package recording

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/market"
)

// Expected is what a source says that its book was. It reads its file beside
// the recording.
type Expected interface {
	// Before comes before each message is played and After after it. Their
	// errors are of the file.
	Before(p *Player, m *Message) error
	After(p *Player, m *Message) error
	// Done comes after the last message.
	Done() (Verdict, error)
}

// Verdict is the outcome of a comparison.
type Verdict struct {
	// What was compared; Equal of All were as expected.
	What       string
	Equal, All int
	// First is the first difference, "" if there is none.
	First string
}

// String says it in a line.
func (v Verdict) String() string {
	return fmt.Sprintf("%d of %d %s as expected", v.Equal, v.All, v.What)
}

func (v *Verdict) compared(difference string) {
	v.All++
	if difference == "" {
		v.Equal++
	} else if v.First == "" {
		v.First = difference
	}
}

// Expect returns what a file expects: lines as AppendState writes them to a
// depth, or the source's own books: ten levels by sequence (MBP-10) for mbo, an
// order book file for lobster.
func (f Format) Expect(r io.Reader, depth int) (Expected, error) {
	l := newLines(r)
	first, err := l.peek()
	switch {
	case errors.Is(err, io.EOF):
		return nil, errors.New("the file is empty")
	case err != nil:
		return nil, err
	case strings.HasPrefix(first, "{"):
		return newStates(depth, func() (State, error) {
			text, err := l.next()
			if err != nil {
				return State{}, err
			}
			s, err := f.readState(text)
			if err != nil {
				err = l.at(err)
			}
			return s, err
		})
	case f.expect == nil:
		return nil, errors.New(`expected lines of {"seq":…,"bids":[[price,quantity,count],…],"asks":[…]}`)
	}
	return f.expect(f, l)
}

// states are whole books by sequence. Those of one sequence are looked for, in
// their order, among the books after the messages of that sequence: sources
// differ in whether a sequence of several messages has one book or several.
type states struct {
	Verdict
	depth   int
	next    func() (State, error)
	want    State
	ended   bool
	last    uint64 // sequence
	between bool   // no message was played yet
}

func newStates(depth int, next func() (State, error)) (*states, error) {
	if depth == 0 {
		depth = maxOrders
	}
	x := &states{Verdict: Verdict{What: "book states"}, depth: depth, next: next, between: true}
	return x, x.advance()
}

func (x *states) advance() (err error) {
	x.want, err = x.next()
	if errors.Is(err, io.EOF) {
		x.ended, err = true, nil
	}
	return err
}

func (x *states) Before(*Player, *Message) error { return nil }

func (x *states) After(p *Player, m *Message) error {
	for !x.ended && x.want.Sequence < m.Sequence {
		why := "no message has that sequence"
		if x.want.Sequence == x.last && !x.between {
			why = "the book was another after each message of it"
		}
		if err := x.missed(why); err != nil {
			return err
		}
	}
	x.last, x.between = m.Sequence, false
	if x.ended || x.want.Sequence != m.Sequence || !x.same(p, market.Buy, x.want.Bids) || !x.same(p, market.Sell, x.want.Asks) {
		return nil
	}
	x.compared("")
	return x.advance()
}

func (x *states) missed(why string) error {
	x.compared(fmt.Sprintf("sequence %d: %s; expected bids %v asks %v", x.want.Sequence, why, x.want.Bids, x.want.Asks))
	return x.advance()
}

func (x *states) same(p *Player, side market.Side, want []market.Level) bool {
	p.levels = p.book.Depth(side, x.depth, p.levels[:0])
	return slices.Equal(p.levels, want)
}

func (x *states) Done() (Verdict, error) {
	for !x.ended {
		if err := x.missed("the book was another, or the recording had ended"); err != nil {
			return Verdict{}, err
		}
	}
	return x.Verdict, nil
}
