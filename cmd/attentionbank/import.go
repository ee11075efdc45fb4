package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

type importCommand struct {
	Files []string `arg:"" help:"CSV files, or NDJSON of Segment events; - is standard input." placeholder:"FILE"`
	World string   `required:"" help:"Code of the world that the history is of; it is added if the bank does not have it." placeholder:"NAME"`
	Site
	Policy    string  `help:"Policy file (YAML) for this history; without one, the default policy without a refund window." type:"existingfile"`
	Map       columns `help:"Columns of a CSV file: person, time, hours, interactions, spend, type, id. a+b joins columns." placeholder:"ROLE=COLUMN" mapsep:","`
	Delimiter string  `help:"Between columns: ${enum}." enum:"comma,tab,semicolon,space" default:"comma"`
	Strict    bool    `help:"Stop at the first row that cannot be read."`
}

// Help teaches by example.
func (c *importCommand) Help() string {
	return `Brings history into a bank that nobody serves meanwhile. Times are trusted, so every row needs
one; the policy is the import's own. Otherwise history goes the way of live events: it is made
durable, counted once by its ids, and posted as points of the running epoch.

Without an id column, a row is known by its file's name and its line, so that an import that broke
off can be run again. Ids are remembered for seven days: do not import the same history later.

Examples:
  attentionbank import orders.csv --world shop --map person=customer,time=date,spend=total,id=order
  attentionbank import events.ndjson --world cafe --policy history.yaml`
}

// importBatch is how many events go into one request.
const importBatch = 1000

// importer collects the events of rows into requests.
type importer struct {
	node    *node
	context context.Context
	command *importCommand
	world   uint32
	version uint32
	policy  *score.Policy
	nowMS   int64
	file    string

	items    []event.Item
	verdicts map[collect.Verdict]int
	rejected []string
	bad      []error
	badRows  int
}

// Run implements the command.
func (c *importCommand) Run(env *environment) error {
	text := []byte("name: import\nrefund_window_days: 0\n")
	if c.Policy != "" {
		var err error
		if text, err = os.ReadFile(c.Policy); err != nil {
			return fmt.Errorf("reading the policy: %w", err)
		}
	}
	policy, err := score.ParsePolicy(text)
	if err != nil {
		return err
	}
	nowMS := func() int64 { return time.Now().UnixMilli() }
	n, err := openNode(env.context, c.Site, nowMS, func(message string) { fmt.Fprintln(env.stderr, message) })
	if err != nil {
		return err
	}
	err = c.run(env, &importer{node: n, context: env.context, command: c, policy: policy, nowMS: nowMS(), verdicts: map[collect.Verdict]int{}}, text)
	return errors.Join(err, n.close())
}

func (c *importCommand) run(env *environment, im *importer, policyText []byte) error {
	if err := im.prepare(policyText); err != nil {
		return err
	}
	for _, file := range c.Files {
		im.file = filepath.Base(file)
		if err := readFile(env, file, c.Map, c.Delimiter, im.add, im.addBad); err != nil {
			return err
		}
	}
	if err := im.send(); err != nil {
		return err
	}
	minted, err := im.node.flush(env.context)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "world %s, policy version %d: ", c.World, im.version)
	for verdict := collect.Accepted; verdict <= collect.Rejected; verdict++ {
		if count := im.verdicts[verdict]; count > 0 {
			fmt.Fprintf(env.stdout, "%d %s, ", count, verdict)
		}
	}
	fmt.Fprintf(env.stdout, "%d person-days posted\n", minted)
	for _, rejected := range im.rejected {
		fmt.Fprintf(env.stderr, "  rejected: %s\n", rejected)
	}
	if im.badRows > 0 {
		fmt.Fprintf(env.stderr, "%d rows could not be read and do not count:\n", im.badRows)
		for _, err := range im.bad {
			fmt.Fprintf(env.stderr, "  %v\n", err)
		}
		if c.Strict {
			return fmt.Errorf("%d rows could not be read", im.badRows)
		}
	}
	return nil
}

// prepare finds or adds the world and publishes the import's policy. Both are
// keyed by what they are, so an import that is run again uses the same.
func (im *importer) prepare(policyText []byte) error {
	submit := func(command []byte) ([]byte, error) {
		answers, err := im.node.journal.Submit(im.context, command)
		if err != nil {
			return nil, err
		}
		if answers[0].Refusal != bank.Accepted {
			return nil, fmt.Errorf("the bank refused: %s", answers[0].Refusal)
		}
		return answers[0].Bytes, nil
	}
	found := false
	find := func(state *bank.State) { im.world, found = state.WorldByCode(im.command.World) }
	if err := im.node.journal.Read(im.context, find); err != nil {
		return err
	}
	if !found {
		answer, err := submit(bank.RegisterWorld{Code: im.command.World}.AppendTo(nil))
		if err != nil {
			return fmt.Errorf("adding world %s: %w", im.command.World, err)
		}
		registered, _ := bank.First[bank.WorldRegistered](answer)
		im.world = registered.World
	}
	sum := sha256.Sum256(append([]byte("import policy of "+im.command.World+"\n"), policyText...))
	answer, err := submit(bank.PublishPolicy{Key: bank.Key(sum[:16]), World: im.world, EffectiveDay: bank.Day(im.nowMS), ForImport: true, Text: policyText}.AppendTo(nil))
	if err != nil {
		return fmt.Errorf("publishing the import's policy: %w", err)
	}
	published, _ := bank.First[bank.PolicyPublished](answer)
	im.version = published.Version
	return nil
}

func (im *importer) addBad(err error) {
	im.badRows++
	if len(im.bad) < 5 {
		im.bad = append(im.bad, err)
	}
}

// add turns a row into events: one of behaviour, and one of spend where a row
// has both and no type that says what it is.
func (im *importer) add(r row) error {
	if !r.timed || r.event.TimeMS+r.seconds*1000 > im.nowMS || r.seconds*1000 > event.MaxCoversMS {
		im.addBad(fmt.Errorf("%s: line %d: expected a time, and hours that have passed, at most a week of them", im.file, r.line))
		return nil
	}
	e := r.event
	e.MessageID = r.id
	if e.MessageID == "" {
		e.MessageID = fmt.Sprintf("%s:%d", im.file, r.line)
	}
	if len(e.MessageID) > event.MaxID {
		sum := sha256.Sum256([]byte(e.MessageID))
		e.MessageID = fmt.Sprintf("%x", sum)
	}
	behaves := r.presence || r.seconds > 0 || r.hasInteractions
	if r.seconds > 0 || r.hasInteractions {
		e.CoversMS, e.Count = r.seconds*1000, r.interactions/score.Micro
	}
	spends := r.isSpend || r.spendMinor > 0 && im.policy.IsSpend(e.Type)
	if spends {
		spend := e
		spend.CoversMS, spend.Count = 0, 0
		if r.isSpend {
			spend.Type = "Order Completed"
			spend.MessageID += "/spend"
		}
		text := amount.Format(r.spendMinor, score.CurrencyScale)
		spend.Properties = []event.Property{{Name: "revenue", Value: text}, {Name: im.policy.SpendProperty(spend.Type), Value: text}}
		im.items = append(im.items, event.Item{Event: spend})
	}
	if behaves && !(spends && !r.isSpend) {
		im.items = append(im.items, event.Item{Event: e})
	}
	if len(im.items) >= importBatch {
		return im.send()
	}
	return nil
}

// send gives what was collected to the collector and waits while it is busy.
func (im *importer) send() error {
	if len(im.items) == 0 {
		return nil
	}
	results, err := im.node.collector.Accept(im.context, collect.Request{World: im.world, Trust: collect.TrustImport, PolicyVersion: im.version, Items: im.items})
	if err != nil {
		return err
	}
	im.items = im.items[:0]
	for _, result := range results {
		im.verdicts[result.Verdict]++
		if result.Verdict == collect.Rejected && len(im.rejected) < 5 {
			im.rejected = append(im.rejected, result.MessageID+": "+result.Detail)
		}
	}
	return nil
}
