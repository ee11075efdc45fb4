package collect

import (
	"context"
	"fmt"

	"github.com/attentionbank/attentionbank/score"
)

// people are those of whom something is in memory. They live in two
// generations: who is needed joins the younger; when it has grown to half of
// what may be held it becomes the older one, and who is not needed until that
// happens again leaves memory. Who differs from the checkpoint stays.
type people struct {
	younger, older map[uint64]*person
	unsaved        map[uint64]*person
	grownBytes     int   // by which the younger has grown, about
	day            int32 // on which it was begun
}

// What is in memory for a person and for a day, apart from what grows with
// their parts; loading doubles about.
const (
	personBytes = 512
	dayBytes    = 2048
	entryBytes  = 64
)

func newPeople() people {
	return people{younger: map[uint64]*person{}, older: map[uint64]*person{}, unsaved: map[uint64]*person{}}
}

// find returns who is in memory.
func (p *people) find(subject uint64) (who *person, found bool) {
	for _, some := range []map[uint64]*person{p.younger, p.older, p.unsaved} {
		if who, found = some[subject]; found {
			break
		}
	}
	return who, found
}

// join makes a person one of the younger generation.
func (p *people) join(subject uint64, who *person) {
	p.younger[subject] = who
	p.grownBytes += who.bytes()
}

// change notes that a person or one of its days is about to differ from the
// checkpoint.
func (p *people) change(subject uint64, who *person) {
	if !who.unsaved {
		who.unsaved = true
		p.unsaved[subject] = who
	}
	p.grownBytes += entryBytes
}

func (p *people) drop(subject uint64) {
	for _, some := range []map[uint64]*person{p.younger, p.older, p.unsaved} {
		delete(some, subject)
	}
}

// full reports whether the younger generation has become too large.
func (f *fold) full() bool { return f.people.grownBytes >= f.c.peopleBytes/2 }

// age lets the younger generation become the older one if it is too large, and
// once a day, so that those who stay away leave. It is called between batches,
// when nobody has a person in hand.
func (f *fold) age(ctx context.Context) error {
	today, _ := score.DayOf(f.receivedMS)
	if !f.full() && today == f.people.day {
		return nil
	}
	if today != f.people.day {
		if err := f.c.checkpoints.DropMarks(ctx, today-markDays); err != nil {
			return err
		}
	}
	p := &f.people
	p.older, p.younger = p.younger, make(map[uint64]*person, len(p.younger))
	p.grownBytes, p.day = 0, today
	f.c.stats.People.Store(int64(len(p.older)))
	return nil
}

// bytes returns about how much memory a person takes.
func (p *person) bytes() int {
	n := personBytes + 16*len(p.sessions) + 80*len(p.waiting) + 48*len(p.spends) + 32*len(p.refunds)
	for i := range p.appeals {
		n += len(p.appeals[i].text)
	}
	for _, d := range p.days {
		n += d.bytes()
	}
	return n
}

func (d *day) bytes() int { return dayBytes*max(len(d.worlds), 1) + d.loaded }

// saved notes that a checkpoint holds the person as it is.
func (p *person) saved() {
	p.changed, p.unsaved = false, false
	for _, d := range p.days {
		d.changed, d.savedMarks = false, len(d.marks)
	}
}

// person returns what is folded of a subject, which from then on is in memory.
func (f *fold) person(ctx context.Context, subject uint64) (*person, error) {
	if who, found := f.people.younger[subject]; found {
		return who, nil
	}
	who, err := f.load(ctx, subject)
	if err == nil {
		f.people.join(subject, who)
	}
	return who, err
}

// load returns what is folded of a subject, from the checkpoint if it is not in
// memory.
func (f *fold) load(ctx context.Context, subject uint64) (*person, error) {
	if who, found := f.people.find(subject); found {
		return who, nil
	}
	if !f.stored && !f.recalls {
		return newPerson(), nil
	}
	plain, err := f.part(ctx, subject, PersonPart)
	if err != nil || plain == nil {
		return newPerson(), err
	}
	who, err := decodePerson(plain)
	if err != nil {
		return nil, fmt.Errorf("reading subject %d: %w", subject, err)
	}
	if f.recalls {
		known := who
		who = newPerson()
		who.since, who.united = known.since, known.united
	}
	return who, nil
}

func (f *fold) day(ctx context.Context, subject uint64, who *person, number int32) (*day, error) {
	if d, found := who.days[number]; found {
		return d, nil
	}
	d := &day{}
	if f.stored {
		plain, err := f.part(ctx, subject, number)
		if err != nil {
			return nil, err
		}
		if plain != nil {
			if d, err = decodeDay(plain); err != nil {
				return nil, fmt.Errorf("reading day %d of subject %d: %w", number, subject, err)
			}
			d.unsure, d.loaded = d.dirty, 2*len(plain)
		}
	}
	who.days[number] = d
	f.people.grownBytes += d.bytes()
	return d, nil
}
