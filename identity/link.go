package identity

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Link says that a member, a person as one world knows them, is from a day on
// the same as the head, a person of another world. It unites the time of both
// and gives nobody a right: accounts, keys and what was earned before stay where
// they are.
type Link struct {
	Member, Head uint64 // subjects
	// FromDay and UntilDay bound the days, since 1970-01-01 UTC, on which they
	// are one; the second is not among them, and Forever while it is open.
	FromDay, UntilDay int32
}

// Forever is later than any day.
const Forever int32 = math.MaxInt32

// MaxLinks bounds the worlds of one person, and the links that were ended.
const MaxLinks = 64

// Errors of linking.
var (
	// ErrLinkSame: a person is linked to a person of another world.
	ErrLinkSame = errors.New("a link joins two worlds, one of which knows the person already")
	// ErrLinked: one of the two is linked to somebody else already.
	ErrLinked = errors.New("the other is linked already")
	// ErrTooManyLinks: a person has at most MaxLinks links.
	ErrTooManyLinks = errors.New("a person has at most 64 links, ended ones included")
	// ErrTokenWithoutID: a token that links works once, so it needs an id.
	ErrTokenWithoutID = errors.New("a token that links has a jti, by which it is used once")
)

// Link makes two persons of two worlds one from the day after today, given a
// token of each world: so both say that it is the same human who stands there
// now. head is the person who asks, and one of the tokens is of a world in which
// this is known; the other's person is linked. Asked again with the same
// tokens, it says the same.
//
// begin is told who is linked, joins their days, and returns from which day on;
// it is called before the link is kept here, and again if that failed.
func (r *Registry) Link(ctx context.Context, head Subject, tokens [2]UserToken, begin func(member Subject) (fromDay int32, err error)) (link Link, member Subject, err error) {
	subjects, err := r.Resolve(ctx, []SubjectRef{{World: tokens[0].World, UserID: tokens[0].UserID}, {World: tokens[1].World, UserID: tokens[1].UserID}})
	if err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	link, member, err = r.newLink(ctx, head, subjects)
	if err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	if err := r.spendForLink(ctx, link, tokens); err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	links, err := r.store.LinksOf(ctx, link.Member)
	if err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	for _, old := range links {
		if old.Member == link.Member && old.Head == link.Head && old.UntilDay == Forever {
			return old, member, nil // asked again
		}
	}
	note, err := r.noteLink(ctx, link, linkBegins)
	if err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	if link.FromDay, err = begin(member); err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	if err := r.store.AddLink(ctx, link); err != nil {
		return Link{}, Subject{}, fmt.Errorf("linking: %w", err)
	}
	return link, member, r.takeBack(ctx, unfinishedLink, note)
}

// newLink finds which of two subjects is to be linked to the head.
func (r *Registry) newLink(ctx context.Context, head Subject, subjects []Subject) (Link, Subject, error) {
	today := r.today()
	links, err := r.store.LinksOf(ctx, head.Number)
	if err != nil {
		return Link{}, Subject{}, err
	}
	known := map[uint64]bool{head.Number: true}
	for _, l := range links {
		if l.Member == head.Number && l.UntilDay > today {
			return Link{}, Subject{}, ErrLinked
		}
		if l.Head == head.Number && l.UntilDay == Forever {
			known[l.Member] = true
		}
	}
	known0, known1 := known[subjects[0].Number], known[subjects[1].Number]
	var member Subject
	switch {
	case known0 && known1 && subjects[0].Number != subjects[1].Number:
		// Asked again: one of them is a member.
		if member = subjects[0]; member.Number == head.Number {
			member = subjects[1]
		}
	case known0 == known1 || subjects[0].World == subjects[1].World:
		return Link{}, Subject{}, ErrLinkSame
	case known0:
		member = subjects[1]
	default:
		member = subjects[0]
	}
	if member.World == head.World {
		return Link{}, Subject{}, ErrLinkSame
	}
	if len(links) >= MaxLinks {
		return Link{}, Subject{}, ErrTooManyLinks
	}
	others, err := r.store.LinksOf(ctx, member.Number)
	if err != nil {
		return Link{}, Subject{}, err
	}
	for _, l := range others {
		// A head cannot become a member: links are one step deep.
		if l.Head == member.Number && l.UntilDay > today || l.Member == member.Number && l.Head != head.Number && l.UntilDay > today {
			return Link{}, Subject{}, ErrLinked
		}
	}
	if len(others) >= MaxLinks {
		return Link{}, Subject{}, ErrTooManyLinks
	}
	return Link{Member: member.Number, Head: head.Number, UntilDay: Forever}, member, nil
}

// spendForLink uses two tokens up for one link.
func (r *Registry) spendForLink(ctx context.Context, link Link, tokens [2]UserToken) error {
	le := binary.LittleEndian
	purpose := sha256.Sum256(le.AppendUint64(le.AppendUint64([]byte("link"), link.Member), link.Head))
	spent := make([]SpentToken, len(tokens))
	for i, token := range tokens {
		if token.ID == "" {
			return ErrTokenWithoutID
		}
		spent[i] = SpentToken{
			Hash:    sha256.Sum256(append(le.AppendUint32(nil, token.World), token.ID...)),
			Purpose: [16]byte(purpose[:16]),
			EndsMS:  token.UntilMS + tokenLeewayMS,
		}
	}
	err := r.store.SpendTokens(ctx, spent, r.nowMS())
	if errors.Is(err, ErrTaken) {
		return ErrTokenSpent
	}
	return err
}

// Unlink lets a member be a person of its own again from the day after today
// on. end parts their days and returns from which day on; it is called before
// the end is kept here, and again if that failed.
func (r *Registry) Unlink(ctx context.Context, head Subject, member Subject, end func() (untilDay int32, err error)) (Link, error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	links, err := r.store.LinksOf(ctx, member.Number)
	if err != nil {
		return Link{}, fmt.Errorf("unlinking: %w", err)
	}
	for i := len(links) - 1; i >= 0; i-- {
		link := links[i]
		if link.Member != member.Number || link.Head != head.Number {
			continue
		}
		if link.UntilDay != Forever {
			return link, nil // asked again
		}
		note, err := r.noteLink(ctx, link, linkEnds)
		if err != nil {
			return Link{}, fmt.Errorf("unlinking: %w", err)
		}
		if link.UntilDay, err = end(); err != nil {
			return Link{}, fmt.Errorf("unlinking: %w", err)
		}
		if err := r.store.EndLink(ctx, member.Number, link.UntilDay); err != nil {
			return Link{}, fmt.Errorf("unlinking: %w", err)
		}
		return link, r.takeBack(ctx, unfinishedLink, note)
	}
	return Link{}, fmt.Errorf("unlinking: %w", ErrNotFound)
}

// Links returns the links of a subject, as head or as member, ended ones too.
func (r *Registry) Links(ctx context.Context, subject uint64) ([]Link, error) {
	links, err := r.store.LinksOf(ctx, subject)
	if err != nil {
		return nil, fmt.Errorf("reading the links of subject %d: %w", subject, err)
	}
	return links, nil
}

// HeadOf returns the subject that stands for a person on a day: another to whom
// it is linked then, or itself.
func (r *Registry) HeadOf(ctx context.Context, subject uint64, day int32) (uint64, error) {
	links, err := r.Links(ctx, subject)
	if err != nil {
		return 0, err
	}
	for _, l := range links {
		if l.Member == subject && l.FromDay <= day && day < l.UntilDay {
			return l.Head, nil
		}
	}
	return subject, nil
}
