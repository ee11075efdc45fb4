package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/attentionbank/attentionbank/api"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/patrol"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/strongroom"
	"github.com/attentionbank/attentionbank/tracing"
)

// node is a bank on a data directory: every verb with its store, joined.
type node struct {
	site      Site
	tracer    *tracing.Tracer
	lost      <-chan struct{} // closed when another may open the bank
	journal   *journal.Writer
	identity  *identity.Registry
	standings *api.Standings // of its people
	terms     *api.Terms
	collector *collect.Collector
	history   *sqldb.History
	follower  *history.Follower
	policies  *policyBook
	records   journal.Store // of the journal
	outbox    *outbox.Outbox
	letters   outbox.Store // what the outbox keeps
	patrol    *patrol.Patrol
	isNew     bool // there was no record before
	// peopleBytes is what people and their days take of memory; 0 for as much as
	// docs/collect.md says.
	peopleBytes int

	stopFollowing func() error   // ends the history's growth
	closers       []func() error // in the order of opening
}

// openNode opens the bank of a site, making it if it is not there. nowMS is
// its clock, warn is told what an operator should know.
func openNode(ctx context.Context, site Site, nowMS func() int64, warn func(string)) (*node, error) {
	return openTraced(ctx, site, nil, nowMS, warn)
}

// openTraced does the same for a bank whose work is traced.
func openTraced(ctx context.Context, site Site, tracer *tracing.Tracer, nowMS func() int64, warn func(string)) (*node, error) {
	n := &node{site: site, tracer: tracer}
	if err := n.open(ctx, nowMS, warn); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) open(ctx context.Context, nowMS func() int64, warn func(string)) error {
	lost, release, err := n.site.hold(ctx)
	if err != nil {
		return err
	}
	n.lost = lost
	n.closers = append(n.closers, release)
	store, head, err := n.site.openJournal(ctx)
	if err != nil {
		return err
	}
	n.closers = append(n.closers, store.Close, head.Close)
	// Behind the journal, which knows whether there is a bank: only for a new
	// one a master key may be made.
	if err := n.openIdentity(ctx, nowMS); err != nil {
		return err
	}
	n.records = store
	if !store.Keyring().Encrypts() {
		warn("journal and events are not encrypted; to encrypt what is written from the next start on: attentionbank keys rotate")
	}
	n.isNew = true
	for _, err := range store.Load(ctx, 1) {
		if err != nil {
			return err
		}
		n.isNew = false
		break
	}
	if n.journal, err = journal.Open(ctx, n.tracer.Journal(store), head, journal.Options{Now: nowMS, Warn: warn, Watch: n.tracer.Watch("journal record")}); err != nil {
		return err
	}
	n.closers = append(n.closers, func() error { return n.journal.Close(context.Background()) })
	n.standings = api.NewStandings(n.journal, n.identity)
	if err := n.openHistory(ctx, store, nowMS, warn); err != nil {
		return err
	}
	return n.openCollector(ctx, nowMS)
}

func (n *node) openIdentity(ctx context.Context, nowMS func() int64) error {
	master, err := n.site.masterKey(ctx, "")
	if err != nil {
		return err
	}
	store, err := sqldb.OpenIdentity(ctx, n.site.place("identity"))
	if err != nil {
		return err
	}
	n.closers = append(n.closers, store.Close)
	if n.identity, err = identity.Open(ctx, store, master, identity.Options{NowMS: nowMS}); err != nil {
		return err
	}
	n.closers = append(n.closers, func() error { return n.identity.Close(context.Background()) })
	return nil
}

func (n *node) openHistory(ctx context.Context, store *strongroom.Journal, nowMS func() int64, warn func(string)) (err error) {
	if n.history, err = openHistory(ctx, n.site.place("history"), store.Keyring(), warn); err != nil {
		return err
	}
	n.closers = append(n.closers, n.history.Close)
	source := journalSource{n.journal.Records, n.journal}
	n.follower, err = history.Open(ctx, n.history, source, history.Options{NowMS: nowMS})
	if errors.Is(err, history.ErrForeign) {
		warn("the history belongs to another journal; it is made again")
		if err = n.history.Clear(ctx); err == nil {
			n.follower, err = history.Open(ctx, n.history, source, history.Options{NowMS: nowMS})
		}
	}
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := comeLast(); err != nil {
			warn(fmt.Sprintf("the history is written with the same priority as all else: %v", err))
		}
		for running.Err() == nil {
			if err := n.follower.Run(running); err != nil && running.Err() == nil {
				warn(fmt.Sprintf("the history cannot follow and will try again: %v", err))
				select {
				case <-time.After(time.Second):
				case <-running.Done():
				}
			}
		}
	}()
	n.stopFollowing = func() error { stop(); <-done; return nil }
	n.closers = append(n.closers, n.stopFollowing)
	return nil
}

func (n *node) openCollector(ctx context.Context, nowMS func() int64) error {
	log, head, err := n.site.openEvents(ctx)
	if err != nil {
		return err
	}
	n.closers = append(n.closers, log.Close, head.Close)
	ids, err := sqldb.OpenBlocks(ctx, n.site.place("ids"))
	if err != nil {
		return err
	}
	n.closers = append(n.closers, ids.Close)
	n.policies = newPolicyBook(n.journal, nowMS)
	n.collector, err = collect.Open(ctx, n.tracer.Events(log), head, log, subjects{n.identity}, n.policies.of,
		collect.Options{Now: nowMS, Blocks: ids, Rules: reviewRules(n.journal), MarkSecret: markSecret(n.identity), PeopleBytes: n.peopleBytes, Purges: log, Retention: retention(n.journal), Watch: n.tracer.Watch("events batch")})
	if err != nil {
		return err
	}
	n.closers = append(n.closers, n.collector.Close)
	n.terms = api.NewTerms(n.journal, n.identity, n.collector)
	return nil
}

// flush turns what was earned into points of the bank, and what was found odd
// into cases.
func (n *node) flush(ctx context.Context) (minted int, err error) {
	return n.collector.Flush(ctx, func(ctx context.Context, p collect.Posting) error { return post(ctx, n.journal, p) })
}

// post gives a posting to the bank, the cases first: they hold back what is
// paid from then on. Cases that would change nothing are left out.
func post(ctx context.Context, writer *journal.Writer, p collect.Posting) error {
	var commands [][]byte
	if len(p.Cases) > 0 {
		err := writer.Read(ctx, func(state *bank.State) {
			for _, c := range p.Cases {
				if !state.Covers(c) {
					commands = append(commands, c.AppendTo(nil))
				}
			}
		})
		if err != nil {
			return err
		}
	}
	cases := len(commands)
	for i := range p.Mints {
		commands = append(commands, p.Mints[i].AppendTo(nil))
	}
	if len(commands) == 0 {
		return nil
	}
	answers, err := writer.Submit(ctx, commands...)
	if err != nil {
		return err
	}
	for i, answer := range answers {
		switch {
		case answer.Refusal == bank.Accepted:
		case i < cases:
			return fmt.Errorf("opening a case: the bank refused: %s", answer.Refusal)
		default:
			m := p.Mints[i-cases]
			return fmt.Errorf("day %d of world %d: the bank refused: %s", m.Day, m.World, answer.Refusal)
		}
	}
	return nil
}

// close ends everything in the opposite order of opening.
func (n *node) close() error {
	var faults []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		faults = append(faults, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(faults...)
}

// journalSource shows the journal's records to the history.
type journalSource struct {
	load   func(ctx context.Context, from uint64) iter.Seq2[journal.Record, error]
	writer *journal.Writer
}

func (s journalSource) Durable() uint64 { return s.writer.Durable() }

// WaitNewer implements history.Source: what is up to seq, the history has read.
func (s journalSource) WaitNewer(ctx context.Context, seq uint64) {
	s.writer.Release(seq)
	s.writer.WaitNewer(ctx, seq)
}

func (s journalSource) Load(ctx context.Context, from uint64) iter.Seq2[history.Record, error] {
	return func(yield func(history.Record, error) bool) {
		for record, err := range s.load(ctx, from) {
			if err != nil {
				yield(history.Record{}, err)
				return
			}
			header := record.Header()
			shown := history.Record{Seq: record.Seq, TimeMS: header.TimeMS, Hash: record.Hash, Pairs: make([]history.Pair, 0, header.Commands)}
			for pair, err := range record.Pairs() {
				if err != nil {
					yield(history.Record{}, err)
					return
				}
				shown.Pairs = append(shown.Pairs, history.Pair{Command: pair.Command, Answer: pair.Answer})
			}
			if !yield(shown, nil) {
				return
			}
		}
	}
}

// subjects shows the people of identity to the collector.
type subjects struct{ registry *identity.Registry }

func (s subjects) Resolve(ctx context.Context, refs []collect.Ref) ([]collect.Subject, error) {
	named := make([]identity.SubjectRef, len(refs))
	for i, ref := range refs {
		named[i] = identity.SubjectRef{World: ref.World, UserID: ref.UserID, AnonymousID: ref.AnonymousID}
	}
	found, err := s.registry.Resolve(ctx, named)
	if err != nil {
		return nil, erased(err)
	}
	list := make([]collect.Subject, len(found))
	for i, subject := range found {
		list[i] = collect.Subject{Number: subject.Number, Person: subject.Person}
	}
	return list, nil
}

func (s subjects) Person(ctx context.Context, number uint64) ([16]byte, error) {
	subject, err := s.registry.Subject(ctx, number)
	return subject.Person, erased(err)
}

func (s subjects) Seal(ctx context.Context, number uint64, dst, plaintext, additional []byte) ([]byte, error) {
	sealed, err := s.registry.Seal(ctx, number, dst, plaintext, additional)
	return sealed, erased(err)
}

func (s subjects) Open(ctx context.Context, dst, sealed, additional []byte) ([]byte, error) {
	plain, err := s.registry.Open(ctx, dst, sealed, additional)
	return plain, erased(err)
}

func (s subjects) Derive(ctx context.Context, number uint64, label string) ([32]byte, error) {
	secret, err := s.registry.Derive(ctx, number, label)
	return secret, erased(err)
}

func erased(err error) error {
	if errors.Is(err, identity.ErrErased) {
		return collect.ErrErased
	}
	return err
}
