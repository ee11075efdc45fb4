package collect

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/score"
)

// prepare does for a request all that needs no order: it finds the subjects,
// fixes the times, reads what the events mean and seals them. Events that are
// rejected get their result here and no entry.
func (c *Collector) prepare(ctx context.Context, request Request, results []Result) ([]*prepared, error) {
	receivedMS := c.now()
	var refs []Ref
	for i := range request.Items {
		item := &request.Items[i]
		results[i].MessageID = item.Event.MessageID
		if item.Err != nil {
			results[i].Verdict, results[i].Rule, results[i].Detail = Rejected, MalformedEvent, item.Err.Error()
			continue
		}
		refs = append(refs, refOf(request.World, &item.Event))
		if unites(request.Trust, &item.Event) {
			refs = append(refs, Ref{World: request.World, AnonymousID: item.Event.AnonymousID})
		}
	}
	subjects, err := c.subjects.Resolve(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("finding the people of %d events: %w", len(refs), err)
	}
	entries := make([]*prepared, 0, len(refs))
	for i := range request.Items {
		if results[i].Verdict == Rejected {
			continue
		}
		e := &request.Items[i].Event
		subject := subjects[0].Number
		subjects = subjects[1:]
		p, err := c.prepareEvent(ctx, request, e, subject, receivedMS, &results[i])
		if errors.Is(err, ErrErased) {
			results[i].Verdict, results[i].Rule = Rejected, ErasedPerson
			results[i].Detail = "the person was erased just now; send the event again to begin anew"
			if unites(request.Trust, e) {
				subjects = subjects[1:]
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		entries = append(entries, p)
		if request.Trust == TrustServer && e.Call == event.Identify && e.UserID != "" {
			other := uint64(0)
			if unites(request.Trust, e) {
				other, subjects = subjects[0].Number, subjects[1:]
			}
			opened, err := c.prepareSession(ctx, request.World, subject, other, session{p.timeMS, p.timeMS + SessionMS})
			if err != nil {
				return nil, err
			}
			opened.cause = p
			entries = append(entries, opened)
		}
	}
	return entries, nil
}

func refOf(world uint32, e *event.Event) Ref {
	if e.UserID != "" {
		return Ref{World: world, UserID: e.UserID}
	}
	return Ref{World: world, AnonymousID: e.AnonymousID}
}

// unites reports whether an event says that an anonymous id is a user.
func unites(trust Trust, e *event.Event) bool {
	return trust == TrustServer && e.Call == event.Identify && e.UserID != "" && e.AnonymousID != ""
}

func (c *Collector) prepareEvent(ctx context.Context, request Request, e *event.Event, subject uint64, receivedMS int64, result *Result) (*prepared, error) {
	p := &prepared{result: result, entry: entry{
		kind: eventEntry, trust: request.Trust, world: request.World, subject: subject, policyVersion: request.PolicyVersion,
	}}
	var clockAhead bool
	p.timeMS, clockAhead = happenedAt(e, request.Trust, receivedMS)
	if request.Trust != TrustImport {
		e.CoversMS, e.Count = 0, 0 // only an import vouches for these
	}
	p.digest = digestOf(request.World, request.Trust, e.MessageID)
	c.observe(p, e)
	if clockAhead && p.rule == NoRule {
		p.rule = ClockAhead
	}
	if e.MessageID == "" {
		p.verdict, p.rule = Quarantined, NoMessageID
		rand.Read(p.digest[:])
	}
	payload := e.AppendTo(binary.LittleEndian.AppendUint64(make([]byte, 0, 512), uint64(p.timeMS)))
	var err error
	if p.sealed, err = c.subjects.Seal(ctx, subject, nil, payload, p.digest[:]); err != nil {
		return nil, fmt.Errorf("sealing an event: %w", err)
	}
	p.sum = sha256.Sum256(p.sealed)
	return p, nil
}

// observe reads what an event means under the policy of its day. It is used
// alike when an event arrives and when it is folded again.
func (c *Collector) observe(p *prepared, e *event.Event) {
	day, _ := score.DayOf(p.timeMS)
	policy, _ := c.policies(p.world, day, p.policyVersion)
	p.observation, p.asksConsent = policy.Observe(e, p.timeMS), policy.ConsentRequired
	p.device = c.deviceOf(p, e, day)
	o := &p.observation
	switch {
	case p.trust == TrustWrite && (o.SpendMinor > 0 || o.RefundMinor > 0):
		o.SpendMinor, o.RefundMinor = 0, 0
		p.rule = SpendNeedsServer
	case o.Rule == score.RuleOtherCurrency:
		p.rule = OtherCurrency
	case o.Rule == score.RuleNoAmount:
		p.rule = NoAmount
	}
}

// happenedAt fixes when an event happened, once and for ever. A client whose
// clock is ahead is set back by as much as it is; one that says nothing is
// taken to report at once. A clock that is behind cannot be told from a report
// that was delayed, so its times stay: they are earlier, not more.
func happenedAt(e *event.Event, trust Trust, receivedMS int64) (timeMS int64, clockAhead bool) {
	switch {
	case e.TimeMS == 0:
		return receivedMS, false
	case trust == TrustImport || e.TimeMS <= receivedMS && e.SentMS <= receivedMS:
		return e.TimeMS, false
	}
	timeMS = e.TimeMS
	if e.SentMS > receivedMS {
		timeMS -= e.SentMS - receivedMS
	}
	return min(timeMS, receivedMS), max(e.TimeMS, e.SentMS) > receivedMS+FutureMS
}

// digestOf stands for a message id of a world. Ids under a public key and
// under a secret one do not meet, so nobody can use up a server's ids.
func digestOf(world uint32, trust Trust, messageID string) digest {
	b := binary.LittleEndian.AppendUint32(make([]byte, 0, 64), world)
	b = append(append(b, uint8(trust)), messageID...)
	sum := sha256.Sum256(b)
	return digest(sum[:16])
}

func (c *Collector) prepareSession(ctx context.Context, world uint32, subject, other uint64, s session) (*prepared, error) {
	payload := binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, uint64(s.fromMS)), uint64(s.untilMS))
	p, err := c.prepareSealed(ctx, entry{kind: sessionEntry, trust: TrustServer, verdict: Accepted, world: world, subject: subject, other: other}, payload)
	if err != nil {
		return nil, fmt.Errorf("sealing a session: %w", err)
	}
	p.session = s
	return p, nil
}

// prepareSealed makes an entry that no client names by a message id.
func (c *Collector) prepareSealed(ctx context.Context, e entry, payload []byte) (p *prepared, err error) {
	p = &prepared{entry: e}
	rand.Read(p.digest[:])
	p.sealed, err = c.subjects.Seal(ctx, e.subject, nil, payload, p.digest[:])
	p.sum = sha256.Sum256(p.sealed)
	return p, err
}

// ErrSession is returned for a session that cannot be opened.
var ErrSession = errors.New("a session begins within the last seven days and lasts up to 24 hours")

// OpenSession says, in the name of a world's server, that a person is there
// from fromMS until untilMS, and that an anonymous id, if one is given, is this
// person. Claims that waited for it count from now on.
func (c *Collector) OpenSession(ctx context.Context, world uint32, userID, anonymousID string, fromMS, untilMS int64) error {
	nowMS := c.now()
	if fromMS < nowMS-HorizonMS || untilMS <= fromMS || untilMS-fromMS > MaxSessionMS {
		return ErrSession
	}
	refs := []Ref{{World: world, UserID: userID}}
	if anonymousID != "" {
		refs = append(refs, Ref{World: world, AnonymousID: anonymousID})
	}
	subjects, err := c.subjects.Resolve(ctx, refs)
	if err != nil {
		return fmt.Errorf("finding the person of a session: %w", err)
	}
	other := uint64(0)
	if len(subjects) > 1 {
		other = subjects[1].Number
	}
	p, err := c.prepareSession(ctx, world, subjects[0].Number, other, session{fromMS, untilMS})
	if err != nil {
		return err
	}
	return c.do(ctx, []*prepared{p}, nil)
}
