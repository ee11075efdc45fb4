package e2e

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// deal is one thing that a client asked of the ledger, and what came of it.
type deal struct {
	client          int
	called, settled time.Duration // since the history began
	kind            string        // transfer, hold, settle, release or read
	from, to        int           // of the accounts of the history
	amount          int64
	final           bool
	hold            string // which hold is settled or released; of a hold, its number
	key             string

	// lost says that the first answer never came; it was asked again under the
	// same key. unsure says that it was asked again only when all had ended.
	lost, unsure bool
	code         string // why it was refused; empty if it was carried out
	at           place  // in the journal
	unplaced     bool   // it never reached the journal
	postings     map[int]standing
}

// place is a position in the journal; a read has its record only.
type place struct{ seq, index uint64 }

func (p place) before(q place) bool { return p.seq < q.seq || p.seq == q.seq && p.index < q.index }

// standing is what an account came to.
type standing struct{ balance, held int64 }

func (d *deal) String() string {
	return fmt.Sprintf("%s by client %d at %d.%d of %d from %d to %d, hold %q: %q %v", d.kind, d.client, d.at.seq, d.at.index, d.amount, d.from, d.to, d.hold, d.code, d.postings)
}

// naiveLedger is the oracle: what accounts have, and what is held of them. It is
// a value, so that a search may go back.
type naiveLedger struct {
	accounts [historyAccounts]standing
	holds    string // "number:from:to:remaining;" of each open one, sorted
}

const historyAccounts = 4

type naiveHold struct {
	number   string
	from, to int
	left     int64
}

func (l *naiveLedger) open() (list []naiveHold) {
	for text := range strings.SplitSeq(strings.TrimSuffix(l.holds, ";"), ";") {
		var h naiveHold
		if n, err := fmt.Sscanf(strings.ReplaceAll(text, ":", " "), "%s %d %d %d", &h.number, &h.from, &h.to, &h.left); n == 4 && err == nil {
			list = append(list, h)
		}
	}
	return list
}

func (l *naiveLedger) keep(list []naiveHold) {
	slices.SortFunc(list, func(a, b naiveHold) int { return strings.Compare(a.number, b.number) })
	l.holds = ""
	for _, h := range list {
		if h.left > 0 {
			l.holds += fmt.Sprintf("%s:%d:%d:%d;", h.number, h.from, h.to, h.left)
		}
	}
}

func (l *naiveLedger) available(account int) int64 {
	return l.accounts[account].balance - l.accounts[account].held
}

// carryOut does what was asked and returns why it may not be done.
func (l *naiveLedger) carryOut(d *deal) (code string) {
	list := l.open()
	i := slices.IndexFunc(list, func(h naiveHold) bool { return h.number == d.hold })
	switch d.kind {
	case "transfer":
		if l.available(d.from) < d.amount {
			return "insufficient_available"
		}
		l.accounts[d.from].balance -= d.amount
		l.accounts[d.to].balance += d.amount
	case "hold":
		if l.available(d.from) < d.amount {
			return "insufficient_available"
		}
		l.accounts[d.from].held += d.amount
		l.keep(append(list, naiveHold{d.hold, d.from, d.to, d.amount}))
	case "settle", "release":
		if i < 0 {
			return "hold_not_open"
		}
		h, paid, freed := &list[i], d.amount, d.amount
		if d.kind == "release" {
			paid, freed = 0, h.left
		}
		if paid > h.left {
			return "exceeds_hold"
		}
		if d.final {
			freed = h.left
		}
		l.accounts[h.from].balance -= paid
		l.accounts[h.to].balance += paid
		l.accounts[h.from].held -= freed
		h.left -= freed
		l.keep(list)
	}
	return ""
}

// agrees reports whether what was answered fits what the ledger has come to
// once the deal was carried out, or refused with code.
func (l *naiveLedger) agrees(d *deal, code string) bool {
	if code != d.code {
		return false
	}
	for account, shown := range d.postings {
		if l.accounts[account] != shown {
			return false
		}
	}
	return true
}

// history is what clients have done, and what they began with.
type history struct {
	begin naiveLedger
	deals []*deal
}

// first returns the history of the first n commands of the journal, and of what
// was read up to there. What comes behind explains none of it.
func (h *history) first(n int) *history {
	var places []place
	for _, d := range h.deals {
		if d.kind != "read" && !d.unplaced {
			places = append(places, d.at)
		}
	}
	slices.SortFunc(places, func(a, b place) int {
		if a.before(b) {
			return -1
		}
		return 1
	})
	last := places[min(n, len(places))-1]
	short := &history{begin: h.begin}
	for _, d := range h.deals {
		if !d.unplaced && !last.before(d.at) {
			short.deals = append(short.deals, d)
		}
	}
	return short
}

// checkOrder replays the answers in the order of the journal and requires of
// each that it is what the naive ledger says there, and that no answer stands
// before one that was given before its request came.
func (h *history) checkOrder() error {
	ordered := slices.DeleteFunc(slices.Clone(h.deals), func(d *deal) bool { return d.unplaced })
	// A read shows all of its record.
	for _, d := range ordered {
		if d.kind == "read" {
			d.at.index = 1<<63 - 1
		}
	}
	slices.SortStableFunc(ordered, func(a, b *deal) int {
		if a.at.before(b.at) {
			return -1
		}
		if b.at.before(a.at) {
			return 1
		}
		return 0
	})
	ledger := h.begin
	earliest := time.Duration(1<<63 - 1) // end of a deal that stands later
	latestOf := make([]time.Duration, len(ordered))
	for i := len(ordered) - 1; i >= 0; i-- {
		latestOf[i] = earliest
		earliest = min(earliest, ordered[i].settled)
	}
	for i, d := range ordered {
		if i > 0 && d.kind != "read" && ordered[i-1].at == d.at {
			return fmt.Errorf("two answers stand at one place: %v, and %v", ordered[i-1], d)
		}
		before := ledger
		if code := ledger.carryOut(d); !ledger.agrees(d, code) {
			return fmt.Errorf("%v: the ledger says %q and comes from %+v to %+v", d, code, before, ledger)
		}
		// Reads of one record stand together, in no order of their own.
		if latestOf[i] < d.called && !(d.kind == "read" && i+1 < len(ordered) && ordered[i+1].at == d.at) {
			return fmt.Errorf("%v was asked at %v, and something that stands behind it in the journal had been answered at %v", d, d.called, latestOf[i])
		}
	}
	return nil
}
