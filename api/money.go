package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
)

// micro is the scale of POINTS, TIME, λ and weights.
const micro = ledger.TimeScale

func points(v int64) string { return amount.Format(v, micro) }

func monetaryOf(p bank.MonetaryPolicy) wire.MonetaryPolicy {
	return wire.MonetaryPolicy{Mode: p.Mode.String(), Lambda: points(p.LambdaMicro), Budget: points(p.BudgetMicro), EpochSeconds: p.EpochMS / 1000, DelaySeconds: p.CloseDelayMS / 1000}
}

func (s *server) registerMoney() {
	register(s, operation("get-supply", "GET", "/v1/supply", "The assets, and what there is of each", "transparency"), public, s.supplies)
	register(s, operation("list-epochs", "GET", "/v1/epochs", "Epochs, the newest first", "transparency"), public, s.listEpochs)
	register(s, operation("get-monetary-policy", "GET", "/v1/monetary-policy", "The monetary policy of the next epoch", "transparency"), public,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[wire.MonetaryPolicy], error) {
			out := &body[wire.MonetaryPolicy]{}
			err := s.Bank.Read(ctx, func(state *bank.State) { out.Body = monetaryOf(state.NextMonetaryPolicy()) })
			return out, err
		})
	register(s, operation("set-monetary-policy", "PUT", "/v1/monetary-policy", "Replace the monetary policy from the next epoch on", "policies"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.MonetaryPolicy
		}) (*answered[wire.MonetaryPolicy], error) {
			mode, _ := bank.ParseMode(in.Body.Mode)
			lambda, err := parseAmount("lambda", in.Body.Lambda, micro)
			if err != nil {
				return nil, err
			}
			budget, err := parseAmount("budget", in.Body.Budget, micro)
			if err != nil {
				return nil, err
			}
			policy := bank.MonetaryPolicy{Mode: mode, LambdaMicro: lambda, BudgetMicro: budget, EpochMS: in.Body.EpochSeconds * 1000, CloseDelayMS: in.Body.DelaySeconds * 1000}
			if err := s.Bank.Read(ctx, func(state *bank.State) { before(ctx, monetaryOf(state.NextMonetaryPolicy())) }); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, bank.SetMonetaryPolicy{Key: in.key(who, "monetary"), Policy: policy}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return &answered[wire.MonetaryPolicy]{replayed(answer), monetaryOf(policy)}, nil
		})
	register(s, created("create-asset", "POST", "/v1/assets", "Add an asset: a currency or item of a world, or a national currency", "assets"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewAsset
		}) (*answered[wire.Supply], error) {
			command := bank.RegisterAsset{Key: in.key(who, "asset"), Code: in.Body.Asset, Scale: in.Body.Scale}
			if in.Body.World != "" {
				number, err := s.worldNumber(ctx, in.Body.World)
				if err != nil {
					return nil, err
				}
				command.World = number
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			registered, _ := bank.First[bank.AssetRegistered](answer.Bytes)
			var asset ledger.Asset
			err = s.Bank.Read(ctx, func(state *bank.State) { asset = *state.Books().Asset(registered.Asset) })
			if err != nil {
				return nil, err
			}
			return &answered[wire.Supply]{replayed(answer), supplyOf(asset, in.Body.World)}, nil
		})
}

// supplies lists the assets. It is public, so the state is kept no longer than
// it takes to copy a page.
func (s *server) supplies(ctx context.Context, _ identity.Principal, in *Page) (*body[wire.List[wire.Supply]], error) {
	last := uint64(0) // number of the asset before the page
	if in.Cursor != "" {
		var err error
		if last, err = strconv.ParseUint(in.Cursor, 10, 32); err != nil {
			return nil, badCursor()
		}
	}
	var assets []ledger.Asset
	more := false
	err := s.Bank.Read(ctx, func(state *bank.State) {
		end := min(uint64(state.Books().Assets()), last+uint64(in.Limit))
		more = end < uint64(state.Books().Assets())
		for number := last + 1; number <= end; number++ {
			assets = append(assets, *state.Books().Asset(uint32(number)))
		}
	})
	if err != nil {
		return nil, err
	}
	out := &body[wire.List[wire.Supply]]{wire.List[wire.Supply]{Items: make([]wire.Supply, len(assets))}}
	for i, asset := range assets {
		world, err := s.worldCode(ctx, asset.World)
		if err != nil {
			return nil, err
		}
		out.Body.Items[i] = supplyOf(asset, world)
	}
	if more {
		out.Body.NextCursor = strconv.FormatUint(last+uint64(in.Limit), 10)
	}
	return out, nil
}

func supplyOf(asset ledger.Asset, world string) wire.Supply {
	format := func(v int64) string { return amount.Format(v, int(asset.Scale)) }
	return wire.Supply{
		Asset: asset.Code, Scale: asset.Scale, World: world, Issuer: strconv.FormatUint(asset.Issuer, 10),
		Issued: format(asset.Issued), Burned: format(asset.Burned), Supply: format(asset.Supply()),
	}
}

// listEpochs lists the running epoch, the one that is being paid, and those
// that have ended, of which history tells. What history has not heard of yet is
// shown as closing, without its figures.
func (s *server) listEpochs(ctx context.Context, _ identity.Principal, in *Page) (*told[wire.Epoch], error) {
	var before uint64
	if in.Cursor != "" {
		var err error
		if before, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil || before == 0 {
			return nil, badCursor()
		}
	}
	var running, closing wire.Epoch
	err := s.Bank.Read(ctx, func(state *bank.State) {
		running = openEpoch(state.RunningEpoch(), "running")
		c, paid, accounts := state.ClosingEpoch()
		closing = openEpoch(c, "closing")
		closing.Paid, closing.Accounts = paid, uint64(accounts)
	})
	if err != nil {
		return nil, err
	}
	past, err := s.History.Epochs(ctx, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	if before == 0 {
		before = running.Epoch + 1
	}
	out := &told[wire.Epoch]{s.lag(), wire.List[wire.Epoch]{Items: []wire.Epoch{}}}
	for number := before - 1; number > 0 && len(out.Body.Items) <= in.Limit; number-- {
		for len(past) > 0 && past[0].Number > number {
			past = past[1:]
		}
		shown := wire.Epoch{Epoch: number, Status: "closing"}
		switch {
		case number == running.Epoch:
			shown = running
		case number == closing.Epoch:
			shown = closing
		case len(past) > 0 && past[0].Number == number:
			shown = pastEpoch(past[0])
		}
		out.Body.Items = append(out.Body.Items, shown)
	}
	var more bool
	if out.Body.Items, more = cut(out.Body.Items, in.Limit); more {
		out.Body.NextCursor = strconv.FormatUint(out.Body.Items[in.Limit-1].Epoch, 10)
	}
	return out, nil
}

func pastEpoch(e history.Epoch) wire.Epoch {
	shown := wire.Epoch{Epoch: e.Number, Status: "closing", Start: timeText(e.StartMS), End: timeText(e.EndMS), Accounts: e.Accounts}
	if e.ClosedMS != 0 {
		shown.Status, shown.Issued, shown.Treasury = "closed", points(e.IssuedMicro), points(e.TreasuryMicro)
	}
	return shown
}

func openEpoch(e bank.Epoch, status string) wire.Epoch {
	return wire.Epoch{Epoch: e.Number, Status: status, Start: timeText(e.StartMS), End: timeText(e.EndMS), Mode: e.Policy.Mode.String(), Lambda: points(e.Policy.LambdaMicro), Budget: points(e.Policy.BudgetMicro)}
}

// parseAmount reads a decimal amount of zero or more.
func parseAmount(field, text string, scale int) (int64, error) {
	value, err := amount.Parse(text, scale)
	if err != nil {
		return 0, invalid(field, "%q: %v; accepted: up to %d decimal places here", text, err, scale)
	}
	return value, nil
}
