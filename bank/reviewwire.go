package bank

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/attentionbank/attentionbank/ledger"
)

// A case is
//
//	| person u64 | from day i32 | to day i32 | rules u32 | signals u32 | trust u16 | status u8 | contested u8 |
//	| opened i64 | decided i64 | decided by u32 | held i64 |
func appendCase(dst []byte, c *Case) []byte {
	dst = le.AppendUint32(le.AppendUint32(le.AppendUint64(dst, c.Person), uint32(c.FromDay)), uint32(c.ToDay))
	dst = le.AppendUint16(le.AppendUint32(le.AppendUint32(dst, c.RulesVersion), c.Signals), c.TrustPermille)
	dst = appendBool(append(dst, uint8(c.Status)), c.Contested)
	return appendI64(le.AppendUint32(appendI64(appendI64(dst, c.OpenedMS), c.DecidedMS), c.DecidedBy), c.HeldMicro)
}

func readCase(src []byte) Case {
	r := reader{src: src}
	return Case{
		Person: r.u64(), FromDay: int32(r.u32()), ToDay: int32(r.u32()), RulesVersion: r.u32(), Signals: r.u32(), TrustPermille: r.u16(),
		Status: CaseStatus(min(r.u8(), uint8(CaseShadow))), Contested: r.bool(), OpenedMS: r.i64(), DecidedMS: r.i64(), DecidedBy: r.u32(), HeldMicro: r.i64(),
	}
}

func (s *State) appendReviewRules(dst []byte) []byte {
	dst = le.AppendUint32(dst, uint32(len(s.reviews.rules)))
	for _, text := range s.reviews.rules {
		dst = append(le.AppendUint16(dst, uint16(len(text))), text...)
	}
	return dst
}

func (s *State) readReviewRules(r *reader) {
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.reviews.rules = append(s.reviews.rules, string(r.text16()))
	}
}

// indexReviews rebuilds what is made from cases and refuses those that point
// nowhere.
func (s *State) indexReviews() error {
	v := &s.reviews
	for number := uint64(1); number <= s.Cases(); number++ {
		c := v.cases.At(int(number - 1))
		if c.Person == 0 || c.Person > s.People() || c.HeldMicro < 0 {
			return fmt.Errorf("case %d is of person %d of %d and holds %d back", number, c.Person, s.People(), c.HeldMicro)
		}
		v.note(number)
		if c.Status == CaseUpheld {
			v.upheld = append(v.upheld, number)
		}
	}
	slices.SortStableFunc(v.upheld, func(a, b uint64) int {
		return cmp.Or(cmp.Compare(v.cases.At(int(a-1)).DecidedMS, v.cases.At(int(b-1)).DecidedMS), cmp.Compare(a, b))
	})
	return nil
}

// checkHeldBack compares what accounts hold back with what cases say.
func (s *State) checkHeldBack() (faults []error) {
	held := map[uint64]int64{}
	for number := uint64(1); number <= s.Cases(); number++ {
		c := s.reviews.cases.At(int(number - 1))
		if c.Status == CaseOpen || c.Status == CaseUpheld || c.Status == CaseAppealed {
			held[c.Person] += c.HeldMicro
		} else if c.Status == CaseShadow && c.HeldMicro != 0 {
			faults = append(faults, fmt.Errorf("case %d only watches and holds %d back", number, c.HeldMicro))
		}
		if _, found := s.books.Find(heldBack(c.Person)); !found && held[c.Person] != 0 {
			faults = append(faults, fmt.Errorf("case %d holds %d of person %d back, and there is no account of it", number, c.HeldMicro, c.Person))
		}
	}
	for number := uint64(1); number <= s.books.Accounts(); number++ {
		if a := s.books.Account(number); a.Purpose == ledger.PurposeHeldBack && a.Balance != held[a.Owner] {
			faults = append(faults, fmt.Errorf("account %d holds %d of person %d back, the cases say %d", number, a.Balance, a.Owner, held[a.Owner]))
		}
	}
	return faults
}
