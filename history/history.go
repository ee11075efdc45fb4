// Package history makes what the bank has done readable: statements, everything
// of one reference, what a person earned. It follows the journal at its own
// pace and keeps tables that hold nothing which is not in the journal, so they
// may be dropped and made again at any time, and it says how far they lag.
// Balances and holds as they are now are read from the bank, never from here.
package history

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// Source is where records come from. The journal is joined to it in the
// composition root.
type Source interface {
	// Load yields the records from a sequence on, in order and without a gap.
	// What it yields need not stay valid after the next.
	Load(ctx context.Context, from uint64) iter.Seq2[Record, error]
	// Durable returns the sequence of the last record that is durable. Records
	// behind it are not read, even if Load has them.
	Durable() uint64
	// WaitNewer returns when a record behind seq is durable, or when there will
	// be none any more, or when ctx has ended.
	WaitNewer(ctx context.Context, seq uint64)
}

// Record is what became durable together.
type Record struct {
	Seq    uint64
	TimeMS int64
	Hash   [32]byte // names the record and all before it
	Pairs  []Pair   // by index
}

// Pair is a command and its answer, as the bank encodes them.
type Pair struct{ Command, Answer []byte }

// Cursor is how far history has come.
type Cursor struct {
	Seq    uint64 // the last record whose rows are there; 0 for none
	TimeMS int64
	Hash   [32]byte
}

// ErrLagging: the history is further behind than its operator lets it be, and
// nothing new is accepted until it has caught up.
var ErrLagging = errors.New("the history is too far behind, try again later")

// ErrForeign: history was made from another journal than the one it is to
// follow. It is to be cleared and made again.
var ErrForeign = errors.New("the history does not belong to this journal")

// ErrBehind: a store was given rows that do not follow its cursor.
var ErrBehind = errors.New("the rows do not follow what is there")

// ErrNotFound: there is no such transaction.
var ErrNotFound = errors.New("not found")

// Store keeps the tables. Apply is for the one Follower; the rest for whoever
// asks.
type Store interface {
	// Cursor returns how far the tables have come.
	Cursor(ctx context.Context) (Cursor, error)
	// Apply adds rows and moves the cursor from after to the chunk's, all or
	// nothing. It returns ErrBehind if the cursor is not after.
	Apply(ctx context.Context, after uint64, chunk *Chunk) error
	// Clear removes everything.
	Clear(ctx context.Context) error
}

// Chunk is the rows of consecutive records. A Follower gives Postings, Mints
// and References sorted by the order of their tables, so that a large table
// takes them in runs.
type Chunk struct {
	Cursor       Cursor
	Transactions []Transaction
	References   []Reference
	Postings     []Posting
	Accounts     []Account // one that is there already changes nothing
	Holds        []Hold    // in order; a later row of a hold adds to an earlier one
	HoldEnds     []HoldEnd // after Holds
	Mints        []Mint    // a revision that is there already changes nothing
	Payments     []Payment // by person and epoch
	Epochs       []Epoch   // in order; a later row of an epoch completes an earlier one
	Acts         []Act
	Affairs      []Affair // by topic and number, each once
	Trades       []Trade  // in order
	Fills        []Fill   // by person
	Candles      []Candle // each joins what its time has already
	Orders       []Order  // by person and market, the newest first
	OrderChanges []OrderChange
	candleAt     map[candleKey]int
	// orderAt and changeAt say where the rows of orders are until they are sorted.
	orderAt, changeAt map[OrderName]int
}

func (c *Chunk) rows() int {
	return len(c.Transactions) + len(c.Postings) + len(c.Accounts) + len(c.Holds) + len(c.HoldEnds) + len(c.Mints) + len(c.Payments) + len(c.Acts) +
		len(c.Trades) + len(c.Fills) + len(c.Candles) + len(c.Affairs) + len(c.Orders) + len(c.OrderChanges)
}

// Transaction is an accepted command that did something.
type Transaction struct {
	Seq       uint64
	Index     uint32 // within the record
	TimeMS    int64
	Kind      string // transfer, hold, mint, ...; see KindOf
	Reference string // may be empty
	Answer    []byte // the facts; see bank.Facts
}

// Act is what an operator did, or tried: a line of the audit trail.
type Act struct {
	Seq               uint64
	Index             uint32
	TimeMS            int64
	Operator          uint32
	Credential        [10]byte // the id of the key
	Operation, Target string
	Before, After     string       // JSON, or empty
	Refusal           bank.Refusal // Accepted if it was done
}

// Reference says which transactions belong to one business operation.
type Reference struct {
	Text  string
	Seq   uint64
	Index uint32
}

// Posting is a change of one account.
type Posting struct {
	Account uint64
	Position
	Other   uint64 // the account of the posting's other side
	Amount  int64  // minor units; negative leaves the account
	Balance int64  // what the account came to
}

// Position orders the postings of all accounts: by record, by command, by
// posting.
type Position struct {
	Seq   uint64
	Index uint32
	N     uint32 // within the command
}

// String returns a text that ParsePosition reads.
func (p Position) String() string { return fmt.Sprintf("%d.%d.%d", p.Seq, p.Index, p.N) }

// ParsePosition reads what Position.String wrote, and nothing else.
func ParsePosition(text string) (Position, error) {
	parts := strings.Split(text, ".")
	if len(parts) == 3 {
		seq, err1 := strconv.ParseUint(parts[0], 10, 63)
		index, err2 := strconv.ParseUint(parts[1], 10, 32)
		n, err3 := strconv.ParseUint(parts[2], 10, 32)
		p := Position{Seq: seq, Index: uint32(index), N: uint32(n)}
		if errors.Join(err1, err2, err3) == nil && p.String() == text {
			return p, nil
		}
	}
	return Position{}, errors.New("a position is three whole numbers with points between them, as in 12.0.3")
}

// Entry is a line of a statement.
type Entry struct {
	Posting
	TimeMS    int64
	Kind      string
	Reference string
}

// Account is an account that was opened.
type Account struct {
	Number uint64
	ledger.Key
	Seq uint64 // the record that opened it
}

// Hold is a hold as it stands.
type Hold struct {
	Number, Account, Beneficiary uint64
	Amount, Remaining            int64 // minor units; Remaining 0 once it has ended
	ExpiresAtMS                  int64 // 0 for never
	Group                        [16]byte
	Reference                    string
	Seq                          uint64 // of the command that placed it
	Index                        uint32
	PlacedMS                     int64
	// What became of it so far.
	SettledAmount, ReleasedAmount, ExpiredAmount int64
	EndedMS                                      int64 // 0 while open
}

// HoldEnd is how a part of a hold ended.
type HoldEnd struct {
	Hold                                         uint64
	SettledAmount, ReleasedAmount, ExpiredAmount int64 // one of them
	Remaining                                    int64
	TimeMS                                       int64
}

// Mint is a revision of what a person earned of a world on a day.
type Mint struct {
	Person                uint64 // the bank's number
	Day                   int32  // days since 1970-01-01 UTC
	World                 uint32
	Revision              uint64
	CumulativePointsMicro int64
	DeltaPointsMicro      int64
	ReceivablePointsMicro int64
	Epoch                 uint64
	PolicyVersion         uint32
	Commitment            [32]byte
	Seq                   uint64
	Index                 uint32
	TimeMS                int64
}

// Payment is what a person was paid at an epoch's close for a world's points.
type Payment struct {
	Person, Epoch          uint64
	World                  uint32
	PointsMicro, TimeMicro int64
	Seq                    uint64
	Index                  uint32
	TimeMS                 int64
}

// Epoch is an epoch that has ended.
type Epoch struct {
	Number                     uint64
	StartMS, EndMS             int64
	Accounts                   uint64 // points accounts to be paid
	IssuedMicro, TreasuryMicro int64
	ClosedMS                   int64 // 0 while it is being paid
}
