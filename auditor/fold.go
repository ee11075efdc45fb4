package auditor

import (
	"cmp"
	"slices"
)

// Fold is what one run of the program knows of the log: the days of people.
type Fold struct {
	policies  map[uint32]Policy
	entries   int   // how many are folded
	timeMS    int64 // of the last batch
	days      map[dayKey]*day
	sessions  map[string][]Session
	united    map[string]string  // device → person
	waiting   map[string][]entry // by person
	waits     map[string]bool    // message ids
	purchases []purchase
}

type dayKey struct {
	person string
	number int64
}

type purchase struct {
	person  string
	world   uint32
	order   string
	dueMS   int64
	minor   int64
	matured bool
}

func newFold(policies map[uint32]Policy) *Fold {
	return &Fold{
		policies: policies, days: map[dayKey]*day{}, sessions: map[string][]Session{}, united: map[string]string{},
		waiting: map[string][]entry{}, waits: map[string]bool{},
	}
}

// Target returns the person for whom a report counts.
func (f *Fold) Target(person string) string {
	if user, found := f.united[person]; found {
		return user
	}
	return person
}

func (f *Fold) covers(person string, timeMS int64) bool {
	return slices.ContainsFunc(f.sessions[person], func(s Session) bool { return s.FromMS <= timeMS && timeMS < s.UntilMS })
}

func (f *Fold) fold(e *entry) {
	f.entries++
	switch {
	case e.session != nil:
		f.open(e.session, e.batch)
	case e.late:
	case e.waits:
		holder := f.Target(e.report.Person)
		f.waiting[holder], f.waits[e.report.ID] = append(f.waiting[holder], *e), true
	default:
		f.count(f.Target(e.report.Person), e, e.batch)
	}
}

// open believes what lies in a session, also what has waited for it; what has
// waited under a device goes with its person.
func (f *Fold) open(s *Session, batch int64) {
	f.sessions[s.Person] = append(f.sessions[s.Person], *s)
	if s.Device != "" {
		f.waiting[s.Person] = append(f.waiting[s.Person], f.waiting[s.Device]...)
		f.waiting[s.Device], f.united[s.Device] = nil, s.Person
	}
	var still []entry
	for _, e := range f.waiting[s.Person] {
		if !f.covers(s.Person, e.timeMS) {
			still = append(still, e)
			continue
		}
		f.waits[e.report.ID] = false
		f.count(s.Person, &e, batch)
	}
	f.waiting[s.Person] = still
}

func (f *Fold) day(person string, atMS int64) *day {
	key := dayKey{person, floorDiv(atMS, dayMS)}
	if f.days[key] == nil {
		f.days[key] = &day{}
	}
	return f.days[key]
}

func (f *Fold) touch(person string, atMS, batch int64) *day {
	d := f.day(person, atMS)
	if d.revision.batch != batch {
		d.revision = revision{batch, 0}
	}
	return d
}

func floorDiv(a, b int64) int64 { return (a - ((a%b)+b)%b) / b }

// count lets a report count for a person.
func (f *Fold) count(person string, e *entry, batch int64) {
	r, p := e.report, f.policies[e.report.World]
	covers := p.BeatMS
	switch r.Kind {
	case Act:
		covers = p.ActMS
		d := f.touch(person, e.timeMS, batch)
		d.acts = append(d.acts, act{world: r.World, atMS: e.timeMS - floorDiv(e.timeMS, dayMS)*dayMS, milli: p.ActMilli})
	case Purchase:
		f.purchases = append(f.purchases, purchase{person: person, world: r.World, order: r.Order, dueMS: e.timeMS + p.RefundMS, minor: r.Minor})
		return
	case Refund:
		left := r.Minor
		for i := range f.purchases {
			if b := &f.purchases[i]; b.person == person && b.order == r.Order && !b.matured && b.dueMS > e.receivedMS {
				taken := min(b.minor, left)
				b.minor, left = b.minor-taken, left-taken
			}
		}
		return
	}
	for bucket := floorDiv(e.timeMS, bucketMS); bucket*bucketMS < e.timeMS+covers; bucket++ {
		d := f.touch(person, bucket*bucketMS, batch)
		d.claims[bucket-floorDiv(bucket, dayBuckets)*dayBuckets] |= 1 << r.World
	}
}

// Mature lets purchases count whose refund window has ended by the time of the
// log.
func (f *Fold) Mature() {
	for i := range f.purchases {
		b := &f.purchases[i]
		if b.matured || b.dueMS > f.timeMS {
			continue
		}
		b.matured = true
		if b.minor > 0 {
			d := f.day(b.person, b.dueMS)
			d.revision = revision{max(d.revision.batch, 1), d.revision.matured + 1}
			d.spend(b)
		}
	}
}

func (d *day) spend(b *purchase) {
	d.acts = append(d.acts, act{world: b.world, atMS: b.dueMS - floorDiv(b.dueMS, dayMS)*dayMS, minor: b.minor})
}

// restore brings back what time had done before a checkpoint.
func (f *Fold) restore(c Checkpoint) {
	f.purchases = append([]purchase(nil), c.purchases...)
	for i := range f.purchases {
		if b := &f.purchases[i]; b.matured && b.minor > 0 {
			f.day(b.person, b.dueMS).spend(b)
		}
	}
	for key, known := range c.revisions {
		f.days[key].revision = known
	}
}

// Verdict of a message that is durable.
type Verdict uint8

// The verdicts.
const (
	Counts Verdict = iota
	Late
	Waits
)

// Verdict returns what has become of a message so far.
func (l *Log) Verdict(f *Fold, id string) Verdict {
	if l.entries[l.arrived[id]].late {
		return Late
	}
	if f.waits[id] {
		return Waits
	}
	return Counts
}

// Awards returns what each day has earned in each world in which something
// happened, in the order of persons, days and worlds.
func (f *Fold) Awards() (list []Award) {
	for key, d := range f.days {
		for world, p := range f.policies {
			a := d.score(world, p)
			if a.PresentSeconds == 0 && len(d.acts) == 0 && a.PointsMicro == 0 && d.revision == (revision{}) {
				continue
			}
			a.Person, a.World, a.Day, a.revision = key.person, world, key.number, d.revision
			list = append(list, a)
		}
	}
	slices.SortFunc(list, func(a, b Award) int {
		return cmp.Or(cmp.Compare(a.Person, b.Person), cmp.Compare(a.Day, b.Day), cmp.Compare(a.World, b.World))
	})
	return list
}
