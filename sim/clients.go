package sim

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
)

// order is a command of a client, given until it is answered.
type order struct {
	name    string // of its key
	command []byte
	// audit carries it out on the auditor's books at a time of the bank, and
	// reports whether it may be.
	audit func(atMS int64) bool
	// note is told the answer; it may be nil.
	note func(journal.Answer)

	askedMS int64
	answer  journal.Answer
	err     error
}

// submit gives a command until it is answered.
func (w *world) submit(command []byte) (journal.Answer, error) {
	return until(w, func(p *process) (answer journal.Answer, err error) {
		answers, err := p.writer.Submit(w.ctx, w.joints.command(command))
		if err == nil {
			answer = answers[0]
		}
		return answer, err
	})
}

// carryOut gives an order until it is answered, and requires the answer that
// the auditor expects.
func (w *world) carryOut(o *order) (err error) {
	o.askedMS = max(w.nowMS, w.epochs.NowMS)
	if o.answer, err = w.submit(o.command); err != nil {
		return err
	}
	return w.check(o)
}

func (w *world) check(o *order) error {
	if o.answer.Seq == 0 || o.answer.Seq > uint64(len(w.times)) || !o.answer.Repeated && o.answer.Seq < w.answered {
		return wrong("order %s was answered from record %d, after %d of %d", o.name, o.answer.Seq, w.answered, len(w.times))
	}
	w.answered = max(w.answered, o.answer.Seq)
	accepted := o.answer.Refusal == bank.Accepted
	if expected := o.audit(w.times[o.answer.Seq-1]); accepted != expected {
		return wrong("order %s was answered %s; it may be: %v", o.name, o.answer.Refusal, expected)
	}
	if o.note != nil {
		o.note(o.answer)
	}
	w.orders[o.name] = o
	return nil
}

func (w *world) key() (name string, key bank.Key) {
	w.next++
	name = fmt.Sprintf("k%d", w.next)
	copy(key[:], name)
	return name, key
}

func (w *world) account() uint64 {
	if n := w.random.below(8); n < len(w.accounts) {
		return w.accounts[n]
	}
	return w.issuer
}

func (w *world) drawTransfer() *order {
	name, key := w.key()
	from, to, amount := w.account(), w.account(), int64(w.random.below(50))
	return &order{
		name: name, command: bank.Transfer{Key: key, Legs: []ledger.Leg{{Debit: from, Credit: to, Amount: amount}}}.AppendTo(nil),
		audit: func(atMS int64) bool { return w.books.Transfer(atMS, from, to, amount) },
	}
}

// drawHold places a hold, settles one in whole or in part, or releases one.
func (w *world) drawHold() *order {
	name, key := w.key()
	if len(w.placed) > 0 && w.random.below(5) < 3 {
		placed := of(&w.random, w.placed)
		if w.random.below(3) == 0 {
			return &order{
				name: name, command: bank.ReleaseHold{Key: key, Hold: w.holds[placed]}.AppendTo(nil),
				audit: func(atMS int64) bool { return w.books.Release(atMS, placed) },
			}
		}
		amount, final := max(w.books.Remaining(placed), 1), true
		if w.random.below(2) == 0 {
			amount, final = 1+int64(w.random.below(int(amount))), w.random.below(2) == 0
		}
		return &order{
			name: name, command: bank.SettleHold{Key: key, Hold: w.holds[placed], Amount: amount, Final: final}.AppendTo(nil),
			audit: func(atMS int64) bool { return w.books.Settle(atMS, placed, amount, final) },
		}
	}
	from, to, amount, expiresMS := w.account(), w.account(), int64(w.random.below(50)), int64(0)
	if w.random.below(2) == 0 {
		expiresMS = w.nowMS + w.random.within(4*hourMS)
	}
	return &order{
		name: name, command: bank.PlaceHold{Key: key, Account: from, Beneficiary: to, Amount: amount, ExpiresAtMS: expiresMS}.AppendTo(nil),
		audit: func(atMS int64) bool { return w.books.Hold(atMS, name, from, to, amount, expiresMS) },
		note: func(answer journal.Answer) {
			if placed, ok := bank.First[bank.HoldPlaced](answer.Bytes); ok {
				w.placed, w.holds[name] = append(w.placed, name), placed.Hold
			}
		},
	}
}

// repeat gives an earlier command again: it gets the first answer.
func (w *world) repeat() error {
	if len(w.orders) == 0 {
		return nil
	}
	names := make([]string, 0, len(w.orders))
	for name := range w.orders {
		names = append(names, name)
	}
	slices.Sort(names)
	o := w.orders[of(&w.random, names)]
	// A key is remembered for a day of the bank's time; a slow disk takes some.
	if max(w.nowMS, w.epochs.NowMS)-o.askedMS > bank.RepeatWindowMS-hourMS {
		delete(w.orders, o.name)
		return nil
	}
	w.count("command delivered twice")
	answer, err := w.submit(o.command)
	if err != nil {
		return err
	}
	if answer.Refusal != o.answer.Refusal || !answer.Repeated || answer.Seq != o.answer.Seq {
		return wrong("order %s was answered %s first, and %s (repeated: %v) when it came again", o.name, o.answer.Refusal, answer.Refusal, answer.Repeated)
	}
	return nil
}

// queueBehind lets other requests come in while a write of a process hangs, so
// that they become one batch behind it. It returns what to wait for; what
// comes of them is looked at when the step ends.
func (w *world) queueBehind(p *process) (others []chan struct{}) {
	if p.hangsIn == "purge" {
		w.deliverMeanwhile(p)
		return nil
	}
	if !w.mayQueue {
		return nil
	}
	w.mayQueue = false
	queue := func(waiting func() int, do func()) {
		done := make(chan struct{})
		others = append(others, done)
		before := waiting()
		go func() { defer close(done); do() }()
		for waiting() == before {
			runtime.Gosched()
		}
	}
	n := 1 + w.random.below(4)
	if p.hangsIn == "journal" || p.hangsIn == "head" {
		for range n {
			o := w.drawTransfer()
			o.askedMS = max(w.nowMS, w.epochs.NowMS)
			queue(p.writer.Waiting, func() {
				answers, err := p.writer.Submit(w.ctx, w.joints.command(o.command))
				if o.err = err; err == nil {
					o.answer = answers[0]
				}
			})
			w.afterwards = append(w.afterwards, func() error {
				if o.err != nil {
					return w.carryOut(o)
				}
				return w.check(o)
			})
		}
		w.count("requests written as one batch")
		return others
	}
	group := delivery{}
	for range n {
		d := w.drawDelivery(1 + w.random.below(3))
		group.reports = append(group.reports, d.reports...)
		s := &sent{p: p}
		var err error
		queue(p.events.Waiting, func() { s.results, err = p.events.Accept(w.ctx, d.request) })
		w.afterwards = append(w.afterwards, func() error {
			if err != nil {
				return w.deliver(d)
			}
			return w.checkSent(d, s)
		})
	}
	w.count("requests written as one batch")
	p.writing = append(p.writing, group)
	return others
}
