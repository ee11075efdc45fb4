package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
)

// Supply is what there is of an asset.
type Supply struct {
	Asset  string `json:"asset"`
	Scale  uint8  `json:"scale" doc:"Decimal places."`
	World  string `json:"world,omitempty"`
	Issuer string `json:"issuer" doc:"The account from which all supply comes."`
	Issued string `json:"issued"`
	Burned string `json:"burned"`
	Supply string `json:"supply" doc:"Issued less burned."`
}

// Epoch is a period whose points become TIME together.
type Epoch struct {
	Epoch    uint64 `json:"epoch"`
	Status   string `json:"status" enum:"running,closing,closed"`
	Start    string `json:"start"`
	End      string `json:"end"`
	Mode     string `json:"mode,omitempty"`
	Lambda   string `json:"lambda,omitempty" doc:"TIME per point."`
	Budget   string `json:"budget,omitempty" doc:"The most TIME that it issues."`
	Paid     int    `json:"accounts_paid,omitempty"`
	Accounts uint64 `json:"accounts,omitempty"`
	Issued   string `json:"issued,omitempty"`
	Treasury string `json:"treasury,omitempty" doc:"What rounding left to the treasury, within issued."`
}

// MonetaryPolicy is how epochs turn points into TIME.
type MonetaryPolicy struct {
	Mode         string `json:"mode" enum:"capped,fixed,budget"`
	Lambda       string `json:"lambda" doc:"TIME per point, 0 to 100."`
	Budget       string `json:"budget" doc:"The most TIME that an epoch issues."`
	EpochSeconds int64  `json:"epoch_seconds"`
	DelaySeconds int64  `json:"close_delay_seconds" doc:"How long after its end an epoch still takes in what was earned before."`
}

// micro is the scale of POINTS, TIME, λ and weights.
const micro = ledger.TimeScale

func points(v int64) string { return amount.Format(v, micro) }

func monetaryOf(p bank.MonetaryPolicy) MonetaryPolicy {
	return MonetaryPolicy{Mode: p.Mode.String(), Lambda: points(p.LambdaMicro), Budget: points(p.BudgetMicro), EpochSeconds: p.EpochMS / 1000, DelaySeconds: p.CloseDelayMS / 1000}
}

func (s *server) registerMoney() {
	register(s, operation("get-supply", "GET", "/v1/supply", "What there is of every asset", "transparency"), public,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[list[Supply]], error) {
			out := &body[list[Supply]]{Body: list[Supply]{Items: []Supply{}}}
			err := s.Bank.Read(ctx, func(state *bank.State) {
				for number := uint32(1); int(number) <= state.Books().Assets(); number++ {
					out.Body.Items = append(out.Body.Items, supplyOf(state, number))
				}
			})
			return out, err
		})
	register(s, operation("list-epochs", "GET", "/v1/epochs", "Epochs, the newest first", "transparency"), public, s.listEpochs)
	register(s, operation("get-monetary-policy", "GET", "/v1/monetary-policy", "The monetary policy of the next epoch", "transparency"), public,
		func(ctx context.Context, _ identity.Principal, _ *struct{}) (*body[MonetaryPolicy], error) {
			out := &body[MonetaryPolicy]{}
			err := s.Bank.Read(ctx, func(state *bank.State) { out.Body = monetaryOf(state.NextMonetaryPolicy()) })
			return out, err
		})
	register(s, operation("set-monetary-policy", "PUT", "/v1/monetary-policy", "Replace the monetary policy from the next epoch on", "policies"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body MonetaryPolicy
		}) (*body[MonetaryPolicy], error) {
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
			if _, err := s.submit(ctx, bank.SetMonetaryPolicy{Key: in.key(who, "monetary"), Policy: policy}.AppendTo(nil)); err != nil {
				return nil, err
			}
			return &body[MonetaryPolicy]{monetaryOf(policy)}, nil
		})
	register(s, created("create-asset", "POST", "/v1/assets", "Add an asset: a currency or item of a world, or a national currency", "assets"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body struct {
				Asset string `json:"asset" doc:"2 to 24 of A-Z 0-9 - _"`
				Scale uint8  `json:"scale" maximum:"18"`
				World string `json:"world,omitempty"`
			}
		}) (*body[Supply], error) {
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
			out := &body[Supply]{}
			err = s.Bank.Read(ctx, func(state *bank.State) { out.Body = supplyOf(state, registered.Asset) })
			return out, err
		})
}

func supplyOf(state *bank.State, number uint32) Supply {
	asset := state.Books().Asset(number)
	format := func(v int64) string { return amount.Format(v, int(asset.Scale)) }
	shown := Supply{Asset: asset.Code, Scale: asset.Scale, Issuer: strconv.FormatUint(asset.Issuer, 10), Issued: format(asset.Issued), Burned: format(asset.Burned), Supply: format(asset.Supply())}
	if asset.World != 0 {
		shown.World = state.World(asset.World).Code
	}
	return shown
}

func (s *server) listEpochs(ctx context.Context, _ identity.Principal, in *struct {
	Cursor string `query:"cursor" maxLength:"20"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
}) (*body[list[Epoch]], error) {
	out := &body[list[Epoch]]{Body: list[Epoch]{Items: []Epoch{}}}
	before := uint64(0)
	if in.Cursor != "" {
		var err error
		if before, err = parseNumber("cursor", in.Cursor); err != nil {
			return nil, err
		}
	}
	closing := uint64(0)
	err := s.Bank.Read(ctx, func(state *bank.State) {
		c, paid, accounts := state.ClosingEpoch()
		closing = c.Number
		if before != 0 {
			return
		}
		out.Body.Items = append(out.Body.Items, openEpoch(state.RunningEpoch(), "running"))
		if c.Number != 0 {
			shown := openEpoch(c, "closing")
			shown.Paid, shown.Accounts = paid, uint64(accounts)
			out.Body.Items = append(out.Body.Items, shown)
		}
	})
	if err != nil {
		return nil, err
	}
	epochs, err := s.History.Epochs(ctx, before, in.Limit)
	if err != nil {
		return nil, err
	}
	for _, e := range epochs {
		if e.Number == closing || e.ClosedMS == 0 {
			continue
		}
		out.Body.Items = append(out.Body.Items, Epoch{
			Epoch: e.Number, Status: "closed", Start: timeText(e.StartMS), End: timeText(e.EndMS), Accounts: e.Accounts,
			Issued: points(e.IssuedMicro), Treasury: points(e.TreasuryMicro),
		})
	}
	if len(epochs) == in.Limit {
		out.Body.NextCursor = strconv.FormatUint(epochs[len(epochs)-1].Number, 10)
	}
	return out, nil
}

func openEpoch(e bank.Epoch, status string) Epoch {
	return Epoch{Epoch: e.Number, Status: status, Start: timeText(e.StartMS), End: timeText(e.EndMS), Mode: e.Policy.Mode.String(), Lambda: points(e.Policy.LambdaMicro), Budget: points(e.Policy.BudgetMicro)}
}

// parseAmount reads a decimal amount of zero or more.
func parseAmount(field, text string, scale int) (int64, error) {
	value, err := amount.Parse(text, scale)
	if err != nil {
		return 0, invalid(field, "%q: %v; this asset has %d decimal places", text, err, scale)
	}
	return value, nil
}
