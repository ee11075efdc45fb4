package api

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerTransfers() {
	register(s, created("create-transfer", "POST", "/v1/transfers", "Transfer between accounts, all legs or none", "transfers"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.Transfer
		}) (*answered[wire.Receipt], error) {
			command, err := s.transferCommand(ctx, who, in.key(who, "transfer"), in.Body)
			if err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, command, in.Body.Reference)
		})
	register(s, operation("create-transfers", "POST", "/v1/transfers/batch", "Up to 1000 independent transfers, each with its own answer", "transfers"), operator|worldServer, s.transferBatch)
	register(s, operation("get-operation", "GET", "/v1/operations/{reference}", "Everything of one business operation, the oldest first", "transfers"), operator|worldServer|person, s.operations)
}

// transferCommand reads a transfer and checks that the caller may debit the
// accounts. A person debits their own, a world's server its world's, an
// operator the bank's and the worlds': nobody but a person debits a person.
func (s *server) transferCommand(ctx context.Context, who identity.Principal, key bank.Key, t wire.Transfer) ([]byte, error) {
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

func (s *server) transferBatch(ctx context.Context, who identity.Principal, in *struct {
	Idempotent
	Body wire.Transfers
}) (*body[wire.List[wire.Receipt]], error) {
	out := &body[wire.List[wire.Receipt]]{wire.List[wire.Receipt]{Items: make([]wire.Receipt, len(in.Body.Transfers))}}
	var commands [][]byte
	var places []int
	for i, t := range in.Body.Transfers {
		out.Body.Items[i] = wire.Receipt{Reference: t.Reference, Postings: []wire.Posting{}}
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
		commands, places = append(commands, actOf(ctx, command)), append(places, i)
	}
	answers, err := s.Bank.Submit(ctx, commands...)
	if err != nil {
		return nil, err
	}
	for n, answer := range answers {
		item := &out.Body.Items[places[n]]
		if answer.Refusal != bank.Accepted {
			item.Problem, item.Replayed = refusalProblem(answer), answer.Repeated
			continue
		}
		shown, err := s.receipt(ctx, who, answer, item.Reference)
		if err != nil {
			return nil, err
		}
		*item = shown.Body
		item.Replayed = answer.Repeated
	}
	return out, nil
}

// operations finds a business operation. Others than the operator see of it
// what touches their own accounts.
func (s *server) operations(ctx context.Context, who identity.Principal, in *struct {
	Page
	Reference string `path:"reference" maxLength:"64"`
}) (*told[wire.Operation], error) {
	var after history.Position
	if in.Cursor != "" {
		var err error
		if after, err = history.ParsePosition(in.Cursor); err != nil {
			return nil, badCursor()
		}
	}
	transactions, err := s.History.OfReference(ctx, in.Reference, after.Seq, after.Index, in.Limit+1)
	if err != nil {
		return nil, err
	}
	transactions, more := cut(transactions, in.Limit)
	out := &told[wire.Operation]{s.lag(), wire.List[wire.Operation]{Items: []wire.Operation{}}}
	for _, t := range transactions {
		d, err := s.deedOf(ctx, who, t.Answer)
		if err != nil {
			return nil, err
		}
		shown := wire.Operation{Operation: history.Position{Seq: t.Seq, Index: t.Index}.String(), Time: timeText(t.TimeMS), Kind: t.Kind, Reference: t.Reference, Postings: []wire.Posting{}}
		for _, p := range d.postings {
			if p.own {
				shown.Postings = append(shown.Postings, p.Posting)
			}
		}
		for _, hold := range d.holds {
			if own, err := s.seesHold(ctx, who, hold); err != nil {
				return nil, err
			} else if own {
				shown.Holds = append(shown.Holds, hold)
			}
		}
		if who.Kind == identity.Operator || len(shown.Postings)+len(shown.Holds) > 0 {
			out.Body.Items = append(out.Body.Items, shown)
		}
	}
	if more {
		last := transactions[len(transactions)-1]
		out.Body.NextCursor = history.Position{Seq: last.Seq, Index: last.Index}.String()
	}
	return out, nil
}

// seesHold reports whether a hold is of an account, or for one, that the
// caller may see.
func (s *server) seesHold(ctx context.Context, who identity.Principal, hold wire.Hold) (bool, error) {
	for _, text := range []string{hold.Account, hold.Beneficiary} {
		number, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			continue // whom a hold was for may have been forgotten
		}
		if _, own, err := s.sees(ctx, who, number); err != nil || own {
			return own, err
		}
	}
	return false, nil
}
