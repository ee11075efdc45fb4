package crowd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"text/tabwriter"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/ledger"
)

// Detection is how well a signal tells whose it is.
type Detection struct {
	Signal string `json:"signal"`
	// True are those whose it is, Found those about whom it was found, Right
	// those of whom both is so.
	True  int `json:"true"`
	Found int `json:"found"`
	Right int `json:"right"`
	// Precision and Recall are Right of Found and of True, in permille, rounded
	// down; -1 where there is nothing to be part of.
	Precision int `json:"precision_permille"`
	Recall    int `json:"recall_permille"`
}

// Group is what became of the people of a kind.
type Group struct {
	Kind     string `json:"kind"`
	Honest   bool   `json:"honest"`
	People   int    `json:"people"`
	Sessions int    `json:"sessions"`
	// ThereSeconds and CountedSeconds are the presence in truth, in buckets of
	// 10 s that were touched, and as it was counted.
	ThereSeconds   int64 `json:"there_seconds"`
	CountedSeconds int64 `json:"counted_seconds"`
	// BeyondBuckets is by how many buckets the worst of them differs, beyond one
	// a session; 0 for none.
	BeyondBuckets int `json:"beyond_buckets"`
	// Held are those whose TIME is held back.
	Held int `json:"held"`
	// PaidMicro and HeldMicro are TIME.
	PaidMicro int64 `json:"paid_micro"`
	HeldMicro int64 `json:"held_micro"`
}

// Outcome is what was measured of a crowd.
type Outcome struct {
	Seed       uint64      `json:"seed"`
	People     int         `json:"people"`
	Events     int         `json:"events"`
	Detections []Detection `json:"signals"`
	// Held compares whose TIME is held back with who is not honest.
	Held   Detection `json:"held"`
	Groups []Group   `json:"kinds"`
}

// Run draws a crowd of a seed, lets its day pass under review rules and
// measures.
func Run(ctx context.Context, seed uint64, count int, rulesText string) (o Outcome, err error) {
	random := rand.New(rand.NewPCG(seed, 0))
	people := draw(random, count)
	s, err := open(ctx, rulesText)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, s.close(ctx)) }()
	if err := s.know(ctx, random, people); err != nil {
		return o, err
	}
	if err := s.play(ctx, random, people); err != nil {
		return o, err
	}
	if err := s.pay(ctx); err != nil {
		return o, err
	}
	o = Outcome{Seed: seed, People: len(people), Events: s.messages}
	err = o.measure(ctx, s, people)
	return o, err
}

func (o *Outcome) measure(ctx context.Context, s *stage, people []*person) error {
	groups, found := make([]Group, kinds), map[abuse.Signal]*Detection{}
	for _, signal := range abuse.Signals {
		found[signal] = &Detection{Signal: signal.String()}
	}
	o.Held.Signal = "held"
	for _, p := range people {
		g := &groups[p.kind]
		signals, held, err := s.look(ctx, p, g)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, signal := range abuse.Signals {
			found[signal].count(slices.Contains(truth[signal], p.kind), signals&signal != 0)
		}
		o.Held.count(!p.kind.IsHonest(), held)
	}
	for _, signal := range abuse.Signals {
		o.Detections = append(o.Detections, found[signal].rated())
	}
	o.Held = o.Held.rated()
	for kind := range kinds {
		groups[kind].Kind, groups[kind].Honest = kind.String(), kind.IsHonest()
		o.Groups = append(o.Groups, groups[kind])
	}
	return nil
}

// look adds a person to a group, and returns what was found.
func (s *stage) look(ctx context.Context, p *person, g *Group) (signals abuse.Signal, held bool, err error) {
	subjects, err := s.people.Resolve(ctx, []collect.Ref{{World: 1, UserID: p.name}})
	if err != nil {
		return 0, false, err
	}
	day := bank.Day(dayStartMS)
	list, err := s.collector.Findings(ctx, subjects[0].Number, day, day)
	if err != nil {
		return 0, false, err
	}
	for _, f := range list {
		signals |= f.Signal
	}
	attention, err := s.collector.Attention(ctx, subjects[0].Number, day)
	if err != nil {
		return 0, false, err
	}
	counted := int64(0)
	for _, a := range attention {
		counted += a.Award.PresentSeconds
	}
	there, sessions := p.bucketsThere()
	g.People++
	g.Sessions += sessions
	g.ThereSeconds += int64(there) * beatMS / secondMS
	g.CountedSeconds += counted
	beyond := int(counted*secondMS/beatMS) - there
	g.BeyondBuckets = max(g.BeyondBuckets, beyond-sessions, -beyond-sessions)
	err = s.writer.Read(ctx, func(state *bank.State) {
		number, _ := state.PersonByID(subjects[0].Person)
		balance := func(purpose ledger.Purpose) int64 {
			account, open := state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: number, Asset: ledger.Time, Purpose: purpose})
			if !open {
				return 0
			}
			return state.Books().Account(account).Balance
		}
		g.PaidMicro += balance(ledger.PurposeMain)
		g.HeldMicro += balance(ledger.PurposeHeldBack)
		_, held = state.CaseOf(number)
	})
	if held {
		g.Held++
	}
	return signals, held, err
}

func (d *Detection) count(is, found bool) {
	if is {
		d.True++
	}
	if found {
		d.Found++
	}
	if is && found {
		d.Right++
	}
}

func (d *Detection) rated() Detection {
	d.Precision, d.Recall = -1, -1
	if d.Found > 0 {
		d.Precision = 1000 * d.Right / d.Found
	}
	if d.True > 0 {
		d.Recall = 1000 * d.Right / d.True
	}
	return *d
}

// Print writes the outcome as tables.
func (o *Outcome) Print(w io.Writer) error {
	fmt.Fprintf(w, "Seed %d: %d people, %d events\n\n", o.Seed, o.People, o.Events)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "SIGNAL\tTRUE\tFOUND\tRIGHT\tPRECISION\tRECALL\t")
	for _, d := range append(slices.Clone(o.Detections), o.Held) {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%s\t%s\t\n", d.Signal, d.True, d.Found, d.Right, permille(d.Precision), permille(d.Recall))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(table, "\nKIND\tPEOPLE\tSESSIONS\tTHERE h\tCOUNTED h\tBEYOND\tHELD\tPAID\tHELD BACK\t")
	for _, g := range o.Groups {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d.%02d\t%d.%02d\t%d\t%d\t%d\t%d\t\n", g.Kind, g.People, g.Sessions,
			g.ThereSeconds/3600, g.ThereSeconds%3600/36, g.CountedSeconds/3600, g.CountedSeconds%3600/36, g.BeyondBuckets, g.Held, g.PaidMicro/1_000_000, g.HeldMicro/1_000_000)
	}
	return table.Flush()
}

func permille(n int) string {
	if n < 0 {
		return "-"
	}
	return fmt.Sprintf("%d.%d %%", n/10, n%10)
}
