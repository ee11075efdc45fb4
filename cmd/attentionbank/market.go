package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/attentionbank/attentionbank/recording"
)

type marketCommand struct {
	Replay marketReplayCommand `cmd:"" help:"Play what a market elsewhere recorded on a book of this bank."`
}

type marketReplayCommand struct {
	File    string `arg:"" help:"Recorded messages; - is standard input." placeholder:"FILE"`
	Format  string `required:"" help:"How they were recorded: ${enum}." enum:"mbo,lobster,bitstamp" placeholder:"FORMAT"`
	Initial string `help:"The book before the first message: a line as this command prints, or for lobster a row of an order book file. A whole order book file, whose row n is the book after message n, also tells what comes into view from below." type:"existingfile" placeholder:"FILE"`
	Depth   int    `help:"Print so many levels of each side; 0 for all." default:"10"`
	Expect  string `help:"Compare with this file: lines as this command prints, MBP-10 (CSV) for mbo, an order book file for lobster." type:"existingfile" placeholder:"FILE"`
}

// Help teaches by example.
func (c *marketReplayCommand) Help() string {
	return `Drives the book that the bank trades on with recorded messages and prints the book after each:

  {"seq":851012,"bids":[[5.51,100,1]],"asks":[]}

with [price, quantity, count of orders] from the best on, prices as in the file. seq is the source's
sequence for mbo, otherwise the number of the message.

  attentionbank market replay --format mbo mbo.csv --expect mbp.csv
  attentionbank market replay --format lobster --initial orderbook.csv --expect orderbook.csv message.csv
  attentionbank market replay --format bitstamp --depth 1 feed.log | tail -1

A recorded trade is fed as an opposite order. Where that would not hit the recorded order, the record
is followed and a mismatch counted; the counts go to standard error. The exit status is 1 if --expect
finds a difference. docs/market.md says what the formats mean and what real recordings gave.`
}

// Run implements the command.
func (c *marketReplayCommand) Run(env *environment) error {
	if c.Depth < 0 {
		return usage("--depth %d: expected 0 or more", c.Depth)
	}
	var files openFiles
	defer files.close()
	replay, err := c.open(env, &files)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(env.stdout, 64<<10)
	err = errors.Join(c.play(replay, out), out.Flush())
	fmt.Fprintln(env.stderr, replay.Player.String())
	if err != nil || replay.Expected == nil {
		return err
	}
	verdict, err := replay.Expected.Done()
	if err != nil {
		return fmt.Errorf("%s: %w", c.Expect, err)
	}
	fmt.Fprintln(env.stderr, verdict)
	if verdict.Equal < verdict.All {
		return fmt.Errorf("the first difference is at %s", verdict.First)
	}
	return nil
}

// openFiles are to be closed together.
type openFiles []io.Closer

func (f *openFiles) open(path string) (io.Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	*f = append(*f, file)
	return file, nil
}

func (f *openFiles) close() {
	for _, file := range *f {
		_ = file.Close() // they were only read
	}
}

// open makes the replay that the command line asks for.
func (c *marketReplayCommand) open(env *environment, files *openFiles) (r *recording.Replay, err error) {
	format, err := recording.FormatOf(c.Format)
	if err != nil {
		return nil, usage("%v", err)
	}
	r = &recording.Replay{}
	if r.Player, err = recording.NewPlayer(format); err != nil {
		return nil, err
	}
	input := env.stdin
	if c.File != "-" {
		if input, err = files.open(c.File); err != nil {
			return nil, withHint(err, "name a file of recorded messages, or - for standard input")
		}
	}
	if r.Messages, err = format.Read(input); err != nil {
		return nil, fmt.Errorf("%s: %w", c.File, err)
	}
	if c.Initial != "" {
		file, err := files.open(c.Initial)
		if err != nil {
			return nil, err
		}
		if r.Initial, err = r.Player.Start(file); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Initial, err)
		}
	}
	if c.Expect != "" {
		file, err := files.open(c.Expect)
		if err != nil {
			return nil, err
		}
		if r.Expected, err = format.Expect(file, c.Depth); err != nil {
			return nil, fmt.Errorf("%s: %w", c.Expect, err)
		}
	}
	return r, nil
}

// play prints the book after each message.
func (c *marketReplayCommand) play(replay *recording.Replay, out io.Writer) error {
	var line []byte
	for {
		m, err := replay.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		line = replay.Player.AppendState(line[:0], m.Sequence, c.Depth)
		if _, err := out.Write(line); err != nil {
			return err
		}
	}
}
