package bank

import (
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/pages"
)

// Bounds and times of reviews.
const (
	MaxReviewRules     = 1000 // versions
	MaxReviewRuleBytes = 16 << 10
	// AppealMS is how long a person may appeal against a decision: 30 days.
	AppealMS = 30 * dayMS
	// maxForfeits bounds the cases that one Tick ends.
	maxForfeits = 256
)

// CaseStatus says where a review stands.
type CaseStatus uint8

// The statuses of a case. While it is Open, TIME that the person is paid is
// held back by it.
const (
	CaseOpen      CaseStatus = iota
	CaseReleased             // what was held back was paid
	CaseUpheld               // it stays held back until the time for an appeal is over
	CaseAppealed             // an operator decides once more
	CaseForfeited            // what was held back was burned
	CaseShadow               // a rule that only watches: nothing is held back
)

var caseStatuses = [...]string{"open", "released", "upheld", "appealed", "forfeited", "shadow"}

// String returns the name of the status.
func (s CaseStatus) String() string { return caseStatuses[s] }

// ParseCaseStatus reads the name of a status.
func ParseCaseStatus(name string) (CaseStatus, bool) {
	i := slices.Index(caseStatuses[:], name)
	return CaseStatus(max(i, 0)), i >= 0
}

// Case is why TIME of a person is held back, and what came of it. It holds no
// pointers.
type Case struct {
	Person uint64
	// FromDay and ToDay are the first and the last day that were found odd.
	FromDay, ToDay int32
	RulesVersion   uint32
	// Signals are the bits of what was found; package abuse names them.
	Signals uint32
	// TrustPermille is the least trust that was found, 0 to 1000.
	TrustPermille uint16
	Status        CaseStatus
	// Contested says that the person has asked to be heard while it was open.
	Contested           bool
	OpenedMS, DecidedMS int64
	DecidedBy           uint32 // operator; means nothing before DecidedMS
	// HeldMicro is the TIME that is held back, or was when it ended.
	HeldMicro int64
}

const caseBytes = 8 + 4 + 4 + 4 + 4 + 2 + 1 + 1 + 8 + 8 + 4 + 8

// reviews are the cases of all people.
type reviews struct {
	cases pages.Array[Case]
	rules []string // by version, from 1 on

	// What follows is made from cases: of each person all of them, the last one
	// that holds back and the last that only watches, and the upheld ones in the
	// order in which the time for an appeal ends.
	byPerson          map[uint64][]uint64
	holding, watching map[uint64]uint64
	upheld            []uint64
}

// PublishReviewRules adds a version of the rules by which people are looked at.
// Whether the text can be read is checked before.
type PublishReviewRules struct {
	Key  Key
	Text string // at most MaxReviewRuleBytes
}

// AppendTo appends the encoded command. The text's length is a u16.
func (c PublishReviewRules) AppendTo(dst []byte) []byte {
	text := c.Text[:min(len(c.Text), 1<<16-1)]
	dst = begin(dst, kindPublishReviewRules, c.Key)
	return append(le.AppendUint16(dst, uint16(len(text))), text...)
}

// ReviewRulesPublished says the version of the rules.
type ReviewRulesPublished struct{ Version uint32 }

// OpenCase says that a person's day is odd by the rules of a version. Its
// natural key is (person, day): what was decided on is not opened again, and
// while a case is open, more findings join it.
type OpenCase struct {
	Person        [16]byte
	Day           int32
	RulesVersion  uint32
	Signals       uint32
	TrustPermille uint16
	Shadow        bool // by rules that only watch
}

// AppendTo appends the encoded command.
func (c OpenCase) AppendTo(dst []byte) []byte {
	dst = append(begin(dst, kindOpenCase, Key{}), c.Person[:]...)
	dst = le.AppendUint32(le.AppendUint32(le.AppendUint32(dst, uint32(c.Day)), c.RulesVersion), c.Signals)
	return appendBool(le.AppendUint16(dst, c.TrustPermille), c.Shadow)
}

// CaseChanged says where a case stands. The postings of a decision follow it.
type CaseChanged struct {
	Case   uint64
	Status CaseStatus
}

// DecideCase releases what a case holds back, or upholds it. It stands inside
// an Act. An appeal is decided by another operator, if there is one.
type DecideCase struct {
	Key     Key
	Case    uint64
	Release bool
}

// AppendTo appends the encoded command.
func (c DecideCase) AppendTo(dst []byte) []byte {
	return appendBool(le.AppendUint64(begin(dst, kindDecideCase, c.Key), c.Case), c.Release)
}

// AppealCase asks, for the person, that a case be looked at by a human, or once
// more by another.
type AppealCase struct {
	Key  Key
	Case uint64
}

// AppendTo appends the encoded command.
func (c AppealCase) AppendTo(dst []byte) []byte {
	return le.AppendUint64(begin(dst, kindAppealCase, c.Key), c.Case)
}

func (s *State) publishReviewRules(r *reader) Refusal {
	text := r.text16()
	if !r.finished() {
		return Malformed
	}
	if len(text) > MaxReviewRuleBytes {
		return PolicyTooLarge
	}
	if len(s.reviews.rules) >= MaxReviewRules {
		return TooMany
	}
	s.reviews.rules = append(s.reviews.rules, string(text))
	s.answer = le.AppendUint32(append(s.answer, uint8(factReviewRulesPublished)), uint32(len(s.reviews.rules)))
	return Accepted
}

func (s *State) openCase(r *reader) Refusal {
	id := r.id()
	found := Case{FromDay: int32(r.u32()), RulesVersion: r.u32(), Signals: r.u32(), TrustPermille: r.u16(), OpenedMS: s.nowMS}
	shadow := r.bool()
	if !r.finished() {
		return Malformed
	}
	if found.FromDay > Day(s.nowMS)+1 {
		return DayNotCome
	}
	v := &s.reviews
	found.Person, found.ToDay = s.person(id), found.FromDay
	last := v.holding
	if shadow {
		last, found.Status = v.watching, CaseShadow
	}
	number, known := last[found.Person]
	if known {
		c := *v.cases.At(int(number - 1))
		over := c.Status != CaseOpen && c.Status != CaseShadow
		if over && found.FromDay <= c.ToDay {
			s.caseChanged(number, c.Status)
			return Accepted
		}
		if !over && (c.Status == CaseOpen || c.FromDay == found.FromDay && c.RulesVersion == found.RulesVersion) {
			w := v.cases.Write(int(number - 1))
			w.FromDay, w.ToDay = min(c.FromDay, found.FromDay), max(c.ToDay, found.FromDay)
			w.Signals, w.TrustPermille = c.Signals|found.Signals, min(c.TrustPermille, found.TrustPermille)
			s.caseChanged(number, c.Status)
			return Accepted
		}
	}
	number = uint64(v.cases.Append(found) + 1)
	v.note(number)
	s.caseChanged(number, found.Status)
	return Accepted
}

func (s *State) caseChanged(number uint64, status CaseStatus) {
	s.answer = append(le.AppendUint64(append(s.answer, uint8(factCaseChanged)), number), uint8(status))
}

func heldBack(person uint64) ledger.Key {
	return ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: ledger.Time, Purpose: ledger.PurposeHeldBack}
}

// payee returns the account that a person's TIME goes to now: the person's own,
// or while a case is open the one in which it is held back.
func (s *State) payee(person uint64, valueMicro int64) uint64 {
	number, found := s.reviews.holding[person]
	if !found || valueMicro == 0 || s.reviews.cases.At(int(number-1)).Status != CaseOpen {
		return s.open(timeAccount(person))
	}
	s.reviews.cases.Write(int(number - 1)).HeldMicro += valueMicro
	return s.open(heldBack(person))
}

func (s *State) decideCase(r *reader) Refusal {
	number, release := r.u64(), r.bool()
	if !r.finished() {
		return Malformed
	}
	by, acting := s.actor()
	if !acting {
		return OperatorNotFound
	}
	c := s.caseToWrite(number)
	switch {
	case c == nil:
		return CaseNotFound
	case c.Status != CaseOpen && c.Status != CaseAppealed && !(c.Status == CaseUpheld && release):
		return CaseOver
	case c.Status == CaseAppealed && c.DecidedBy == by && s.operators.active() > 1:
		return OwnDecision
	}
	appealed := c.Status != CaseOpen
	c.DecidedBy, c.DecidedMS = by, s.nowMS
	switch {
	case release:
		s.endCase(number, c, CaseReleased)
	case appealed:
		s.endCase(number, c, CaseForfeited)
	default:
		c.Status = CaseUpheld
		s.reviews.uphold(number)
		s.caseChanged(number, CaseUpheld)
	}
	return Accepted
}

// endCase pays what a case held back, or burns it: it was never earned, and
// whoever decides must have no gain by it.
func (s *State) endCase(number uint64, c *Case, status CaseStatus) {
	c.Status = status
	s.caseChanged(number, status)
	if c.HeldMicro == 0 {
		return
	}
	from, to := s.open(heldBack(c.Person)), s.books.Asset(ledger.Time).Issuer
	if status == CaseReleased {
		to = s.open(timeAccount(c.Person))
	}
	if refusal := s.books.Post(from, to, c.HeldMicro); refusal != ledger.Accepted {
		panic(fmt.Sprintf("bank: case %d %+v: posting from %d to %d: %s", number, *c, from, to, refusal))
	}
	s.postedLeg(ledger.Leg{Debit: from, Credit: to, Amount: c.HeldMicro})
}

func (s *State) caseToWrite(number uint64) *Case {
	if number == 0 || number > uint64(s.reviews.cases.Len()) {
		return nil
	}
	return s.reviews.cases.Write(int(number - 1))
}

func (s *State) appealCase(r *reader) Refusal {
	number := r.u64()
	if !r.finished() {
		return Malformed
	}
	c := s.caseToWrite(number)
	switch {
	case c == nil || c.Status == CaseShadow:
		return CaseNotFound
	case c.Status == CaseOpen:
		c.Contested = true
	case c.Status == CaseUpheld && s.nowMS < c.DecidedMS+AppealMS:
		c.Status = CaseAppealed
	case c.Status == CaseAppealed:
	default:
		return CaseOver
	}
	s.caseChanged(number, c.Status)
	return Accepted
}

// forfeit ends the upheld cases against which nobody has appealed in time.
func (s *State) forfeit() {
	v := &s.reviews
	for range maxForfeits {
		dueMS, any := v.nextForfeitMS()
		if !any || dueMS > s.nowMS {
			return
		}
		c := v.cases.Write(int(v.upheld[0] - 1))
		s.endCase(v.upheld[0], c, CaseForfeited)
	}
}

// nextForfeitMS is when the time for an appeal ends next. It drops the cases
// that were appealed or decided otherwise meanwhile.
func (v *reviews) nextForfeitMS() (atMS int64, any bool) {
	for len(v.upheld) > 0 {
		if c := v.cases.At(int(v.upheld[0] - 1)); c.Status == CaseUpheld {
			return c.DecidedMS + AppealMS, true
		}
		v.upheld = v.upheld[1:]
	}
	return 0, false
}

// uphold puts a case behind those that were upheld before, and of one time into
// the order of their numbers, as a restored state has them.
func (v *reviews) uphold(number uint64) {
	at := len(v.upheld)
	for at > 0 && v.upheld[at-1] > number && v.cases.At(int(v.upheld[at-1]-1)).DecidedMS == v.cases.At(int(number-1)).DecidedMS {
		at--
	}
	v.upheld = slices.Insert(v.upheld, at, number)
}

// note brings what is made from cases up to date with one of them, in order.
func (v *reviews) note(number uint64) {
	if v.holding == nil {
		v.holding, v.watching, v.byPerson = map[uint64]uint64{}, map[uint64]uint64{}, map[uint64][]uint64{}
	}
	person := v.cases.At(int(number - 1)).Person
	v.byPerson[person] = append(v.byPerson[person], number)
	if c := v.cases.At(int(number - 1)); c.Status == CaseShadow {
		v.watching[c.Person] = number
	} else {
		v.holding[c.Person] = number
	}
}

// Cases returns the number of cases; they are numbered from 1 on.
func (s *State) Cases() uint64 { return uint64(s.reviews.cases.Len()) }

// Case returns a case by its number.
func (s *State) Case(number uint64) (c Case, found bool) {
	if number == 0 || number > s.Cases() {
		return c, false
	}
	return *s.reviews.cases.At(int(number - 1)), true
}

// CaseOf returns the last case by which TIME of a person was held back.
func (s *State) CaseOf(person uint64) (number uint64, found bool) {
	number, found = s.reviews.holding[person]
	return number, found
}

// CasesOf returns the numbers of all cases of a person, the oldest first.
func (s *State) CasesOf(person uint64) []uint64 { return slices.Clone(s.reviews.byPerson[person]) }

// Covers reports whether opening a case would change nothing that matters.
func (s *State) Covers(want OpenCase) bool {
	person, found := s.PersonByID(want.Person)
	last := s.reviews.holding
	if want.Shadow {
		last = s.reviews.watching
	}
	number, known := last[person]
	if !found || !known {
		return false
	}
	c := s.reviews.cases.At(int(number - 1))
	if want.Day < c.FromDay || want.Day > c.ToDay {
		return false
	}
	over := c.Status != CaseOpen && c.Status != CaseShadow
	return over || c.Signals|want.Signals == c.Signals && c.TrustPermille <= want.TrustPermille && (!want.Shadow || c.RulesVersion == want.RulesVersion)
}

// LastReviewRules returns the rules that hold now and their version; 0 if none
// were published.
func (s *State) LastReviewRules() (text string, version uint32) {
	if n := len(s.reviews.rules); n > 0 {
		return s.reviews.rules[n-1], uint32(n)
	}
	return "", 0
}

// ReviewRules returns the versions of the rules; the first is version 1.
func (s *State) ReviewRules() []string { return slices.Clone(s.reviews.rules) }
