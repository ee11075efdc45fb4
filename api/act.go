package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

// proposalMS is how long a proposal stays open: three days.
const proposalMS = 3 * 24 * 60 * 60 * 1000

type actKey struct{}

// act is what an operator is doing in the running request. It goes into the
// journal with the command that does it, or before what is done beside the
// bank.
type act struct {
	bank.Act
	noted bool // stands in the journal by itself already
}

// audited says how an operation leaves its trail.
type audited struct {
	applies bool
	// beside: what it does is no command of the bank, so it is noted before.
	beside bool
}

// auditOf reads from an operation how it leaves its trail: one that takes an
// Idempotency-Key gives the bank a command, any other that changes something
// does it elsewhere.
func auditOf[I any](op *huma.Operation, allowed role) audited {
	if allowed&operator == 0 || op.Method == http.MethodGet {
		return audited{}
	}
	if slices.Contains(twoPersonOperations, op.OperationID) {
		op.Description = strings.TrimSpace(op.Description + " Where two operators are needed, an operator's call is answered 202 with a proposal, which another operator approves.")
	}
	_, keyed := typeOf[I]().FieldByName("IdempotencyKey")
	return audited{applies: true, beside: !keyed && !slices.Contains(unkeyedCommands, op.OperationID)}
}

// twoPersonOperations are those that may be answered 202, with a proposal.
var twoPersonOperations = []string{
	"set-monetary-policy", "set-world-share", "set-account-limits", "create-transfer", "place-hold", "settle-hold", "settle-group",
	"admit-operator", "remove-operator", "set-payout-rate",
}

// unkeyedCommands give the bank a command and take no Idempotency-Key, because
// they name what is to be so.
var unkeyedCommands = []string{"remove-operator", "approve-proposal", "reject-proposal", "set-rate-limit", "import-payout-report"}

// targetOf names what an operation is about, by the ids in its path. What a
// world calls its users is not among them: the journal is for ever.
func targetOf(ctx huma.Context) string {
	var parts []string
	for _, p := range ctx.Operation().Parameters {
		if p.In == "path" && p.Name != "user_id" {
			parts = append(parts, p.Name+"="+strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return '?'
				}
				return r
			}, ctx.Param(p.Name)))
		}
	}
	target := strings.Join(parts, " ")
	return target[:min(len(target), 255)]
}

// beginAct completes what the trail says of a call, and notes it in the journal
// if nothing else will.
func (s *server) beginAct(ctx context.Context, who identity.Principal, audit audited, in any) (context.Context, error) {
	a, _ := ctx.Value(actKey{}).(*act)
	if a == nil || !audit.applies {
		return ctx, nil
	}
	a.Actor, a.After = actorOf(who), bodyText(in)
	if !audit.beside {
		return ctx, nil
	}
	a.noted = true
	return ctx, s.note(ctx, a.Act)
}

func actorOf(who identity.Principal) bank.Actor {
	actor := bank.Actor{Operator: uint32(who.Subject)}
	if id, err := hex.DecodeString(strings.TrimPrefix(who.KeyID, "key_")); err == nil {
		copy(actor.Credential[:], id)
	}
	return actor
}

func (s *server) note(ctx context.Context, a bank.Act) error {
	answers, err := s.Bank.Submit(ctx, a.AppendTo(nil))
	if err == nil && answers[0].Refusal != bank.Accepted {
		err = refusalProblem(answers[0])
	}
	return err
}

// failedAct turns an error into what is answered, and says on the trail that
// what stands there was not done. A refusal by the bank stands there already.
func (s *server) failedAct(ctx context.Context, operation string, err error) error {
	if made, isProposal := err.(*proposedAct); isProposal {
		return made
	}
	problem := s.problem(operation, err)
	if a, _ := ctx.Value(actKey{}).(*act); a != nil && a.noted {
		failed := a.Act
		failed.After = fmt.Sprintf(`{"failed":%q}`, problem.Code)
		if err := s.note(context.WithoutCancel(ctx), failed); err != nil {
			return s.problem(operation, err)
		}
	}
	return problem
}

// withheld are members of bodies that the journal must not keep for ever:
// texts in which people may be named, and secrets.
var withheld = []string{"label", "url", "secret", "user_id", "statement", "country", "age", "report"}

// bodyText is a request's body as the trail shows it; of a long one its hash.
func bodyText(in any) string {
	field := reflect.ValueOf(in).Elem().FieldByName("Body")
	if !field.IsValid() {
		return ""
	}
	text, err := json.Marshal(field.Interface())
	if err != nil {
		return ""
	}
	var members map[string]any
	if json.Unmarshal(text, &members) == nil {
		for _, name := range withheld {
			delete(members, name)
		}
		if text, err = json.Marshal(members); err != nil {
			return ""
		}
	}
	if len(text) > bank.MaxActBytes {
		return fmt.Sprintf(`{"bytes":%d,"sha256":"%x"}`, len(text), sha256.Sum256(text))
	}
	return string(text)
}

// before says on the trail how it was.
func before(ctx context.Context, was any) {
	if a, _ := ctx.Value(actKey{}).(*act); a != nil {
		if text, err := json.Marshal(was); err == nil && len(text) <= bank.MaxActBytes {
			a.Before = string(text)
		}
	}
}

// actOf returns a command with what the trail says of it; commands of others
// than operators stay as they are.
func actOf(ctx context.Context, command []byte) []byte {
	a, _ := ctx.Value(actKey{}).(*act)
	if a == nil {
		return command
	}
	signed := a.Act
	signed.Command = command
	return signed.AppendTo(nil)
}

// actOn does the same, and makes a proposal of a command that takes two.
func (s *server) actOn(ctx context.Context, command []byte) (signed []byte, proposes bool, err error) {
	if a, _ := ctx.Value(actKey{}).(*act); a == nil {
		return command, false, nil
	}
	if err := s.Bank.Read(ctx, func(state *bank.State) { proposes = state.NeedsTwo(command) && !state.IsRepeat(command) }); err != nil {
		return nil, false, err
	}
	if proposes {
		// The proposal takes the key over: what is carried out later has none.
		inner := slices.Clone(command)
		proposal := bank.Propose{ValidMS: proposalMS}
		copy(proposal.Key[:], inner[1:])
		clear(inner[1 : 1+len(proposal.Key)])
		proposal.Command = inner
		command = proposal.AppendTo(nil)
	}
	return actOf(ctx, command), proposes, nil
}

// proposedAct answers a call that waits for a second operator.
type proposedAct struct{ wire.Proposal }

// Error implements error: huma answers any other status than an operation's
// own that way.
func (p *proposedAct) Error() string { return "a second operator has to approve proposal " + p.Number }

// GetStatus implements huma.StatusError.
func (p *proposedAct) GetStatus() int { return http.StatusAccepted }

func (s *server) proposed(ctx context.Context, answer journal.Answer) error {
	made, _ := bank.First[bank.ProposalMade](answer.Bytes)
	shown, err := s.showProposal(ctx, made.Proposal)
	if err != nil {
		return err
	}
	return &proposedAct{shown}
}
