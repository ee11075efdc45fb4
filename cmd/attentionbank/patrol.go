package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/conduct"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/patrol"
)

// patrolSource shows to the patrol what concerns it of the journal's records.
type patrolSource struct {
	store  journal.Store
	writer *journal.Writer
}

func (s patrolSource) Durable() uint64 { return s.writer.Durable() }

func (s patrolSource) WaitNewer(ctx context.Context, seq uint64) { s.writer.WaitNewer(ctx, seq) }

func (s patrolSource) Load(ctx context.Context, from uint64) iter.Seq2[patrol.Record, error] {
	return func(yield func(patrol.Record, error) bool) {
		for record, err := range s.store.Load(ctx, from) {
			if err != nil {
				yield(patrol.Record{}, err)
				return
			}
			shown := patrol.Record{Seq: record.Seq, TimeMS: record.Header().TimeMS}
			for pair, err := range record.Pairs() {
				if err != nil {
					yield(patrol.Record{}, err)
					return
				}
				shown.Answers = append(shown.Answers, patrol.Answer{IsTransfer: bank.IsTransfer(pair.Command), Facts: pair.Answer})
			}
			if !yield(shown, nil) {
				return
			}
		}
	}
}

// opened answers from the state what was opened before the patrol began. What
// was opened never changes, so the state of now may answer about the past.
type opened struct {
	ctx    context.Context
	writer *journal.Writer
}

func (o opened) Account(number uint64) (key ledger.Key, found bool) {
	err := o.writer.Read(o.ctx, func(s *bank.State) {
		if account := s.Books().Account(number); account != nil {
			key, found = account.Key, true
		}
	})
	return key, found && err == nil
}

func (o opened) Market(number uint32) (m bank.Market, batchMS int64, found bool) {
	err := o.writer.Read(o.ctx, func(s *bank.State) {
		if of, book := s.Market(number); book != nil {
			m, batchMS, found = of, book.Config().BatchMS, true
		}
	})
	return m, batchMS, found && err == nil
}

// mostAlike is up to how many people who have something in common are taken for
// one: more are a school, a café, a family.
const mostAlike = 8

// inCommon says what people have in common: devices by which they came in the
// last days, and accounts at banks to which they are paid out. Both stand for
// themselves under a secret of the bank.
type inCommon struct {
	ctx  context.Context
	node *node
	warn func(string)
}

func (c inCommon) Marks(person uint64) (marks []conduct.Mark) {
	var id [16]byte
	err := c.node.journal.Read(c.ctx, func(s *bank.State) { id, _ = s.PersonID(person) })
	if err == nil {
		marks, err = c.marks(id)
	}
	if err != nil && c.ctx.Err() == nil {
		c.warn(fmt.Sprintf("what a person has in common with others cannot be read, so that trades between them may not be seen: %v", err))
	}
	return marks
}

func (c inCommon) marks(id [16]byte) (marks []conduct.Mark, err error) {
	subjects, err := c.node.identity.SubjectsOf(c.ctx, id)
	if err != nil {
		return nil, err
	}
	secret := markSecret(c.node.identity)
	for _, subject := range subjects {
		devices, err := c.node.collector.Devices(c.ctx, subject.Number, mostAlike)
		if err != nil {
			return marks, err
		}
		for _, device := range devices {
			marks = append(marks, conduct.Mark{Tie: conduct.ByDevice, Name: device})
		}
		payee, err := c.node.identity.Payee(c.ctx, subject.Number)
		if errors.Is(err, identity.ErrNotFound) || errors.Is(err, identity.ErrErased) {
			continue
		}
		if err != nil {
			return marks, err
		}
		h := hmac.New(sha256.New, secret[:])
		h.Write([]byte("payee/1" + payee.IBAN))
		marks = append(marks, conduct.Mark{Tie: conduct.ByPayee, Name: [16]byte(h.Sum(nil))})
	}
	return marks, nil
}

// openPatrol follows the journal until the node closes.
func (n *node) openPatrol(nowMS func() int64, warn func(string)) {
	running, stop := context.WithCancel(context.Background())
	n.patrol = patrol.New(patrolSource{n.records, n.journal}, opened{running, n.journal}, inCommon{running, n, warn})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for running.Err() == nil {
			if err := n.patrol.Run(running, nowMS()); err != nil && running.Err() == nil {
				warn(fmt.Sprintf("conduct is not watched, which will be tried again: %v", err))
				select {
				case <-time.After(10 * time.Second):
				case <-running.Done():
				}
			} else if err == nil {
				return
			}
		}
	}()
	n.closers = append(n.closers, func() error { stop(); <-done; return nil })
}

type conductCommand struct {
	Since string `help:"Alerts of this time or later, such as 2026-01-01." placeholder:"TIME"`
	Kind  string `help:"Alerts of this kind only: wash, round_trip, spoof, ramp, pump or farm."`
	JSON  bool   `help:"Print a JSON object a line."`
	Site
}

// Help teaches by example.
func (c *conductCommand) Help() string {
	return `Reads the journal from its first record on and prints the alerts that people's conduct raises in markets
and in what they earn, the oldest first, with the evidence. An alert is a reason to look and nothing
else; docs/conduct.md has the rules. People are numbers of the bank.

It reads a bank that nobody serves, or a backup; a bank that serves shows its alerts at GET /v1/alerts.

Examples:
  attentionbank conduct
  attentionbank conduct --since 2026-01-01 --kind wash
  attentionbank conduct --json | jq 'select(.score_permille > 900)'`
}

// alertLine is an alert as the command prints it.
type alertLine struct {
	ID            string           `json:"id"`
	Kind          string           `json:"kind"`
	Market        uint32           `json:"market,omitempty"`
	From          time.Time        `json:"from"`
	To            time.Time        `json:"to"`
	ScorePermille int64            `json:"score_permille"`
	People        []uint64         `json:"people"`
	Orders        []uint64         `json:"orders,omitempty"`
	Evidence      map[string]int64 `json:"evidence"`
}

// Run implements the command.
func (c *conductCommand) Run(env *environment) error {
	var sinceMS int64
	if c.Since != "" {
		var err error
		if sinceMS, err = parseTime(c.Since); err != nil {
			return usage("--since %s: %v", c.Since, err)
		}
	}
	if _, known := conduct.ParseKind(c.Kind); c.Kind != "" && !known {
		return usage("--kind %s: expected wash, round_trip, spoof, ramp, pump or farm", c.Kind)
	}
	store, _, done, err := openForReading(env, c.Site)
	if err != nil {
		return err
	}
	defer done()
	fold, found := conduct.NewFold(nil), []conduct.Alert{}
	progress, end := recordProgress(env, "reading records")
	err = eachCommand(store.Load(env.context, 1), progress, func(_ uint64, timeMS int64, command, answer []byte) (bool, error) {
		err := fold.Add(timeMS, bank.IsTransfer(command), answer)
		found = append(found, fold.Alerts()...)
		return true, err
	})
	end()
	if err != nil {
		return err
	}
	return c.print(env, found, sinceMS)
}

func (c *conductCommand) print(env *environment, found []conduct.Alert, sinceMS int64) error {
	table, encoder := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0), json.NewEncoder(env.stdout)
	if !c.JSON {
		fmt.Fprintln(table, "TIME\tKIND\tMARKET\tSCORE\tPEOPLE\tEVIDENCE")
	}
	for _, a := range found {
		if a.ToMS < sinceMS || c.Kind != "" && a.Kind.String() != c.Kind {
			continue
		}
		line := alertLine{
			ID: a.ID(), Kind: a.Kind.String(), Market: a.Market, From: time.UnixMilli(a.FromMS).UTC(), To: time.UnixMilli(a.ToMS).UTC(),
			ScorePermille: a.ScorePermille, People: a.People, Orders: a.Orders, Evidence: map[string]int64{},
		}
		var evidence []string
		for _, e := range a.Evidence {
			line.Evidence[e.Name] = e.Value
			evidence = append(evidence, fmt.Sprintf("%s %d", e.Name, e.Value))
		}
		var err error
		if c.JSON {
			err = encoder.Encode(line)
		} else {
			_, err = fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\n", line.To.Format(time.RFC3339), line.Kind, a.Market, a.ScorePermille,
				strings.Trim(fmt.Sprint(a.People), "[]"), strings.Join(evidence, ", "))
		}
		if err != nil {
			return err
		}
	}
	return table.Flush()
}
