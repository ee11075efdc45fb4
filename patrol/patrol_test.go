package patrol_test

import (
	"context"
	"iter"
	"reflect"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/conduct"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/patrol"
)

const (
	hourMS  = 3_600_000
	startMS = 1_767_225_600_000 // 2026-01-01
)

// town is a bank whose records can be followed, with a market of GEM for GOLD
// and two people who have plenty of both.
type town struct {
	t       *testing.T
	state   *bank.State
	nowMS   int64
	records []patrol.Record
}

func newTown(t *testing.T) *town {
	s := &town{t: t, state: bank.New(), nowMS: startMS}
	s.add(bank.RegisterWorld{Code: "plaza"}.AppendTo(nil), bank.RegisterAsset{Code: "GEM", World: 1}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", World: 1}.AppendTo(nil))
	gem, _ := s.state.Books().AssetByCode("GEM")
	gold, _ := s.state.Books().AssetByCode("GOLD")
	config := market.DefaultConfig()
	config.Mode, config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = market.Continuous, 0, 0, 0, 0
	s.add(bank.OpenMarket{Market: bank.Market{Base: gem, Quote: gold, LotUnits: 1, Terms: bank.Terms{ValueMicro: 1}}, Config: config}.AppendTo(nil))
	for person := uint64(1); person <= 2; person++ {
		s.add(bank.RegisterPerson{ID: [16]byte{byte(person)}}.AppendTo(nil))
		for _, asset := range []uint32{gem, gold} {
			s.add(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset}.AppendTo(nil))
			account, _ := s.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset})
			s.add(bank.Transfer{Legs: []ledger.Leg{{Debit: s.state.Books().Asset(asset).Issuer, Credit: account, Amount: 100_000}}}.AppendTo(nil))
		}
	}
	s.add(bank.CallAuction{Market: 1, Reference: 5}.AppendTo(nil))
	s.pass(1)
	return s
}

func (s *town) add(commands ...[]byte) {
	s.t.Helper()
	record := patrol.Record{Seq: uint64(len(s.records)) + 1, TimeMS: s.nowMS}
	s.state.Begin(record.Seq, record.TimeMS)
	for _, command := range commands {
		answer := s.state.Apply(command, nil)
		if refusal := bank.Refusal(answer[0]); refusal != bank.Accepted {
			s.t.Fatalf("refused: %s", refusal)
		}
		record.Answers = append(record.Answers, patrol.Answer{IsTransfer: bank.IsTransfer(command), Facts: answer})
	}
	s.records = append(s.records, record)
}

func (s *town) pass(ms int64) {
	s.nowMS += ms
	s.add(bank.AppendTick(nil))
}

// roundTrips lets the two pass the same quantity to and fro.
func (s *town) roundTrips(n int) {
	for i := range n {
		for person := uint64(1); person <= 2; person++ {
			side := market.Side((i + int(person)) % 2)
			s.add(bank.PlaceOrder{Market: 1, Person: person, Side: side, Price: 5, Quantity: 7}.AppendTo(nil))
		}
		s.pass(1000)
	}
}

func (s *town) Load(_ context.Context, from uint64) iter.Seq2[patrol.Record, error] {
	return func(yield func(patrol.Record, error) bool) {
		for _, record := range s.records[from-1:] {
			if !yield(record, nil) {
				return
			}
		}
	}
}

func (s *town) Durable() uint64 { return uint64(len(s.records)) }

func (s *town) WaitNewer(context.Context, uint64) {}

func (s *town) Account(number uint64) (ledger.Key, bool) {
	account := s.state.Books().Account(number)
	if account == nil {
		return ledger.Key{}, false
	}
	return account.Key, true
}

func (s *town) Market(number uint32) (bank.Market, int64, bool) {
	m, book := s.state.Market(number)
	if book == nil {
		return m, 0, false
	}
	return m, book.Config().BatchMS, true
}

func TestAlertsAreFoundAgainAfterAStart(t *testing.T) {
	s := newTown(t)
	s.roundTrips(8)
	s.pass(30 * 24 * hourMS)
	s.roundTrips(8)
	s.pass(hourMS)
	running := patrol.New(s, s, nil)
	if err := running.Run(t.Context(), startMS); err != nil {
		t.Fatal(err)
	}
	all, _ := running.Alerts(patrol.Query{Limit: 10})
	if len(all) != 2 || all[0].Kind != conduct.RoundTrip || !reflect.DeepEqual(all[0].People, []uint64{1, 2}) || all[0].FromMS <= all[1].FromMS {
		t.Fatalf("alerts: %+v", all)
	}
	// A start a month later reads the last days only, and finds the same of them.
	later := patrol.New(s, s, nil)
	if err := later.CatchUp(t.Context(), s.nowMS); err != nil {
		t.Fatal(err)
	}
	if recent, _ := later.Alerts(patrol.Query{Limit: 10}); !reflect.DeepEqual(recent, all[:1]) {
		t.Errorf("after a start: %+v, expected %+v", recent, all[:1])
	}

	for name, test := range map[string]struct {
		query patrol.Query
		want  []conduct.Alert
		found bool
	}{
		"the newest":          {patrol.Query{Limit: 1}, all[:1], true},
		"behind the newest":   {patrol.Query{Limit: 5, Before: all[0].ID()}, all[1:], true},
		"behind one unknown":  {patrol.Query{Limit: 5, Before: "wash-1-2-3"}, nil, false},
		"of a person":         {patrol.Query{Limit: 5, Person: 2}, all, true},
		"of another":          {patrol.Query{Limit: 5, Person: 3}, nil, true},
		"of another market":   {patrol.Query{Limit: 5, Market: 2}, nil, true},
		"of another kind":     {patrol.Query{Limit: 5, OneKind: true, Kind: conduct.Spoof}, nil, true},
		"of the kind, market": {patrol.Query{Limit: 5, OneKind: true, Kind: conduct.RoundTrip, Market: 1}, all, true},
	} {
		if list, found := running.Alerts(test.query); found != test.found || !reflect.DeepEqual(list, test.want) {
			t.Errorf("%s: %+v, %v", name, list, found)
		}
	}
}

// shared says that persons have one mark each, and counts how often it was
// asked.
type shared struct {
	marks map[uint64]conduct.Mark
	asked map[uint64]int
}

func (x *shared) Marks(person uint64) []conduct.Mark {
	x.asked[person]++
	if mark, has := x.marks[person]; has {
		return []conduct.Mark{mark}
	}
	return nil
}

// Those who share a device, or an account at a bank, count as one: what they
// trade with each other is wash trading, and the alert says why they are one.
func TestPeopleWithSomethingInCommonCountAsOne(t *testing.T) {
	one, another := [16]byte{1}, [16]byte{2}
	for name, test := range map[string]struct {
		marks    map[uint64]conduct.Mark
		evidence string // empty: they are strangers
	}{
		"the same device":              {map[uint64]conduct.Mark{1: {Tie: conduct.ByDevice, Name: one}, 2: {Tie: conduct.ByDevice, Name: one}}, "tied_by_device"},
		"the same payee":               {map[uint64]conduct.Mark{1: {Tie: conduct.ByPayee, Name: one}, 2: {Tie: conduct.ByPayee, Name: one}}, "tied_by_payee"},
		"devices of their own":         {map[uint64]conduct.Mark{1: {Tie: conduct.ByDevice, Name: one}, 2: {Tie: conduct.ByDevice, Name: another}}, ""},
		"a device that names a payee":  {map[uint64]conduct.Mark{1: {Tie: conduct.ByDevice, Name: one}, 2: {Tie: conduct.ByPayee, Name: one}}, ""},
		"one of whom nothing is known": {map[uint64]conduct.Mark{1: {Tie: conduct.ByDevice, Name: one}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTown(t)
			s.roundTrips(8)
			s.pass(hourMS)
			s.roundTrips(1)
			ties := &shared{test.marks, map[uint64]int{}}
			watch := patrol.New(s, s, ties)
			if err := watch.CatchUp(t.Context(), startMS); err != nil {
				t.Fatal(err)
			}
			if ties.asked[1] != 2 || ties.asked[2] != 2 {
				t.Errorf("in two hours it was asked %v", ties.asked)
			}
			alerts, _ := watch.Alerts(patrol.Query{Kind: conduct.Wash, OneKind: true, Limit: 10})
			if test.evidence == "" {
				if len(alerts) != 0 {
					t.Errorf("strangers: %+v", alerts)
				}
				return
			}
			if len(alerts) != 1 || !reflect.DeepEqual(alerts[0].People, []uint64{1, 2}) {
				t.Fatalf("the alerts: %+v", alerts)
			}
			if !slices.Contains(alerts[0].Evidence, conduct.Evidence{Name: test.evidence, Value: 1}) {
				t.Errorf("the evidence: %+v", alerts[0].Evidence)
			}
		})
	}
}
