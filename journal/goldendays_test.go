package journal_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
)

// golden runs the days of a golden journal: every kind of command, refusals
// and repetitions among them, epochs of every mode and restarts.
type golden struct {
	t        *testing.T
	rig      *rig
	writer   *journal.Writer
	accounts []uint64
	key      uint64
	random   uint64
}

func goldenDays(t *testing.T, r *rig) {
	g := &golden{t: t, rig: r, writer: r.mustOpen(), random: 1}
	g.accounts = fund(t, g.writer, 4, 100_000)
	g.begin()
	g.markets()
	for day := range int32(7) {
		g.policies(day)
		g.attention(day)
		for range 4 {
			g.payments()
		}
		g.holds()
		g.orders(day)
		g.refusals()
		g.later(26 * 3_600_000)
		if day%2 == 1 {
			if err := g.writer.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			g.writer = r.mustOpen()
		}
	}
}

func (g *golden) do(commands ...[]byte) []journal.Answer {
	g.t.Helper()
	answers, err := g.writer.Submit(context.Background(), commands...)
	if err != nil {
		g.t.Fatal(err)
	}
	return answers
}

func (g *golden) next() bank.Key {
	g.key++
	return key(g.key)
}

// draw returns a number below n, the same ones in every run.
func (g *golden) draw(n uint64) uint64 {
	g.random = g.random*6364136223846793005 + 1442695040888963407
	return g.random >> 33 % n
}

func (g *golden) account() uint64 { return g.accounts[g.draw(uint64(len(g.accounts)))] }

// later turns the clock and lets what is due by then take effect.
func (g *golden) later(ms int64) {
	g.rig.clock.ms.Add(ms)
	if err := g.writer.Read(context.Background(), func(*bank.State) {}); err != nil {
		g.t.Fatal(err)
	}
}

func (g *golden) begin() {
	g.do(
		bank.RegisterWorld{Key: g.next(), Code: "arcade"}.AppendTo(nil),
		bank.RegisterWorld{Key: g.next(), Code: "meadow-2"}.AppendTo(nil),
		bank.RegisterAsset{Key: g.next(), Code: "ARCADE-TICKET", World: 1}.AppendTo(nil),
		bank.SetWorldShare{Key: g.next(), World: 2, Weight: 3}.AppendTo(nil),
		bank.SetRetention{Key: g.next(), World: 2, Days: 30}.AppendTo(nil),
	)
	opened := g.do(
		bank.OpenAccount{Key: g.next(), OwnerKind: ledger.OwnerWorld, Owner: 1, Asset: 3}.AppendTo(nil),
		bank.OpenAccount{Key: g.next(), OwnerKind: ledger.OwnerPerson, Owner: 1, Asset: 3, Sub: 7}.AppendTo(nil),
	)
	for _, answer := range opened {
		fact, _ := bank.First[bank.AccountOpened](answer.Bytes)
		g.accounts = append(g.accounts, fact.Account)
	}
	g.do(bank.SetLimits{Key: g.next(), Account: g.accounts[4], Floor: -500, CreditLimit: 900_000}.AppendTo(nil))
}

func (g *golden) policies(day int32) {
	today := bank.Day(g.rig.clock.now())
	monetary := bank.DefaultMonetaryPolicy()
	monetary.Mode = []bank.Mode{bank.Capped, bank.Fixed, bank.Budget}[day%3]
	monetary.BudgetMicro = int64(day) * 1_000_001
	g.do(
		bank.PublishPolicy{Key: g.next(), World: 1, EffectiveDay: today + 1, Text: fmt.Appendf(nil, "alpha: %d\n", 30+day)}.AppendTo(nil),
		bank.PublishPolicy{Key: g.next(), World: 2, EffectiveDay: today - 300, ForImport: true, Text: []byte("alpha: 1\n")}.AppendTo(nil),
		bank.SetMonetaryPolicy{Key: g.next(), Policy: monetary}.AppendTo(nil),
	)
}

// attention mints for days past, present and to come, up and down.
func (g *golden) attention(day int32) {
	today := bank.Day(g.rig.clock.now())
	for range 6 {
		g.do(bank.Mint{
			Person: [16]byte{15: byte(1 + g.draw(5))}, World: uint32(1 + g.draw(2)), Day: today + 1 - int32(g.draw(4)),
			Revision: uint64(day) + g.draw(3), CumulativePointsMicro: int64(g.draw(200_000_000)), PolicyVersion: uint32(day) + 1, Commitment: [32]byte{byte(day)},
		}.AppendTo(nil))
	}
}

func (g *golden) payments() {
	pay := bank.Transfer{Key: g.next(), Reference: fmt.Sprintf("order:%d", g.key), Legs: []ledger.Leg{
		{Debit: g.account(), Credit: g.account(), Amount: int64(g.draw(3000))},
		{Debit: g.account(), Credit: g.account(), Amount: int64(g.draw(3000))},
	}}.AppendTo(nil)
	g.do(transfer(0, g.account(), g.account(), int64(g.draw(2000))), pay, pay)
	g.later(1 + int64(g.draw(900_000)))
}

func (g *golden) holds() {
	group := [16]byte{1, byte(g.key)}
	place := func(expiresInMS int64, group [16]byte) []byte {
		expires := int64(0)
		if expiresInMS > 0 {
			expires = g.rig.clock.now() + expiresInMS
		}
		return bank.PlaceHold{Key: g.next(), Reference: "cart", Account: g.accounts[g.draw(2)], Beneficiary: g.accounts[2+g.draw(2)],
			Amount: 100 + int64(g.draw(100)), ExpiresAtMS: expires, Group: group}.AppendTo(nil)
	}
	var holds []uint64
	for _, answer := range g.do(place(0, [16]byte{}), place(0, [16]byte{}), place(1000, [16]byte{}), place(0, group), place(60_000, group)) {
		fact, _ := bank.First[bank.HoldPlaced](answer.Bytes)
		holds = append(holds, fact.Hold)
	}
	g.do(
		bank.SettleHold{Key: g.next(), Reference: "part", Hold: holds[0], Amount: 30}.AppendTo(nil),
		bank.SettleHold{Key: g.next(), Hold: holds[0], Amount: 30, Final: true}.AppendTo(nil),
		bank.ReleaseHold{Key: g.next(), Hold: holds[1]}.AppendTo(nil),
	)
	g.later(1500)
	if g.draw(2) == 0 {
		g.do(bank.SettleGroup{Key: g.next(), Group: group}.AppendTo(nil))
	} else {
		g.do(bank.ReleaseGroup{Key: g.next(), Group: group}.AppendTo(nil))
	}
}

func (g *golden) refusals() {
	g.do(
		[]byte{}, []byte{99}, transfer(1, 1, 2, 3),
		transfer(0, g.accounts[0], g.accounts[1], 1<<60), transfer(0, g.accounts[0], 1, 1), transfer(0, 1<<40, 1, 1),
		bank.RegisterWorld{Code: "Not A Code"}.AppendTo(nil), bank.RegisterWorld{Code: "arcade"}.AppendTo(nil),
		bank.RegisterAsset{Code: "DEEP", Scale: 19}.AppendTo(nil), bank.SetWorldShare{World: 9}.AppendTo(nil),
		bank.ReleaseHold{Hold: 1}.AppendTo(nil), bank.SetMonetaryPolicy{}.AppendTo(nil),
		bank.PublishPolicy{World: 1, Text: []byte("alpha: 1\n")}.AppendTo(nil),
		bank.Mint{World: 1, Day: bank.Day(g.rig.clock.now()) + 2}.AppendTo(nil),
		bank.Mint{World: 1, CumulativePointsMicro: -1}.AppendTo(nil),
	)
}
