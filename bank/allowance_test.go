package bank_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"pgregory.net/rapid"
)

// Whatever is granted, taken back and spent, and however days go by: a world
// spends of a person no more on a day than was granted last, and never what is
// not there.
func TestAllowancesEqualNaive(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		nowMS := int64(1_767_225_600_000)
		state, apply := watchedBank(t, &nowMS)
		for world := range 2 {
			apply(bank.RegisterWorld{Code: fmt.Sprint("world-", world)}.AppendTo(nil))
		}
		for person := range byte(2) {
			apply(bank.Mint{Person: [16]byte{person + 1}, World: 1, Day: bank.Day(nowMS), Revision: 1, CumulativePointsMicro: 12_000}.AppendTo(nil))
		}
		nowMS += 26 * 60 * 60 * 1000
		apply(bank.AppendTick(nil))
		type pair struct {
			person uint64
			world  uint32
		}
		type grantedAndSpent struct{ daily, spent, day int64 }
		balance := map[uint64]int64{1: 200, 2: 200}
		twin := map[pair]*grantedAndSpent{}
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			p := pair{rapid.Uint64Range(1, 2).Draw(t, "person"), rapid.Uint32Range(1, 2).Draw(t, "world")}
			value := rapid.Int64Range(0, 60).Draw(t, "value")
			g := twin[p]
			if g == nil {
				g = &grantedAndSpent{}
				twin[p] = g
			}
			if today := nowMS / 86_400_000; g.day != today {
				g.day, g.spent = today, 0
			}
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				if got := apply(bank.SetAllowance{Person: p.person, World: p.world, DailyMicro: value}.AppendTo(nil)); got != bank.Accepted {
					t.Fatalf("granting %d is answered %s", value, got)
				}
				g.daily = value
			case 1, 2:
				got := apply(bank.Charge{World: p.world, Person: p.person, AmountMicro: value}.AppendTo(nil))
				may := value > 0 && g.spent+value <= g.daily && value <= balance[p.person]
				if (got == bank.Accepted) != may {
					t.Fatalf("charging %d is answered %s, the twin says %v: %+v", value, got, may, *g)
				}
				if may {
					g.spent += value
					balance[p.person] -= value
				}
			case 3:
				nowMS += rapid.Int64Range(0, 30*60*60*1000).Draw(t, "passes")
			}
			account, _ := state.TimeAccount(p.person)
			if got := state.Books().Account(account).Balance; got != balance[p.person] {
				t.Fatalf("person %d has %d, the twin says %d", p.person, got, balance[p.person])
			}
		}
		requireRestorable(outer, state)
	})
}

// An allowance that could not come of commands is not restored.
func TestRestoreRefusesAllowances(t *testing.T) {
	state := bank.New()
	state.Begin(1, 1)
	state.Apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), nil)
	state.Apply(bank.RegisterPerson{ID: [16]byte{1}}.AppendTo(nil), nil)
	state.Apply(bank.SetAllowance{Person: 1, World: 1, DailyMicro: 0x7777777777}.AppendTo(nil), nil)
	var encoded bytes.Buffer
	if _, err := state.Freeze().WriteTo(&encoded); err != nil {
		t.Fatal(err)
	}
	daily := bytes.LastIndex(encoded.Bytes(), binary.LittleEndian.AppendUint64(nil, 0x7777777777))
	if daily < 12 {
		t.Fatal("the allowance is not in the state")
	}
	for name, change := range map[string]struct {
		at   int
		byte byte
	}{
		"of nobody":            {daily - 12, 9},
		"of a world not there": {daily - 4, 9},
		"of more than may be":  {daily + 7, 0x7f},
		"below zero":           {daily + 8 + 8 + 4 + 7, 0x80},
	} {
		bad := bytes.Clone(encoded.Bytes())
		bad[change.at] = change.byte
		if _, err := bank.Restore(bytes.NewReader(bad)); err == nil {
			t.Errorf("an allowance %s was restored", name)
		}
	}
}
