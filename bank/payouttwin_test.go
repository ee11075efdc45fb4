package bank_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
	"pgregory.net/rapid"
)

// cashier is the naive twin of payouts and of what was bought by card: who has
// how much gold, written from docs/payouts.md with none of the bank's code.
type cashier struct {
	nowMS          int64
	gold           [4]int64 // of the people 1 to 3; 3 may not be paid out
	rates          []cashRate
	payouts        []cashPayout
	sent           []bool // of files
	credits        []cashCredit
	issued, burned int64
}

type cashRate struct {
	paid, per int64
	open      bool
}

type cashPayout struct {
	person        uint64
	amount, money int64
	status        bank.PayoutStatus
	file          int // counted from 1; 0 for none
}

type cashCredit struct {
	person                uint64
	amount, owed, untilMS int64
	held, back            bool
}

func (c *cashier) held(person uint64) (sum int64) {
	for _, credit := range c.credits {
		if credit.person == person && credit.held {
			sum += credit.amount
		}
	}
	return sum
}

func (c *cashier) owes(person uint64) (sum int64) {
	for _, credit := range c.credits {
		if credit.person == person {
			sum += credit.owed
		}
	}
	return sum
}

func (c *cashier) aside() (sum int64) {
	for _, p := range c.payouts {
		if p.status == bank.PayoutPending {
			sum += p.amount
		}
	}
	return sum
}

func (c *cashier) grant(person uint64, amount int64) {
	c.gold[person] += amount
	c.issued += amount
}

func (c *cashier) give(from, to uint64, amount int64) bool {
	if from == to || c.gold[from]-c.held(from) < amount {
		return false
	}
	c.gold[from] -= amount
	c.gold[to] += amount
	return true
}

// request computes with numbers that do not overflow.
func (c *cashier) request(person uint64, most, least int64) bool {
	if person == 3 || most < 1 || len(c.rates) == 0 || !c.rates[len(c.rates)-1].open {
		return false
	}
	rate := c.rates[len(c.rates)-1]
	money := new(big.Int).Mul(big.NewInt(most), big.NewInt(rate.paid))
	money.Div(money, big.NewInt(rate.per))
	taken := new(big.Int).Mul(money, big.NewInt(rate.per))
	taken.Add(taken, big.NewInt(rate.paid-1)).Div(taken, big.NewInt(rate.paid))
	if money.Sign() < 1 || money.Cmp(big.NewInt(bank.MaxPaidMinor)) > 0 || money.Cmp(big.NewInt(least)) < 0 ||
		c.owes(person) > 0 || taken.Cmp(big.NewInt(c.gold[person]-c.held(person))) > 0 {
		return false
	}
	c.gold[person] -= taken.Int64()
	c.payouts = append(c.payouts, cashPayout{person: person, amount: taken.Int64(), money: money.Int64()})
	return true
}

func (c *cashier) file(number, most int) bool {
	if number == 0 {
		number = len(c.sent) + 1
	}
	if most < 1 || most > bank.MaxPerFile || number > len(c.sent)+1 {
		return false
	}
	if number <= len(c.sent) {
		return true
	}
	put := 0
	for i := range c.payouts {
		if p := &c.payouts[i]; p.status == bank.PayoutPending && p.file == 0 && put < most {
			p.file = number
			put++
		}
	}
	if put > 0 {
		c.sent = append(c.sent, false)
	}
	return put > 0
}

func (c *cashier) send(number int) bool {
	if number < 1 || number > len(c.sent) {
		return false
	}
	c.sent[number-1] = true
	return true
}

func (c *cashier) end(number int, status bank.PayoutStatus) bool {
	if number < 1 || number > len(c.payouts) || status == bank.PayoutPending {
		return false
	}
	p := &c.payouts[number-1]
	filed := p.file > 0
	sent := filed && c.sent[p.file-1]
	may := map[bank.PayoutStatus]bool{
		bank.PayoutPaid: p.status == bank.PayoutPending && sent, bank.PayoutFailed: p.status == bank.PayoutPaid || p.status == bank.PayoutPending && (sent || !filed),
		bank.PayoutCancelled: p.status == bank.PayoutPending && !filed, bank.PayoutLeftOut: p.status == bank.PayoutPending && filed && !sent,
	}[status]
	switch {
	case p.status == status:
		return true
	case !may:
		return false
	case status == bank.PayoutPaid:
		c.burned += p.amount
	case p.status == bank.PayoutPaid:
		c.grant(p.person, p.amount)
	default:
		c.gold[p.person] += p.amount
	}
	p.status = status
	return true
}

func (c *cashier) credit(person uint64, amount, untilMS int64) bool {
	if amount < 1 || untilMS <= c.nowMS || untilMS > c.nowMS+180*24*60*60*1000 {
		return false
	}
	c.grant(person, amount)
	c.credits = append(c.credits, cashCredit{person: person, amount: amount, untilMS: untilMS, held: true})
	return true
}

func (c *cashier) chargeBack(number int) bool {
	if number < 1 || number > len(c.credits) {
		return false
	}
	credit := &c.credits[number-1]
	if credit.back && credit.owed == 0 {
		return false
	}
	if !credit.back {
		credit.back, credit.owed = true, credit.amount
		if credit.held {
			credit.held, credit.owed = false, 0
			c.gold[credit.person] -= credit.amount
			c.burned += credit.amount
		}
	}
	taken := min(credit.owed, c.gold[credit.person]-c.held(credit.person))
	c.gold[credit.person] -= taken
	c.burned += taken
	credit.owed -= taken
	return true
}

func (c *cashier) tick() {
	for i := range c.credits {
		if credit := &c.credits[i]; credit.untilMS <= c.nowMS {
			credit.held = false
		}
	}
}

// counter drives bank and twin with the same commands.
type counter struct {
	*cashier
	state    *bank.State
	accounts [4]uint64
	issuer   uint64
	seq      uint64
	journal  []record
	accepted map[string]int
}

func newCounter() *counter {
	c := &counter{cashier: &cashier{nowMS: 1_767_225_600_000}, state: bank.New(), accepted: map[string]int{}}
	c.apply(bank.RegisterWorld{Code: "cafe"}.AppendTo(nil))
	registered, _ := bank.First[bank.AssetRegistered](c.apply(bank.RegisterAsset{Code: "GOLD", Scale: 2, World: 1}.AppendTo(nil)))
	c.issuer = registered.Issuer
	c.apply(bank.RegisterAsset{Code: "EUR", Scale: 2}.AppendTo(nil))
	c.apply(bank.PublishEligibility{Text: "all", Defaults: bank.DefaultFeatures}.AppendTo(nil))
	for person := range uint64(3) {
		id := [16]byte{byte(person + 1)}
		c.apply(bank.RegisterPerson{ID: id}.AppendTo(nil))
		opened, _ := bank.First[bank.AccountOpened](c.apply(bank.OpenAccount{OwnerKind: ledger.OwnerPerson, Owner: person + 1, Asset: registered.Asset}.AppendTo(nil)))
		c.accounts[person+1] = opened.Account
		if person < 2 {
			c.apply(bank.SetStanding{Person: id, Features: bank.DefaultFeatures | bank.FeaturePayout, Revision: 1<<32 | 1}.AppendTo(nil))
		}
	}
	c.rates = append(c.rates, cashRate{7, 30, true})
	c.apply(bank.SetPayoutRate{Rate: bank.PayoutRate{Asset: gold, Currency: euro, PaidMinor: 7, PerMinor: 30, Open: true}}.AppendTo(nil))
	for person := uint64(1); person <= 3; person++ {
		c.grant(person, 20_000)
		c.apply(bank.Transfer{Legs: []ledger.Leg{{Debit: c.issuer, Credit: c.accounts[person], Amount: 20_000}}}.AppendTo(nil))
	}
	return c
}

func (c *counter) apply(command []byte) []byte {
	c.seq++
	c.state.Begin(c.seq, c.nowMS)
	answer := c.state.Apply(command, nil)
	c.journal = append(c.journal, record{c.nowMS, command, answer})
	return answer
}

const gold, euro = 3, 4

// step gives the bank a command by chance, which the twin carries out or
// refuses, too.
func (c *counter) step(d source) error {
	person := func() uint64 { return uint64(d.between(1, 3, "person")) }
	// A number of those that there are, seldom of the older ones, and one more.
	number := func(of int) int {
		if d.between(0, 3, "recent") > 0 {
			return of + 1 - int(d.between(0, int64(min(of+1, 6)), "number"))
		}
		return int(d.between(0, int64(of+1), "number"))
	}
	var what string
	var command []byte
	var may bool
	switch d.between(0, 15, "command") {
	case 0:
		who, amount := person(), d.between(1, 500, "amount")
		what, command, may = "grant", bank.Transfer{Legs: []ledger.Leg{{Debit: c.issuer, Credit: c.accounts[who], Amount: amount}}}.AppendTo(nil), true
		c.grant(who, amount)
	case 1:
		from, to := person(), person()
		amount := d.between(1, max(1, c.gold[from]-c.held(from))+1, "amount")
		what, command = "give", bank.Transfer{Legs: []ledger.Leg{{Debit: c.accounts[from], Credit: c.accounts[to], Amount: amount}}}.AppendTo(nil)
		may = c.give(from, to, amount)
	case 2:
		rate := cashRate{d.between(0, 40, "paid"), d.between(0, 40, "per"), d.between(0, 4, "open") > 0}
		what, may = "rate", rate.paid > 0 && rate.per > 0
		command = bank.SetPayoutRate{Rate: bank.PayoutRate{Asset: gold, Currency: euro, PaidMinor: rate.paid, PerMinor: rate.per, Open: rate.open}}.AppendTo(nil)
		if may {
			c.rates = append(c.rates, rate)
		}
	case 3, 4, 5:
		who, most, least := person(), d.between(0, 900, "most"), max(0, d.between(-60, 20, "least"))
		what, command = "request", bank.RequestPayout{Person: who, Asset: gold, AmountMinor: most, MinPaidMinor: least}.AppendTo(nil)
		may = c.request(who, most, least)
	case 6, 7:
		file, most := number(len(c.sent)), int(d.between(0, 3, "most"))
		what, command = "file", bank.FilePayouts{File: uint64(file), Currency: euro, Most: uint32(most)}.AppendTo(nil)
		may = c.file(file, most)
	case 8:
		file := number(len(c.sent))
		what, command, may = "send", bank.SendPayouts{File: uint64(file)}.AppendTo(nil), c.send(file)
	case 9, 10, 11:
		payout, status := number(len(c.payouts)), bank.PayoutStatus(d.between(0, 4, "status"))
		what = "end " + status.String()
		if payout >= 1 && payout <= len(c.payouts) {
			what = c.payouts[payout-1].status.String() + " to " + status.String()
		}
		command = bank.EndPayout{Payout: uint64(payout), Status: status}.AppendTo(nil)
		may = c.end(payout, status)
	case 12:
		who, amount, until := person(), d.between(0, 300, "amount"), c.nowMS+d.between(-1, 5000, "until")
		what, command = "credit", bank.CreditCard{Person: who, Asset: gold, AmountMinor: amount, UntilMS: until}.AppendTo(nil)
		may = c.credit(who, amount, until)
	case 13, 14:
		credit := number(len(c.credits))
		what, command = "charge back", bank.ChargeBack{Credit: uint64(credit)}.AppendTo(nil)
		if credit >= 1 && credit <= len(c.credits) && c.credits[credit-1].owed > 0 {
			what = "charge back what is owed"
		}
		may = c.chargeBack(credit)
	default:
		c.nowMS += d.between(0, 3000, "passes")
		what, command, may = "time", bank.AppendTick(nil), true
		c.tick()
	}
	if refusal := bank.Refusal(c.apply(command)[0]); (refusal == bank.Accepted) != may {
		return fmt.Errorf("%s was answered %s, the twin says accepted: %v", what, refusal, may)
	}
	if may {
		c.accepted[what]++
	}
	return nil
}

// Whatever is asked for, filed, sent, paid, failed, bought by card and taken
// back, in any order and again: everybody has what the naive twin says, and the
// books balance after every command. A replay and a restored copy give the same
// hash.
func TestPayoutsEqualNaiveTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCounter()
		for range rapid.IntRange(1, 120).Draw(t, "commands") {
			if err := c.step(rapidSource{t}); err != nil {
				t.Fatal(err)
			}
			if err := c.fault(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.replayFault(); err != nil {
			t.Fatal(err)
		}
	})
}

// Many random commands, among which is everything that may happen to a payout.
// A million: go test ./bank -run ManyRandomPayouts -commands 1000000
func TestManyRandomPayouts(t *testing.T) {
	c, s := newCounter(), seeded{rand.New(rand.NewPCG(3, 4))}
	for i := range *commands {
		err := c.step(s)
		if err == nil && i%2000 == 0 {
			err = c.fault()
		}
		if err != nil {
			t.Fatalf("command %d: %v", i, err)
		}
	}
	if err := errors.Join(c.fault(), c.replayFault()); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{
		"request", "file", "send", "credit", "charge back", "charge back what is owed", "give", "pending to paid", "pending to failed", "pending to cancelled", "pending to left_out",
		"paid to failed", "paid to paid", "failed to failed",
	} {
		if c.accepted[what] == 0 {
			t.Errorf("in %d commands there was accepted no %s", *commands, what)
		}
	}
	t.Log(c.accepted)
}

// fault returns where the bank differs from the twin.
func (c *counter) fault() error {
	if err := c.state.Check(); err != nil {
		return err
	}
	balance := func(key ledger.Key) ledger.Account {
		number, found := c.state.Books().Find(key)
		if !found {
			return ledger.Account{}
		}
		return *c.state.Books().Account(number)
	}
	for person := uint64(1); person <= 3; person++ {
		account := *c.state.Books().Account(c.accounts[person])
		if account.Balance != c.gold[person] || account.Held != c.held(person) {
			return fmt.Errorf("person %d has %d with %d held, the twin says %d with %d", person, account.Balance, account.Held, c.gold[person], c.held(person))
		}
		if owes := balance(ledger.Key{Owner: person, Asset: gold, Purpose: ledger.PurposeReceivable}).Balance; owes != c.owes(person) {
			return fmt.Errorf("person %d owes %d, the twin says %d", person, owes, c.owes(person))
		}
	}
	if aside := balance(ledger.Key{Asset: gold, Purpose: ledger.PurposePayout}).Balance; aside != c.aside() {
		return fmt.Errorf("%d is set aside, the twin says %d", aside, c.aside())
	}
	if asset := c.state.Books().Asset(gold); asset.Issued != c.issued || asset.Burned != c.burned {
		return fmt.Errorf("issued %d and burned %d, the twin says %d and %d", asset.Issued, asset.Burned, c.issued, c.burned)
	}
	for i, want := range c.payouts {
		p, _, _ := c.state.Payout(uint64(i + 1))
		if p.Person != want.person || p.AmountMinor != want.amount || p.PaidMinor != want.money || p.Status != want.status || p.File != uint64(want.file) {
			return fmt.Errorf("payout %d is %+v, the twin says %+v", i+1, p, want)
		}
	}
	if c.state.Payouts() != uint64(len(c.payouts)) || c.state.PayoutFiles() != uint64(len(c.sent)) || c.state.CardCredits() != uint64(len(c.credits)) {
		return fmt.Errorf("there are %d payouts, %d files, %d credits", c.state.Payouts(), c.state.PayoutFiles(), c.state.CardCredits())
	}
	for i, sent := range c.sent {
		if file, _, _ := c.state.PayoutFile(uint64(i + 1)); (file.SentMS != 0) != sent {
			return fmt.Errorf("file %d was sent at %d, the twin says %v", i+1, file.SentMS, sent)
		}
	}
	return nil
}

// replayFault returns how a replay or a restored copy differs.
func (c *counter) replayFault() error {
	replayed := bank.New()
	for i, record := range c.journal {
		replayed.Begin(uint64(i+1), record.nowMS)
		if answer := replayed.Apply(record.command, nil); !bytes.Equal(answer, record.answer) {
			return fmt.Errorf("command %d is answered differently in a replay", i)
		}
	}
	var encoded bytes.Buffer
	if _, err := c.state.Freeze().WriteTo(&encoded); err != nil {
		return err
	}
	restored, err := bank.Restore(&encoded)
	if err != nil || restored.Hash() != c.state.Hash() || replayed.Hash() != c.state.Hash() {
		return fmt.Errorf("a replay or a restored copy differs: %v", err)
	}
	return nil
}

// A state in which card credits and the books disagree about what somebody owes
// is found.
func TestCheckComparesWhatIsOwed(t *testing.T) {
	c := newCounter()
	apply := func(command []byte) {
		if refusal := bank.Refusal(c.apply(command)[0]); refusal != bank.Accepted {
			t.Fatal(refusal)
		}
	}
	apply(bank.CreditCard{Person: 1, Asset: gold, AmountMinor: 777, UntilMS: c.nowMS + 1}.AppendTo(nil))
	c.nowMS++
	apply(bank.AppendTick(nil))
	apply(bank.Transfer{Legs: []ledger.Leg{{Debit: c.accounts[1], Credit: c.accounts[2], Amount: 20_000 + 777 - 7}}}.AppendTo(nil))
	apply(bank.ChargeBack{Credit: 1}.AppendTo(nil))
	var encoded bytes.Buffer
	if _, err := c.state.Freeze().WriteTo(&encoded); err != nil {
		t.Fatal(err)
	}
	// Person 1, asset 3, charged back, 777, of which 770 are owed.
	credit := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(nil, 1), gold)
	credit = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(append(credit, 1), 777), 770)
	if bytes.Count(encoded.Bytes(), credit) != 1 {
		t.Fatal("the card credit is not where it is expected")
	}
	for _, owed := range []uint64{0, 769, 777} {
		changed := append(credit[:len(credit)-8:len(credit)-8], binary.LittleEndian.AppendUint64(nil, owed)...)
		state, err := bank.Restore(bytes.NewReader(bytes.Replace(encoded.Bytes(), credit, changed, 1)))
		if err == nil {
			err = state.Check()
		}
		if err == nil || !strings.Contains(err.Error(), "person 1 owes 770 of asset 3") {
			t.Errorf("with %d owed: %v", owed, err)
		}
	}
}
