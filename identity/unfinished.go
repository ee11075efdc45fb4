package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
)

// What is kept here about a person, others are told of; a crash may come between
// the two. So it is noted first that there is something to tell, and the note is
// taken back when all know. A note is a detail of the subject.
const (
	unfinishedTerms = "unfinished/terms"
	// unfinishedLink is of a member:
	//
	//	| 1 begins, 2 ends, u8 | head u64 |
	unfinishedLink = "unfinished/link"

	linkBegins = 1
	linkEnds   = 2
)

// Note names a note of a subject.
type Note struct{ Subject, Revision uint64 }

// Unfinished notes, before anything is changed that says on which terms a
// subject's events are taken, that it is to be told where they are.
func (r *Registry) Unfinished(ctx context.Context, subject uint64) (Note, error) {
	revision, err := r.setDetail(ctx, subject, unfinishedTerms, []byte{1})
	if err != nil {
		return Note{}, fmt.Errorf("noting what is unfinished of subject %d: %w", subject, err)
	}
	return Note{subject, revision}, nil
}

// Finished takes a note back, unless there is a newer one of the subject.
func (r *Registry) Finished(ctx context.Context, note Note) error {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	if err := r.takeBack(ctx, unfinishedTerms, note); err != nil && !errors.Is(err, ErrErased) {
		return fmt.Errorf("noting what is finished of subject %d: %w", note.Subject, err)
	}
	return nil
}

func (r *Registry) takeBack(ctx context.Context, name string, note Note) error {
	known, err := r.store.Detail(ctx, note.Subject, name)
	if errors.Is(err, ErrNotFound) || err == nil && (known.Revision != note.Revision || len(known.Sealed) == 0) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = r.keepDetail(ctx, known, note.Subject, name, nil)
	return err
}

// UnfinishedAfter returns the notes of the next subjects above a number, up to
// limit of which are looked at, and the number after which to go on; 0 at the
// end.
func (r *Registry) UnfinishedAfter(ctx context.Context, after uint64, limit int) (notes []Note, next uint64, err error) {
	details, err := r.store.DetailsNamed(ctx, unfinishedTerms, after, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("reading what is unfinished: %w", err)
	}
	for _, detail := range details {
		if len(detail.Sealed) > 0 {
			notes = append(notes, Note{detail.Subject, detail.Revision})
		}
	}
	if len(details) == limit {
		next = details[limit-1].Subject
	}
	return notes, next, nil
}

// noteLink notes that a link is about to begin or end. Nobody else changes
// anything meanwhile.
func (r *Registry) noteLink(ctx context.Context, link Link, what uint8) (Note, error) {
	known, err := r.store.Detail(ctx, link.Member, unfinishedLink)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Note{}, err
	}
	revision, err := r.keepDetail(ctx, known, link.Member, unfinishedLink, binary.LittleEndian.AppendUint64([]byte{what}, link.Head))
	return Note{link.Member, revision}, err
}

// FinishLinks does what a crash has left undone of links: those that were to
// begin do, and those that were to end do, with the same functions as Link and
// Unlink, which take member and head. It returns the heads.
func (r *Registry) FinishLinks(ctx context.Context, begin, end func(member, head Subject) (day int32, err error)) (heads []Subject, err error) {
	const page = 256
	for after := uint64(0); ; {
		details, err := r.store.DetailsNamed(ctx, unfinishedLink, after, page)
		if err != nil {
			return heads, fmt.Errorf("reading what is unfinished of links: %w", err)
		}
		for _, detail := range details {
			after = detail.Subject
			if len(detail.Sealed) == 0 {
				continue
			}
			head, err := r.finishLink(ctx, detail, begin, end)
			if errors.Is(err, ErrErased) {
				continue // and with either the link is
			}
			if err != nil {
				return heads, fmt.Errorf("finishing a link of subject %d: %w", detail.Subject, err)
			}
			heads = append(heads, head)
		}
		if len(details) < page {
			return heads, nil
		}
	}
}

func (r *Registry) finishLink(ctx context.Context, detail Detail, begin, end func(member, head Subject) (int32, error)) (head Subject, err error) {
	r.changeMu.Lock()
	defer r.changeMu.Unlock()
	plain, err := r.openDetail(ctx, detail)
	if err != nil {
		return head, err
	}
	if len(plain) != 9 || plain[0] != linkBegins && plain[0] != linkEnds {
		return head, ErrSealBroken
	}
	link := Link{Member: detail.Subject, Head: binary.LittleEndian.Uint64(plain[1:]), UntilDay: Forever}
	if head, err = r.Subject(ctx, link.Head); err != nil {
		return head, err
	}
	member, err := r.Subject(ctx, link.Member)
	if err != nil {
		return head, err
	}
	if head.ErasedMS != 0 || member.ErasedMS != 0 {
		return head, ErrErased
	}
	links, err := r.store.LinksOf(ctx, link.Member)
	if err != nil {
		return head, err
	}
	open := false
	for _, l := range links {
		open = open || l.Member == link.Member && l.Head == link.Head && l.UntilDay == Forever
	}
	switch {
	case plain[0] == linkBegins && !open:
		if link.FromDay, err = begin(member, head); err == nil {
			err = r.store.AddLink(ctx, link)
		}
	case plain[0] == linkEnds && open:
		if link.UntilDay, err = end(member, head); err == nil {
			err = r.store.EndLink(ctx, link.Member, link.UntilDay)
		}
	}
	if err != nil {
		return head, err
	}
	return head, r.takeBack(ctx, unfinishedLink, Note{detail.Subject, detail.Revision})
}
