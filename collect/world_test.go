package collect_test

import (
	"context"
	"fmt"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/score"
)

// startMS is where the clock of a test begins: 2026-01-10T12:00:00Z.
const startMS int64 = 1_768_046_400_000

const (
	minuteMS = 60 * 1000
	dayMS    = 24 * 60 * minuteMS
)

// failer is what a test and a property have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// world is a collector with its stores, people and clock.
type world struct {
	failer
	nowMS  int64
	events *memory.Events
	head   *memory.Head
	blocks collect.Blocks // nil for none
	// peopleBytes are given to people; 1 lets all leave memory after each batch.
	peopleBytes int
	people      memory.People
	policies    collect.Policies
	rules       *abuse.Rules           // nil for none
	cases       map[bank.OpenCase]bool // that were opened
	keepDays    map[uint32]int64       // by world, how long events are kept
	*collect.Collector
}

// policy is the one policy of the tests: a refund window of two days.
var policy = func() *score.Policy {
	p, err := score.ParsePolicy([]byte("refund_window_days: 2\n"))
	if err != nil {
		panic(err)
	}
	return p
}()

// pairs are the rules of the tests: two people by one device are too many.
var pairs = func() *abuse.Rules {
	r, err := abuse.ParseRules([]byte("name: pairs\nhold_below: 900\nrules: [{signal: shared_device, mode: enforce, more_than: 1}, {signal: sybil, mode: shadow, more_than: 1}]\n"))
	if err != nil {
		panic(err)
	}
	return r
}()

func newWorld(t failer) *world {
	t.Helper()
	return newWorldWith(t, nil, 0)
}

func newWorldWith(t failer, blocks collect.Blocks, peopleBytes int) *world {
	t.Helper()
	w := &world{failer: t, nowMS: startMS, events: memory.NewEvents(), head: &memory.Head{}, blocks: blocks, peopleBytes: peopleBytes, rules: pairs, cases: map[bank.OpenCase]bool{}}
	w.policies = func(uint32, int32, uint32) (*score.Policy, uint32) { return policy, 1 }
	registry, err := identity.Open(context.Background(), memory.NewIdentity(), [32]byte{1}, identity.Options{NowMS: func() int64 { return w.nowMS }})
	if err != nil {
		t.Fatal(err)
	}
	w.people = memory.People{Registry: registry}
	w.open()
	return w
}

func (w *world) open() {
	w.Helper()
	var err error
	w.Collector, err = collect.Open(context.Background(), w.events, w.head, w.events, w.people, w.policies, w.options())
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) options() collect.Options {
	o := collect.Options{Now: func() int64 { return w.nowMS }, Blocks: w.blocks, PeopleBytes: w.peopleBytes, MarkSecret: [32]byte{7}}
	o.Purges, o.Retention = w.events, func(context.Context) (map[uint32]int64, error) {
		keep := map[uint32]int64{}
		for world, days := range w.keepDays {
			keep[world] = days * dayMS
		}
		return keep, nil
	}
	if w.rules != nil {
		o.Rules = func(context.Context) (*abuse.Rules, uint32, error) { return w.rules, 3, nil }
	}
	return o
}

// restart ends the collector and opens another: after a clean end there is a
// checkpoint at the last batch; after a crash there is none, and the old
// collector is left where it is.
func (w *world) restart(clean bool) {
	w.Helper()
	if clean {
		if err := w.Close(); err != nil {
			w.Fatal(err)
		}
	}
	w.open()
}

// accept gives events to the collector and returns their verdicts as text.
func (w *world) accept(trust collect.Trust, events ...event.Event) (verdicts []string) {
	w.Helper()
	return w.acceptIn(1, trust, events...)
}

// acceptIn does so in the name of a world.
func (w *world) acceptIn(world uint32, trust collect.Trust, events ...event.Event) (verdicts []string) {
	w.Helper()
	request := collect.Request{World: world, Trust: trust}
	for _, e := range events {
		if e.Call == 0 {
			e.Call = event.Track
		}
		request.Items = append(request.Items, event.Item{Event: e})
	}
	results, err := w.Accept(context.Background(), request)
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range results {
		text := r.Verdict.String()
		if r.Rule != collect.NoRule {
			text += " " + r.Rule.String()
		}
		if r.First != 0 {
			text += ", first " + r.First.String()
		}
		verdicts = append(verdicts, text)
	}
	return verdicts
}

func (w *world) requireVerdict(want string, trust collect.Trust, e event.Event) {
	w.Helper()
	if got := w.accept(trust, e); got[0] != want {
		w.Fatalf("%+v is %q, expected %q", e, got[0], want)
	}
}

func (w *world) subject(userID string) uint64 {
	w.Helper()
	found, err := w.people.Resolve(context.Background(), []collect.Ref{{World: 1, UserID: userID}})
	if err != nil {
		w.Fatal(err)
	}
	return found[0].Number
}

// earned returns what a user's day has earned, and the award.
func (w *world) earned(userID string, day int32) (pointsMicro int64, attention collect.Attention) {
	w.Helper()
	list, err := w.Attention(context.Background(), w.subject(userID), day)
	if err != nil {
		w.Fatal(err)
	}
	if len(list) == 0 {
		return 0, attention
	}
	return list[0].Award.PointsMicro, list[0]
}

// ledger is a bank that remembers Mints as the real one does: by natural key,
// with the higher revision.
type ledger map[string]bank.Mint

func (l ledger) take(_ context.Context, p collect.Posting) error {
	for _, m := range p.Mints {
		key := fmt.Sprintf("%x/%d/%d", m.Person, m.World, m.Day)
		if m.Revision > l[key].Revision {
			l[key] = m
		} else if m.Revision == l[key].Revision && m.CumulativePointsMicro != l[key].CumulativePointsMicro {
			return fmt.Errorf("revision %d of %s came with %d points and with %d", m.Revision, key, l[key].CumulativePointsMicro, m.CumulativePointsMicro)
		}
	}
	return nil
}

func (w *world) flush(l ledger) (minted int) {
	w.Helper()
	minted, err := w.Flush(context.Background(), func(ctx context.Context, p collect.Posting) error {
		for _, c := range p.Cases {
			w.cases[c] = true
		}
		return l.take(ctx, p)
	})
	if err != nil {
		w.Fatal(err)
	}
	return minted
}
