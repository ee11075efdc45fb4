package api

import (
	"context"
	"net/http"
	"strconv"
	"sync"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
)

// Account is an account as the API shows it.
type Account struct {
	Account     string `json:"account"`
	OwnerKind   string `json:"owner_kind" enum:"bank,world,person"`
	Owner       string `json:"owner,omitempty" doc:"Code of the world or id of the person."`
	Asset       string `json:"asset"`
	Purpose     string `json:"purpose"`
	Sub         uint32 `json:"sub,omitempty"`
	Balance     string `json:"balance"`
	Held        string `json:"held" doc:"Sum of the open holds."`
	Available   string `json:"available,omitempty" doc:"What can be transferred or held; absent for issuers, which have no bound."`
	Floor       string `json:"floor,omitempty"`
	CreditLimit string `json:"credit_limit,omitempty"`
}

// Entry is a line of a statement.
type Entry struct {
	Time      string `json:"time"`
	Operation string `json:"operation" doc:"Position of the command in the journal."`
	Kind      string `json:"kind"`
	Reference string `json:"reference,omitempty"`
	Other     string `json:"other_account"`
	Amount    string `json:"amount" doc:"Below zero leaves the account."`
	Balance   string `json:"balance"`
}

// lag says how far what is read from history is behind the bank.
type HistoryLag struct {
	Records      string `header:"X-History-Lag-Records"`
	Milliseconds string `header:"X-History-Lag-Ms"`
}

func (s *server) lag() HistoryLag {
	l := s.Lag()
	return HistoryLag{strconv.FormatUint(l.Records, 10), strconv.FormatInt(l.MS, 10)}
}

// accountCache remembers what never changes of an account: its key, and its
// asset's code and scale.
type accountCache struct {
	mu    sync.RWMutex
	known map[uint64]accountFacts
}

type accountFacts struct {
	ledger.Key
	asset string
	scale int
}

const maxCachedAccounts = 1_000_000

func (s *server) accountFacts(ctx context.Context, number uint64) (facts accountFacts, found bool, err error) {
	s.accounts.mu.RLock()
	facts, found = s.accounts.known[number]
	s.accounts.mu.RUnlock()
	if found {
		return facts, true, nil
	}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		if account := state.Books().Account(number); account != nil {
			asset := state.Books().Asset(account.Asset)
			facts, found = accountFacts{account.Key, asset.Code, int(asset.Scale)}, true
		}
	})
	if err != nil || !found {
		return facts, false, err
	}
	s.accounts.mu.Lock()
	if len(s.accounts.known) >= maxCachedAccounts || s.accounts.known == nil {
		s.accounts.known = map[uint64]accountFacts{}
	}
	s.accounts.known[number] = facts
	s.accounts.mu.Unlock()
	return facts, true, nil
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
		var number uint64
		var found bool
		err := s.Bank.Read(ctx, func(state *bank.State) { number, found = state.PersonByID(who.PersonID) })
		return found && number == key.Owner, err
	}
	return false, nil
}

var purposes = [...]string{"main", "issuer", "treasury", "points", "receivable", "receivable_contra"}
var ownerKinds = [...]string{"bank", "world", "person"}

func accountOf(state *bank.State, number uint64) Account {
	account := state.Books().Account(number)
	asset := state.Books().Asset(account.Asset)
	format := func(v int64) string { return amount.Format(v, int(asset.Scale)) }
	shown := Account{
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

func (s *server) showAccount(ctx context.Context, number uint64) (*body[Account], error) {
	out := &body[Account]{}
	err := s.Bank.Read(ctx, func(state *bank.State) { out.Body = accountOf(state, number) })
	return out, err
}

func (s *server) registerAccounts() {
	register(s, created("open-account", "POST", "/v1/accounts", "Open an account, or find the one that is open", "accounts"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body struct {
				World  string `json:"world,omitempty" doc:"Owner, if it is a world."`
				Person string `json:"person,omitempty" doc:"Owner, if it is a person."`
				Asset  string `json:"asset"`
				Sub    uint32 `json:"sub,omitempty" maximum:"999" doc:"Tells several accounts of one owner and asset apart."`
			}
		}) (*body[Account], error) {
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
			return s.showAccount(ctx, opened.Account)
		})
	register(s, operation("get-account", "GET", "/v1/accounts/{account}", "An account and its balance", "accounts"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *AccountPath) (*body[Account], error) {
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
			Body struct {
				Floor       string `json:"floor" doc:"What must stay in the account."`
				CreditLimit string `json:"credit_limit" doc:"What may be owed."`
			}
		}) (*body[Account], error) {
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
			if _, err := s.submit(ctx, command.AppendTo(nil)); err != nil {
				return nil, err
			}
			return s.showAccount(ctx, number)
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
	number, err := s.personNumber(ctx, id)
	command.OwnerKind, command.Owner = ledger.OwnerPerson, number
	return err
}

func (s *server) statement(ctx context.Context, who identity.Principal, in *struct {
	AccountPath
	From   string `query:"from" format:"date-time" doc:"At this time or later."`
	To     string `query:"to" format:"date-time" doc:"Before this time."`
	Cursor string `query:"cursor" maxLength:"64"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct {
	HistoryLag
	Body list[Entry]
}, error) {
	number, facts, err := s.readable(ctx, who, in.Account)
	if err != nil {
		return nil, err
	}
	query := history.StatementQuery{Limit: in.Limit}
	if query.FromMS, err = parseTime("from", in.From); err != nil {
		return nil, err
	}
	if query.ToMS, err = parseTime("to", in.To); err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		if query.Before, err = history.ParsePosition(in.Cursor); err != nil {
			return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Detail: "cursor: " + err.Error()}
		}
	}
	entries, err := s.History.Statement(ctx, number, query)
	if err != nil {
		return nil, err
	}
	out := &struct {
		HistoryLag
		Body list[Entry]
	}{HistoryLag: s.lag(), Body: list[Entry]{Items: []Entry{}}}
	for _, e := range entries {
		out.Body.Items = append(out.Body.Items, Entry{
			Time: timeText(e.TimeMS), Operation: e.Position.String(), Kind: e.Kind, Reference: e.Reference, Other: strconv.FormatUint(e.Other, 10),
			Amount: amount.Format(e.Amount, facts.scale), Balance: amount.Format(e.Balance, facts.scale),
		})
	}
	if len(entries) == in.Limit {
		out.Body.NextCursor = entries[len(entries)-1].Position.String()
	}
	return out, nil
}
