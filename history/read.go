package history

import (
	"context"

	"github.com/attentionbank/attentionbank/ledger"
)

// MaxPage bounds the rows of an answer. A limit of 0, or above it, means it.
const MaxPage = 1000

// Tables is what an adapter keeps: what a Follower writes and what is read.
// Whoever reads declares the part that is needed.
type Tables interface {
	Store
	Books
	People
	Affairs
	Trail
	Markets
	PastOrders
}

// Books answers about accounts and operations. All lists are bounded and are
// read on from the last row that was answered.
type Books interface {
	// Statement returns the postings of an account, the newest first.
	Statement(ctx context.Context, account uint64, query StatementQuery) ([]Entry, error)
	// Transaction returns a transaction, or ErrNotFound.
	Transaction(ctx context.Context, seq uint64, index uint32) (Transaction, error)
	// OfReference returns the transactions of a reference behind (seq, index),
	// the oldest first.
	OfReference(ctx context.Context, reference string, seq uint64, index uint32, limit int) ([]Transaction, error)
	// Holds returns the holds of an account that were placed before command
	// (seq, index), both 0 for all, the newest first; the open ones only, if
	// asked.
	Holds(ctx context.Context, account uint64, openOnly bool, seq uint64, index uint32, limit int) ([]Hold, error)
	// Epochs returns epochs that have ended, with a number below before (0 for
	// all), the newest first.
	Epochs(ctx context.Context, before uint64, limit int) ([]Epoch, error)
}

// People answers about persons and other owners of accounts.
type People interface {
	// Accounts returns an owner's accounts with a number above after, in order.
	Accounts(ctx context.Context, kind ledger.OwnerKind, owner, after uint64, limit int) ([]Account, error)
	// Mints returns what a person earned, by day, world and revision, the
	// newest first.
	Mints(ctx context.Context, person uint64, query MintQuery) ([]Mint, error)
	// Payments returns what a person was paid before (epoch, world), both 0
	// for all, the newest first.
	Payments(ctx context.Context, person, epoch uint64, world uint32, limit int) ([]Payment, error)
}

// Trail answers about what operators did.
type Trail interface {
	// Acts returns the acts of operators, the newest first.
	Acts(ctx context.Context, query ActQuery) ([]Act, error)
}

// ActQuery says which acts to return.
type ActQuery struct {
	FromMS, ToMS int64  // at FromMS or later and before ToMS; 0 for all
	Operation    string // this one only, if it is named
	// Target is the first of what an act is about, such as "person=7ba0…", if it
	// is named.
	Target string
	// Operator is the number of one only, if OneOperator says so.
	Operator    uint32
	OneOperator bool
	BeforeSeq   uint64 // before this one; 0 for the newest
	BeforeIndex uint32
	Limit       int
}

// StatementQuery says which postings of an account to return.
type StatementQuery struct {
	FromMS int64    // at this time or later; 0 for all
	ToMS   int64    // before this time; 0 for all
	Before Position // older than this one; zero for the newest
	Limit  int
}

// MintQuery says which mints of a person to return.
type MintQuery struct {
	FromDay int32 // of this day or later, days since 1970-01-01 UTC
	// Before this one in the order of day, world and revision; zero for the
	// newest.
	BeforeDay      int32
	BeforeWorld    uint32
	BeforeRevision uint64
	Limit          int
}

// Page returns the rows that a limit allows.
func Page(limit int) int {
	if limit <= 0 || limit > MaxPage {
		return MaxPage
	}
	return limit
}
