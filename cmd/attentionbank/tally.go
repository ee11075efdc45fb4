package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/score"
)

// tally adds up the rows of files, a person after the other.
type tally struct {
	policy *score.Policy
	people map[string]*personTally
	seen   map[[16]byte]struct{}

	rows, duplicates, badRows int
	hasIDs                    bool
	firstBad                  []error
}

// personTally is what was measured of a person: days of events with times, and
// totals without.
type personTally struct {
	days                           map[int32]*score.Day
	seconds, interactions, spend   int64 // without times
	allInteractions, allSpendMinor int64 // with and without
}

// personScore is a line of the output.
type personScore struct {
	Person       string `json:"person"`
	Seconds      int64  `json:"T_seconds"`
	Interactions string `json:"I"`
	Spend        string `json:"C"`
	Points       string `json:"A"`
	Value        string `json:"V"`
}

// tallyWorld is the number of the one world of a file.
const tallyWorld = 1

func newTally(policy *score.Policy) *tally {
	return &tally{policy: policy, people: map[string]*personTally{}, seen: map[[16]byte]struct{}{}}
}

var errFormula = errors.New("the policy has a formula of slices, which needs a time for every row: map time=COLUMN")

var errSum = errors.New("the sum of the column does not fit 63 bits")

func (t *tally) add(r row) error {
	t.rows++
	if r.id != "" {
		t.hasIDs = true
		sum := sha256.Sum256([]byte(r.id))
		digest := [16]byte(sum[:16])
		if _, twice := t.seen[digest]; twice {
			t.duplicates++
			return nil
		}
		t.seen[digest] = struct{}{}
	}
	person := t.people[r.person]
	if person == nil {
		person = &personTally{days: map[int32]*score.Day{}}
		t.people[r.person] = person
	}
	return person.add(t.policy, &r)
}

func (p *personTally) add(policy *score.Policy, r *row) error {
	observed := policy.Observe(&r.event, r.event.TimeMS)
	count, weighted := int64(0), int64(0)
	if r.presence {
		count, weighted = observed.Count, observed.WeightMicro
	}
	if r.hasInteractions {
		var fits bool
		if weighted, fits = amount.MulDivDown(r.interactions, policy.WeightMicro(r.event.Type), score.Micro); !fits {
			return errSum
		}
		count = r.interactions / score.Micro
	}
	spend := observed.SpendMinor
	if r.isSpend || policy.IsSpend(r.event.Type) {
		spend = max(spend, r.spendMinor)
	}
	var ok1, ok2 bool
	p.allInteractions, ok1 = amount.Add(p.allInteractions, weighted)
	p.allSpendMinor, ok2 = amount.Add(p.allSpendMinor, spend)
	if !ok1 || !ok2 {
		return errSum
	}
	if !r.timed && policy.HasFormula() {
		return errFormula
	}
	if !r.timed {
		p.seconds += r.seconds
		p.interactions += weighted
		p.spend += spend
		return nil
	}
	untilMS := r.event.TimeMS + r.seconds*1000
	if r.presence {
		untilMS = max(untilMS, observed.UntilMS)
	}
	p.present(r.event.TimeMS, untilMS)
	number, sinceMS := score.DayOf(r.event.TimeMS)
	if count > 0 || weighted > 0 {
		p.day(number).Act(tallyWorld, sinceMS, count, weighted)
	}
	if spend > 0 {
		p.day(number).Spend(tallyWorld, sinceMS, spend)
	}
	return nil
}

// present adds presence that may last over midnight.
func (p *personTally) present(fromMS, untilMS int64) {
	const dayMS = 24 * 60 * 60 * 1000
	for fromMS < untilMS {
		number, sinceMS := score.DayOf(fromMS)
		lasts := min(untilMS-fromMS, dayMS-sinceMS)
		p.day(number).Present(tallyWorld, sinceMS, sinceMS+lasts)
		fromMS += lasts
	}
}

func (p *personTally) day(number int32) *score.Day {
	d := p.days[number]
	if d == nil {
		d = &score.Day{}
		p.days[number] = d
	}
	return d
}

func (t *tally) bad(err error) {
	t.badRows++
	if len(t.firstBad) < 5 {
		t.firstBad = append(t.firstBad, err)
	}
}

// report says on standard error what was read.
func (t *tally) report(w io.Writer) {
	fmt.Fprintf(w, "%d rows of %d people", t.rows, len(t.people))
	if t.hasIDs {
		fmt.Fprintf(w, ", %d repeated ids counted once", t.duplicates)
	} else {
		fmt.Fprint(w, "; there is no id, so every row counts")
	}
	fmt.Fprintln(w)
	if t.badRows > 0 {
		fmt.Fprintf(w, "%d rows could not be read and do not count:\n", t.badRows)
		for _, err := range t.firstBad {
			fmt.Fprintf(w, "  %v\n", err)
		}
	}
}

// scores returns a line for each person, in the order of their names.
func (t *tally) scores(lambda int64) []personScore {
	scores := make([]personScore, 0, len(t.people))
	for name, p := range t.people {
		points, _ := t.policy.Linear(p.seconds, p.interactions, p.spend)
		seconds := p.seconds
		for _, d := range p.days {
			seconds += d.PresentSeconds()
			points += d.Score(tallyWorld, t.policy).PointsMicro
		}
		value, _ := amount.MulDivDown(points, lambda, score.Micro)
		scores = append(scores, personScore{
			Person: name, Seconds: seconds, Interactions: amount.Format(p.allInteractions, 6), Spend: amount.Format(p.allSpendMinor, score.CurrencyScale),
			Points: amount.Format(points, 6), Value: amount.Format(value, 6),
		})
	}
	slices.SortFunc(scores, func(a, b personScore) int { return strings.Compare(a.Person, b.Person) })
	return scores
}
