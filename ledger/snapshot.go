package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/attentionbank/attentionbank/pages"
)

// Encoded books (little-endian):
//
//	| assets u32 | per asset: code length u8, code, scale u8, world u32,
//	|            |   issuer u64, issued i64, burned i64
//	| accounts: pages.Encode of 58 bytes: owner kind u8, owner u64, asset u32,
//	|   purpose u8, sub u32, balance i64, held i64, in orders i64, floor i64,
//	|   credit limit i64
//	| holds: pages.Encode of 60 bytes: account u64, beneficiary u64, amount i64,
//	|   expires i64, group 16 bytes, generation u32, previous u32, next u32
//	| free places: pages.Encode of u32
//	| expiries: pages.Encode of 16 bytes: time i64, number u64
const (
	accountBytes = 58
	holdBytes    = 61
)

// Frozen is an unchanging view of books, for any goroutine.
type Frozen struct {
	assets   []Asset
	accounts pages.View[Account]
	places   pages.View[Hold]
	free     pages.View[uint32]
	expiries pages.View[expiry]
}

// Freeze returns a view of the books as they are now.
func (b *Books) Freeze() Frozen {
	return Frozen{
		assets:   append([]Asset(nil), b.assets...),
		accounts: b.accounts.Freeze(),
		places:   b.holds.places.Freeze(),
		free:     b.holds.free.Freeze(),
		expiries: b.holds.expiries.Freeze(),
	}
}

// Encode writes the books; equal books give equal bytes.
func (f Frozen) Encode(w io.Writer) error {
	le := binary.LittleEndian
	head := le.AppendUint32(nil, uint32(len(f.assets)))
	for _, a := range f.assets {
		head = append(append(head, uint8(len(a.Code))), a.Code...)
		head = le.AppendUint32(append(head, a.Scale), a.World)
		head = le.AppendUint64(head, a.Issuer)
		head = le.AppendUint64(head, uint64(a.Issued))
		head = le.AppendUint64(head, uint64(a.Burned))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	return errors.Join(
		pages.Encode(w, f.accounts, accountBytes, appendAccount),
		pages.Encode(w, f.places, holdBytes, appendHold),
		pages.Encode(w, f.free, 4, func(dst []byte, place *uint32) []byte { return le.AppendUint32(dst, *place) }),
		pages.Encode(w, f.expiries, 16, func(dst []byte, e *expiry) []byte {
			return le.AppendUint64(le.AppendUint64(dst, uint64(e.atMS)), e.number)
		}),
	)
}

func appendAccount(dst []byte, a *Account) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(append(dst, uint8(a.OwnerKind)), a.Owner)
	dst = append(le.AppendUint32(dst, a.Asset), uint8(a.Purpose))
	dst = le.AppendUint32(dst, a.Sub)
	dst = le.AppendUint64(dst, uint64(a.Balance))
	dst = le.AppendUint64(le.AppendUint64(dst, uint64(a.Held)), uint64(a.InOrders))
	dst = le.AppendUint64(dst, uint64(a.Floor))
	return le.AppendUint64(dst, uint64(a.CreditLimit))
}

func readAccount(src []byte) Account {
	le := binary.LittleEndian
	return Account{
		Key: Key{
			OwnerKind: OwnerKind(src[0]), Owner: le.Uint64(src[1:]), Asset: le.Uint32(src[9:]),
			Purpose: Purpose(src[13]), Sub: le.Uint32(src[14:]),
		},
		Balance: int64(le.Uint64(src[18:])), Held: int64(le.Uint64(src[26:])), InOrders: int64(le.Uint64(src[34:])),
		Floor: int64(le.Uint64(src[42:])), CreditLimit: int64(le.Uint64(src[50:])),
	}
}

func appendHold(dst []byte, h *Hold) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint64(le.AppendUint64(dst, h.Account), h.Beneficiary)
	dst = le.AppendUint64(le.AppendUint64(dst, uint64(h.Amount)), uint64(h.ExpiresAtMS))
	dst = append(dst, h.Group[:]...)
	dst = le.AppendUint32(le.AppendUint32(le.AppendUint32(dst, h.generation), h.previous), h.next)
	if h.Managed {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func readHold(src []byte) Hold {
	le := binary.LittleEndian
	return Hold{
		Account: le.Uint64(src), Beneficiary: le.Uint64(src[8:]), Amount: int64(le.Uint64(src[16:])),
		ExpiresAtMS: int64(le.Uint64(src[24:])), Group: [16]byte(src[32:48]),
		generation: le.Uint32(src[48:]), previous: le.Uint32(src[52:]), next: le.Uint32(src[56:]), Managed: src[60] == 1,
	}
}

// Decode reads books that Encode wrote and checks them.
func Decode(r io.Reader) (*Books, error) {
	b := &Books{}
	if err := b.readAssets(r); err != nil {
		return nil, fmt.Errorf("reading assets: %w", err)
	}
	le := binary.LittleEndian
	accounts, err := pages.Decode(r, accountBytes, readAccount)
	if err != nil {
		return nil, fmt.Errorf("reading accounts: %w", err)
	}
	places, err := pages.Decode(r, holdBytes, readHold)
	if err != nil {
		return nil, fmt.Errorf("reading holds: %w", err)
	}
	free, err := pages.Decode(r, 4, le.Uint32)
	if err != nil {
		return nil, fmt.Errorf("reading free places of holds: %w", err)
	}
	expiries, err := pages.Decode(r, 16, func(src []byte) expiry { return expiry{int64(le.Uint64(src)), le.Uint64(src[8:])} })
	if err != nil {
		return nil, fmt.Errorf("reading expiries: %w", err)
	}
	b.accounts, b.holds.places, b.holds.free, b.holds.expiries = *accounts, *places, *free, *expiries
	if err := b.index(); err != nil {
		return nil, err
	}
	return b, b.checkSums()
}

func (b *Books) readAssets(r io.Reader) error {
	le := binary.LittleEndian
	var count [4]byte
	if _, err := io.ReadFull(r, count[:]); err != nil {
		return err
	}
	for range le.Uint32(count[:]) {
		var length [1]byte
		if _, err := io.ReadFull(r, length[:]); err != nil {
			return err
		}
		rest := make([]byte, int(length[0])+29)
		if _, err := io.ReadFull(r, rest); err != nil {
			return err
		}
		code, fields := string(rest[:length[0]]), rest[length[0]:]
		b.assets = append(b.assets, Asset{
			Code: code, Scale: fields[0], World: le.Uint32(fields[1:]), Issuer: le.Uint64(fields[5:]),
			Issued: int64(le.Uint64(fields[13:])), Burned: int64(le.Uint64(fields[21:])),
		})
	}
	return nil
}

// index rebuilds what finds accounts and groups, and refuses numbers that
// point nowhere, on which later code relies.
func (b *Books) index() error {
	for i := range b.accounts.Len() {
		account := b.accounts.At(i)
		if b.Asset(account.Asset) == nil || account.Purpose >= purposes {
			return fmt.Errorf("account %d has asset %d and purpose %d", i+1, account.Asset, account.Purpose)
		}
		if account.Floor < 0 || account.CreditLimit < 0 || !account.limitable() && (account.Floor != 0 || account.CreditLimit != 0) {
			return fmt.Errorf("account %d has a floor of %d and credit of %d", i+1, account.Floor, account.CreditLimit)
		}
		b.assets[account.Asset-1].owed += account.owes()
	}
	first, second, twice := b.accountOf.Fill(b.accounts.Len(),
		func(i int) (uint64, int) { return b.accounts.At(i).Key.hash(), i },
		func(a, c int) bool { return b.accounts.At(a).Key == b.accounts.At(c).Key })
	if twice {
		return fmt.Errorf("accounts %d and %d have the same key %+v", first+1, second+1, b.accounts.At(first).Key)
	}
	for i := range b.assets {
		if number, found := b.Find(Key{Asset: uint32(i + 1), Purpose: PurposeIssuer}); !found || number != b.assets[i].Issuer {
			return fmt.Errorf("asset %s has no issuer", b.assets[i].Code)
		}
	}
	for i := range b.holds.places.Len() {
		hold := b.holds.places.At(i)
		if b.Account(hold.Account) == nil || b.Account(hold.Beneficiary) == nil {
			return fmt.Errorf("hold %d is on accounts %d and %d", b.holds.number(i), hold.Account, hold.Beneficiary)
		}
		if hold.Amount > 0 {
			b.holds.open++
			if hold.Group != ([16]byte{}) && hold.previous == 0 {
				b.heldGroups.Insert(groupHash(hold.Group), i)
			}
		}
	}
	return nil
}
