package bank_test

import (
	"bytes"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/market"
)

// stocked returns an encoded bank that has something of everything of markets
// and shops: books in continuous trading, in a batch and in an auction with
// orders, one of them with a deadline, goods that were sold and are on sale, a
// listing.
func stocked(tb testing.TB) []byte {
	tb.Helper()
	state, nowMS := bank.New(), int64(1_767_225_600_000)
	seq := uint64(0)
	do := func(commands ...[]byte) {
		tb.Helper()
		seq++
		state.Begin(seq, nowMS)
		for i, command := range commands {
			if refusal := bank.Refusal(state.Apply(command, nil)[0]); refusal != bank.Accepted {
				tb.Fatalf("command %d of record %d: %s", i, seq, refusal)
			}
		}
	}
	do(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil), bank.RegisterAsset{Code: "GEM", World: 1}.AppendTo(nil), bank.RegisterAsset{Code: "LAND", World: 1}.AppendTo(nil),
		bank.SetCollection{Collection: bank.Collection{Asset: 4, RefundWindowMS: 1 << 30, RoyaltyBPS: 333, Givable: true}}.AppendTo(nil))
	for person := byte(1); person <= 3; person++ {
		do(bank.Mint{Person: [16]byte{person}, World: 1, Day: bank.Day(nowMS), Revision: 1, CumulativePointsMicro: 600_000_000}.AppendTo(nil))
		do(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: uint64(person), Asset: 3}.AppendTo(nil))
		account, _ := state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: uint64(person), Asset: 3})
		do(bank.Transfer{Legs: []ledger.Leg{{Debit: state.Books().Asset(3).Issuer, Credit: account, Amount: 100}}}.AppendTo(nil))
	}
	nowMS += 26 * 60 * 60 * 1000
	do(bank.AppendTick(nil))
	for number := uint32(1); number <= 3; number++ {
		config := market.DefaultConfig()
		config.MaxOrders, config.AuctionMS, config.RandomMS, config.LockMS = 7, 1000*int64(number), 0, 0
		if number == 1 {
			config.Mode = market.Continuous
		}
		do(bank.OpenMarket{Market: bank.Market{Base: 3, Quote: ledger.Time, LotUnits: 1, Terms: bank.Terms{MakerBPS: 7, TakerBPS: 33, CallBPS: 20, OperatorBPS: 3000, BurnedBPS: 4000}}, Config: config}.AppendTo(nil),
			bank.CallAuction{Market: number, Reference: 100}.AppendTo(nil))
	}
	nowMS += 2000 // the third is in its auction
	do(bank.AppendTick(nil))
	for number := uint32(1); number <= 3; number++ {
		do(bank.PlaceOrder{Market: number, Person: 1, Side: market.Sell, Price: 101, Quantity: 5}.AppendTo(nil),
			bank.PlaceOrder{Market: number, Person: 2, Side: market.Buy, Kind: market.GTD, ExpiresMS: nowMS + 500, Price: 99, Quantity: 5}.AppendTo(nil),
			bank.PlaceOrder{Market: number, Person: 3, Side: market.Buy, Price: 101, Quantity: 2}.AppendTo(nil))
	}
	do(bank.KeepOrders{Person: 1, TimeoutMS: 700}.AppendTo(nil), bank.HaltPerson{Person: 3, Halt: true}.AppendTo(nil),
		bank.SetGood{Asset: 4, ID: "0,1", PriceMicro: 5}.AppendTo(nil), bank.SetGood{Asset: 4, ID: "0,2", PriceMicro: 5}.AppendTo(nil),
		bank.BuyGood{Buyer: 1, Good: 1, MaxPriceMicro: 5}.AppendTo(nil), bank.OfferGood{Owner: 1, Good: 1, PriceMicro: 9}.AppendTo(nil),
		bank.PlaceListing{Seller: 2, Asset: 3, Quantity: 3, PriceMicro: 9}.AppendTo(nil))
	var encoded bytes.Buffer
	if _, err := state.Freeze().WriteTo(&encoded); err != nil {
		tb.Fatal(err)
	}
	return encoded.Bytes()
}

// orderCommands are what people and operators say in markets and about goods,
// to a stocked bank.
func orderCommands() [][]byte {
	order := bank.PlaceOrder{Market: 1, Person: 2, Side: market.Buy, Price: 105, Quantity: 4, Reference: "r", Key: bank.Key{1}}
	return [][]byte{
		order.AppendTo(nil),
		bank.PlaceOrder{Market: 2, Person: 2, Side: market.Sell, Kind: market.IOC, Price: 1, Quantity: 9}.AppendTo(nil),
		bank.PlaceOrder{Market: 1, Person: 2, Side: market.Buy, Kind: market.Market, Quantity: 2, SelfTrade: market.CancelBoth}.AppendTo(nil),
		bank.PlaceOrder{Market: 1, Person: 2, Side: market.Buy, Kind: market.FOK, Price: 101, Quantity: 3}.AppendTo(nil),
		bank.PlaceOrder{Market: 3, Person: 2, Side: market.Sell, Kind: market.GTD, ExpiresMS: 1 << 41, Price: 100, Quantity: 1, PostOnly: true}.AppendTo(nil),
		bank.AmendOrder{Market: 1, Person: 1, Order: 1 << 3, Price: 98, Quantity: 6}.AppendTo(nil),
		bank.CancelOrder{Market: 1, Person: 1, Order: 1 << 3}.AppendTo(nil),
		bank.CancelOrder{Market: 3, Order: 2<<3 | 1}.AppendTo(nil),
		bank.CancelOrders{Person: 1}.AppendTo(nil),
		bank.KeepOrders{Person: 2, TimeoutMS: 5}.AppendTo(nil),
		bank.Convert{Market: 1, Person: 2, Side: market.Buy, Quantity: 3, Bound: 400, ExpiresMS: 1_767_319_202_500}.AppendTo(nil),
		bank.Convert{Market: 2, Person: 2, Side: market.Sell, Quantity: 3, Bound: 200, ExpiresMS: 1_767_319_202_500}.AppendTo(nil),
		bank.HaltMarket{Market: 2}.AppendTo(nil),
		bank.HaltAll{Halt: true}.AppendTo(nil),
		bank.HaltPerson{Person: 1, Halt: true, Cancel: true}.AppendTo(nil),
		bank.CallAuction{Market: 3}.AppendTo(nil),
		bank.SetMarketTerms{Market: 1, Terms: bank.Terms{TakerBPS: 1000}}.AppendTo(nil),
		bank.SetTier{Tier: bank.DefaultTiers()[1]}.AppendTo(nil),
		bank.BuyGood{Buyer: 2, Good: 1, MaxPriceMicro: 9}.AppendTo(nil),
		bank.GiveGood{Good: 2, To: 3}.AppendTo(nil),
		bank.RefundGood{Good: 1}.AppendTo(nil),
		bank.BuyListing{Buyer: 1, Listing: 1, MaxPriceMicro: 9}.AppendTo(nil),
	}
}

// applyLater gives a command to a bank in a record of its own, some time after the
// last, and returns the answer.
func applyLater(state *bank.State, afterMS int64, command []byte) []byte {
	state.Begin(state.Seq()+1, max(state.NowMS(), 0)+afterMS&(1<<32-1))
	return state.Apply(command, nil)
}

// Whatever is said to a bank with markets and goods: the books balance, what is
// refused changes nothing that can be seen in the accounts, facts can be read,
// and time goes on afterwards.
func FuzzTrade(f *testing.F) {
	for _, command := range orderCommands() {
		f.Add(command, int64(1))
		f.Add(command, int64(2000))
	}
	encoded := stocked(f)
	f.Fuzz(func(t *testing.T, command []byte, passesMS int64) {
		state, err := bank.Restore(bytes.NewReader(encoded))
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]byte{bank.AppendTick(nil), command, bank.AppendTick(nil)} {
			accounts := state.Books().Accounts()
			answer := applyLater(state, passesMS, command)
			if err := state.Check(); err != nil {
				t.Fatal(err)
			}
			if bank.Refusal(answer[0]) != bank.Accepted && state.Books().Accounts() != accounts {
				t.Fatalf("a command refused as %s opened an account", bank.Refusal(answer[0]))
			}
			for _, err := range bank.Facts(answer) {
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// requireUsable lets a restored bank go on: nothing that is said to it may end
// it.
func requireUsable(state *bank.State) {
	for _, command := range orderCommands() {
		applyLater(state, 300, command)
		applyLater(state, 0, bank.AppendTick(nil))
	}
}

// No beginning of a bank's bytes is a bank: FuzzRestore found one that was taken
// for a state of a version before.
func TestRestoreOfCutBytes(t *testing.T) {
	t.Parallel()
	encoded := stocked(t)
	for length := range encoded {
		if _, err := bank.Restore(bytes.NewReader(encoded[:length])); err == nil {
			t.Fatalf("the first %d of %d bytes are taken for a bank", length, len(encoded))
		}
	}
}

// A bank whose bytes were changed is refused, or goes on as one: of every third
// byte one change, of the others FuzzRestore finds them.
func TestRestoreOfChangedBytes(t *testing.T) {
	encoded := stocked(t)
	refused := 0
	for at := 0; at < len(encoded); at += 3 {
		change := []byte{1, 0x80, 0xff}[at/3%3]
		bad := bytes.Clone(encoded)
		bad[at] ^= change
		state, err := bank.Restore(bytes.NewReader(bad))
		if err != nil {
			refused++
			continue
		}
		func() {
			defer func() {
				if reason := recover(); reason != nil {
					t.Errorf("byte %d of %d with %#x: %v", at, len(encoded), change, reason)
				}
			}()
			requireUsable(state)
		}()
	}
	if refused < len(encoded)/9 {
		t.Errorf("of %d changes %d were refused", len(encoded)/3, refused)
	}
}
