// Package conduct watches how people behave in markets and where the TIME that
// they earn goes, and raises alerts: wash trades, spoofing, ramped auctions,
// pump and dump, farms that earn to sell. An alert is a reason to look, with
// its evidence; nothing here punishes anybody. It is deterministic: who watches
// the same journal sees the same alerts.
//
// Cases are looked at by cluster: people who are tied to each other, by a
// device, a payout or repeated transfers, count as one, since trades between
// them change nothing.
//
// The signals are after Cong, Li, Tang and Yang, "Crypto Wash Trading" (2023),
// and what venues publish of their own surveillance; docs/conduct.md has each
// rule with its numbers.
package conduct

import (
	"fmt"
	"slices"
)

// Kind says what an alert is about.
type Kind uint8

// The kinds of alert.
const (
	// Wash: a cluster traded with itself.
	Wash Kind = iota
	// RoundTrip: two people passed the same quantity to and fro.
	RoundTrip
	// Spoof: large orders near the best price were cancelled after the other
	// side had traded.
	Spoof
	// Ramp: an order moved the price of a call and was gone before its end.
	Ramp
	// Pump: price and volume rose far beyond the usual by few buyers, who then
	// sold.
	Pump
	// Farm: people who earn alike pass what they earned to one of them, or
	// always sell in the same hours.
	Farm

	kinds
)

var kindNames = [kinds]string{"wash", "round_trip", "spoof", "ramp", "pump", "farm"}

// String returns the stable name of the kind.
func (k Kind) String() string { return kindNames[k] }

// ParseKind reads the name of a kind.
func ParseKind(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(max(i, 0)), i >= 0
}

// Alert is a reason to look at a cluster's conduct.
type Alert struct {
	Kind Kind
	// Market is 0 for what concerns no single market.
	Market uint32
	// FromMS and ToMS are the time in which it happened.
	FromMS, ToMS int64
	// People are the bank's numbers of those concerned, ascending, at most
	// MaxListed of them.
	People []uint64
	// Orders are numbers in the market, at most MaxListed.
	Orders []uint64
	// ScorePermille says how clear it is, 0 to 1000.
	ScorePermille int64
	Evidence      []Evidence
}

// ID names the alert: whoever folds the same journal gets the same names.
func (a *Alert) ID() string {
	var first uint64
	if len(a.People) > 0 {
		first = a.People[0]
	}
	return fmt.Sprintf("%s-%d-%d-%d", a.Kind, a.Market, a.ToMS, first)
}

// Evidence is a number that speaks for an alert.
type Evidence struct {
	Name  string
	Value int64
}

// MaxListed bounds the people and orders that an alert lists.
const MaxListed = 50

const (
	hourMS = 3_600_000
	dayMS  = 24 * hourMS
)

// Watch takes in what happens, in order, and gives alerts. The zero value is
// not ready; New makes one. One goroutine owns it.
type Watch struct {
	nowMS    int64
	clusters clusters
	markets  []*marketWatch // by number - 1
	farms    farms
	alerts   []Alert
}

// New returns a watch that has seen nothing.
func New() *Watch {
	return &Watch{clusters: newClusters(), farms: newFarms()}
}

// Advance lets time pass: hours and days that are over are judged. Times never
// go back; an earlier one changes nothing.
func (w *Watch) Advance(nowMS int64) {
	if nowMS <= w.nowMS {
		return
	}
	began := w.nowMS
	w.nowMS = nowMS
	if began == 0 {
		return // nothing was before
	}
	if over := nowMS/hourMS - began/hourMS; over > 0 {
		for _, m := range w.markets {
			m.judgeHour(w, began-began%hourMS)
			m.idle(over - 1)
		}
	}
	if nowMS/dayMS > began/dayMS {
		w.judgeFarms()
	}
}

// Link ties two people to each other, for as long as the watch runs.
func (w *Watch) Link(a, b uint64, by Tie) { w.clusters.join(a, b, by) }

// Alerts returns what was found since it was last called.
func (w *Watch) Alerts() []Alert {
	found := w.alerts
	w.alerts = nil
	return found
}

// raise adds an alert. The lists are sorted and cut to MaxListed.
func (w *Watch) raise(a Alert) {
	slices.Sort(a.People)
	a.People = slices.Compact(a.People)
	a.Evidence = append(a.Evidence, Evidence{"people", int64(len(a.People))})
	if len(a.Orders) > 0 {
		a.Evidence = append(a.Evidence, Evidence{"orders", int64(len(a.Orders))})
	}
	a.People, a.Orders = a.People[:min(len(a.People), MaxListed)], a.Orders[:min(len(a.Orders), MaxListed)]
	w.alerts = append(w.alerts, a)
}

// tied returns why the people of a cluster count as one, as evidence.
func (w *Watch) tied(cluster uint64) (list []Evidence) {
	for tie, count := range w.clusters.ties[w.clusters.of(cluster)] {
		if count > 0 {
			list = append(list, Evidence{tieNames[tie], count})
		}
	}
	return list
}

// permille returns 1000 x part / whole, rounded down, for 0 <= part <= whole.
func permille(part, whole int64) int64 {
	if whole <= 0 {
		return 0
	}
	for part > 1<<50 { // both lose what a thousandth does not show
		part, whole = part>>10, whole>>10
	}
	return 1000 * part / whole
}
