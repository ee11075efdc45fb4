package sqldb

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/pages"
)

// lookups finds subjects by lookup, in memory: some 40 bytes a subject. It
// could be an index of the database, but a page of an index that was once
// split may keep a copy of an entry that was moved, and then an erased lookup
// would still lie in the file.
type lookups struct {
	mu    sync.Mutex
	of    pages.Array[[16]byte] // of subject n at n-1; zero once erased
	index pages.Index
	// uncertain is set after a write whose outcome is not known; what the
	// file has more than memory is then read first.
	uncertain bool
}

func lookupHash(lookup [16]byte) uint64 { return binary.LittleEndian.Uint64(lookup[:]) }

// catchUp reads the lookups that are in the file and not in memory.
func (l *lookups) catchUp(ctx context.Context, d *database) error {
	if l.uncertain {
		if err := d.engine.settle(ctx, d); err != nil {
			return err
		}
	}
	rows, err := d.read.QueryContext(ctx, "SELECT number, lookup FROM subject_secrets WHERE number > $1 ORDER BY number", l.of.Len())
	if err != nil {
		return fmt.Errorf("reading lookups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var number uint64
		var lookup []byte
		if err := rows.Scan(&number, &lookup); err != nil {
			return fmt.Errorf("reading lookups: %w", err)
		}
		if number != uint64(l.of.Len())+1 || len(lookup) != 16 {
			return fmt.Errorf("reading lookups: subject %d with %d bytes follows %d", number, len(lookup), l.of.Len())
		}
		l.add([16]byte(lookup))
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading lookups: %w", err)
	}
	l.uncertain = false
	return nil
}

// add notes the lookup of the next subject.
func (l *lookups) add(lookup [16]byte) {
	position := l.of.Append(lookup)
	if lookup != [16]byte{} {
		l.index.Insert(lookupHash(lookup), position)
	}
}

func (l *lookups) find(lookup [16]byte) (number uint64, found bool) {
	position, found := l.index.Find(lookupHash(lookup), func(position int) bool { return *l.of.At(position) == lookup })
	return uint64(position) + 1, found
}

// drop forgets the lookup of a subject that was erased.
func (l *lookups) drop(number uint64) {
	position := int(number - 1)
	l.index.Remove(lookupHash(*l.of.At(position)), position)
	*l.of.Write(position) = [16]byte{}
}

// accepts returns ErrTaken unless records are those of the next subjects with
// lookups that are new.
func (l *lookups) accepts(records []identity.SubjectRecord) error {
	batch := make(map[[16]byte]bool, len(records))
	for n, record := range records {
		_, known := l.find(record.Lookup)
		if known || batch[record.Lookup] || record.Number != uint64(l.of.Len()+n)+1 {
			return identity.ErrTaken
		}
		batch[record.Lookup] = true
	}
	return nil
}
