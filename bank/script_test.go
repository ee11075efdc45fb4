package bank_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/ledger"
)

var update = flag.Bool("update", false, "rewrite the expected answers in testdata")

// TestScripts runs testdata/*.txt: blocks of commands, "----", and what the
// bank answers. After every command the whole state is checked, and at the end
// a restored copy must have the same hash. Run with -update to rewrite the
// answers, then read the difference.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) { runScript(t, file) })
	}
}

func runScript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	script := newScript(t)
	var rewritten strings.Builder
	for _, block := range strings.Split(strings.TrimSpace(string(text)), "\n\n") {
		commands, want, hasAnswers := strings.Cut(block, "\n----\n")
		commands = strings.TrimSuffix(commands, "\n----")
		if !hasAnswers && isComment(commands) {
			rewritten.WriteString(commands + "\n\n")
			continue
		}
		var got []string
		for line := range strings.SplitSeq(commands, "\n") {
			if line != "" && !strings.HasPrefix(line, "#") {
				got = append(got, script.run(line)...)
			}
		}
		answers := strings.Join(got, "\n")
		if !*update && answers != want {
			t.Errorf("%s:\n%s\n---- got\n%s\n---- expected\n%s", file, commands, answers, want)
		}
		rewritten.WriteString(strings.TrimSpace(commands+"\n----\n"+answers) + "\n\n")
	}
	requireRestorable(t, script.state)
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimSpace(rewritten.String())+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func isComment(block string) bool {
	for line := range strings.SplitSeq(block, "\n") {
		if !strings.HasPrefix(line, "#") {
			return false
		}
	}
	return true
}

type script struct {
	t     *testing.T
	state *bank.State
	seq   uint64
	nowMS int64
	holds map[string]uint64
}

func newScript(t *testing.T) *script {
	s := &script{t: t, state: bank.New(), holds: map[string]uint64{}}
	s.nowMS = parseTime(t, "2026-01-01T00:00:00Z")
	return s
}

func parseTime(t *testing.T, text string) int64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

// id makes an id of 16 bytes from a name.
func id(name string) (id [16]byte) {
	copy(id[:], name)
	return id
}

// run carries out a line and returns the lines of its answer.
func (s *script) run(line string) []string {
	words := strings.Fields(line)
	options := map[string]string{}
	for i, word := range words {
		if name, value, isOption := strings.Cut(word, "="); isOption {
			options[name] = value
			words[i] = ""
		}
	}
	var args []string
	for _, word := range words {
		if word != "" {
			args = append(args, word)
		}
	}
	switch args[0] {
	case "at":
		s.nowMS = parseTime(s.t, args[1])
		return nil
	case "balance":
		account := s.state.Books().Account(s.account(args[1]))
		return []string{fmt.Sprintf("%s balance %s held %s available %s", args[1],
			s.format(account.Asset, account.Balance), s.format(account.Asset, account.Held), s.format(account.Asset, account.Available()))}
	case "supply":
		number, _ := s.state.Books().AssetByCode(args[1])
		asset := s.state.Books().Asset(number)
		return []string{fmt.Sprintf("%s issued %s burned %s supply %s", args[1],
			s.format(number, asset.Issued), s.format(number, asset.Burned), s.format(number, asset.Supply()))}
	case "due":
		dueMS, any := s.state.NextDueMS()
		if !any {
			return []string{"nothing is due"}
		}
		return []string{"due " + time.UnixMilli(dueMS).UTC().Format(time.RFC3339)}
	}
	if lines, isOne := s.marketLine(args); isOne {
		return lines
	}
	s.seq++
	s.state.Begin(s.seq, s.nowMS)
	answer := s.state.Apply(s.command(args, options), nil)
	if err := s.state.Check(); err != nil {
		s.t.Errorf("after %q: %v", line, err)
	}
	return s.describe(answer, options["as"])
}

func (s *script) command(args []string, options map[string]string) []byte {
	key, reference := bank.Key(id(options["key"])), options["ref"]
	switch args[0] {
	case "tick":
		return bank.AppendTick(nil)
	case "asset":
		return bank.RegisterAsset{Key: key, Code: args[1], Scale: uint8(s.integer(args[2])), World: s.world(options["world"])}.AppendTo(nil)
	case "world":
		return bank.RegisterWorld{Key: key, Code: args[1]}.AppendTo(nil)
	case "person":
		return bank.RegisterPerson{ID: id(args[1])}.AppendTo(nil)
	case "open":
		kind, owner := s.owner(args[1])
		asset, _ := s.state.Books().AssetByCode(args[2])
		return bank.OpenAccount{Key: key, OwnerKind: kind, Owner: owner, Asset: asset, Sub: uint32(s.integer(options["sub"]))}.AppendTo(nil)
	case "limits":
		return bank.SetLimits{Key: key, Account: s.account(args[1]), Floor: s.amount(args[1], args[2]), CreditLimit: s.amount(args[1], args[3])}.AppendTo(nil)
	case "transfer":
		transfer := bank.Transfer{Key: key, Reference: reference}
		for legs := args[1:]; len(legs) >= 3; legs = legs[3:] {
			transfer.Legs = append(transfer.Legs, ledger.Leg{Debit: s.account(legs[0]), Credit: s.account(legs[1]), Amount: s.amount(legs[0], legs[2])})
		}
		return transfer.AppendTo(nil)
	case "hold":
		hold := bank.PlaceHold{Key: key, Reference: reference, Account: s.account(args[1]), Beneficiary: s.account(args[2]), Amount: s.amount(args[1], args[3]), Group: id(options["group"])}
		if until := options["until"]; until != "" {
			hold.ExpiresAtMS = parseTime(s.t, until)
		}
		return hold.AppendTo(nil)
	case "settle":
		amountText := args[2]
		return bank.SettleHold{Key: key, Reference: reference, Hold: s.hold(args[1]), Amount: s.amount(options["in"], amountText), Final: len(args) > 3 && args[3] == "final"}.AppendTo(nil)
	case "release":
		return bank.ReleaseHold{Key: key, Reference: reference, Hold: s.hold(args[1])}.AppendTo(nil)
	case "settle-group":
		return bank.SettleGroup{Key: key, Reference: reference, Group: id(args[1])}.AppendTo(nil)
	case "release-group":
		return bank.ReleaseGroup{Key: key, Reference: reference, Group: id(args[1])}.AppendTo(nil)
	case "mint":
		day, err := time.Parse(time.DateOnly, args[3])
		if err != nil {
			s.t.Fatal(err)
		}
		points, err := amount.Parse(args[4], 6)
		if err != nil {
			s.t.Fatal(err)
		}
		return bank.Mint{Person: id(args[1]), World: s.world(args[2]), Day: bank.Day(day.UnixMilli()), CumulativePointsMicro: points, Revision: uint64(s.integer(options["rev"]))}.AppendTo(nil)
	case "policy":
		day, err := time.Parse(time.DateOnly, args[2])
		if err != nil {
			s.t.Fatal(err)
		}
		text := []byte(args[3])
		if options["bytes"] != "" {
			text = make([]byte, s.integer(options["bytes"]))
		}
		return bank.PublishPolicy{Key: key, World: s.world(args[1]), EffectiveDay: bank.Day(day.UnixMilli()), ForImport: options["import"] == "yes", Text: text}.AppendTo(nil)
	case "monetary":
		policy := bank.DefaultMonetaryPolicy()
		policy.Mode, _ = bank.ParseMode(args[1])
		policy.LambdaMicro = s.amount("TIME", args[2])
		policy.BudgetMicro = s.amount("TIME", args[3])
		return bank.SetMonetaryPolicy{Key: key, Policy: policy}.AppendTo(nil)
	case "share":
		return bank.SetWorldShare{Key: key, World: s.world(args[1]), Weight: uint32(s.integer(args[2]))}.AppendTo(nil)
	case "retention":
		return bank.SetRetention{Key: key, World: s.world(args[1]), Days: uint16(s.integer(args[2]))}.AppendTo(nil)
	case "product":
		product := bank.Product{World: s.world(args[1]), Code: args[2], PriceMicro: s.amount("TIME", args[3]), OnSale: options["sale"] != "no",
			Supply: s.integer(options["supply"]), RefundWindowMS: s.integer(options["window"]) * 1000, DeadlineMS: s.integer(options["deadline"]) * 1000,
			RoyaltyBPS: uint16(s.integer(options["royalty"]))}
		product.Asset, _ = s.state.Books().AssetByCode(options["asset"])
		if options["asset"] == "" {
			product.Kind = bank.Service
		}
		return bank.SetProduct{Key: key, Product: product}.AppendTo(nil)
	case "buy":
		_, buyer := s.owner(args[1])
		return bank.Purchase{Key: key, Reference: reference, Buyer: buyer, Product: uint32(s.integer(args[2])), Quantity: s.integer(args[3]), MaxTotalMicro: s.amount("TIME", args[4])}.AppendTo(nil)
	case "deliver", "decline":
		return bank.EndPurchase{Key: key, Reference: reference, Purchase: uint64(s.integer(args[1])), Delivered: args[0] == "deliver"}.AppendTo(nil)
	case "refund":
		return bank.Refund{Key: key, Reference: reference, Purchase: uint64(s.integer(args[1]))}.AppendTo(nil)
	case "list":
		_, seller := s.owner(args[1])
		asset, _ := s.state.Books().AssetByCode(args[2])
		return bank.PlaceListing{Key: key, Reference: reference, Seller: seller, Asset: asset, Quantity: s.integer(args[3]), PriceMicro: s.amount("TIME", args[4])}.AppendTo(nil)
	case "unlist":
		return bank.CancelListing{Key: key, Reference: reference, Listing: uint64(s.integer(args[1]))}.AppendTo(nil)
	case "buy-listing":
		_, buyer := s.owner(args[1])
		return bank.BuyListing{Key: key, Reference: reference, Buyer: buyer, Listing: uint64(s.integer(args[2])), MaxPriceMicro: s.amount("TIME", args[3])}.AppendTo(nil)
	case "standing":
		standing := bank.SetStanding{Person: id(args[1]), Features: bank.AllFeatures, Tier: uint8(s.integer(options["tier"])), Revision: uint64(s.integer(options["rev"]))}
		for name := range strings.SplitSeq(options["deny"], ",") {
			if feature, known := bank.ParseFeature(name); known {
				standing.Features &^= feature
			}
		}
		if options["features"] != "" {
			standing.Features = bank.Feature(s.integer(options["features"]))
		}
		return standing.AppendTo(nil)
	case "eligibility":
		table := bank.PublishEligibility{Key: key, Text: strings.Repeat("x", int(s.integer(options["bytes"]))), Defaults: bank.DefaultFeatures}
		if options["defaults"] != "" {
			table.Defaults = bank.Feature(s.integer(options["defaults"]))
		}
		return table.AppendTo(nil)
	case "exclude":
		untilMS := int64(-1)
		if args[2] != "never" {
			untilMS = parseTime(s.t, args[2])
		}
		return bank.Exclude{Person: id(args[1]), UntilMS: untilMS}.AppendTo(nil)
	case "allow", "charge", "buy-for", "own-limits", "earn-nothing":
		return s.peopleCommand(args, options, key, reference)
	case "bytes":
		return []byte(strings.Join(args[1:], " "))
	}
	if command := s.redeemCommand(args, options); command != nil {
		return command
	}
	if command := s.tradeCommand(args, options); command != nil {
		return command
	}
	if command := s.operatorCommand(args, options); command != nil {
		return command
	}
	s.t.Fatalf("unknown line %q", args)
	return nil
}

func (s *script) integer(text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *script) world(code string) uint32 {
	if number, found := s.state.WorldByCode(code); found || code == "" {
		return number
	}
	return 99
}

func (s *script) owner(name string) (ledger.OwnerKind, uint64) {
	if name == "bank" {
		return ledger.OwnerBank, 0
	}
	if number, found := s.state.WorldByCode(name); found {
		return ledger.OwnerWorld, uint64(number)
	}
	if number, found := s.state.PersonByID(id(name)); found {
		return ledger.OwnerPerson, number
	}
	if strings.HasPrefix(name, "no-world") {
		return ledger.OwnerWorld, 99
	}
	return ledger.OwnerPerson, 99
}

// account finds alice.TIME, cafe.GOLD/2, issuer.GOLD, treasury.TIME or
// points:alice:cafe of the running epoch; #7 is the account of that number.
func (s *script) account(name string) uint64 {
	if number, isNumber := strings.CutPrefix(name, "#"); isNumber {
		return uint64(s.integer(number))
	}
	if points, isPoints := strings.CutPrefix(name, "points:"); isPoints {
		person, world, _ := strings.Cut(points, ":")
		_, number := s.owner(person)
		account, _ := s.state.Books().Find(ledger.Key{OwnerKind: ledger.OwnerPerson, Owner: number, Asset: ledger.Points,
			Purpose: ledger.PurposePoints, Sub: s.world(world)*2 + uint32(s.state.RunningEpoch().Number&1)})
		return account
	}
	owner, assetCode, _ := strings.Cut(name, ".")
	assetCode, sub, _ := strings.Cut(assetCode, "/")
	asset, _ := s.state.Books().AssetByCode(assetCode)
	key := ledger.Key{Asset: asset, Sub: uint32(s.integer(sub))}
	switch owner {
	case "issuer":
		key.Purpose = ledger.PurposeIssuer
	case "treasury":
		key.Purpose = ledger.PurposeTreasury
	case "operator":
		key.Purpose = ledger.PurposeOperator
	default:
		key.OwnerKind, key.Owner = s.owner(owner)
	}
	number, _ := s.state.Books().Find(key)
	return number
}

func (s *script) hold(name string) uint64 {
	if number, isNumber := strings.CutPrefix(name, "#"); isNumber {
		return uint64(s.integer(number))
	}
	return s.holds[name]
}

// amount reads an amount in the asset of an account such as alice.GOLD.
func (s *script) amount(account, text string) int64 {
	scale := 6
	if n := s.state.Books().Account(s.account(account)); n != nil {
		scale = int(s.state.Books().Asset(n.Asset).Scale)
	}
	if text == "max" {
		return 1<<63 - 1
	}
	value, err := amount.Parse(text, scale)
	if err != nil {
		s.t.Fatalf("%q: %v", text, err)
	}
	return value
}

func (s *script) format(asset uint32, value int64) string {
	return amount.Format(value, int(s.state.Books().Asset(asset).Scale))
}

func (s *script) name(number uint64) string {
	key := s.state.Books().Account(number).Key
	asset := s.state.Books().Asset(key.Asset).Code
	owner := "bank"
	switch key.OwnerKind {
	case ledger.OwnerWorld:
		owner = s.state.World(uint32(key.Owner)).Code
	case ledger.OwnerPerson:
		id, _ := s.state.PersonID(key.Owner)
		owner = strings.TrimRight(string(id[:]), "\x00")
	}
	switch key.Purpose {
	case ledger.PurposeIssuer:
		return "issuer." + asset
	case ledger.PurposeTreasury:
		return "treasury." + asset
	case ledger.PurposePoints:
		return fmt.Sprintf("points:%s:%s", owner, s.state.World(key.Sub/2).Code)
	case ledger.PurposeReceivable:
		if key.Asset != ledger.Points {
			return fmt.Sprintf("receivable:%d.%s", key.Owner, asset)
		}
		return fmt.Sprintf("receivable:%d:%s", key.Owner, s.state.World(key.Sub).Code)
	case ledger.PurposeReceivableContra:
		return "receivable-contra"
	case ledger.PurposeClearing:
		return "clearing." + asset
	case ledger.PurposeGoods:
		return owner + "'s " + asset
	case ledger.PurposePayout:
		return "set-aside." + asset
	case ledger.PurposeOperator:
		return "operator." + asset
	}
	if key.Sub != 0 {
		return fmt.Sprintf("%s.%s/%d", owner, asset, key.Sub)
	}
	return owner + "." + asset
}

// describe says an answer as a bank clerk would.
func (s *script) describe(answer []byte, as string) (lines []string) {
	if refusal := bank.Refusal(answer[0]); refusal != bank.Accepted {
		line := "refused: " + refusal.String()
		if leg, ok := bank.RefusedLeg(answer); ok {
			line += fmt.Sprintf(" (leg %d)", leg)
		}
		if seq, index, ok := bank.RepeatOf(answer); ok {
			line = fmt.Sprintf("repeated: the answer is at %d/%d", seq, index)
		}
		return []string{line}
	}
	for fact, err := range bank.Facts(answer) {
		if err != nil {
			s.t.Fatal(err)
		}
		lines = append(lines, s.describeFact(fact, as))
	}
	if len(lines) == 0 {
		lines = []string{"accepted"}
	}
	return lines
}

func (s *script) describeFact(fact bank.Fact, as string) string {
	of := func(account uint64, value int64) string {
		return s.format(s.state.Books().Account(account).Asset, value)
	}
	micro := func(value int64) string { return amount.Format(value, 6) }
	switch f := fact.(type) {
	case bank.Posted:
		return fmt.Sprintf("posted %s %s: balance %s held %s", s.name(f.Account), of(f.Account, f.Amount), of(f.Account, f.Balance), of(f.Account, f.Held))
	case bank.AccountOpened:
		return "opened " + s.name(f.Account)
	case bank.HoldPlaced:
		if as != "" {
			s.holds[as] = f.Hold
		}
		return fmt.Sprintf("held %s on %s for %s: balance %s held %s", of(f.Account, f.Amount), s.name(f.Account), s.name(f.Beneficiary), of(f.Account, f.Balance), of(f.Account, f.Held))
	case bank.HoldReduced:
		end := [...]string{"settled", "released", "expired"}[f.End]
		return fmt.Sprintf("%s %s of a hold on %s, remaining %s: balance %s held %s", end, of(f.Account, f.Amount), s.name(f.Account), of(f.Account, f.Remaining), of(f.Account, f.Balance), of(f.Account, f.Held))
	case bank.AssetRegistered:
		return fmt.Sprintf("asset %d", f.Asset)
	case bank.WorldRegistered:
		return fmt.Sprintf("world %d", f.World)
	case bank.RetentionSet:
		return fmt.Sprintf("world %d keeps its events for %d days", f.World, f.Days)
	case bank.PersonRegistered:
		return fmt.Sprintf("person %d with %s", f.Person, s.name(f.TimeAccount))
	case bank.Minted:
		return fmt.Sprintf("minted: day %s revision %d, points %s, owed %s, epoch %d", micro(f.CumulativePointsMicro), f.Revision, micro(f.DeltaPointsMicro), micro(f.ReceivablePointsMicro), f.Epoch)
	case bank.EpochClosing:
		return fmt.Sprintf("epoch %d closing, %d accounts", f.Epoch, f.Accounts)
	case bank.EpochPaid:
		return fmt.Sprintf("epoch %d pays person %d of world %d: %s points, %s TIME", f.Epoch, f.Person, f.World, micro(f.PointsMicro), micro(f.TimeMicro))
	case bank.EpochClosed:
		return fmt.Sprintf("epoch %d closed: issued %s, of it to the treasury %s", f.Epoch, micro(f.IssuedMicro), micro(f.TreasuryMicro))
	case bank.ProductSet:
		return fmt.Sprintf("product %d %s at %s, sold %d", f.Number, f.Product.Code, micro(f.Product.PriceMicro), f.Product.Sold)
	case bank.Purchased:
		return fmt.Sprintf("purchase %d: person %d buys %d of product %d for %s, until %s", f.Purchase, f.Buyer, f.Quantity, f.Product, micro(f.TotalMicro), time.UnixMilli(f.UntilMS).UTC().Format(time.RFC3339))
	case bank.PurchaseEnded:
		return fmt.Sprintf("purchase %d %s", f.Purchase, f.Outcome)
	case bank.AllowanceSet, bank.AllowanceSpent, bank.OwnLimitsSet:
		return s.describePeopleFact(fact)
	case bank.ListingPlaced:
		return fmt.Sprintf("listing %d: person %d offers %d for %s", f.Listing, f.Seller, f.Quantity, micro(f.PriceMicro))
	case bank.ListingEnded:
		return fmt.Sprintf("listing %d over: buyer %d, price %s, royalty %s", f.Listing, f.Buyer, micro(f.PriceMicro), micro(f.RoyaltyMicro))
	case bank.EligibilityPublished:
		return fmt.Sprintf("eligibility %d", f.Version)
	case bank.StandingSet:
		line := fmt.Sprintf("person %d of tier %d may %s", f.Person, f.Standing.Tier, f.Standing.Features)
		if f.Standing.ExcludedUntilMS != 0 {
			line += ", spends nothing until " + time.UnixMilli(f.Standing.ExcludedUntilMS).UTC().Format(time.RFC3339)
		}
		return line
	}
	if line := s.describeTrade(fact, as); line != "" {
		return line
	}
	if line := s.describeOperatorFact(fact); line != "" {
		return line
	}
	return s.describeRedeem(fact)
}
