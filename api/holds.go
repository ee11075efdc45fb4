package api

import (
	"context"
	"errors"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

// HoldPath names a hold.
type HoldPath struct {
	Hold string `path:"hold" maxLength:"20"`
}

// GroupPath names a group of holds.
type GroupPath struct {
	Group string `path:"group" maxLength:"64"`
}

// ended is the input of what ends a group.
type ended struct {
	GroupPath
	Idempotent
	Body wire.Ending
}

// groupID turns a group's name into the id that the bank knows. Groups are of a
// world: whoever of the world places a hold in one lets the world's server
// settle or release it. The operator's groups are the operator's.
func groupID(who identity.Principal, name string) (id [16]byte) {
	if name == "" {
		return id
	}
	return Idempotent{name}.key(identity.Principal{World: who.World}, "hold-group")
}

func (s *server) registerHolds() {
	register(s, created("place-hold", "POST", "/v1/holds", "Reserve an amount of an account for another", "holds"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewHold
		}) (*answered[wire.Receipt], error) {
			account, facts, err := s.debitable(ctx, who, in.Body.Account)
			if err != nil {
				return nil, err
			}
			command := bank.PlaceHold{Key: in.key(who, "hold"), Reference: in.Body.Reference, Account: account, Group: groupID(who, in.Body.Group)}
			if command.Beneficiary, err = parseNumber("beneficiary", in.Body.Beneficiary); err != nil {
				return nil, err
			}
			if command.Amount, err = parseAmount("amount", in.Body.Amount, facts.scale); err != nil {
				return nil, err
			}
			if command.ExpiresAtMS, err = parseTime("expires", in.Body.Expires); err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, command.AppendTo(nil), in.Body.Reference)
		})
	register(s, operation("get-hold", "GET", "/v1/holds/{hold}", "A hold, and what of it is still held", "holds"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *HoldPath) (*body[wire.Hold], error) {
			number, hold, facts, err := s.hold(ctx, who, in.Hold, true)
			if err != nil {
				return nil, err
			}
			return &body[wire.Hold]{holdOf(number, hold, facts)}, nil
		})
	register(s, operation("settle-hold", "POST", "/v1/holds/{hold}/settle", "Pay what is held, or a part of it, to the beneficiary", "holds"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			HoldPath
			Idempotent
			Body wire.Settlement
		}) (*answered[wire.Receipt], error) {
			number, _, facts, err := s.hold(ctx, who, in.Hold, false)
			if err != nil {
				return s.endedBefore(ctx, who, in.Hold, in.key(who, "settle"), in.Body.Reference, err)
			}
			value, err := parseAmount("amount", in.Body.Amount, facts.scale)
			if err != nil {
				return nil, err
			}
			command := bank.SettleHold{Key: in.key(who, "settle"), Reference: in.Body.Reference, Hold: number, Amount: value, Final: in.Body.Final}
			return s.submitted(ctx, who, command.AppendTo(nil), in.Body.Reference)
		})
	register(s, operation("release-hold", "POST", "/v1/holds/{hold}/release", "Give back what is still held", "holds"), operator|worldServer|person,
		func(ctx context.Context, who identity.Principal, in *struct {
			HoldPath
			Idempotent
			Body wire.Ending
		}) (*answered[wire.Receipt], error) {
			number, _, _, err := s.hold(ctx, who, in.Hold, false)
			if err != nil {
				return s.endedBefore(ctx, who, in.Hold, in.key(who, "release"), in.Body.Reference, err)
			}
			return s.submitted(ctx, who, bank.ReleaseHold{Key: in.key(who, "release"), Reference: in.Body.Reference, Hold: number}.AppendTo(nil), in.Body.Reference)
		})
	register(s, operation("settle-group", "POST", "/v1/hold-groups/{group}/settle", "Pay all open holds of a group in whole, or none", "holds"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *ended) (*answered[wire.Receipt], error) {
			return s.submitted(ctx, who, bank.SettleGroup{Key: in.key(who, "settle-group"), Reference: in.Body.Reference, Group: groupID(who, in.Group)}.AppendTo(nil), in.Body.Reference)
		})
	register(s, operation("release-group", "POST", "/v1/hold-groups/{group}/release", "Release all open holds of a group", "holds"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *ended) (*answered[wire.Receipt], error) {
			return s.submitted(ctx, who, bank.ReleaseGroup{Key: in.key(who, "release-group"), Reference: in.Body.Reference, Group: groupID(who, in.Group)}.AppendTo(nil), in.Body.Reference)
		})
}

// hold returns a hold that a caller may act on. What is held was promised to
// the beneficiary: the beneficiary and the operator settle and release it, the
// debtor may look at it and gets it back by release or expiry. A hold that has
// ended is found too, so that a retry reaches its first answer: in the state
// until its place is used again, then among what this server remembers. Its
// number never names another hold.
func (s *server) hold(ctx context.Context, who identity.Principal, text string, toLook bool) (number uint64, hold ledger.Hold, facts accountFacts, err error) {
	if number, err = parseNumber("hold", text); err != nil {
		return 0, hold, facts, err
	}
	var refusal ledger.Refusal
	if err = s.Bank.Read(ctx, func(state *bank.State) { hold, refusal = state.Books().Hold(number) }); err != nil {
		return 0, hold, facts, err
	}
	remembered, isRemembered := s.holds.get(number)
	switch {
	case refusal == ledger.HoldNotFound && isRemembered:
		hold, hold.Amount = remembered, 0
	case refusal == ledger.HoldNotFound:
		return 0, hold, facts, notFound("hold; one that ended long ago is found by GET /v1/operations/{reference}")
	case !isRemembered:
		s.holds.put(number, hold)
	}
	if facts, _, err = s.accountFacts(ctx, hold.Account); err != nil {
		return 0, hold, facts, err
	}
	beneficiary, _, err := s.accountFacts(ctx, hold.Beneficiary)
	if err != nil {
		return 0, hold, facts, err
	}
	may, err := s.owns(ctx, who, beneficiary.Key)
	if err == nil && !may && toLook {
		may, err = s.owns(ctx, who, facts.Key)
	}
	if err != nil {
		return 0, hold, facts, err
	}
	if !may && who.Kind != identity.Operator {
		return 0, hold, facts, forbidden("The hold is not for you to end.")
	}
	return number, hold, facts, nil
}

// endedBefore answers a retry about a hold that nobody knows any more, because
// its place was used again and the server was restarted: with the first answer
// to its key, which only the same caller can have. Without one, fault stands.
func (s *server) endedBefore(ctx context.Context, who identity.Principal, text string, key bank.Key, reference string, fault error) (*answered[wire.Receipt], error) {
	var problem *Problem
	if !errors.As(fault, &problem) || problem.Code != "not_found" || key == (bank.Key{}) {
		return nil, fault
	}
	number, err := parseNumber("hold", text)
	if err != nil {
		return nil, err
	}
	var seq uint64
	var index uint32
	var found bool
	if err := s.Bank.Read(ctx, func(state *bank.State) { seq, index, found = state.FirstAnswer(key) }); err != nil {
		return nil, err
	}
	if !found {
		return nil, fault
	}
	answer, err := s.Bank.AnswerAt(ctx, seq, index)
	if err != nil {
		return nil, err
	}
	if answer.Repeated = true; answer.Refusal != bank.Accepted {
		return nil, refusalProblem(answer)
	}
	if ended, ok := bank.First[bank.HoldReduced](answer.Bytes); !ok || ended.Hold != number {
		return nil, refusalProblem(journal.Answer{Seq: seq, Index: index, Refusal: bank.KeyReused})
	}
	return s.receipt(ctx, who, answer, reference)
}
