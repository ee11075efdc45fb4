package memory

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"sync"

	"github.com/attentionbank/attentionbank/identity"
)

// Identity is an identity.Store in memory. It holds what it was given for as
// long as it lives, so a Registry may be closed and opened on it again.
type Identity struct {
	// Before and After, if set, are called around each operation with its
	// name. An error of Before is returned and nothing is done; an error of
	// After is returned though all was done, as when an answer is lost.
	Before, After func(operation string) error

	mu       sync.Mutex
	founding *identity.Founding
	keys     []identity.Key // in the order of creation
	tickets  []identity.Ticket
	subjects []identity.SubjectRecord // subject n is at n-1
	byLookup map[[16]byte]uint64

	tokenKeys map[uint32][]byte
	spent     map[[32]byte]identity.SpentToken
	links     []identity.Link
	details   []identity.Detail // by subject and name
}

// NewIdentity returns an empty store.
func NewIdentity() *Identity {
	return &Identity{byLookup: make(map[[16]byte]uint64), tokenKeys: make(map[uint32][]byte), spent: make(map[[32]byte]identity.SpentToken)}
}

// do runs an operation between the hooks, alone.
func (m *Identity) do(ctx context.Context, operation string, run func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Before != nil {
		if err := m.Before(operation); err != nil {
			return err
		}
	}
	if err := run(); err != nil {
		return err
	}
	if m.After != nil {
		return m.After(operation)
	}
	return nil
}

// Found implements identity.Store.
func (m *Identity) Found(ctx context.Context, first identity.Founding) (kept identity.Founding, err error) {
	err = m.do(ctx, "Found", func() error {
		if m.founding == nil {
			m.founding = &identity.Founding{SealedLookupSecret: slices.Clone(first.SealedLookupSecret)}
		}
		kept = *m.founding
		kept.LastSubject = uint64(len(m.subjects))
		return nil
	})
	return kept, err
}

// LiveKeys implements identity.Store.
func (m *Identity) LiveKeys(ctx context.Context) iter.Seq2[identity.Key, error] {
	return func(yield func(identity.Key, error) bool) {
		var live []identity.Key
		err := m.do(ctx, "LiveKeys", func() error {
			live = m.keysWhere(func(key identity.Key) bool { return key.RevokedMS == 0 })
			return nil
		})
		if err != nil {
			yield(identity.Key{}, err)
			return
		}
		for _, key := range live {
			if !yield(key, nil) {
				return
			}
		}
	}
}

func (m *Identity) keysWhere(keep func(identity.Key) bool) (kept []identity.Key) {
	for _, key := range m.keys {
		if keep(key) {
			kept = append(kept, key)
		}
	}
	return kept
}

// KeysOf implements identity.Store.
func (m *Identity) KeysOf(ctx context.Context, owner identity.Principal) (keys []identity.Key, err error) {
	owner.KeyID = ""
	err = m.do(ctx, "KeysOf", func() error {
		keys = m.keysWhere(func(key identity.Key) bool {
			key.Owner.KeyID = ""
			return key.Owner == owner
		})
		return nil
	})
	return keys, err
}

// Key implements identity.Store.
func (m *Identity) Key(ctx context.Context, id string) (key identity.Key, err error) {
	err = m.do(ctx, "Key", func() error {
		i := m.keyIndex(id)
		if i < 0 {
			return identity.ErrNotFound
		}
		key = m.keys[i]
		return nil
	})
	return key, err
}

func (m *Identity) keyIndex(id string) int {
	return slices.IndexFunc(m.keys, func(key identity.Key) bool { return key.ID == id })
}

// AddKey implements identity.Store.
func (m *Identity) AddKey(ctx context.Context, key identity.Key) error {
	return m.do(ctx, "AddKey", func() error { return m.addKey(key) })
}

func (m *Identity) addKey(key identity.Key) error {
	for _, kept := range m.keys {
		if kept.ID == key.ID || kept.Hash == key.Hash {
			return identity.ErrTaken
		}
	}
	m.keys = append(m.keys, key)
	return nil
}

// RevokeKey implements identity.Store.
func (m *Identity) RevokeKey(ctx context.Context, id string, revokedMS int64) error {
	return m.do(ctx, "RevokeKey", func() error {
		i := m.keyIndex(id)
		if i < 0 {
			return identity.ErrNotFound
		}
		m.keys[i].RevokedMS = cmp.Or(m.keys[i].RevokedMS, revokedMS)
		return nil
	})
}

// MarkUsed implements identity.Store.
func (m *Identity) MarkUsed(ctx context.Context, day int32, ids []string) error {
	return m.do(ctx, "MarkUsed", func() error {
		for _, id := range ids {
			if i := m.keyIndex(id); i >= 0 {
				m.keys[i].LastUsedDay = day
			}
		}
		return nil
	})
}

// SaveTicket implements identity.Store.
func (m *Identity) SaveTicket(ctx context.Context, ticket identity.Ticket, expiredMS int64) error {
	return m.do(ctx, "SaveTicket", func() error {
		m.tickets = slices.DeleteFunc(m.tickets, func(kept identity.Ticket) bool {
			return kept.ExpiresMS <= expiredMS || kept.Kind == ticket.Kind && kept.Subject == ticket.Subject
		})
		m.tickets = append(m.tickets, ticket)
		return nil
	})
}

// Ticket implements identity.Store.
func (m *Identity) Ticket(ctx context.Context, hash [32]byte) (ticket identity.Ticket, err error) {
	err = m.do(ctx, "Ticket", func() error {
		i := m.ticketIndex(hash)
		if i < 0 {
			return identity.ErrNotFound
		}
		ticket = m.tickets[i]
		return nil
	})
	return ticket, err
}

func (m *Identity) ticketIndex(hash [32]byte) int {
	return slices.IndexFunc(m.tickets, func(ticket identity.Ticket) bool { return ticket.Hash == hash })
}

// RedeemTicket implements identity.Store.
func (m *Identity) RedeemTicket(ctx context.Context, hash [32]byte, key identity.Key) error {
	return m.do(ctx, "RedeemTicket", func() error {
		i := m.ticketIndex(hash)
		if i < 0 {
			return identity.ErrNotFound
		}
		if err := m.addKey(key); err != nil {
			return err
		}
		m.tickets = slices.Delete(m.tickets, i, i+1)
		return nil
	})
}

// FindSubjects implements identity.Store.
func (m *Identity) FindSubjects(ctx context.Context, lookups [][16]byte) (records []identity.SubjectRecord, err error) {
	err = m.do(ctx, "FindSubjects", func() error {
		for _, lookup := range lookups {
			if number, found := m.byLookup[lookup]; found {
				records = append(records, m.subjects[number-1])
			}
		}
		return nil
	})
	return records, err
}

// Subject implements identity.Store.
func (m *Identity) Subject(ctx context.Context, number uint64) (record identity.SubjectRecord, err error) {
	err = m.do(ctx, "Subject", func() error {
		if !m.knows(number) {
			return identity.ErrNotFound
		}
		record = m.subjects[number-1]
		return nil
	})
	return record, err
}

func (m *Identity) knows(number uint64) bool {
	return number >= 1 && number <= uint64(len(m.subjects))
}

// SubjectsOf implements identity.Store.
func (m *Identity) SubjectsOf(ctx context.Context, person [16]byte) ([]identity.SubjectRecord, error) {
	return m.subjectsWhere(ctx, "SubjectsOf", func(s identity.Subject) bool { return s.Person == person })
}

// UnitedWith implements identity.Store.
func (m *Identity) UnitedWith(ctx context.Context, number uint64) ([]identity.SubjectRecord, error) {
	return m.subjectsWhere(ctx, "UnitedWith", func(s identity.Subject) bool { return s.UnitedWith == number })
}

func (m *Identity) subjectsWhere(ctx context.Context, operation string, keep func(identity.Subject) bool) (records []identity.SubjectRecord, err error) {
	err = m.do(ctx, operation, func() error {
		for _, record := range m.subjects {
			if keep(record.Subject) {
				records = append(records, record)
			}
		}
		return nil
	})
	return records, err
}

// AddSubjects implements identity.Store.
func (m *Identity) AddSubjects(ctx context.Context, records []identity.SubjectRecord) error {
	return m.do(ctx, "AddSubjects", func() error {
		batch := make(map[[16]byte]bool, len(records))
		for i, record := range records {
			_, taken := m.byLookup[record.Lookup]
			if taken || batch[record.Lookup] || record.Number != uint64(len(m.subjects)+i)+1 {
				return identity.ErrTaken
			}
			batch[record.Lookup] = true
		}
		for _, record := range records {
			m.byLookup[record.Lookup] = record.Number
			m.subjects = append(m.subjects, record)
		}
		return nil
	})
}

// Unite implements identity.Store.
func (m *Identity) Unite(ctx context.Context, anonymous, with uint64) error {
	return m.do(ctx, "Unite", func() error {
		if !m.knows(anonymous) || !m.knows(with) {
			return identity.ErrNotFound
		}
		m.subjects[anonymous-1].UnitedWith = with
		return nil
	})
}

// EraseSubjects implements identity.Store.
func (m *Identity) EraseSubjects(ctx context.Context, numbers []uint64, erasedMS int64) error {
	return m.do(ctx, "EraseSubjects", func() error {
		for _, number := range numbers {
			if !m.knows(number) {
				return identity.ErrNotFound
			}
		}
		for _, number := range numbers {
			record := &m.subjects[number-1]
			delete(m.byLookup, record.Lookup)
			record.Lookup, record.WrappedKey, record.SealedID = [16]byte{}, nil, nil
			record.ErasedMS = cmp.Or(record.ErasedMS, erasedMS)
			m.tickets = slices.DeleteFunc(m.tickets, func(t identity.Ticket) bool { return t.Subject == number })
			m.keys = slices.DeleteFunc(m.keys, func(key identity.Key) bool {
				return key.Owner.Kind == identity.Person && key.Owner.Subject == number
			})
			m.details = slices.DeleteFunc(m.details, func(detail identity.Detail) bool { return detail.Subject == number })
			m.links = slices.DeleteFunc(m.links, func(link identity.Link) bool { return link.Member == number || link.Head == number })
		}
		return nil
	})
}
