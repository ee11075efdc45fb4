package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
)

// Leg moves an amount from one account to another.
type Leg struct {
	From   string `json:"from" maxLength:"20"`
	To     string `json:"to" maxLength:"20"`
	Amount string `json:"amount" maxLength:"40"`
}

// Transfer is one or more legs, carried out together or not at all.
type Transfer struct {
	Reference string `json:"reference,omitempty" maxLength:"64" doc:"Names the business operation; everything of it is found by GET /v1/operations/{reference}."`
	Legs      []Leg  `json:"legs" minItems:"1" maxItems:"1000"`
}

// Posting is a change of an account, and what the account came to by it.
type Posting struct {
	Account string `json:"account"`
	Amount  string `json:"amount"`
	Balance string `json:"balance"`
	Held    string `json:"held"`
}

// Receipt is the answer to what changed accounts.
type Receipt struct {
	Operation string    `json:"operation" doc:"Position of the command in the journal."`
	Reference string    `json:"reference,omitempty"`
	Postings  []Posting `json:"postings"`
	Hold      *Hold     `json:"hold,omitempty"`
	Problem   *Problem  `json:"problem,omitempty" doc:"In a batch: why this one was refused."`
}

type receipt struct {
	Replayed
	Body Receipt
}

// Operation is a command of the past with its postings.
type Operation struct {
	Operation string    `json:"operation"`
	Time      string    `json:"time"`
	Kind      string    `json:"kind"`
	Reference string    `json:"reference,omitempty"`
	Postings  []Posting `json:"postings"`
}

func (s *server) registerTransfers() {
	register(s, created("create-transfer", "POST", "/v1/transfers", "Transfer between accounts, all legs or none", "transfers"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body Transfer
		}) (*receipt, error) {
			command, err := s.transferCommand(ctx, who, in.key(who, "transfer"), in.Body)
			if err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command)
			if err != nil {
				return nil, err
			}
			return s.receipt(ctx, answer, in.Body.Reference)
		})
	register(s, operation("create-transfers", "POST", "/v1/transfers/batch", "Up to 1000 independent transfers, each with its own answer", "transfers"), operator|worldServer, s.transferBatch)
	register(s, operation("get-operation", "GET", "/v1/operations/{reference}", "Everything of one business operation, the oldest first", "transfers"), operator|worldServer|person, s.operations)
}

// transferCommand reads a transfer and checks that the caller may debit the
// accounts. A person debits their own, a world's server its world's, an
// operator the bank's and the worlds': nobody but a person debits a person.
func (s *server) transferCommand(ctx context.Context, who identity.Principal, key bank.Key, t Transfer) ([]byte, error) {
	transfer := bank.Transfer{Key: key, Reference: t.Reference, Legs: make([]ledger.Leg, len(t.Legs))}
	for i, leg := range t.Legs {
		from, facts, err := s.debitable(ctx, who, leg.From)
		if err != nil {
			return nil, err
		}
		to, err := parseNumber("account to credit", leg.To)
		if err != nil {
			return nil, err
		}
		value, err := parseAmount(fmt.Sprintf("legs[%d].amount", i), leg.Amount, facts.scale)
		if err != nil {
			return nil, err
		}
		transfer.Legs[i] = ledger.Leg{Debit: from, Credit: to, Amount: value}
	}
	return transfer.AppendTo(nil), nil
}

func (s *server) debitable(ctx context.Context, who identity.Principal, text string) (uint64, accountFacts, error) {
	number, err := parseNumber("account to debit", text)
	if err != nil {
		return 0, accountFacts{}, err
	}
	facts, found, err := s.accountFacts(ctx, number)
	if err != nil {
		return 0, facts, err
	}
	may := who.Kind == identity.Operator && found && facts.OwnerKind != ledger.OwnerPerson
	if !may && found {
		if may, err = s.owns(ctx, who, facts.Key); err != nil {
			return 0, facts, err
		}
	}
	if !found && who.Kind == identity.Operator {
		return 0, facts, notFound("account to debit")
	}
	if !may {
		return 0, facts, forbidden("Account " + text + " is not yours to debit.")
	}
	return number, facts, nil
}

// receipt shows the facts of an answer.
func (s *server) receipt(ctx context.Context, answer journal.Answer, reference string) (*receipt, error) {
	out := &receipt{Replayed: replayedOf(answer), Body: Receipt{
		Operation: history.Position{Seq: answer.Seq, Index: answer.Index}.String(), Reference: reference, Postings: []Posting{},
	}}
	for fact, err := range bank.Facts(answer.Bytes) {
		if err != nil {
			return nil, err
		}
		switch f := fact.(type) {
		case bank.Posted:
			facts, _, err := s.accountFacts(ctx, f.Account)
			if err != nil {
				return nil, err
			}
			out.Body.Postings = append(out.Body.Postings, postingOf(f, facts.scale))
		case bank.HoldPlaced:
			facts, _, err := s.accountFacts(ctx, f.Account)
			if err != nil {
				return nil, err
			}
			out.Body.Hold = &Hold{
				Hold: strconv.FormatUint(f.Hold, 10), Account: strconv.FormatUint(f.Account, 10), Beneficiary: strconv.FormatUint(f.Beneficiary, 10),
				Asset: facts.asset, Remaining: amount.Format(f.Amount, facts.scale), Expires: timeText(f.ExpiresAtMS),
			}
		case bank.HoldReduced:
			facts, _, err := s.accountFacts(ctx, f.Account)
			if err != nil {
				return nil, err
			}
			out.Body.Hold = &Hold{Hold: strconv.FormatUint(f.Hold, 10), Account: strconv.FormatUint(f.Account, 10), Asset: facts.asset, Remaining: amount.Format(f.Remaining, facts.scale)}
		}
	}
	return out, nil
}

func postingOf(f bank.Posted, scale int) Posting {
	return Posting{Account: strconv.FormatUint(f.Account, 10), Amount: amount.Format(f.Amount, scale), Balance: amount.Format(f.Balance, scale), Held: amount.Format(f.Held, scale)}
}

func (s *server) transferBatch(ctx context.Context, who identity.Principal, in *struct {
	Idempotent
	Body struct {
		Transfers []Transfer `json:"transfers" minItems:"1" maxItems:"1000"`
	}
}) (*body[list[Receipt]], error) {
	out := &body[list[Receipt]]{Body: list[Receipt]{Items: make([]Receipt, len(in.Body.Transfers))}}
	var commands [][]byte
	var places []int
	for i, t := range in.Body.Transfers {
		out.Body.Items[i] = Receipt{Reference: t.Reference, Postings: []Posting{}}
		key := bank.Key{}
		if in.IdempotencyKey != "" {
			key = Idempotent{in.IdempotencyKey + "/" + strconv.Itoa(i)}.key(who, "transfers")
		}
		command, err := s.transferCommand(ctx, who, key, t)
		if err != nil {
			out.Body.Items[i].Problem = problemOf(err)
			if out.Body.Items[i].Problem.Status >= http.StatusInternalServerError {
				return nil, err
			}
			continue
		}
		commands, places = append(commands, command), append(places, i)
	}
	answers, err := s.Bank.Submit(ctx, commands...)
	if err != nil {
		return nil, err
	}
	for n, answer := range answers {
		item := &out.Body.Items[places[n]]
		if answer.Refusal != bank.Accepted {
			item.Problem = refusalProblem(answer)
			continue
		}
		shown, err := s.receipt(ctx, answer, item.Reference)
		if err != nil {
			return nil, err
		}
		*item = shown.Body
	}
	return out, nil
}

// operations finds a business operation. Others than the operator see of it
// what touches their own accounts.
func (s *server) operations(ctx context.Context, who identity.Principal, in *struct {
	Reference string `path:"reference" maxLength:"64"`
	Cursor    string `query:"cursor" maxLength:"64"`
	Limit     int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*struct {
	HistoryLag
	Body list[Operation]
}, error) {
	var after history.Position
	if in.Cursor != "" {
		var err error
		if after, err = history.ParsePosition(in.Cursor); err != nil {
			return nil, invalid("cursor", "%v", err)
		}
	}
	transactions, err := s.History.OfReference(ctx, in.Reference, after.Seq, after.Index, in.Limit)
	if err != nil {
		return nil, err
	}
	out := &struct {
		HistoryLag
		Body list[Operation]
	}{HistoryLag: s.lag(), Body: list[Operation]{Items: []Operation{}}}
	for _, t := range transactions {
		shown := Operation{Operation: history.Position{Seq: t.Seq, Index: t.Index}.String(), Time: timeText(t.TimeMS), Kind: t.Kind, Reference: t.Reference, Postings: []Posting{}}
		for fact, err := range bank.Facts(t.Answer) {
			if err != nil {
				return nil, err
			}
			posted, isPosting := fact.(bank.Posted)
			if !isPosting {
				continue
			}
			facts, _, err := s.accountFacts(ctx, posted.Account)
			if err != nil {
				return nil, err
			}
			visible := who.Kind == identity.Operator
			if !visible {
				if visible, err = s.owns(ctx, who, facts.Key); err != nil {
					return nil, err
				}
			}
			if visible {
				shown.Postings = append(shown.Postings, postingOf(posted, facts.scale))
			}
		}
		if who.Kind == identity.Operator || len(shown.Postings) > 0 {
			out.Body.Items = append(out.Body.Items, shown)
		}
	}
	if len(transactions) == in.Limit {
		last := transactions[len(transactions)-1]
		out.Body.NextCursor = history.Position{Seq: last.Seq, Index: last.Index}.String()
	}
	return out, nil
}
