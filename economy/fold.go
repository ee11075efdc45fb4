package economy

import (
	"cmp"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// MaxDays bounds a period: ten years.
const MaxDays = 3660

const dayMS = 24 * 60 * 60 * 1000

// Entry is a command of the journal with its answer.
type Entry struct {
	Seq    uint64
	TimeMS int64
	// Kind is the name of the command's kind, as the history has it. A command
	// that an operator's act carries out is given as itself.
	Kind            string
	Command, Answer []byte
}

// Fold takes in the journal from its first record on.
type Fold struct {
	fromMS, toMS int64
	done         bool // a record at or after toMS was seen

	lastSeq    uint64
	lastMS     int64
	accounts   []account // by number
	assets     []asset   // by number
	worlds     []world   // by number
	people     []person  // by number
	newPeople  int64
	policies   []policyFrom
	closing    *epoch // that is being paid
	epochs     []epoch
	days       []day
	treasuries map[flowKey]*flow
	fees       map[feeKey]*fee
	commands   map[string]*commandCount
	shop       shop
	markets    []*traded // by number
	reviews    Reviews
	legs       []leg // of the running entry
}

type account struct {
	ledger.Key
	balance int64
	opening int64 // at the beginning of the period
}

// asset is what an asset's totals are.
type asset struct {
	code            string
	scale           int
	world           uint32
	opening, supply int64
	total           [3]big.Int // by direction: minted, burned, moved
	flows           map[flowKey]*flow
}

type direction int

const (
	minted direction = iota
	burned
	moved
	intoTreasury
	outOfTreasury
)

// flowKey tells flows apart; asset is set where assets share a table.
type flowKey struct {
	direction direction
	source    string
	world     uint32
	asset     uint32
}

type flow struct {
	amount big.Int
	count  int64
}

type feeKey struct {
	kind  string
	asset uint32
}

type fee struct{ treasury, operator, burned big.Int }

type world struct {
	code                      string
	earned, taken             big.Int
	points, time, timeIn, out big.Int
}

type person struct {
	paid, earned int64 // TIME and points of the period
	spent        bool
	lastDay      int32 // on which the person earned, plus 1
}

type policyFrom struct {
	epoch  uint64
	policy bank.MonetaryPolicy
}

type epoch struct {
	bank.EpochClosing
	policy           bank.MonetaryPolicy
	points, paid     big.Int
	issued, treasury int64
	closedMS         int64
}

type day struct {
	minted, burned, volume, points big.Int
	active                         int64
}

type commandCount struct {
	accepted, repeated int64
	refused            map[bank.Refusal]int64
}

type shop struct {
	purchases, delivered, declined, refunds, resales int64
	sold, resold, royalties                          big.Int
}

type leg struct {
	debit, credit uint64
	amount        int64
	source        string
	world         uint32
}

// New begins a report of the period from fromMS to before toMS, in milliseconds
// since 1970-01-01 UTC.
func New(fromMS, toMS int64) (*Fold, error) {
	if fromMS < 0 || toMS <= fromMS || toMS-fromMS > MaxDays*dayMS {
		return nil, fmt.Errorf("a period ends after it begins and has at most %d days", MaxDays)
	}
	f := &Fold{
		fromMS: fromMS, toMS: toMS, fees: map[feeKey]*fee{}, treasuries: map[flowKey]*flow{}, commands: map[string]*commandCount{},
		policies: []policyFrom{{0, bank.DefaultMonetaryPolicy()}},
		days:     make([]day, bank.Day(toMS-1)-bank.Day(fromMS)+1),
	}
	// What every bank begins with stands in no fact.
	books := bank.New().Books()
	for number := uint32(1); int(number) <= books.Assets(); number++ {
		a := books.Asset(number)
		f.assets = append(f.assets, asset{code: a.Code, scale: int(a.Scale), flows: map[flowKey]*flow{}})
	}
	for number := uint64(1); number <= books.Accounts(); number++ {
		f.openAccount(number, books.Account(number).Key)
	}
	return f, nil
}

// errOrder: the fold was given what does not follow.
var errOrder = errors.New("the journal's entries are not in order")

// Add takes in the next entry. It reports whether entries behind it may still
// count: after the period it need not be told more. An error is of bytes that
// are no facts.
func (f *Fold) Add(e Entry) (more bool, err error) {
	if e.Seq < f.lastSeq || e.TimeMS < f.lastMS {
		return false, errOrder
	}
	if f.done || e.TimeMS >= f.toMS {
		f.done = true
		return false, nil
	}
	f.lastSeq, f.lastMS = e.Seq, e.TimeMS
	inPeriod := e.TimeMS >= f.fromMS
	if inPeriod {
		f.count(e)
	}
	if len(e.Answer) == 0 || bank.Refusal(e.Answer[0]) != bank.Accepted {
		return true, nil
	}
	f.legs = f.legs[:0]
	source := attribution{kind: e.Kind, source: [2]string{e.Kind, e.Kind}}
	for fact, err := range bank.Facts(e.Answer) {
		if err != nil {
			return false, fmt.Errorf("record %d: %w", e.Seq, err)
		}
		if posted, is := fact.(bank.Posted); is {
			err = f.post(posted, &source)
		} else {
			err = f.take(fact, e, &source, inPeriod)
		}
		if err != nil {
			return false, fmt.Errorf("record %d: %w", e.Seq, err)
		}
	}
	if source.debit != 0 {
		return false, fmt.Errorf("record %d: a posting has no other side", e.Seq)
	}
	for i := range f.legs {
		f.settle(&f.legs[i], e.Kind, e.TimeMS, inPeriod)
	}
	return true, nil
}

// attribution says what the postings that follow come of. Postings of others
// than the person come of the kind of command.
type attribution struct {
	kind   string
	source [2]string // by direction: of what is minted, of what is burned
	world  uint32
	person uint64
	debit  uint64 // of a leg whose other side has not come yet
	first  int64
}

// post takes in one of the two postings of a leg.
func (f *Fold) post(p bank.Posted, by *attribution) error {
	if p.Account == 0 || p.Account >= uint64(len(f.accounts)) {
		return fmt.Errorf("a posting of account %d, which was not opened", p.Account)
	}
	f.accounts[p.Account].balance = p.Balance
	if by.debit == 0 {
		by.debit, by.first = p.Account, p.Amount
		return nil
	}
	if p.Amount != -by.first || p.Amount < 0 {
		return fmt.Errorf("postings of %d and %d are not the sides of a leg", by.first, p.Amount)
	}
	debit, credit := &f.accounts[by.debit], &f.accounts[p.Account]
	if debit.Asset != credit.Asset || debit.Asset == 0 || int(debit.Asset) > len(f.assets) {
		return fmt.Errorf("a leg of %d from account %d to account %d, which are not of one asset", p.Amount, by.debit, p.Account)
	}
	l := leg{debit: by.debit, credit: p.Account, amount: p.Amount, source: by.kind}
	issue, burn := debit.Purpose == ledger.PurposeIssuer, credit.Purpose == ledger.PurposeIssuer
	switch {
	case issue && by.person != 0 && credit.Owner == by.person:
		l.source, l.world = by.source[minted], by.world
	case burn && by.person != 0 && debit.Owner == by.person:
		l.source, l.world = by.source[burned], by.world
	case issue && credit.Purpose == ledger.PurposeTreasury && by.kind == "tick":
		l.source = fromRounding
	}
	f.legs = append(f.legs, l)
	by.debit = 0
	return nil
}

// openAccount makes an account known; one that is told again changes nothing.
func (f *Fold) openAccount(number uint64, key ledger.Key) {
	for uint64(len(f.accounts)) <= number {
		f.accounts = append(f.accounts, account{})
	}
	if f.accounts[number].Asset == 0 {
		f.accounts[number].Key = key
	}
}

func (f *Fold) count(e Entry) {
	c := f.commands[e.Kind]
	if c == nil {
		c = &commandCount{refused: map[bank.Refusal]int64{}}
		f.commands[e.Kind] = c
	}
	switch refusal := bank.Malformed; {
	case len(e.Answer) > 0 && bank.Refusal(e.Answer[0]) == bank.Accepted:
		c.accepted++
	case len(e.Answer) > 0 && bank.Refusal(e.Answer[0]) == bank.Repeated:
		c.repeated++
	default:
		if len(e.Answer) > 0 {
			refusal = bank.Refusal(e.Answer[0])
		}
		c.refused[refusal]++
	}
}

// settle counts a leg, by what its two sides are.
func (f *Fold) settle(l *leg, kind string, timeMS int64, inPeriod bool) {
	debit, credit := &f.accounts[l.debit], &f.accounts[l.credit]
	a := &f.assets[debit.Asset-1]
	v := big.NewInt(l.amount)
	issue, burn := debit.Purpose == ledger.PurposeIssuer, credit.Purpose == ledger.PurposeIssuer
	if issue {
		a.supply += l.amount
	}
	if burn {
		a.supply -= l.amount
	}
	if !inPeriod {
		a.opening = a.supply
		debit.opening, credit.opening = debit.balance, credit.balance
		return
	}
	today := &f.days[f.dayIndex(timeMS)]
	isTime := debit.Asset == ledger.Time
	switch {
	case issue:
		a.add(minted, l, v)
		if isTime {
			today.minted.Add(&today.minted, v)
		}
	case burn:
		a.add(burned, l, v)
		if isTime {
			today.burned.Add(&today.burned, v)
		}
	case claim(debit.Purpose) || claim(credit.Purpose):
		return // what is owed is no money
	case credit.Purpose != ledger.PurposeClearing:
		// What passes through clearing counts when it comes out.
		a.add(moved, l, v)
		if isTime {
			today.volume.Add(&today.volume, v)
		}
	}
	f.settleOwners(l, debit, credit, kind, v)
}

// claim reports whether accounts of a purpose hold what is owed, not had.
func claim(p ledger.Purpose) bool {
	return p == ledger.PurposeReceivable || p == ledger.PurposeReceivableContra
}

// settleOwners counts a leg for whom it left and whom it came to.
func (f *Fold) settleOwners(l *leg, debit, credit *account, kind string, v *big.Int) {
	if credit.Purpose == ledger.PurposeTreasury {
		add(f.treasuries, flowKey{direction: intoTreasury, source: l.source, asset: debit.Asset}, v)
	}
	if debit.Purpose == ledger.PurposeTreasury {
		add(f.treasuries, flowKey{direction: outOfTreasury, source: l.source, asset: debit.Asset}, v)
	}
	if debit.Purpose == ledger.PurposeClearing {
		f.fee(kind, debit.Asset, credit, v)
	}
	if debit.Asset != ledger.Time {
		return
	}
	if credit.OwnerKind == ledger.OwnerWorld && credit.Owner > 0 && int(credit.Owner) <= len(f.worlds) {
		w := &f.worlds[credit.Owner-1]
		w.timeIn.Add(&w.timeIn, v)
	}
	if debit.OwnerKind == ledger.OwnerWorld && debit.Owner > 0 && int(debit.Owner) <= len(f.worlds) {
		w := &f.worlds[debit.Owner-1]
		w.out.Add(&w.out, v)
	}
	if debit.OwnerKind == ledger.OwnerPerson && debit.Purpose == ledger.PurposeMain {
		f.person(debit.Owner).spent = true
	}
}

// fee counts what leaves clearing for the bank or is burned there.
func (f *Fold) fee(kind string, number uint32, credit *account, v *big.Int) {
	if credit.OwnerKind != ledger.OwnerBank || credit.Purpose == ledger.PurposeClearing {
		return
	}
	key := feeKey{kind, number}
	if f.fees[key] == nil {
		f.fees[key] = &fee{}
	}
	into := &f.fees[key].operator
	switch credit.Purpose {
	case ledger.PurposeTreasury:
		into = &f.fees[key].treasury
	case ledger.PurposeIssuer:
		into = &f.fees[key].burned
	}
	into.Add(into, v)
}

func (a *asset) add(d direction, l *leg, v *big.Int) {
	a.total[d].Add(&a.total[d], v)
	add(a.flows, flowKey{direction: d, source: l.source, world: l.world}, v)
}

func add(flows map[flowKey]*flow, key flowKey, v *big.Int) {
	if flows[key] == nil {
		flows[key] = &flow{}
	}
	flows[key].amount.Add(&flows[key].amount, v)
	flows[key].count++
}

func (f *Fold) dayIndex(timeMS int64) int { return int(bank.Day(timeMS) - bank.Day(f.fromMS)) }

func (f *Fold) person(number uint64) *person {
	for uint64(len(f.people)) < number {
		f.people = append(f.people, person{})
	}
	return &f.people[number-1]
}

// sortedFlows returns the flows of a direction, the largest first.
func sortedFlows(flows map[flowKey]*flow, keep func(flowKey) bool) (keys []flowKey) {
	for key := range flows {
		if keep(key) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b flowKey) int {
		return cmp.Or(flows[b].amount.Cmp(&flows[a].amount), cmp.Compare(a.source, b.source), cmp.Compare(a.world, b.world), cmp.Compare(a.asset, b.asset))
	})
	return keys
}
