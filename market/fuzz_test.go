package market_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"testing"

	"github.com/attentionbank/attentionbank/market"
)

// chooser makes choices of bytes; when they are used up, the choice is the
// first.
func chooser(data []byte) (choose func(n int) int, left func() int) {
	choose = func(n int) int {
		if n <= 1 || len(data) == 0 {
			return 0
		}
		v := int(data[0])
		data = data[1:]
		if n > 256 && len(data) > 0 {
			v |= int(data[0]) << 8
			data = data[1:]
		}
		return v % n
	}
	return choose, func() int { return len(data) }
}

// Bytes are commands; the exchange does what its twin does.
func FuzzOrderEntry(f *testing.F) {
	for seed := range byte(8) {
		random := rand.NewChaCha8([32]byte{seed})
		data := make([]byte, 600)
		_, _ = random.Read(data)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		choose, left := chooser(data[:min(len(data), 4096)])
		compare(t, newMaker(choose), func(int) bool { return left() > 0 }, map[string]int{})
	})
}

// What Restore accepts is what it would write, keeps the rules and can trade.
func FuzzRestore(f *testing.F) {
	for seed := range uint64(6) {
		random := rand.New(rand.NewPCG(seed, 3))
		m := newMaker(random.IntN)
		e := exchangeOf(f, m)
		for range 60 * seed {
			c := m.next()
			number, _, _, _ := run(e, &c, 100, nil)
			m.give(&c, number)
		}
		f.Add(e.AppendTo(nil), seed)
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		e, err := market.Restore(data)
		if err != nil {
			return
		}
		if again := e.AppendTo(nil); string(again) != string(data) {
			t.Fatalf("accepted\n%x\nand writes\n%x", data, again)
		}
		random := rand.New(rand.NewPCG(seed, 5))
		m := newMaker(random.IntN)
		m.configs, m.placed = nil, nil
		for number := range uint32(e.Markets()) {
			m.configs = append(m.configs, e.Book(number+1).Config())
			m.placed = append(m.placed, nil)
		}
		if len(m.configs) == 0 {
			return
		}
		if due, any := e.NextDueMS(); any {
			m.nowMS = max(due-100, 1)
		}
		for range 40 {
			c := m.next()
			number, _, _, _ := run(e, &c, 100, nil)
			m.give(&c, number)
		}
		for number := range uint32(e.Markets()) {
			if d := crossed(e.Book(number + 1)); d != "" {
				t.Fatal(d)
			}
		}
	})
}

func exchangeOf(t fataler, m *maker) *market.Exchange {
	e := market.NewExchange()
	for _, config := range m.configs {
		if _, err := e.Open(config); err != nil {
			t.Fatalf("%+v: %v", config, err)
		}
	}
	return e
}

// A million commands give one hash of all events and of the state at the end,
// however often they are replayed and whether or not the exchange is written
// and read back on the way.
func TestMillionCommandsGiveOneHash(t *testing.T) {
	replay := func(restoreEvery int) string {
		digest := sha256.New()
		var events []market.Event
		var bytes []byte
		for seed := range uint64(10) {
			m := newMaker(rand.New(rand.NewPCG(seed, 6)).IntN)
			e := exchangeOf(t, m)
			for i := range 100_000 {
				c := m.next()
				var number uint64
				number, events, _, _ = run(e, &c, 1, events[:0])
				m.give(&c, number)
				bytes = bytes[:0]
				for j := range events {
					bytes, _ = binary.Append(bytes, binary.LittleEndian, &events[j])
				}
				digest.Write(bytes)
				if restoreEvery > 0 && i%restoreEvery == restoreEvery-1 {
					var err error
					if e, err = restored(e); err != nil {
						t.Fatal(err)
					}
				}
			}
			digest.Write(e.AppendTo(nil))
		}
		return hex.EncodeToString(digest.Sum(nil))
	}
	if first, second := replay(0), replay(7001); first != second {
		t.Fatalf("hash %s, with snapshots in between %s", first, second)
	}
}
