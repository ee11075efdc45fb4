package sim

import (
	"context"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/auditor"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/event"
)

const (
	hourMS = 60 * 60 * 1000
	dayMS  = 24 * hourMS
)

// device is an anonymous id of world 1 that becomes one of its users.
const device = "phone"

// delivery is a request with behaviour: what is asked, and the same for the
// auditor.
type delivery struct {
	request  collect.Request
	reports  []auditor.Report
	sessions []auditor.Session
}

// drawDelivery draws a request of a world with n events of its users.
func (w *world) drawDelivery(n int) delivery {
	d := delivery{request: collect.Request{World: uint32(1 + w.random.below(2)), Trust: collect.TrustServer}}
	if w.random.below(2) == 0 {
		d.request.Trust = collect.TrustWrite
	}
	for range n {
		w.next++
		r := auditor.Report{
			ID: fmt.Sprintf("m%d", w.next), World: d.request.World, Person: of(&w.random, []string{"ann", "bob", "cho"}),
			Server: d.request.Trust == collect.TrustServer, TimeMS: w.nowMS - w.random.within(12*hourMS), AskedMS: w.nowMS,
		}
		e := event.Event{Call: event.Track, Type: "heartbeat", UserID: r.Person, MessageID: r.ID}
		if r.World == 1 && w.random.below(5) == 0 {
			r.Person, e.UserID, e.AnonymousID = device, "", device
		}
		switch w.random.below(12) {
		case 0:
			r.TimeMS = w.nowMS - w.random.within(9*dayMS) // some of these are late
		case 1:
			r.TimeMS, r.SentMS = w.nowMS+w.random.within(hourMS), w.nowMS+w.random.within(hourMS)
		case 2:
			r.TimeMS = w.nowMS - w.random.within(10*60_000)
		}
		switch draw := w.random.below(12); {
		case draw < 5:
			r.Kind, e.Type = auditor.Act, "Jumped"
		case draw < 7 && r.Server && r.Person != device:
			r.Kind, r.Order, r.Minor = auditor.Purchase, "order-"+r.ID, int64(1+w.random.below(3000))
			e.Type = "Order Completed"
			w.bought = append(w.bought, r)
		case draw < 8 && r.Server && len(w.bought) > 0:
			bought := of(&w.random, w.bought)
			if bought.World != r.World {
				break
			}
			r.Kind, r.Person, r.Order, r.Minor = auditor.Refund, bought.Person, bought.Order, int64(1+w.random.below(int(bought.Minor)))
			e.Type, e.UserID, e.AnonymousID = "Order Refunded", bought.Person, ""
		}
		if r.Order != "" {
			e.Properties = []event.Property{{Name: "order_id", Value: r.Order}, {Name: "revenue", Value: fmt.Sprintf("%d.%02d", r.Minor/100, r.Minor%100)}}
		}
		e.TimeMS, e.SentMS = r.TimeMS, r.SentMS
		d.request.Items = append(d.request.Items, event.Item{Event: e})
		d.reports = append(d.reports, r)
	}
	return d
}

// sent is what became of a delivery that was acknowledged.
type sent struct {
	p       *process
	arrived map[string]bool // message ids that had arrived before
	results []collect.Result
}

// deliver sends events until they are acknowledged.
func (w *world) deliver(d delivery) error {
	w.sent = append(w.sent, d)
	s, err := until(w, func(p *process) (*sent, error) { return w.send(p, d) })
	if err != nil {
		return err
	}
	return w.checkSent(d, s)
}

// send sends events to a process.
func (w *world) send(p *process, d delivery) (s *sent, err error) {
	s = &sent{p: p, arrived: map[string]bool{}}
	for i := range d.reports {
		r := &d.reports[i]
		r.AskedMS = w.nowMS
		_, s.arrived[r.ID] = w.log.ArrivedMS(r.ID)
	}
	p.writing = []delivery{d}
	s.results, err = p.events.Accept(w.ctx, d.request)
	return s, err
}

// checkSent requires the verdicts that the auditor expects.
func (w *world) checkSent(d delivery, s *sent) error {
	for _, result := range s.results {
		verdict := result.Verdict
		if s.arrived[result.MessageID] != (verdict == collect.Duplicate) {
			return wrong("message %s is %s; it has arrived before: %v", result.MessageID, verdict, s.arrived[result.MessageID])
		}
		if verdict == collect.Duplicate {
			verdict = result.First
		}
		if verdict == collect.Capped {
			verdict = collect.Accepted
		}
		expected := [...]collect.Verdict{auditor.Counts: collect.Accepted, auditor.Late: collect.Late, auditor.Waits: collect.Quarantined}
		if known := w.log.Verdict(s.p.fold, result.MessageID); verdict != expected[known] {
			return wrong("message %s is %s, the auditor says %s", result.MessageID, verdict, expected[known])
		}
	}
	return nil
}

// sendAgain sends an earlier request again, within the horizon: everything in
// it is a duplicate.
func (w *world) sendAgain() error {
	if len(w.sent) == 0 {
		return nil
	}
	if d := of(&w.random, w.sent); w.isRemembered(d) {
		return w.repeatDelivery(d)
	}
	return nil
}

// isRemembered reports whether the message ids of a request that was answered
// are still within the horizon, with an hour to spare.
func (w *world) isRemembered(d delivery) bool {
	for _, r := range d.reports {
		if arrivedMS, _ := w.log.ArrivedMS(r.ID); max(w.nowMS, w.log.ReceivedMS())-arrivedMS > auditor.HorizonMS-hourMS {
			return false
		}
	}
	return true
}

func (w *world) repeatDelivery(d delivery) error {
	w.count("events delivered twice")
	s, err := until(w, func(p *process) (*sent, error) { return w.send(p, d) })
	if err != nil {
		return err
	}
	return w.checkSent(d, s)
}

func (w *world) openSession() error {
	s := auditor.Session{Person: of(&w.random, []string{"ann", "bob", "cho"}), FromMS: w.nowMS - w.random.within(12*hourMS)}
	s.UntilMS = s.FromMS + 1 + w.random.within(6*hourMS)
	s.World = uint32(1 + w.random.below(2))
	if s.World == 1 && w.random.below(8) == 0 {
		s.Device = device
	}
	_, err := until(w, func(p *process) (struct{}, error) {
		p.writing = []delivery{{sessions: []auditor.Session{s}}}
		return struct{}{}, p.events.OpenSession(w.ctx, s.World, s.Person, s.Device, s.FromMS, s.UntilMS)
	})
	return err
}

// flush posts what was earned, until it is. A day that has not come by the
// bank's clock stays for later.
func (w *world) flush() error {
	w.mayQueue = false // a flush is several requests of both loops
	_, err := until(w, func(p *process) (struct{}, error) {
		notCome := false
		p.writing = []delivery{{}} // if something is due by time, a batch says how late it is
		_, err := p.events.Flush(w.ctx, func(ctx context.Context, posting collect.Posting) error {
			mints := posting.Mints
			commands, err := p.openCases(ctx, posting.Cases)
			if err != nil {
				return err
			}
			cases := len(commands)
			if len(mints) > 0 {
				for _, mint := range w.joints.mints(mints) {
					commands = append(commands, mint.AppendTo(nil))
				}
			}
			if len(commands) == 0 {
				return nil
			}
			p.minting = true // lets purchases count, as waking up did
			answers, err := p.writer.Submit(ctx, commands...)
			for i, answer := range answers {
				if i < cases {
					if answer.Refusal == bank.DayNotCome {
						notCome = true
					} else if answer.Refusal != bank.Accepted {
						return wrong("a case was refused: %s", answer.Refusal)
					}
					continue
				}
				i -= cases
				switch {
				case answer.Refusal == bank.DayNotCome && int64(mints[i].Day) > p.mintMS/dayMS+1:
					notCome = true
				case answer.Refusal != bank.Accepted:
					return wrong("the mint of day %d was refused: %s", mints[i].Day, answer.Refusal)
				}
			}
			if err == nil && notCome {
				err = errors.New("a day has not come")
			}
			return err
		})
		if notCome && !errors.Is(err, errWrong) {
			err = nil
		}
		if err == nil {
			p.fold.Mature()
		}
		return struct{}{}, err
	})
	return err
}
