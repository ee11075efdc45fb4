package crowd

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/memory"
	"github.com/attentionbank/attentionbank/score"
)

// dayStartMS is when the day begins: 2026-01-12T00:00:00Z.
const dayStartMS int64 = 1_768_176_000_000

// policyText is the policy of the world: its clients send heartbeats, so an
// interaction is no presence by itself.
const policyText = "name: crowd\nevents: {\"*\": {weight: 1}}\ncaps: {slice_interactions: 60}\n"

// EnforcedRules are the default rules, all of them enforced.
var EnforcedRules = strings.ReplaceAll(abuse.DefaultRulesText, "shadow", "enforce")

// stage is a bank in memory with a clock of its own.
type stage struct {
	nowMS     atomic.Int64 // the loop of the journal looks at it, too
	people    memory.People
	writer    *journal.Writer
	collector *collect.Collector
	rules     *abuse.Rules
	version   uint32
	messages  int
}

func open(ctx context.Context, rulesText string) (*stage, error) {
	s := new(stage)
	s.nowMS.Store(dayStartMS - dayMS)
	now := s.nowMS.Load
	var err error
	if s.rules, err = abuse.ParseRules([]byte(rulesText)); err != nil {
		return nil, err
	}
	policy, err := score.ParsePolicy([]byte(policyText))
	if err != nil {
		return nil, err
	}
	registry, err := identity.Open(ctx, memory.NewIdentity(), [32]byte{1}, identity.Options{NowMS: now})
	if err != nil {
		return nil, err
	}
	s.people = memory.People{Registry: registry}
	if s.writer, err = journal.Open(ctx, memory.NewJournal(), &memory.Head{}, journal.Options{Now: now}); err != nil {
		return nil, err
	}
	log := memory.NewEvents()
	s.collector, err = collect.Open(ctx, log, &memory.Head{}, log, s.people, func(uint32, int32, uint32) (*score.Policy, uint32) { return policy, 1 },
		collect.Options{Now: now, Rules: func(context.Context) (*abuse.Rules, uint32, error) { return s.rules, s.version, nil }, MarkSecret: [32]byte{2}})
	if err != nil {
		return nil, err
	}
	answers, err := s.submit(ctx, bank.RegisterWorld{Code: "crowd"}.AppendTo(nil), bank.Act{Operation: "publish-review-rules", Command: bank.PublishReviewRules{Text: rulesText}.AppendTo(nil)}.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	published, _ := bank.First[bank.ReviewRulesPublished](answers[1].Bytes)
	s.version = published.Version
	return s, nil
}

func (s *stage) submit(ctx context.Context, commands ...[]byte) ([]journal.Answer, error) {
	answers, err := s.writer.Submit(ctx, commands...)
	if err != nil {
		return nil, err
	}
	for _, answer := range answers {
		if answer.Refusal != bank.Accepted {
			return nil, fmt.Errorf("the bank refused: %s", answer.Refusal)
		}
	}
	return answers, nil
}

func (s *stage) close(ctx context.Context) error {
	if err := s.collector.Close(); err != nil {
		return err
	}
	return s.writer.Close(ctx)
}

func (s *stage) event(call event.Call, kind, user, device string, atMS int64) event.Item {
	s.messages++
	return event.Item{Event: event.Event{Call: call, Type: kind, UserID: user, AnonymousID: device, MessageID: fmt.Sprint("m", s.messages), TimeMS: atMS, SentMS: s.nowMS.Load()}}
}

// accept sends events; what is refused by mistake is an error.
func (s *stage) accept(ctx context.Context, trust collect.Trust, policy uint32, items []event.Item) error {
	for some := range slices.Chunk(items, event.MaxItems) {
		results, err := s.collector.Accept(ctx, collect.Request{World: 1, Trust: trust, PolicyVersion: policy, Items: some})
		if err != nil {
			return err
		}
		for _, r := range results {
			if r.Verdict != collect.Accepted && r.Verdict != collect.Capped && r.Verdict != collect.Duplicate {
				return fmt.Errorf("event %s was %s %s", r.MessageID, r.Verdict, r.Rule)
			}
		}
	}
	return nil
}

// know imports those who are known of old, and lets a few come for the first
// time on the day before, as on any day.
func (s *stage) know(ctx context.Context, random *rand.Rand, people []*person) error {
	var old []event.Item
	newcomers := 0
	for _, p := range people {
		if !p.isNew {
			old = append(old, s.event(event.Track, "Came", p.name, "", dayStartMS-5*dayMS))
		} else if p.kind == Newcomer {
			newcomers++
		}
	}
	if err := s.accept(ctx, collect.TrustImport, 1, old); err != nil {
		return err
	}
	for hour := range int64(24) {
		s.nowMS.Store(dayStartMS - dayMS + hour*hourMS + minuteMS)
		for i := range newcomers {
			if random.IntN(24) == 0 {
				name := fmt.Sprintf("yesterday %d-%d", hour, i)
				if err := s.accept(ctx, collect.TrustServer, 0, []event.Item{s.event(event.Track, "Came", name, name, s.nowMS.Load())}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// parcel is what a client sends at once; late and sent twice as networks have it.
type parcel struct {
	sentMS int64
	person *person
	acts   []act
	twice  bool
}

// parcels cuts what a person's clients report into batches of five minutes, of
// which some wait for hours until the client is on line again.
func (p *person) parcels(random *rand.Rand) (list []parcel) {
	slices.SortStableFunc(p.acts, func(a, b act) int { return int(a.atMS - b.atMS) })
	const every = 5 * minuteMS
	for len(p.acts) > 0 {
		slot := p.acts[0].atMS / every
		n := 0
		for n < len(p.acts) && p.acts[n].atMS/every == slot {
			n++
		}
		sent := (slot + 1) * every
		if random.IntN(40) == 0 {
			sent += random.Int64N(3 * hourMS)
		}
		list = append(list, parcel{sent, p, p.acts[:n], random.IntN(25) == 0})
		p.acts = p.acts[n:]
	}
	return list
}

// play lets the day pass: the world's server vouches for who is there, clients
// report, and every hour it is posted what was earned.
func (s *stage) play(ctx context.Context, random *rand.Rand, people []*person) error {
	var parcels []parcel
	for _, p := range people {
		parcels = append(parcels, p.parcels(random)...)
	}
	random.Shuffle(len(parcels), func(i, j int) { parcels[i], parcels[j] = parcels[j], parcels[i] })
	slices.SortStableFunc(parcels, func(a, b parcel) int { return int(a.sentMS - b.sentMS) })
	vouched := map[string]bool{}
	nextFlush := int64(hourMS)
	for len(parcels) > 0 {
		at := parcels[0].sentMS
		for ; nextFlush <= at; nextFlush += hourMS {
			s.nowMS.Store(dayStartMS + nextFlush)
			if err := s.post(ctx); err != nil {
				return err
			}
		}
		s.nowMS.Store(dayStartMS + at)
		var server, client []event.Item
		n := 0
		for ; n < len(parcels) && parcels[n].sentMS == at; n++ {
			p := parcels[n].person
			if from := (parcels[n].acts[0].atMS) / (4 * hourMS); !vouched[fmt.Sprint(p.name, from)] {
				vouched[fmt.Sprint(p.name, from)] = true
				server = append(server, s.event(event.Identify, "identify", p.name, p.devices[0], dayStartMS+from*4*hourMS))
			}
			before := len(client)
			for _, a := range parcels[n].acts {
				kind := "Acted"
				if a.beat {
					kind = "heartbeat"
				}
				client = append(client, s.event(event.Track, kind, p.name, p.devices[a.device], dayStartMS+a.atMS))
			}
			if parcels[n].twice {
				client = append(client, client[before:]...)
			}
		}
		parcels = parcels[n:]
		if err := s.accept(ctx, collect.TrustServer, 0, server); err != nil {
			return err
		}
		if err := s.accept(ctx, collect.TrustWrite, 0, client); err != nil {
			return err
		}
	}
	s.nowMS.Store(max(s.nowMS.Load(), dayStartMS+dayMS+3*hourMS))
	return s.post(ctx)
}

// post gives the bank what was earned and found.
func (s *stage) post(ctx context.Context) error {
	_, err := s.collector.Flush(ctx, func(ctx context.Context, p collect.Posting) error {
		var commands [][]byte
		for _, c := range p.Cases {
			commands = append(commands, c.AppendTo(nil))
		}
		for _, m := range p.Mints {
			commands = append(commands, m.AppendTo(nil))
		}
		_, err := s.submit(ctx, commands...)
		return err
	})
	return err
}

// pay lets the epochs end that were running, and be paid.
func (s *stage) pay(ctx context.Context) error {
	s.nowMS.Add(2 * dayMS)
	for range 4 {
		if _, err := s.submit(ctx, bank.AppendTick(nil)); err != nil {
			return err
		}
	}
	return nil
}
