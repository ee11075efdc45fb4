package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) lag() HistoryLag {
	l := s.Lag()
	return HistoryLag{strconv.FormatUint(l.Records, 10), strconv.FormatInt(l.MS, 10)}
}

// owns reports whether a caller owns an account. What is held for a person in
// points is the person's too; what a person owes is the bank's.
func (s *server) owns(ctx context.Context, who identity.Principal, key ledger.Key) (bool, error) {
	switch key.OwnerKind {
	case ledger.OwnerWorld:
		return who.Kind == identity.Server && uint64(who.World) == key.Owner, nil
	case ledger.OwnerPerson:
		if who.Kind != identity.Person {
			return false, nil
		}
		number, found, err := s.personNumber(ctx, who.PersonID)
		return found && number == key.Owner, err
	}
	return false, nil
}

var purposes = [...]string{"main", "issuer", "treasury", "points", "receivable", "receivable_contra", "clearing", "held_back", "operator", "goods", "payout"}
var ownerKinds = [...]string{"bank", "world", "person"}

func accountOf(state *bank.State, number uint64) wire.Account {
	account := state.Books().Account(number)
	asset := state.Books().Asset(account.Asset)
	format := func(v int64) string { return amount.Format(v, int(asset.Scale)) }
	shown := wire.Account{
		Account: strconv.FormatUint(number, 10), OwnerKind: ownerKinds[account.OwnerKind], Asset: asset.Code, Purpose: purposes[account.Purpose],
		Balance: format(account.Balance), Held: format(account.Held),
	}
	switch account.OwnerKind {
	case ledger.OwnerWorld:
		shown.Owner = state.World(uint32(account.Owner)).Code
	case ledger.OwnerPerson:
		id, _ := state.PersonID(account.Owner)
		shown.Owner = personText(id)
	}
	if account.Purpose == ledger.PurposeMain {
		shown.Sub = account.Sub
	}
	if account.Purpose != ledger.PurposeIssuer && account.Purpose != ledger.PurposeReceivableContra {
		shown.Available = format(account.Available())
	}
	if account.Floor != 0 || account.CreditLimit != 0 {
		shown.Floor, shown.CreditLimit = format(account.Floor), format(account.CreditLimit)
	}
	return shown
}

// AccountPath names an account.
type AccountPath struct {
	Account string `path:"account" maxLength:"20"`
}

// readable returns an account's number and facts if a caller may see it. To
// others than the operator, accounts that are not theirs do not exist.
func (s *server) readable(ctx context.Context, who identity.Principal, text string) (uint64, accountFacts, error) {
	number, err := parseNumber("account", text)
	if err != nil {
		return 0, accountFacts{}, err
	}
	facts, found, err := s.accountFacts(ctx, number)
	if err != nil {
		return 0, facts, err
	}
	if who.Kind == identity.Operator {
		if !found {
			return 0, facts, notFound("account")
		}
		return number, facts, nil
	}
	owns, err := s.owns(ctx, who, facts.Key)
	if err != nil {
		return 0, facts, err
	}
	if !found || !owns {
		return 0, facts, forbidden("The account is not yours.")
	}
	return number, facts, nil
}

func (s *server) showAccount(ctx context.Context, number uint64) (*seen[wire.Account], error) {
	out := &seen[wire.Account]{}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		out.Sequence, out.Body = strconv.FormatUint(state.Seq(), 10), accountOf(state, number)
	})
	return out, err
}

func (s *server) changedAccount(ctx context.Context, number uint64, answer journal.Answer) (*answered[wire.Account], error) {
	shown, err := s.showAccount(ctx, number)
	if err != nil {
		return nil, err
	}
	return &answered[wire.Account]{replayed(answer), shown.Body}, nil
}

func (s *server) registerAccounts() {
	register(s, created("open-account", "POST", "/v1/accounts", "Open an account, or find the one that is open", "accounts"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewAccount
		}) (*answered[wire.Account], error) {
			command := bank.OpenAccount{Key: in.key(who, "open"), Sub: in.Body.Sub}
			if err := s.ownerOf(ctx, who, in.Body.World, in.Body.Person, &command); err != nil {
				return nil, err
			}
			err := s.Bank.Read(ctx, func(state *bank.State) { command.Asset, _ = state.Books().AssetByCode(in.Body.Asset) })
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			opened, _ := bank.First[bank.AccountOpened](answer.Bytes)
			return s.changedAccount(ctx, opened.Account, answer)
		})
	register(s, operation("get-account", "GET", "/v1/accounts/{account}", "An account and its balance", "accounts"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *AccountPath) (*seen[wire.Account], error) {
			number, _, err := s.readable(ctx, who, in.Account)
			if err != nil {
				return nil, err
			}
			return s.showAccount(ctx, number)
		})
	register(s, operation("set-account-limits", "PUT", "/v1/accounts/{account}/limits", "Set floor and credit limit of a world's account", "accounts"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			AccountPath
			Idempotent
			Body wire.Limits
		}) (*answered[wire.Account], error) {
			number, facts, err := s.readable(ctx, who, in.Account)
			if err != nil {
				return nil, err
			}
			command := bank.SetLimits{Key: in.key(who, "limits"), Account: number}
			if command.Floor, err = parseAmount("floor", in.Body.Floor, facts.scale); err != nil {
				return nil, err
			}
			if command.CreditLimit, err = parseAmount("credit_limit", in.Body.CreditLimit, facts.scale); err != nil {
				return nil, err
			}
			if shown, err := s.showAccount(ctx, number); err == nil {
				before(ctx, shown.Body)
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.changedAccount(ctx, number, answer)
		})
	register(s, operation("list-person-accounts", "GET", "/v1/people/{person}/accounts", "The accounts of a person, the oldest first", "accounts"), operator|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			PersonPath
			Page
		}) (*told[wire.Account], error) {
			subject, err := s.subject(ctx, who, in.Person)
			if err != nil {
				return nil, err
			}
			number, registered, err := s.personNumber(ctx, subject.Person)
			if err != nil || !registered {
				return &told[wire.Account]{s.lag(), wire.List[wire.Account]{Items: []wire.Account{}}}, err
			}
			return s.accountsOf(ctx, ledger.OwnerPerson, number, in.Page)
		})
	register(s, operation("list-world-accounts", "GET", "/v1/worlds/{world}/accounts", "The accounts of a world, the oldest first", "accounts"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Page
		}) (*told[wire.Account], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			return s.accountsOf(ctx, ledger.OwnerWorld, uint64(number), in.Page)
		})
	register(s, operation("get-statement", "GET", "/v1/accounts/{account}/statement", "The postings of an account, the newest first", "accounts"), operator|worldServer|person, s.statement)
}

// ownerOf fills in whose account is to be opened, if the caller may.
func (s *server) ownerOf(ctx context.Context, who identity.Principal, world, personID string, command *bank.OpenAccount) error {
	if (world == "") == (personID == "") {
		return invalid("owner", "expected world or person, one of them")
	}
	if world != "" {
		number, err := s.ownWorld(ctx, who, world)
		command.OwnerKind, command.Owner = ledger.OwnerWorld, uint64(number)
		return err
	}
	id, err := parsePerson(personID)
	if err != nil {
		return err
	}
	if who.Kind == identity.Server || who.Kind == identity.Person && who.PersonID != id {
		return forbidden("Accounts of a person are opened by the person or the operator.")
	}
	number, err := s.registered(ctx, id)
	command.OwnerKind, command.Owner = ledger.OwnerPerson, number
	return err
}

// accountsOf lists accounts out of history, with the balances that they have
// now.
func (s *server) accountsOf(ctx context.Context, kind ledger.OwnerKind, owner uint64, page Page) (*told[wire.Account], error) {
	after := uint64(0)
	if page.Cursor != "" {
		var err error
		if after, err = strconv.ParseUint(page.Cursor, 10, 63); err != nil {
			return nil, badCursor()
		}
	}
	rows, err := s.History.Accounts(ctx, kind, owner, after, page.Limit+1)
	if err != nil {
		return nil, err
	}
	rows, more := cut(rows, page.Limit)
	out := &told[wire.Account]{s.lag(), wire.List[wire.Account]{Items: make([]wire.Account, 0, len(rows))}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		for _, row := range rows {
			out.Body.Items = append(out.Body.Items, accountOf(state, row.Number))
		}
	})
	if more {
		out.Body.NextCursor = strconv.FormatUint(rows[len(rows)-1].Number, 10)
	}
	return out, err
}

func (s *server) statement(ctx context.Context, who identity.Principal, in *struct {
	AccountPath
	Page
	From string `query:"from" format:"date-time" doc:"At this time or later."`
	To   string `query:"to" format:"date-time" doc:"Before this time."`
}) (*told[wire.Entry], error) {
	number, facts, err := s.readable(ctx, who, in.Account)
	if err != nil {
		return nil, err
	}
	query := history.StatementQuery{Limit: in.Limit + 1}
	if query.FromMS, err = parseTime("from", in.From); err != nil {
		return nil, err
	}
	if query.ToMS, err = parseTime("to", in.To); err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		if query.Before, err = history.ParsePosition(in.Cursor); err != nil {
			return nil, badCursor()
		}
	}
	entries, err := s.History.Statement(ctx, number, query)
	if err != nil {
		return nil, err
	}
	entries, more := cut(entries, in.Limit)
	out := &told[wire.Entry]{s.lag(), wire.List[wire.Entry]{Items: []wire.Entry{}}}
	for _, e := range entries {
		out.Body.Items = append(out.Body.Items, wire.Entry{
			Time: timeText(e.TimeMS), Operation: e.Position.String(), Kind: e.Kind, Reference: e.Reference, Other: strconv.FormatUint(e.Other, 10),
			Amount: amount.Format(e.Amount, facts.scale), Balance: amount.Format(e.Balance, facts.scale),
		})
	}
	if more {
		out.Body.NextCursor = entries[len(entries)-1].Position.String()
	}
	return out, nil
}
