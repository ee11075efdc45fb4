package main

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/conduct"
	"github.com/attentionbank/attentionbank/event"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/patrol"
)

// street is a bank with people who came by devices and trade GEM for GOLD.
type street struct {
	*testing.T
	*node
	nowMS  int64
	people []uint64 // by user
}

func newStreet(t *testing.T) *street {
	s := &street{T: t, nowMS: 1_768_046_400_000} // 2026-01-10T12:00:00Z
	var err error
	s.node, err = openNode(t.Context(), Site{Data: t.TempDir()}, func() int64 { return s.nowMS }, func(message string) { t.Log(message) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.node.close(); err != nil {
			t.Error(err)
		}
	})
	config := market.DefaultConfig()
	config.Mode, config.AuctionMS, config.RandomMS, config.DynamicBPS, config.StaticBPS = market.Continuous, 0, 0, 0, 0
	s.submit(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterAsset{Code: "GEM", World: 1}.AppendTo(nil), bank.RegisterAsset{Code: "GOLD", World: 1}.AppendTo(nil),
		bank.OpenMarket{Market: bank.Market{Base: 3, Quote: 4, LotUnits: 1, Terms: bank.Terms{ValueMicro: 1}}, Config: config}.AppendTo(nil),
		bank.CallAuction{Market: 1, Reference: 5}.AppendTo(nil))
	return s
}

func (s *street) submit(commands ...[]byte) {
	s.Helper()
	s.nowMS += 1000
	answers, err := s.journal.Submit(s.Context(), commands...)
	if err != nil {
		s.Fatal(err)
	}
	for _, answer := range answers {
		if answer.Refusal != bank.Accepted {
			s.Fatalf("refused: %s", answer.Refusal)
		}
	}
}

// come lets a user come by a device, and gives them what they trade with.
func (s *street) come(user, device string) {
	s.Helper()
	items := []event.Item{{Event: event.Event{Call: event.Track, Type: "Jumped", UserID: user, AnonymousID: device, MessageID: user + device}}}
	if _, err := s.collector.Accept(s.Context(), collect.Request{World: 1, Trust: collect.TrustServer, Items: items}); err != nil {
		s.Fatal(err)
	}
	subject := s.subject(user)
	s.submit(bank.RegisterPerson{ID: subject.Person}.AppendTo(nil))
	var person uint64
	s.read(func(state *bank.State) { person, _ = state.PersonByID(subject.Person) })
	s.people = append(s.people, person)
	for asset := uint32(3); asset <= 4; asset++ {
		s.submit(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset}.AppendTo(nil))
		var leg ledger.Leg
		s.read(func(state *bank.State) {
			leg = ledger.Leg{Debit: state.Books().Asset(asset).Issuer, Amount: 100_000}
			leg.Credit, _ = state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: person, Asset: asset})
		})
		s.submit(bank.Transfer{Legs: []ledger.Leg{leg}}.AppendTo(nil))
	}
}

func (s *street) subject(user string) identity.Subject {
	s.Helper()
	subject, err := s.identity.Find(s.Context(), identity.SubjectRef{World: 1, UserID: user})
	if err != nil {
		s.Fatal(err)
	}
	return subject
}

func (s *street) read(look func(*bank.State)) {
	s.Helper()
	if err := s.journal.Read(s.Context(), look); err != nil {
		s.Fatal(err)
	}
}

// trade lets two people pass a quantity to and fro.
func (s *street) trade(a, b uint64, times int) {
	for i := range times {
		for turn, person := range []uint64{a, b} {
			s.submit(bank.PlaceOrder{Market: 1, Person: person, Side: market.Side((i + turn) % 2), Price: 5, Quantity: 10}.AppendTo(nil))
		}
	}
}

// washers are all whom a patrol of this bank finds to trade with themselves.
func (s *street) washers() (people []uint64, evidence []conduct.Evidence) {
	s.Helper()
	s.nowMS += hourMS
	s.submit(bank.AppendTick(nil))
	watch := patrol.New(patrolSource{s.records, s.journal}, opened{s.Context(), s.journal}, inCommon{s.Context(), s.node, func(message string) { s.Error(message) }})
	if err := watch.CatchUp(s.Context(), s.nowMS); err != nil {
		s.Fatal(err)
	}
	alerts, _ := watch.Alerts(patrol.Query{Kind: conduct.Wash, OneKind: true, Limit: 10})
	for _, a := range alerts {
		people, evidence = append(people, a.People...), append(evidence, a.Evidence...)
	}
	return people, evidence
}

const hourMS = 60 * 60 * 1000

// Two accounts of one device trade with each other: a bank that serves finds
// them by the device of their events, before a checkpoint has it and after, and
// by the account to which both are paid out. Strangers who do the same are not
// found, nor the many of an internet café.
func TestWashTradingOfOneDeviceIsFound(t *testing.T) {
	s := newStreet(t)
	s.come("ann", "phone-1")
	s.come("zoe", "phone-1")
	s.come("bob", "phone-2")
	s.come("cid", "phone-3")
	s.come("dan", "phone-4")
	s.come("eve", "phone-5")
	for i := range mostAlike + 1 {
		s.come(fmt.Sprint("guest", i), "cafe")
	}
	for _, user := range []string{"dan", "eve"} {
		if err := s.identity.SetPayee(s.Context(), s.subject(user).Number, identity.Payee{Name: user, IBAN: "DE89370400440532013000"}); err != nil {
			t.Fatal(err)
		}
	}
	for i := 0; i < 8; i += 2 {
		s.trade(s.people[i], s.people[i+1], 6) // the last two are guests
	}
	want := []uint64{s.people[0], s.people[1], s.people[4], s.people[5]}
	people, evidence := s.washers()
	slices.Sort(people)
	if !slices.Equal(people, want) || !slices.Contains(evidence, conduct.Evidence{Name: "tied_by_device", Value: 1}) || !slices.Contains(evidence, conduct.Evidence{Name: "tied_by_payee", Value: 1}) {
		t.Errorf("found are %v by %v, expected %v", people, evidence, want)
	}
	if _, err := s.flush(context.Background()); err != nil {
		t.Fatal(err)
	}
	if people, _ = s.washers(); len(people) != len(want) {
		t.Errorf("after a checkpoint found are %v, expected %v", people, want)
	}
}
