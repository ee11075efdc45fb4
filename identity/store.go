package identity

import (
	"context"
	"iter"
)

// Store keeps what a Registry must find again. Every method that changes
// something returns when the change is durable, and changes all or nothing.
type Store interface {
	// Found keeps the founding record if there is none, and returns the one
	// that is kept, with the highest subject number so far.
	Found(ctx context.Context, first Founding) (Founding, error)
	KeyStore
	TicketStore
	SubjectStore
	TokenStore
	LinkStore
	DetailStore
}

// Founding is made once, at the first start.
type Founding struct {
	SealedLookupSecret []byte // under the master key
	LastSubject        uint64 // 0 if there is none; told by the store, not kept
}

// KeyStore keeps keys.
type KeyStore interface {
	// LiveKeys yields the keys that are not revoked.
	LiveKeys(ctx context.Context) iter.Seq2[Key, error]
	// KeysOf returns the keys of an owner, revoked ones too, oldest first.
	KeysOf(ctx context.Context, owner Principal) ([]Key, error)
	// Key returns a key by its id, or ErrNotFound.
	Key(ctx context.Context, id string) (Key, error)
	// AddKey adds a key, or returns ErrTaken.
	AddKey(ctx context.Context, key Key) error
	// RevokeKey marks a key; one that is revoked keeps its first time.
	RevokeKey(ctx context.Context, id string, revokedMS int64) error
	// MarkUsed notes the day on which keys were last used. Unknown ids are
	// passed over.
	MarkUsed(ctx context.Context, day int32, ids []string) error
}

// TicketStore keeps one-time links and codes until they are used.
type TicketStore interface {
	// SaveTicket keeps a ticket in place of an earlier one of the same kind
	// and subject, and drops all that expired before expiredMS.
	SaveTicket(ctx context.Context, ticket Ticket, expiredMS int64) error
	// Ticket returns a ticket by the hash of its code, or ErrNotFound.
	Ticket(ctx context.Context, hash [32]byte) (Ticket, error)
	// RedeemTicket takes a ticket away and adds a key, both or neither; it
	// returns ErrNotFound if the ticket is gone.
	RedeemTicket(ctx context.Context, hash [32]byte, key Key) error
}

// SubjectStore keeps people.
type SubjectStore interface {
	// FindSubjects returns the records of those lookups that are known, in any
	// order.
	FindSubjects(ctx context.Context, lookups [][16]byte) ([]SubjectRecord, error)
	// Subject returns a record by its number, an erased one too, or ErrNotFound.
	Subject(ctx context.Context, number uint64) (SubjectRecord, error)
	// SubjectsOf returns the records of a person id, by number.
	SubjectsOf(ctx context.Context, person [16]byte) ([]SubjectRecord, error)
	// UnitedWith returns the records that were united with a subject, by number.
	UnitedWith(ctx context.Context, number uint64) ([]SubjectRecord, error)
	// AddSubjects adds records, whose numbers follow the last one, or returns
	// ErrTaken.
	AddSubjects(ctx context.Context, records []SubjectRecord) error
	// Unite says that subject anonymous belongs to another from now on.
	Unite(ctx context.Context, anonymous, with uint64) error
	// EraseSubjects destroys wrapped keys, sealed ids and lookups of subjects,
	// and their details, tickets and keys, so that the bytes are nowhere in the
	// store's files. Number and person id remain. Erasing again is no error.
	EraseSubjects(ctx context.Context, numbers []uint64, erasedMS int64) error
}

// SubjectRecord is a subject as a store keeps it.
type SubjectRecord struct {
	Subject
	Lookup     [16]byte // zero once erased
	WrappedKey []byte   // under the master key; nil once erased
	SealedID   []byte   // what the world calls the subject; nil once erased
}

// TicketKind says what a ticket is good for.
type TicketKind uint8

// The kinds of ticket.
const (
	OperatorLink TicketKind = iota + 1 // makes the first operator key
	ClaimCode                          // makes a person's first key
)

// Ticket is a one-time link or code.
type Ticket struct {
	Kind      TicketKind
	Hash      [32]byte // SHA-256 of the code
	Subject   uint64   // ClaimCode: whose; else 0
	ExpiresMS int64
}

// TokenStore keeps the keys by which worlds sign tokens, and which tokens that
// work once were used.
type TokenStore interface {
	// TokenKeys returns what was set for a world; nil if nothing was.
	TokenKeys(ctx context.Context, world uint32) ([]byte, error)
	// SetTokenKeys replaces what was set for a world.
	SetTokenKeys(ctx context.Context, world uint32, keys []byte) error
	// SpendTokens notes that tokens were used for a purpose, all or none, and
	// drops those that ended by nowMS. One that was used for the same purpose
	// before is no error; for another it is ErrTaken.
	SpendTokens(ctx context.Context, tokens []SpentToken, nowMS int64) error
}

// SpentToken is a token that was used up for something.
type SpentToken struct {
	Hash    [32]byte // SHA-256 of world and id
	Purpose [16]byte
	EndsMS  int64 // after which it is refused by its time
}

// LinkStore keeps which subjects are one person.
type LinkStore interface {
	// AddLink adds a link.
	AddLink(ctx context.Context, link Link) error
	// EndLink lets a link of a member end before a day, if it does not already
	// end earlier, or returns ErrNotFound.
	EndLink(ctx context.Context, member uint64, untilDay int32) error
	// LinksOf returns the links in which a subject is member or head, in the
	// order in which they were added.
	LinksOf(ctx context.Context, subject uint64) ([]Link, error)
}
