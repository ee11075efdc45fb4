package collect

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/attentionbank/attentionbank/score"
)

// link says that the days of a person from one on are those of another, who is
// the same human in another world. Only the days are joined: who vouches for
// whom, what waits and what was spent stays with each. So no world's word counts
// in another, and the time that several worlds report of one human is a union.
type link struct {
	head     uint64
	fromDay  int32
	untilDay int32 // the first day that is no longer the head's; forever while open
}

const forever int32 = math.MaxInt32

// maxLinks bounds the links of a person that are remembered, ended ones too.
const maxLinks = 64

// linkRequest is what an entry of a link asks for.
type linkRequest uint8

const (
	beginLink linkRequest = iota + 1
	endLink
)

// ErrLink is returned for a link that is not there, or one too many.
var ErrLink = errors.New("there is no such link, or a person would have more than 64")

// Link lets the days of a member be those of a head, from the day after the one
// on which this is durable. It returns that day; asked again while the link is
// open, it returns the first one.
func (c *Collector) Link(ctx context.Context, world uint32, member, head uint64) (fromDay int32, err error) {
	made, err := c.changeLink(ctx, world, member, head, beginLink)
	return made.fromDay, err
}

// Unlink lets the days of a member be its own again, from the day after the one
// on which this is durable. It returns that day.
func (c *Collector) Unlink(ctx context.Context, world uint32, member, head uint64) (untilDay int32, err error) {
	ended, err := c.changeLink(ctx, world, member, head, endLink)
	return ended.untilDay, err
}

func (c *Collector) changeLink(ctx context.Context, world uint32, member, head uint64, asked linkRequest) (link, error) {
	p, err := c.prepareSealed(ctx, entry{kind: linkEntry, trust: TrustServer, verdict: Accepted, world: world, subject: member, other: head}, []byte{uint8(asked)})
	if err != nil {
		return link{}, fmt.Errorf("sealing a link: %w", err)
	}
	p.linking = asked
	if err := c.do(ctx, []*prepared{p}, nil); err != nil {
		return link{}, err
	}
	if p.link.fromDay == 0 {
		return link{}, ErrLink
	}
	return p.link, nil
}

// changeLink folds a link. It takes effect on the day after it was received,
// which is in the log, so that a restart comes to the same; p.link becomes what
// holds now, or stays without days if the link is refused.
func (f *fold) changeLink(receivedMS int64, who *person, p *prepared) {
	today, _ := score.DayOf(receivedMS)
	open := -1
	for i := range who.links {
		if who.links[i].head == p.other && who.links[i].untilDay == forever {
			open = i
		}
	}
	switch {
	case p.linking == endLink && open >= 0:
		who.links[open].untilDay = max(today+1, who.links[open].fromDay)
	case p.linking == beginLink && open < 0 && len(who.links) < maxLinks:
		open = len(who.links)
		who.links = append(who.links, link{head: p.other, fromDay: today + 1, untilDay: forever})
	}
	if open < 0 {
		return
	}
	who.changed = true
	f.people.change(p.subject, who)
	p.link = who.links[open]
}

// owner returns the person to whom a day of a subject belongs.
func (f *fold) owner(ctx context.Context, subject uint64, who *person, number int32) (uint64, *person, error) {
	for _, l := range who.links {
		if l.fromDay <= number && number < l.untilDay {
			head, err := f.person(ctx, l.head)
			return l.head, head, err
		}
	}
	return subject, who, nil
}

// dayOf returns a subject's day, of whomever it belongs to.
func (f *fold) dayOf(ctx context.Context, subject uint64, who *person, number int32) (*day, error) {
	owner, owning, err := f.owner(ctx, subject, who, number)
	if err != nil {
		return nil, err
	}
	return f.day(ctx, owner, owning, number)
}
