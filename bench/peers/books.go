package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/attentionbank/attentionbank/lab"
)

// bookOperations is the length of the stream that order books are measured by,
// the one of `attentionbank bench market_stream`.
const bookOperations = 1_000_000

// bookFolder has the released books of npm and the program that plays a stream
// on one of them.
const bookFolder = "books"

// drawn is a stream, and what a plain book of the rules makes of it.
type drawn struct {
	steps []lab.Operation
	want  lab.Outcome
}

// books are the contenders that play the stream. It is drawn when the first of
// them runs.
func books() []contender {
	stream := sync.OnceValue(func() drawn {
		steps, want := lab.Stream(bookOperations, 1)
		return drawn{steps, want}
	})
	return []contender{
		{name: "books_market", unit: "operations", regime: "the order book of the bank, one thread, the stream of market_stream after a tenth of it on another book; every trade compared with a plain book's", run: ownBook(stream)},
		releasedBook("nodejs-order-book", "books_nodejs_order_book", "a released order book for Node, told the same stream in memory in the same way, without owners; making its arguments not counted", stream),
		releasedBook("limit-order-book", "books_limit_order_book", "the same with another, whose numbers are decimal texts", stream),
	}
}

// ownBook measures the market of the bank, in process.
func ownBook(stream func() drawn) func(context.Context, time.Duration) (result, error) {
	return func(context.Context, time.Duration) (r result, err error) {
		s := stream()
		if _, _, err := play(s.steps[:len(s.steps)/10]); err != nil {
			return r, err
		}
		outcome, took, err := play(s.steps)
		if err != nil {
			return r, err
		}
		if r = bookResult(len(s.steps), took, outcome, s.want); r.Deviates != "" {
			return r, fmt.Errorf("the market of the bank: %s", r.Deviates)
		}
		return r, nil
	}
}

// play plays operations on a market that is new.
func play(steps []lab.Operation) (outcome lab.Outcome, took time.Duration, err error) {
	player, err := lab.NewPlayer(len(steps))
	if err != nil {
		return outcome, 0, err
	}
	runtime.GC() // what was before this book
	began := time.Now()
	err = player.Play(steps, 1)
	return player.Outcome, time.Since(began), err
}

// releasedBook measures a package of npm in a process of its own.
func releasedBook(library, name, regime string, stream func() drawn) contender {
	c := contender{name: name, unit: "operations", regime: regime}
	if _, err := exec.LookPath("node"); err != nil {
		c.absent = "Node is not on the PATH; install version 20 or later"
	} else if _, err := os.Stat(filepath.Join(bookFolder, "node_modules", library)); err != nil {
		c.absent = "the package " + library + " is not installed; cd bench/peers/books && npm ci"
	}
	c.run = func(ctx context.Context, _ time.Duration) (r result, err error) {
		s := stream()
		node := exec.CommandContext(ctx, "node", "run.mjs", library)
		node.Dir, node.Stdin = bookFolder, bytes.NewReader(encode(s.steps))
		output, err := node.Output()
		if err != nil {
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				err = fmt.Errorf("%w: %s", err, exit.Stderr)
			}
			return r, err
		}
		return readBook(output, s.want)
	}
	return c
}

// encode writes operations as run.mjs reads them.
func encode(steps []lab.Operation) []byte {
	stream := make([]byte, 0, 16*len(steps))
	for i := range steps {
		s := &steps[i]
		for _, word := range [...]uint32{s.Cancel, s.Price, s.Quantity, uint32(s.Side)} {
			stream = binary.LittleEndian.AppendUint32(stream, word)
		}
	}
	return stream
}

// readBook reads what run.mjs writes: a line, and every trade.
func readBook(output []byte, want lab.Outcome) (r result, err error) {
	line, trades, _ := bytes.Cut(output, []byte{'\n'})
	var head struct {
		With       string  `json:"with"`
		Operations int     `json:"operations"`
		Seconds    float64 `json:"seconds"`
		Unknown    int     `json:"unknown"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return r, fmt.Errorf("%q: %w", line, err)
	}
	var outcome lab.Outcome
	for ; len(trades) >= 16; trades = trades[16:] {
		word := func(i int) uint32 { return binary.LittleEndian.Uint32(trades[4*i:]) }
		outcome.Trade(uint64(word(0)), uint64(word(1)), int64(word(2)), int64(word(3)))
	}
	if len(trades) != 0 || head.Seconds <= 0 {
		return r, fmt.Errorf("%s: %d bytes after the last trade", line, len(trades))
	}
	r = bookResult(head.Operations, time.Duration(head.Seconds*float64(time.Second)), outcome, want)
	r.With = head.With
	if head.Unknown > 0 {
		r.Deviates += fmt.Sprintf(", and had not the orders of %d cancellations", head.Unknown)
	}
	return r, nil
}

// bookResult says how fast a book was, what it came to and whether that is what
// the rules make of the stream.
func bookResult(operations int, took time.Duration, outcome, want lab.Outcome) (r result) {
	r.PerSecond = float64(int64(float64(operations) / took.Seconds()))
	r.Trades, r.Volume = outcome.Trades, outcome.Volume
	switch {
	case outcome == want:
	case outcome.Trades == want.Trades && outcome.Volume == want.Volume:
		r.Deviates = "as many trades and as much volume as the rules make of the stream, but not the same trades"
	default:
		r.Deviates = fmt.Sprintf("%+d trades and %+d volume from what the rules make of the stream", outcome.Trades-want.Trades, outcome.Volume-want.Volume)
	}
	return r
}
