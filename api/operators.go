package api

import (
	"context"
	"encoding/hex"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// registerOperators adds who runs the bank.
func (s *server) registerOperators() {
	register(s, operation("list-operators", "GET", "/v1/operators", "Those who run the bank, and whether two are needed", "operators"), operator,
		func(ctx context.Context, who identity.Principal, _ *struct{}) (*body[wire.Operators], error) {
			return s.operators(ctx, who)
		})
	admit := operation("admit-operator", "POST", "/v1/operators", "Admit an operator, or a further key of one, by the key's hash", "operators")
	admit.Description = "Whoever is admitted makes the key (`attentionbank operator-key`) and hands over its hash; nobody else sees the key. With a second operator, two are needed from then on for λ, budgets, accounts by hand and operators."
	register(s, admit, operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewOperator
		}) (*answered[wire.Operators], error) {
			command := bank.AdmitOperator{Key: in.key(who, "admit"), Name: in.Body.Name}
			hash, err := hex.DecodeString(in.Body.KeyHash)
			if err != nil || len(hash) != 32 {
				return nil, invalid("key_hash", "expected the SHA-256 of the key, 64 hexadecimal digits")
			}
			copy(command.KeyHash[:], hash)
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err == nil {
				err = s.followOperators(ctx)
			}
			if err != nil {
				return nil, err
			}
			shown, err := s.operators(ctx, who)
			if err != nil {
				return nil, err
			}
			return &answered[wire.Operators]{replayed(answer), shown.Body}, nil
		})
	register(s, operation("remove-operator", "DELETE", "/v1/operators/{operator}", "End what an operator may do, and revoke the keys", "operators"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Operator uint32 `path:"operator"`
		}) (*body[wire.Operators], error) {
			_, err := s.submit(ctx, bank.RemoveOperator{Operator: in.Operator}.AppendTo(nil))
			if refused, isProblem := err.(*Problem); isProblem && refused.Code == bank.OperatorNotFound.String() {
				err = s.removedBefore(ctx, in.Operator)
			}
			if err == nil {
				err = s.followOperators(ctx)
			}
			if err != nil {
				return nil, err
			}
			return s.operators(ctx, who)
		})
}

// removedBefore lets a call be repeated that was cut off.
func (s *server) removedBefore(ctx context.Context, number uint32) error {
	var removed bool
	err := s.Bank.Read(ctx, func(state *bank.State) {
		list := state.Operators()
		removed = int(number) < len(list) && list[number].Removed
	})
	if err == nil && !removed {
		err = notFound("operator")
	}
	return err
}

// followOperators gives and takes keys as the bank has decided. It may be
// repeated, and is by every call about operators: one may have been cut off
// behind the bank.
func (s *server) followOperators(ctx context.Context) error {
	var list []bank.Operator
	var admitted []bank.OperatorAdmitted
	if err := s.Bank.Read(ctx, func(state *bank.State) { list, admitted = state.Operators(), state.OperatorKeys() }); err != nil {
		return err
	}
	for _, key := range admitted {
		if list[key.Operator].Removed {
			continue
		}
		if err := s.Identity.AdmitKey(ctx, identity.Principal{Kind: identity.Operator, Subject: uint64(key.Operator)}, key.KeyHash, ""); err != nil {
			return err
		}
	}
	for number, some := range list {
		if !some.Removed {
			continue
		}
		keys, err := s.Identity.Keys(ctx, identity.Principal{Kind: identity.Operator, Subject: uint64(number)})
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := s.Identity.Revoke(ctx, key.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *server) operators(ctx context.Context, who identity.Principal) (*body[wire.Operators], error) {
	out := &body[wire.Operators]{wire.Operators{Items: []wire.Operator{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		out.Body.TwoPersons = state.TwoPersons()
		for number, some := range state.Operators() {
			out.Body.Items = append(out.Body.Items, wire.Operator{
				Operator: uint32(number), Name: some.Name, Added: timeText(some.AddedMS), Removed: some.Removed, You: uint64(number) == who.Subject,
			})
		}
	})
	return out, err
}

// ownersOf returns the operators as owners of keys.
func (s *server) ownersOf(ctx context.Context) (owners []identity.Principal, err error) {
	err = s.Bank.Read(ctx, func(state *bank.State) {
		for number := range state.Operators() {
			owners = append(owners, identity.Principal{Kind: identity.Operator, Subject: uint64(number)})
		}
	})
	return owners, err
}

// ProposalPath names a proposal.
type ProposalPath struct {
	Proposal string `path:"proposal" maxLength:"20"`
}

// registerProposals adds what waits for a second operator.
func (s *server) registerProposals() {
	register(s, operation("list-proposals", "GET", "/v1/proposals", "What waits for a second operator, and what did, the newest first", "operators"), operator, s.listProposals)
	register(s, operation("get-proposal", "GET", "/v1/proposals/{proposal}", "A proposal", "operators"), operator,
		func(ctx context.Context, _ identity.Principal, in *ProposalPath) (*body[wire.Proposal], error) {
			number, err := parseNumber("proposal", in.Proposal)
			if err != nil {
				return nil, err
			}
			shown, err := s.showProposal(ctx, number)
			return &body[wire.Proposal]{shown}, err
		})
	for _, end := range []struct {
		id, verb, summary string
		approve           bool
	}{
		{"approve-proposal", "approve", "Carry out what another operator has proposed", true},
		{"reject-proposal", "reject", "End a proposal, your own or another's, without carrying it out", false},
	} {
		register(s, operation(end.id, "POST", "/v1/proposals/{proposal}/"+end.verb, end.summary, "operators"), operator,
			func(ctx context.Context, who identity.Principal, in *ProposalPath) (*body[wire.Proposal], error) {
				return s.endProposal(ctx, who, in.Proposal, end.approve)
			})
	}
}

// endProposal ends a proposal. Whoever has ended it the same way before is
// answered the same.
func (s *server) endProposal(ctx context.Context, who identity.Principal, text string, approve bool) (*body[wire.Proposal], error) {
	number, err := parseNumber("proposal", text)
	if err != nil {
		return nil, err
	}
	command, wanted := bank.EndProposal{Proposal: number, Approve: approve}, bank.ProposalRejected
	if approve {
		wanted = bank.ProposalApproved
	}
	var before bool
	err = s.Bank.Read(ctx, func(state *bank.State) {
		p, found := state.Proposal(number)
		if before = found && p.Status == wanted && uint64(p.EndedBy) == who.Subject; approve {
			command.Command = p.Command
		}
	})
	if err == nil && !before {
		_, err = s.submit(ctx, command.AppendTo(nil))
	}
	if err == nil {
		err = s.followOperators(ctx)
	}
	if err != nil {
		return nil, err
	}
	shown, err := s.showProposal(ctx, number)
	return &body[wire.Proposal]{shown}, err
}

func (s *server) showProposal(ctx context.Context, number uint64) (shown wire.Proposal, err error) {
	var found bool
	err = s.Bank.Read(ctx, func(state *bank.State) {
		var p bank.Proposal
		if p, found = state.Proposal(number); found {
			shown = proposalOf(p, state.Operators())
		}
	})
	if err == nil && !found {
		err = notFound("proposal")
	}
	return shown, err
}

func proposalOf(p bank.Proposal, list []bank.Operator) wire.Proposal {
	shown := wire.Proposal{
		Number: strconv.FormatUint(p.Number, 10), Status: p.Status.String(), Operation: p.Operation, Target: p.Target,
		Before: jsonOf(p.Before), After: jsonOf(p.After), ProposedBy: list[p.ProposedBy].Name,
		Proposed: timeText(p.ProposedMS), Expires: timeText(p.ExpiresAtMS), Ended: timeText(p.EndedMS),
	}
	if p.Status == bank.ProposalApproved || p.Status == bank.ProposalRejected {
		shown.EndedBy = list[p.EndedBy].Name
	}
	return shown
}

func (s *server) listProposals(ctx context.Context, _ identity.Principal, in *struct {
	Page
	Status string `query:"status" enum:"open,approved,rejected,expired" doc:"Those of this status only."`
}) (*body[wire.List[wire.Proposal]], error) {
	before := uint64(1<<64 - 1)
	if in.Cursor != "" {
		var err error
		if before, err = strconv.ParseUint(in.Cursor, 10, 64); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.Proposal]]{wire.List[wire.Proposal]{Items: []wire.Proposal{}}}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		list, operators := state.Proposals(), state.Operators()
		for i := len(list) - 1; i >= 0; i-- {
			if p := list[i]; p.Number < before && (in.Status == "" || in.Status == p.Status.String()) {
				if len(out.Body.Items) == in.Limit {
					out.Body.NextCursor = out.Body.Items[in.Limit-1].Number
					return
				}
				out.Body.Items = append(out.Body.Items, proposalOf(p, operators))
			}
		}
	})
	return out, err
}
