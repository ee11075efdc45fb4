package collect

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/attentionbank/attentionbank/score"
)

// person is what is folded of one subject. The loop owns it.
type person struct {
	// united is the user's subject to which this anonymous one belongs; 0 if
	// none. Its events count for that one.
	united uint64
	// former are the users to which it belonged before; what waited then waits
	// with them.
	former   []uint64
	sessions []session
	waiting  []waiting
	spends   []spend
	refunds  []refund // by order, then by arrival
	links    []link
	since    arrival
	appeals  []appeal
	terms    Terms
	days     map[int32]*day
	changed  bool // since the last checkpoint, apart from days
	unsaved  bool // it or a day has changed since
}

// session is a time in which claims about the person are believed.
type session struct{ fromMS, untilMS int64 }

// maxSessions bounds the sessions that are remembered, maxWaiting the events
// of a person that wait for one, maxSpends the orders in their refund window,
// maxRefunds what may be taken from orders, maxFormer the users to which an anonymous subject belonged before.
const (
	maxFormer   = 16
	maxSessions = 256
	maxWaiting  = 20_000
	maxSpends   = 20_000
	maxRefunds  = 20_000
)

// waiting is an event that counts once a session covers it.
type waiting struct {
	digest  digest
	world   uint32
	policy  uint32
	timeMS  int64
	untilMS int64
	count   int64
	weight  int64
	device  Mark
}

// spend waits for the end of its refund window.
type spend struct {
	order  digest // of the order's id; zero if it has none, or once refunds were taken from it
	world  uint32
	policy uint32
	dueMS  int64
	minor  int64
}

// refund takes from the orders of its id whose refund window was open when it
// arrived. It may arrive before them.
type refund struct {
	order      digest
	receivedMS int64
	minor      int64 // what is left of it
}

// day is a person's day with what is known of its minting.
type day struct {
	score.Day
	// seq is the last batch that touched the day, matured the number of spends
	// that joined it by time; together they are the revision.
	seq     uint64
	matured uint16
	worlds  []dayWorld // by number
	bounds  score.Bounds
	dirty   bool // differs from what was minted
	// unsure says that more may have been minted than is noted here: a Mint
	// after the last checkpoint is forgotten in a crash.
	unsure  bool
	changed bool // since the last checkpoint
	loaded  int  // bytes of memory that what was read takes, about
	// marks are those of the day, of which a checkpoint has the first; found is
	// what rules have found.
	marks      []Mark
	savedMarks int
	found      []found
}

// dayWorld is what is minted of a day for one world.
type dayWorld struct {
	world         uint32
	policyVersion uint32 // of an import; 0 for the policy that holds on the day
	mintedMicro   int64
	// mintedRevision is zero until something was minted.
	mintedRevision uint64
}

func (d *day) world(number uint32) *dayWorld {
	i, found := slices.BinarySearchFunc(d.worlds, number, func(w dayWorld, n uint32) int { return int(int64(w.world) - int64(n)) })
	if !found {
		d.worlds = slices.Insert(d.worlds, i, dayWorld{world: number})
	}
	return &d.worlds[i]
}

// revision grows with every batch that touches the day and with every spend
// that matures into it, and is the same after a restart.
func (d *day) revision() uint64 { return d.seq<<16 | uint64(d.matured) }

// covers reports whether a session covers a time.
func (p *person) covers(timeMS int64) bool {
	for _, s := range p.sessions {
		if s.fromMS <= timeMS && timeMS < s.untilMS {
			return true
		}
	}
	return false
}

// openSession adds a session, joined with those that it touches.
func (p *person) openSession(s session) {
	p.sessions = slices.DeleteFunc(p.sessions, func(old session) bool {
		if old.untilMS < s.fromMS || s.untilMS < old.fromMS {
			return false
		}
		s = session{min(s.fromMS, old.fromMS), max(s.untilMS, old.untilMS)}
		return true
	})
	p.sessions = append(p.sessions, s)
	slices.SortFunc(p.sessions, func(a, b session) int { return compare(a.fromMS, b.fromMS) })
	if len(p.sessions) > maxSessions {
		p.sessions = slices.Delete(p.sessions, 0, len(p.sessions)-maxSessions)
	}
	p.changed = true
}

func compare(a, b int64) int {
	if a < b {
		return -1
	}
	if a > b {
		return 1
	}
	return 0
}

// nextDueMS is when the first spend matures.
func (p *person) nextDueMS() int64 {
	due := NeverDue
	for _, s := range p.spends {
		due = min(due, s.dueMS)
	}
	return due
}

// The plaintext of a person's part and of a day's part (little-endian). A list
// is its length in u32 and its members:
//
//	person: | version u8 = 5 | united u64 | sessions: from i64, until i64 |
//	        | waiting: digest 16, world u32, policy u32, time i64, until i64, count i64, weight i64 |
//	        | spends: order 16, world u32, policy u32, due i64, minor i64 | former: u64 |
//	        | refunds: order 16, received i64, minor i64 |
//	        | links: head u64, from day i32, until day i32 | devices of what waits: mark 16 |
//	        | since i64 | since world u32 | appeals: case u64, at i64, length u16, text |
//	        | terms, as terms.go says |
//	day:    | version u8 = 4 | bounds u8: 1 minor, 2 limited | earn i32, if limited |
//	        | seq u64 | matured u16 | dirty u8 |
//	        | worlds: world u32, policy u32, minted i64, revision u64 | marks: 16 |
//	        | found: rules u32, signal u32, shadow u8, cost i64, value i64, limit i64, beside i64 |
//	        | day, as package score encodes it |
//
// A person of version 5 has no terms, one of version 4 nothing behind the links
// and is taken to have been known of old, one of version 3 no links either, one of
// version 2 no refunds. A day of version 3 has no bounds, one of version 2 no
// marks and findings either.
const (
	personVersion = 6
	dayVersion    = 4
)

func (p *person) appendTo(dst []byte) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(append(dst, personVersion), p.united)
	dst = le.AppendUint32(dst, uint32(len(p.sessions)))
	for _, s := range p.sessions {
		dst = le.AppendUint64(le.AppendUint64(dst, uint64(s.fromMS)), uint64(s.untilMS))
	}
	dst = le.AppendUint32(dst, uint32(len(p.waiting)))
	for _, w := range p.waiting {
		dst = le.AppendUint32(le.AppendUint32(append(dst, w.digest[:]...), w.world), w.policy)
		for _, n := range [...]int64{w.timeMS, w.untilMS, w.count, w.weight} {
			dst = le.AppendUint64(dst, uint64(n))
		}
	}
	dst = le.AppendUint32(dst, uint32(len(p.spends)))
	for _, s := range p.spends {
		dst = le.AppendUint32(le.AppendUint32(append(dst, s.order[:]...), s.world), s.policy)
		dst = le.AppendUint64(le.AppendUint64(dst, uint64(s.dueMS)), uint64(s.minor))
	}
	dst = le.AppendUint32(dst, uint32(len(p.former)))
	for _, subject := range p.former {
		dst = le.AppendUint64(dst, subject)
	}
	dst = le.AppendUint32(dst, uint32(len(p.refunds)))
	for _, r := range p.refunds {
		dst = le.AppendUint64(le.AppendUint64(append(dst, r.order[:]...), uint64(r.receivedMS)), uint64(r.minor))
	}
	dst = le.AppendUint32(dst, uint32(len(p.links)))
	for _, l := range p.links {
		dst = le.AppendUint32(le.AppendUint32(le.AppendUint64(dst, l.head), uint32(l.fromDay)), uint32(l.untilDay))
	}
	dst = le.AppendUint32(dst, uint32(len(p.waiting)))
	for i := range p.waiting {
		dst = append(dst, p.waiting[i].device[:]...)
	}
	dst = le.AppendUint32(le.AppendUint64(dst, uint64(p.since.ms)), p.since.world)
	return p.terms.appendTo(appendAppeals(dst, p.appeals))
}

func (d *day) appendTo(dst []byte) []byte {
	le := binary.LittleEndian
	dst = appendBounds(append(dst, dayVersion), d.bounds)
	dst = le.AppendUint16(le.AppendUint64(dst, d.seq), d.matured)
	dirty := uint8(0)
	if d.dirty {
		dirty = 1
	}
	dst = le.AppendUint32(append(dst, dirty), uint32(len(d.worlds)))
	for _, w := range d.worlds {
		dst = le.AppendUint32(le.AppendUint32(dst, w.world), w.policyVersion)
		dst = le.AppendUint64(le.AppendUint64(dst, uint64(w.mintedMicro)), w.mintedRevision)
	}
	dst = le.AppendUint32(dst, uint32(len(d.marks)))
	for _, mark := range d.marks {
		dst = append(dst, mark[:]...)
	}
	return d.Day.AppendTo(appendFound(dst, d.found))
}

var errPart = errors.New("a part of the folded state is damaged")

// fields takes fields off the front of a part; short stays true once one was
// missing.
type fields struct {
	src   []byte
	short bool
}

func (f *fields) take(n int) []byte {
	if len(f.src) < n {
		f.short, f.src = true, nil
		return make([]byte, n)
	}
	field := f.src[:n]
	f.src = f.src[n:]
	return field
}

func (f *fields) u8() uint8      { return f.take(1)[0] }
func (f *fields) u16() uint16    { return binary.LittleEndian.Uint16(f.take(2)) }
func (f *fields) u32() uint32    { return binary.LittleEndian.Uint32(f.take(4)) }
func (f *fields) u64() uint64    { return binary.LittleEndian.Uint64(f.take(8)) }
func (f *fields) i64() int64     { return int64(f.u64()) }
func (f *fields) digest() digest { return digest(f.take(16)) }

func decodePerson(src []byte) (*person, error) {
	f := &fields{src: src}
	version := f.u8()
	if version > personVersion || version < 2 {
		return nil, errPart
	}
	p := newPerson()
	p.united = f.u64()
	for n := f.u32(); n > 0 && !f.short; n-- {
		p.sessions = append(p.sessions, session{f.i64(), f.i64()})
	}
	for n := f.u32(); n > 0 && !f.short; n-- {
		p.waiting = append(p.waiting, waiting{f.digest(), f.u32(), f.u32(), f.i64(), f.i64(), f.i64(), f.i64(), Mark{}})
	}
	for n := f.u32(); n > 0 && !f.short; n-- {
		p.spends = append(p.spends, spend{f.digest(), f.u32(), f.u32(), f.i64(), f.i64()})
	}
	for n := f.u32(); n > 0 && !f.short; n-- {
		p.former = append(p.former, f.u64())
	}
	if version >= 3 {
		for n := f.u32(); n > 0 && !f.short; n-- {
			p.refunds = append(p.refunds, refund{f.digest(), f.i64(), f.i64()})
		}
	}
	if version >= 4 {
		for n := f.u32(); n > 0 && !f.short; n-- {
			p.links = append(p.links, link{f.u64(), int32(f.u32()), int32(f.u32())})
		}
	}
	p.since.ms = 1
	if version >= 5 {
		if n := f.u32(); int(n) != len(p.waiting) {
			return nil, errPart
		}
		for i := range p.waiting {
			p.waiting[i].device = Mark(f.take(16))
		}
		p.since = arrival{f.i64(), f.u32()}
		p.appeals = readAppeals(f)
	}
	if version >= 6 {
		var err error
		if p.terms, err = decodeTerms(f.take(termsBytes)); err != nil {
			return nil, errPart
		}
	}
	if f.short || len(f.src) != 0 {
		return nil, errPart
	}
	return p, nil
}

func decodeDay(src []byte) (*day, error) {
	f := &fields{src: src}
	version := f.u8()
	if version > dayVersion || version < 2 {
		return nil, errPart
	}
	var bounds score.Bounds
	if version >= 4 {
		bounds = readBounds(f)
	}
	d := &day{bounds: bounds, seq: f.u64(), matured: f.u16(), dirty: f.u8() == 1}
	for n := f.u32(); n > 0 && !f.short; n-- {
		d.worlds = append(d.worlds, dayWorld{f.u32(), f.u32(), f.i64(), f.u64()})
	}
	if version >= 3 {
		for n := f.u32(); n > 0 && !f.short; n-- {
			d.marks = append(d.marks, Mark(f.take(16)))
		}
		d.savedMarks = len(d.marks)
		d.found = readFound(f)
	}
	if f.short {
		return nil, errPart
	}
	scored, err := score.DecodeDay(f.src)
	if err != nil {
		return nil, err
	}
	d.Day = *scored
	return d, nil
}

func newPerson() *person { return &person{days: map[int32]*day{}, terms: DefaultTerms()} }
