package bank

import (
	"bytes"
	"slices"
)

// Bounds of proposals.
const (
	MaxProposals     = 256       // open ones
	MaxProposalBytes = 32 << 10  // of the command
	MaxProposalMS    = 7 * dayMS // how long one may stay open
	keptProposals    = 1000      // that are over, and still shown
	dayMS            = 24 * 60 * 60 * 1000
)

// ProposalStatus says what has become of a proposal.
type ProposalStatus uint8

// What becomes of proposals.
const (
	ProposalOpen ProposalStatus = iota
	ProposalApproved
	ProposalRejected
	ProposalExpired
)

var proposalStatuses = [...]string{"open", "approved", "rejected", "expired"}

// String returns the name of the status.
func (s ProposalStatus) String() string { return proposalStatuses[s] }

// Proposal is a command that waits for a second operator, or has waited.
type Proposal struct {
	Number uint64
	Status ProposalStatus
	// ProposedBy and EndedBy are operators; EndedBy means nothing while it is
	// open or when it expired.
	ProposedBy, EndedBy              uint32
	ProposedMS, ExpiresAtMS, EndedMS int64
	Operation, Target, Before, After string // of the proposer's act
	Command                          []byte // nil once it is over
}

type proposals struct {
	last uint64
	list []Proposal // by number, the oldest first
}

func (p *proposals) find(number uint64) *Proposal {
	i, found := slices.BinarySearchFunc(p.list, number, func(some Proposal, n uint64) int {
		if some.Number < n {
			return -1
		}
		return int(min(some.Number-n, 1))
	})
	if !found {
		return nil
	}
	return &p.list[i]
}

// Proposals returns what waits for a second operator, and the last that did,
// the oldest first.
func (s *State) Proposals() []Proposal { return slices.Clone(s.operators.proposals.list) }

// Proposal returns a proposal by its number.
func (s *State) Proposal(number uint64) (Proposal, bool) {
	if p := s.operators.proposals.find(number); p != nil {
		return *p, true
	}
	return Proposal{}, false
}

// Propose asks for a second operator's approval of a command. It stands inside
// an Act.
type Propose struct {
	Key Key
	// ValidMS is how long it stays open: 1 to MaxProposalMS.
	ValidMS int64
	Command []byte // encoded, with no idempotency key
}

// AppendTo appends the encoded command.
func (c Propose) AppendTo(dst []byte) []byte {
	return append(appendI64(begin(dst, kindPropose, c.Key), c.ValidMS), c.Command...)
}

// ProposalMade says the number of a proposal and until when it is open.
type ProposalMade struct {
	Proposal    uint64
	ExpiresAtMS int64
}

func (s *State) propose(r *reader) Refusal {
	validMS, command := r.i64(), r.src
	if r.short || len(command) < 1+len(Key{}) || len(command) > MaxProposalBytes || Key(command[1:17]) != (Key{}) {
		return Malformed
	}
	by, acting := s.actor()
	open := 0
	o := &s.operators
	for i := range o.proposals.list {
		if o.proposals.list[i].Status == ProposalOpen {
			open++
		}
	}
	switch {
	case !acting:
		return OperatorNotFound
	case !proposable(kind(command[0])):
		return NotProposable
	case validMS < 1 || validMS > MaxProposalMS:
		return ExpiryNotAhead
	case open >= MaxProposals:
		return TooMany
	}
	o.proposals.last++
	made := Proposal{
		Number: o.proposals.last, ProposedBy: by, ProposedMS: s.nowMS, ExpiresAtMS: s.nowMS + validMS,
		Operation: o.act.Operation, Target: o.act.Target, Before: o.act.Before, After: o.act.After, Command: bytes.Clone(command),
	}
	o.proposals.list = append(o.proposals.list, made)
	o.proposals.trim()
	s.answer = appendI64(le.AppendUint64(append(s.answer, uint8(factProposalMade)), made.Number), made.ExpiresAtMS)
	return Accepted
}

// trim forgets the oldest that are over, beyond those that are still shown.
func (p *proposals) trim() {
	for over := len(p.list) - MaxProposals - keptProposals; over > 0; over-- {
		i := slices.IndexFunc(p.list, func(some Proposal) bool { return some.Status != ProposalOpen })
		p.list = slices.Delete(p.list, i, i+1)
	}
}

// EndProposal approves or rejects a proposal. It stands inside an Act. Only
// somebody else than the proposer approves; the command is carried out with
// it, and repeats what was proposed, so that an approval says what it is of.
// Whoever proposed may reject it, too. When the command itself is refused, the
// proposal stays open.
type EndProposal struct {
	Key      Key
	Proposal uint64
	Approve  bool
	Command  []byte // as proposed; nil to reject
}

// AppendTo appends the encoded command.
func (c EndProposal) AppendTo(dst []byte) []byte {
	dst = le.AppendUint64(begin(dst, kindEndProposal, c.Key), c.Proposal)
	return append(appendBool(dst, c.Approve), c.Command...)
}

// ProposalEnded says what became of a proposal. The facts of its command stand
// before it.
type ProposalEnded struct {
	Proposal uint64
	Status   ProposalStatus
}

func (s *State) endProposal(r *reader) Refusal {
	number, approve, command := r.u64(), r.bool(), r.src
	if r.short || !approve && len(command) > 0 {
		return Malformed
	}
	by, acting := s.actor()
	if !acting {
		return OperatorNotFound
	}
	p := s.operators.proposals.find(number)
	switch {
	case p == nil:
		return ProposalNotFound
	case p.Status != ProposalOpen || p.ExpiresAtMS <= s.nowMS:
		return ProposalOver
	case !approve:
		s.closeProposal(p, ProposalRejected, by)
		return Accepted
	case !bytes.Equal(command, p.Command):
		return Malformed
	case p.ProposedBy == by:
		return OwnProposal
	case !s.operators.has(p.ProposedBy):
		return OperatorNotFound // a removed operator is nobody's second
	}
	s.operators.approved = true
	inner := reader{src: command[1+len(Key{}):]}
	if refusal := s.carryOut(kind(command[0]), &inner); refusal != Accepted {
		return refusal
	}
	s.closeProposal(p, ProposalApproved, by)
	return Accepted
}

func (s *State) closeProposal(p *Proposal, status ProposalStatus, by uint32) {
	p.Status, p.EndedBy, p.EndedMS, p.Command = status, by, s.nowMS, nil
	s.answer = append(le.AppendUint64(append(s.answer, uint8(factProposalEnded)), p.Number), uint8(status))
}

// expireProposals ends what nobody approved in time.
func (s *State) expireProposals() {
	for i := range s.operators.proposals.list {
		if p := &s.operators.proposals.list[i]; p.Status == ProposalOpen && p.ExpiresAtMS <= s.nowMS {
			s.closeProposal(p, ProposalExpired, 0)
		}
	}
}

// nextExpiryMS is when the first open proposal expires.
func (p *proposals) nextExpiryMS() (atMS int64, any bool) {
	for i := range p.list {
		if some := &p.list[i]; some.Status == ProposalOpen && (!any || some.ExpiresAtMS < atMS) {
			atMS, any = some.ExpiresAtMS, true
		}
	}
	return atMS, any
}

// appendOperators appends who runs the bank (docs/formats/state.md).
func (s *State) appendOperators(dst []byte) []byte {
	o := &s.operators
	dst = le.AppendUint32(appendBool(dst, o.twoPersons), uint32(len(o.list)))
	for _, some := range o.list {
		dst = appendBool(appendI64(appendText8(dst, some.Name), some.AddedMS), some.Removed)
	}
	dst = le.AppendUint32(dst, uint32(len(o.keys)))
	for _, key := range o.keys {
		dst = append(le.AppendUint32(dst, key.Operator), key.KeyHash[:]...)
	}
	dst = le.AppendUint32(le.AppendUint64(dst, o.proposals.last), uint32(len(o.proposals.list)))
	for _, p := range o.proposals.list {
		dst = append(le.AppendUint64(dst, p.Number), uint8(p.Status))
		dst = le.AppendUint32(le.AppendUint32(dst, p.ProposedBy), p.EndedBy)
		dst = appendI64(appendI64(appendI64(dst, p.ProposedMS), p.ExpiresAtMS), p.EndedMS)
		dst = appendText16(appendText16(appendText8(appendText8(dst, p.Operation), p.Target), p.Before), p.After)
		dst = append(le.AppendUint16(dst, uint16(len(p.Command))), p.Command...)
	}
	return dst
}

func (s *State) readOperators(r *reader) {
	o := &s.operators
	o.twoPersons = r.bool()
	for n := r.u32(); n > 0 && !r.short; n-- {
		o.list = append(o.list, Operator{Name: string(r.text8()), AddedMS: r.i64(), Removed: r.bool()})
	}
	for n := r.u32(); n > 0 && !r.short; n-- {
		o.keys = append(o.keys, OperatorAdmitted{r.u32(), r.digest()})
	}
	o.proposals.last = r.u64()
	for n := r.u32(); n > 0 && !r.short; n-- {
		p := Proposal{
			Number: r.u64(), Status: ProposalStatus(min(r.u8(), uint8(ProposalExpired))), ProposedBy: r.u32(), EndedBy: r.u32(),
			ProposedMS: r.i64(), ExpiresAtMS: r.i64(), EndedMS: r.i64(),
			Operation: string(r.text8()), Target: string(r.text8()), Before: string(r.text16()), After: string(r.text16()),
		}
		if command := r.text16(); len(command) > 0 {
			p.Command = bytes.Clone(command)
		}
		o.proposals.list = append(o.proposals.list, p)
	}
}
