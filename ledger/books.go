package ledger

import (
	"fmt"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/pages"
)

// MaxLegs bounds the legs of a transfer.
const MaxLegs = 1000

// Books is the whole ledger. One goroutine owns it.
type Books struct {
	accounts   pages.Array[Account]
	accountOf  pages.Index
	assets     []Asset
	holds      holds
	heldGroups pages.Index
}

// Leg moves an amount from the debit account to the credit account: two
// postings, minus the amount and plus the amount.
type Leg struct {
	Debit, Credit uint64
	Amount        int64
}

// NewBooks returns books with the assets POINTS and TIME, their issuers, the
// treasury's TIME account and the contra account of receivables.
func NewBooks() *Books {
	b := &Books{}
	b.AddAsset("POINTS", TimeScale, 0)
	b.AddAsset("TIME", TimeScale, 0)
	b.Open(Key{Asset: Time, Purpose: PurposeTreasury})
	b.Open(Key{Asset: Points, Purpose: PurposeReceivableContra})
	return b
}

// AddAsset adds an asset with its issuer and returns its number. The caller
// has checked code and scale and that the code is new.
func (b *Books) AddAsset(code string, scale uint8, world uint32) uint32 {
	b.assets = append(b.assets, Asset{Code: code, Scale: scale, World: world})
	number := uint32(len(b.assets))
	b.assets[number-1].Issuer, _ = b.Open(Key{Asset: number, Purpose: PurposeIssuer})
	return number
}

// Asset returns an asset by its number, nil if there is none.
func (b *Books) Asset(number uint32) *Asset {
	if number == 0 || int(number) > len(b.assets) {
		return nil
	}
	return &b.assets[number-1]
}

// AssetByCode returns the number of the asset with this code.
func (b *Books) AssetByCode(code string) (number uint32, found bool) {
	for i := range b.assets {
		if b.assets[i].Code == code {
			return uint32(i + 1), true
		}
	}
	return 0, false
}

// Assets returns the number of assets.
func (b *Books) Assets() int { return len(b.assets) }

// Accounts returns the number of accounts; they are numbered from 1 on.
func (b *Books) Accounts() uint64 { return uint64(b.accounts.Len()) }

// Account returns an account for reading, nil if there is none.
func (b *Books) Account(number uint64) *Account {
	if number == 0 || number > uint64(b.accounts.Len()) {
		return nil
	}
	return b.accounts.At(int(number - 1))
}

// Find returns the number of the account with this key.
func (b *Books) Find(key Key) (number uint64, found bool) {
	position, found := b.accountOf.Find(key.hash(), func(i int) bool { return b.accounts.At(i).Key == key })
	return uint64(position + 1), found
}

// Open returns the account with this key, opening it if it is not there.
// The asset must exist.
func (b *Books) Open(key Key) (number uint64, opened bool) {
	if number, found := b.Find(key); found {
		return number, false
	}
	if b.Asset(key.Asset) == nil {
		panic(fmt.Sprintf("ledger: account opened in asset %d, which does not exist", key.Asset))
	}
	position := b.accounts.Append(Account{Key: key})
	b.accountOf.Insert(key.hash(), position)
	return uint64(position + 1), true
}

// SetLimits sets floor and credit limit of an account, in minor units. A
// balance that is already below them stays; it can only be credited then.
func (b *Books) SetLimits(number uint64, floor, creditLimit int64) Refusal {
	account := b.Account(number)
	switch {
	case account == nil:
		return DebitAccountNotFound
	case !account.limitable() && (floor != 0 || creditLimit != 0):
		return CreditNotAllowed
	case floor < 0 || creditLimit < 0:
		return LimitOutOfRange
	}
	account = b.accounts.Write(int(number - 1))
	account.Floor, account.CreditLimit = floor, creditLimit
	return Accepted
}

// Transfer carries out all legs in order, or none. It calls posted after each
// leg that it carried out, and undoes those legs if a later one is refused;
// leg is then the index of that one.
func (b *Books) Transfer(legs []Leg, posted func(Leg)) (leg int, refusal Refusal) {
	if len(legs) == 0 {
		return 0, NoLegs
	}
	if len(legs) > MaxLegs {
		return 0, TooManyLegs
	}
	for i, l := range legs {
		if refusal := b.transferable(l.Debit, l.Credit, l.Amount); refusal != Accepted {
			b.undo(legs[:i])
			return i, refusal
		}
		if refusal := b.Post(l.Debit, l.Credit, l.Amount); refusal != Accepted {
			b.undo(legs[:i])
			return i, refusal
		}
		posted(l)
	}
	return 0, Accepted
}

func (b *Books) undo(legs []Leg) {
	for i := len(legs) - 1; i >= 0; i-- {
		b.post(legs[i].Debit, legs[i].Credit, -legs[i].Amount)
	}
}

// transferable checks what holds for transfers and holds alike.
func (b *Books) transferable(debit, credit uint64, amount int64) Refusal {
	if amount <= 0 {
		return AmountNotPositive
	}
	if debit == credit {
		return SameAccount
	}
	from, to := b.Account(debit), b.Account(credit)
	switch {
	case from == nil:
		return DebitAccountNotFound
	case to == nil:
		return CreditAccountNotFound
	case from.Asset != to.Asset:
		return AssetMismatch
	case from.reserved() || to.reserved():
		return NotTransferable
	}
	return Accepted
}

// reserved reports whether the account moves by the bank's rules only.
func (a *Account) reserved() bool {
	switch a.Purpose {
	case PurposePoints, PurposeReceivable, PurposeReceivableContra, PurposeClearing, PurposeHeldBack, PurposeGoods, PurposePayout:
		return true
	case PurposeIssuer:
		return a.Asset == Points || a.Asset == Time
	}
	return false
}

// limitable reports whether an account can have a floor or credit: not that of
// a person, nor one that moves by the bank's rules only, which rely on all of
// it.
func (a *Account) limitable() bool { return a.OwnerKind != OwnerPerson && !a.reserved() }

// Post moves a positive amount between two different accounts of one asset,
// which the caller vouches for. It is refused as Admits says.
func (b *Books) Post(debit, credit uint64, value int64) Refusal {
	if refusal := b.Admits(debit, credit, value); refusal != Accepted {
		return refusal
	}
	b.post(debit, credit, value)
	return Accepted
}

// Admits tells whether Post would carry out a posting: the debit account has
// enough available, every sum fits, and what is issued and owed stays within
// MaxIssued.
func (b *Books) Admits(debit, credit uint64, value int64) Refusal {
	from, to := b.accounts.At(int(debit-1)), b.accounts.At(int(credit-1))
	if from.Available() < value {
		return InsufficientAvailable
	}
	left, fits := amount.Sub(from.Balance, value)
	_, fitsToo := amount.Add(to.Balance, value)
	if !fits || !fitsToo {
		return Overflow
	}
	if from.Purpose == PurposeIssuer && value > b.assets[from.Asset-1].Issuable() || left < 0 && !b.creditFits(from, value) {
		return Overflow
	}
	return Accepted
}

// creditFits reports whether what an account comes to owe by paying a value
// stays within MaxIssued, together with what is owed by others.
func (b *Books) creditFits(from *Account, value int64) bool {
	return from.unbounded() || value-max(from.Balance, 0) <= MaxIssued-b.assets[from.Asset-1].owed
}

// post is the one place where balances change. A negative amount undoes.
func (b *Books) post(debit, credit uint64, value int64) {
	from, to := b.accounts.Write(int(debit-1)), b.accounts.Write(int(credit-1))
	if from.Asset != to.Asset || debit == credit {
		panic(fmt.Sprintf("ledger: posting of %d from account %d %+v to account %d %+v", value, debit, *from, credit, *to))
	}
	owed := from.owes() + to.owes()
	from.Balance -= value
	to.Balance += value
	asset := &b.assets[from.Asset-1]
	asset.owed += from.owes() + to.owes() - owed
	if from.Purpose == PurposeIssuer {
		asset.Issued += value
	}
	if to.Purpose == PurposeIssuer {
		asset.Burned += value
	}
}
