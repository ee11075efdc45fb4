package sim

import (
	"context"
	"fmt"

	"github.com/attentionbank/attentionbank/abuse"
	"github.com/attentionbank/attentionbank/auditor"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/journal"
)

// reviewing is what a world makes of reviews: one rule that holds TIME back, or
// that only watches, and an operator who decides. It draws apart, as keeping
// does.
type reviewing struct {
	random draws
	on     bool
	holds  bool
	rule   auditor.Rate
}

// reviewsFrom is to reviews what apartFrom is to what is kept.
const reviewsFrom = 8400

// drawReviewing draws the rule: few interactions within long are odd, so that
// many people have cases.
func drawReviewing(seed uint64) (r reviewing) {
	r.random = draws(seed ^ reviewsFrom<<32)
	r.on = r.random.below(2) == 0
	r.holds = r.random.below(5) > 0
	r.rule = auditor.Rate{MoreThan: int64(1 + r.random.below(3)), Seconds: int64(60 * (1 + r.random.below(60)))}
	return r
}

// publishRules lets the rule hold from now on.
func (w *world) publishRules() error {
	r := &w.reviewing
	if !r.on {
		return nil
	}
	mode := "shadow"
	if r.holds {
		mode = "enforce"
	}
	name, key := w.key()
	text := fmt.Sprintf("name: sim\nrules: [{signal: impossible_rate, mode: %s, cost: 600, more_than: %d, seconds: %d}]", mode, r.rule.MoreThan, r.rule.Seconds)
	return w.carryOut(&order{name: name, command: bank.PublishReviewRules{Key: key, Text: text}.AppendTo(nil), audit: func(int64) bool { return true }})
}

// rules are the review rules, as a process knows them.
func (p *process) rules(ctx context.Context) (rules *abuse.Rules, version uint32, err error) {
	var text string
	if err := p.writer.Read(ctx, func(state *bank.State) { text, version = state.LastReviewRules() }); err != nil {
		return nil, 0, err
	}
	if version == 0 {
		return abuse.DefaultRules(), 0, nil
	}
	rules, err = abuse.ParseRules([]byte(text))
	return rules, version, err
}

// openCases returns the commands that open cases, without those that would
// change nothing.
func (p *process) openCases(ctx context.Context, cases []bank.OpenCase) (commands [][]byte, err error) {
	if len(cases) == 0 {
		return nil, nil
	}
	err = p.writer.Read(ctx, func(state *bank.State) {
		for _, c := range p.world.joints.cases(cases) {
			if !state.Covers(c) {
				commands = append(commands, c.AppendTo(nil))
			}
		}
	})
	return commands, err
}

// reviewStep lets somebody do much at once, days be looked at, an epoch go by, or
// a case be decided on.
func (w *world) reviewStep() error {
	r := &w.reviewing
	if !r.on {
		return nil
	}
	switch r.random.below(12) {
	case 0:
		return w.deliver(w.drawBurst())
	case 1:
		return w.flush()
	case 2:
		w.nowMS += soonMoney.EpochMS
	case 3, 4:
		return w.decide()
	}
	return nil
}

// drawBurst draws interactions of a person about as close to each other as the
// rule has it.
func (w *world) drawBurst() delivery {
	r := &w.reviewing
	d := delivery{request: collect.Request{World: uint32(1 + r.random.below(2)), Trust: collect.TrustServer}}
	person, fromMS := of(&r.random, []string{"ann", "bob", "cho"}), w.nowMS-hourMS-r.random.within(hourMS)
	for range r.rule.MoreThan + int64(r.random.below(3)) {
		w.next++
		report := auditor.Report{
			ID: fmt.Sprintf("m%d", w.next), World: d.request.World, Person: person, Server: true, Kind: auditor.Act,
			TimeMS: fromMS + r.random.within(r.rule.Seconds*1200), AskedMS: w.nowMS,
		}
		report.TimeMS = min(report.TimeMS, w.nowMS)
		d.request.Items = append(d.request.Items, event.Item{Event: event.Event{Call: event.Track, Type: "Jumped", UserID: person, MessageID: report.ID, TimeMS: report.TimeMS}})
		d.reports = append(d.reports, report)
	}
	return d
}

// decide lets a case be decided on, or its person appeal.
func (w *world) decide() error {
	r := &w.reviewing
	var people []string
	for _, name := range w.people.names {
		if len(w.epochs.Cases[name]) > 0 {
			people = append(people, name)
		}
	}
	if len(people) == 0 {
		return nil
	}
	person := of(&r.random, people)
	at := r.random.below(len(w.epochs.Cases[person]))
	number, err := w.caseNumber(person, at)
	if err != nil {
		return err
	}
	name, key := w.key()
	o := &order{name: name}
	var audit func() bool
	if r.random.below(3) == 0 {
		w.count("appeal")
		o.command = bank.AppealCase{Key: key, Case: number}.AppendTo(nil)
		audit = func() bool { return w.epochs.Appeal(person, at) }
	} else {
		w.count("decision on a case")
		release := r.random.below(2) == 0
		o.command = bank.Act{Operation: "decide-case", Command: bank.DecideCase{Key: key, Case: number, Release: release}.AppendTo(nil)}.AppendTo(nil)
		audit = func() bool { return w.epochs.Decide(person, at, release) }
	}
	return w.carryOutAtOnce(o, audit)
}

// caseNumber returns the number of a person's case.
func (w *world) caseNumber(person string, at int) (uint64, error) {
	w.mayQueue = false
	return until(w, func(p *process) (number uint64, err error) {
		var found error
		err = p.writer.Read(w.ctx, func(state *bank.State) {
			id, _ := w.people.Person(w.ctx, w.people.numbers[person])
			owner, _ := state.PersonByID(id)
			if list := state.CasesOf(owner); at < len(list) {
				number = list[at]
			} else {
				found = wrong("%s has %d cases, the auditor says %d", person, len(list), len(w.epochs.Cases[person]))
			}
		})
		if err == nil {
			err = found
		}
		return number, err
	})
}

// carryOutAtOnce carries out an order on the auditor's side when its record
// becomes durable, and not when it is answered: what time does meanwhile depends
// on it.
func (w *world) carryOutAtOnce(o *order, audit func() bool) (err error) {
	done, may := false, false
	o.audit = func(int64) bool { return may }
	o.askedMS = max(w.nowMS, w.epochs.NowMS)
	o.answer, err = until(w, func(p *process) (answer journal.Answer, err error) {
		p.deciding = func() {
			if !done {
				done, may = true, audit()
			}
		}
		answers, err := p.writer.Submit(w.ctx, w.joints.command(o.command))
		if err == nil {
			answer = answers[0]
		}
		return answer, err
	})
	if err != nil {
		return err
	}
	return w.check(o)
}

// compareCases compares where the cases of people stand.
func (w *world) compareCases(state *bank.State) error {
	for _, name := range w.people.names {
		id, _ := w.people.Person(w.ctx, w.people.numbers[name])
		owner, _ := state.PersonByID(id)
		want := w.epochs.Cases[name]
		list := state.CasesOf(owner)
		if !w.reviewing.on || !w.reviewing.holds {
			for _, number := range list {
				if c, _ := state.Case(number); c.Status != bank.CaseShadow || c.HeldMicro != 0 {
					return wrong("case %d of %s is %s and holds %d back, by a rule that only watches", number, name, c.Status, c.HeldMicro)
				}
			}
			continue
		}
		if len(list) != len(want) {
			return wrong("%s has %d cases, the auditor says %d", name, len(list), len(want))
		}
		for i, number := range list {
			if c, _ := state.Case(number); c.Status.String() != string(want[i].Status) || c.HeldMicro != want[i].HeldMicro || int64(c.ToDay) != want[i].ToDay {
				return wrong("case %d of %s is %s, to day %d, and has %d, the auditor says %s, %d and %d", number, name, c.Status, c.ToDay, c.HeldMicro, want[i].Status, want[i].ToDay, want[i].HeldMicro)
			}
		}
	}
	return nil
}

// auditReviews lets the time for appeals end.
func (w *world) auditReviews() error {
	if !w.reviewing.on {
		return nil
	}
	w.nowMS += auditor.AppealMS + dayMS
	return w.look()
}
