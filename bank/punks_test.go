package bank_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

// punkEvent is a line of the record of CryptoPunks: what happened to one of
// them, as a market of that time told it.
type punkEvent struct {
	punk, kind, from, to string
	price                int64 // millionths, 0 for none
}

// punkEvents reads the record, each punk's lines from the first to the last.
func punkEvents(t *testing.T) (events []punkEvent) {
	t.Helper()
	root := os.Getenv("ATTENTIONBANK_TESTDATA")
	if root == "" {
		root = "../../shared/data"
	}
	file, err := os.Open(filepath.Join(root, "beh-cryptopunks-tx", "punks_2.csv"))
	if err != nil {
		t.Skipf("the data set beh-cryptopunks-tx is not under %s; set ATTENTIONBANK_TESTDATA to the folder of data sets", root)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows = rows[1:]
	for start := 0; start < len(rows); {
		end := start
		for end < len(rows) && rows[end][1] == rows[start][1] {
			end++
		}
		for i := end - 1; i >= start; i-- { // the newest stands first
			row := rows[i]
			events = append(events, punkEvent{row[1][strings.LastIndex(row[1], "/")+1:], row[2], row[3], row[4], punkPrice(t, row[5])})
		}
		start = end
	}
	return events
}

// punkPrice reads an amount such as 6.95Ξ ($7,756), 4.20KΞ or <0.01Ξ, which
// counts as 0.01.
func punkPrice(t *testing.T, text string) int64 {
	t.Helper()
	if text == "" {
		return 0
	}
	number, _, _ := strings.Cut(strings.TrimPrefix(text, "<"), "Ξ")
	times := 1e6
	if thousands, is := strings.CutSuffix(number, "K"); is {
		number, times = thousands, 1e9
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return int64(value*times + 0.5)
}

const punkRoyaltyBPS = 250

// punkMarket plays the record on a bank, and keeps by itself what everybody has
// to have in the end.
type punkMarket struct {
	*testing.T
	state  *bank.State
	seq    uint64
	people map[string]uint64
	has    map[string]int64 // of TIME; the world's under ""
	owner  map[string]string
	// counts of what the record tells that the market has in another way
	bids, accepted, followed, unchanged int
}

func (m *punkMarket) apply(command []byte) []byte {
	m.Helper()
	m.seq++
	m.state.Begin(m.seq, 1_767_225_600_000)
	answer := m.state.Apply(command, nil)
	if refusal := bank.Refusal(answer[0]); refusal != bank.Accepted {
		m.Fatalf("command %d of kind %d: %s", m.seq, command[0], refusal)
	}
	return answer
}

// person returns the number of somebody, who comes with so much TIME that
// everything can be paid.
func (m *punkMarket) person(name string) uint64 {
	number, known := m.people[name]
	if !known {
		const purse = 100_000 * 1_000_000
		number = uint64(len(m.people) + 1)
		m.people[name] = number
		m.apply(bank.RegisterPerson{ID: [16]byte{byte(number), byte(number >> 8), 1}}.AppendTo(nil))
		m.apply(bank.Transfer{Legs: []ledger.Leg{{Debit: m.account(""), Credit: m.account(name), Amount: purse}}}.AppendTo(nil))
		m.has[name], m.has[""] = purse, m.has[""]-purse
	}
	return number
}

func (m *punkMarket) account(name string) uint64 {
	key := ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: m.people[name], Asset: ledger.Time}
	if name == "" {
		key = ledger.Key{OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: ledger.Time}
	}
	number, _ := m.state.Books().Find(key)
	return number
}

func (m *punkMarket) give(punk uint64, from, to string) {
	m.apply(bank.GiveGood{Owner: m.people[from], Good: punk, To: m.person(to)}.AppendTo(nil))
}

// moved lets a punk pass to another as the record says: sold at a price, or
// given if it is 0. Where the record names another giver than the holder, as
// for punks that were sold while a wrapper held them, the holder hands it to
// that one first.
func (m *punkMarket) moved(e punkEvent, punk uint64) {
	holder := m.owner[e.punk]
	if e.from == e.to || e.kind == "(Unwrap)" && holder == e.to {
		m.unchanged++
		return
	}
	m.person(e.from)
	if holder != e.from {
		m.followed++
		m.give(punk, holder, e.from)
	}
	m.owner[e.punk] = e.to
	if e.price == 0 {
		m.give(punk, e.from, e.to)
		return
	}
	if g, _ := m.state.Good(punk); g.PriceMicro != e.price { // a bid that was accepted
		m.accepted++
		m.apply(bank.OfferGood{Owner: m.people[e.from], Good: punk, PriceMicro: e.price}.AppendTo(nil))
	}
	m.apply(bank.BuyGood{Buyer: m.person(e.to), Good: punk, MaxPriceMicro: e.price}.AppendTo(nil))
	royalty := (e.price*punkRoyaltyBPS + 9_999) / 10_000
	m.has[e.to] -= e.price
	m.has[e.from] += e.price - royalty
	m.has[""] += royalty
}

// The record of 1,367 CryptoPunks, played as unique goods of a world: claimed,
// offered, taken back, sold, given, wrapped. Bids are not something that goods
// have; one that was accepted is an offer at its price, bought at once. In the
// end every punk belongs to whom the record says, and everybody has what they
// have to have.
func TestCryptoPunks(t *testing.T) {
	events := punkEvents(t)
	m := &punkMarket{T: t, state: bank.New(), people: map[string]uint64{}, has: map[string]int64{}, owner: map[string]string{}}
	m.apply(bank.RegisterWorld{Code: "larva"}.AppendTo(nil))
	m.apply(bank.RegisterAsset{Code: "PUNK", World: 1}.AppendTo(nil))
	m.apply(bank.SetCollection{Collection: bank.Collection{Asset: 3, RoyaltyBPS: punkRoyaltyBPS, Givable: true}}.AppendTo(nil))
	m.apply(bank.SetLimits{Account: m.account(""), CreditLimit: 1 << 60}.AppendTo(nil))
	final := map[string]string{} // by the record alone
	for _, e := range events {
		punk, _ := m.state.GoodByID(3, e.punk)
		switch e.kind {
		case "Claimed":
			m.apply(bank.SetGood{Asset: 3, ID: e.punk}.AppendTo(nil))
			punk, _ = m.state.GoodByID(3, e.punk)
			m.give(punk, "", e.to) // nobody: the world
			m.owner[e.punk], final[e.punk] = e.to, e.to
		case "Offered", "Offer Withdrawn":
			m.apply(bank.OfferGood{Owner: m.people[m.owner[e.punk]], Good: punk, PriceMicro: e.price}.AppendTo(nil))
		case "Sold", "Transfer", "(Wrap)", "(Unwrap)":
			m.moved(e, punk)
			final[e.punk] = e.to
		case "Bid", "Bid Withdrawn":
			m.bids++
		default:
			t.Fatalf("%+v", e)
		}
	}
	if err := m.state.Check(); err != nil {
		t.Fatal(err)
	}
	m.state = requireRestorable(t, m.state)
	owned := map[uint64]int{}
	for punk, name := range final {
		number, _ := m.state.GoodByID(3, punk)
		if g, _ := m.state.Good(number); g.Owner != m.people[name] {
			t.Errorf("punk %s belongs to %d, by the record to %s (%d)", punk, g.Owner, name, m.people[name])
		}
		owned[m.people[name]]++
	}
	for name, want := range m.has {
		if got := m.state.Books().Account(m.account(name)).Balance; got != want {
			t.Errorf("%q has %d, want %d", name, got, want)
		}
	}
	for person, want := range owned {
		n := 0
		for g := m.state.FirstGoodOf(person); g != 0; g = m.state.NextGood(g) {
			n++
		}
		if n != want {
			t.Errorf("person %d lists %d punks, has %d", person, n, want)
		}
	}
	if len(events) != 10_262 || len(final) != 1_367 || m.state.Books().Asset(3).Supply() != 1_367 {
		t.Errorf("%d events, %d punks, %d in circulation", len(events), len(final), m.state.Books().Asset(3).Supply())
	}
	t.Logf("%d commands; %d bids are not carried out, %d of them accepted; %d times the record names another giver than the holder; %d times nothing changes",
		m.seq, m.bids, m.accepted, m.followed, m.unchanged)
}
