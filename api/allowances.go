package api

import (
	"context"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/wire"
)

// AllowancePath names what a person lets a world spend.
type AllowancePath struct {
	PersonPath
	WorldPath
}

// UserPath names a world's user.
type UserPath struct {
	WorldPath
	UserID string `path:"user_id" maxLength:"256"`
}

func (s *server) registerAllowances() {
	register(s, operation("set-allowance", "PUT", "/v1/people/{person}/allowances/{world}", "Let a world spend up to so much of your TIME a day", "allowances"), person,
		func(ctx context.Context, who identity.Principal, in *struct {
			AllowancePath
			Idempotent
			Body wire.NewAllowance
		}) (*answered[wire.Allowance], error) {
			daily, err := parseAmount("daily", in.Body.Daily, micro)
			if err != nil {
				return nil, err
			}
			return s.setAllowance(ctx, who, in.AllowancePath, in.key(who, "allowance"), daily)
		})
	register(s, operation("end-allowance", "DELETE", "/v1/people/{person}/allowances/{world}", "Let a world spend nothing of your TIME any longer", "allowances"), person,
		func(ctx context.Context, who identity.Principal, in *AllowancePath) (*answered[wire.Allowance], error) {
			return s.setAllowance(ctx, who, *in, bank.Key{}, 0)
		})
	register(s, operation("list-allowances", "GET", "/v1/people/{person}/allowances", "What you let worlds spend of your TIME", "allowances"), person,
		s.listAllowances)
	register(s, operation("get-user-allowance", "GET", "/v1/worlds/{world}/users/{user_id}/allowance", "What a user lets the world spend", "allowances"), worldServer,
		func(ctx context.Context, who identity.Principal, in *UserPath) (*body[wire.Allowance], error) {
			world, _, payer, err := s.payerOf(ctx, who, *in)
			if err != nil {
				return nil, err
			}
			out := &body[wire.Allowance]{}
			err = s.Bank.Read(ctx, func(state *bank.State) {
				a, _ := state.Allowance(payer, world)
				a.World = world
				out.Body = s.allowanceOf(state, a)
			})
			return out, err
		})
	register(s, created("charge-user", "POST", "/v1/worlds/{world}/users/{user_id}/charges", "Have TIME of a user paid to the world, by an allowance", "allowances"), worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			UserPath
			Idempotent
			Body wire.NewCharge
		}) (*answered[wire.Receipt], error) {
			world, user, payer, err := s.payerOf(ctx, who, in.UserPath)
			if err != nil {
				return nil, err
			}
			command := bank.Charge{Key: in.key(user, "charge"), Reference: in.Body.Reference, World: world, Person: payer}
			if command.AmountMicro, err = parseAmount("amount", in.Body.Amount, micro); err != nil {
				return nil, err
			}
			return s.submitted(ctx, who, command.AppendTo(nil), in.Body.Reference)
		})
	register(s, created("purchase-for-user", "POST", "/v1/worlds/{world}/users/{user_id}/purchases", "Buy a product of the world for a user, by an allowance", "allowances"), worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			UserPath
			Idempotent
			Body wire.NewPurchaseFor
		}) (*answered[wire.Purchase], error) {
			world, user, payer, err := s.payerOf(ctx, who, in.UserPath)
			if err != nil {
				return nil, err
			}
			command := bank.PurchaseFor{World: world, Purchase: bank.Purchase{Key: in.key(user, "purchase-for"), Reference: in.Body.Reference, Buyer: payer, Quantity: in.Body.Quantity}}
			if err := s.Bank.Read(ctx, func(state *bank.State) { command.Product, _ = state.ProductByCode(world, in.Body.Product) }); err != nil {
				return nil, err
			}
			if command.MaxTotalMicro, err = parseAmount("max_total", in.Body.MaxTotal, micro); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			bought, _ := bank.First[bank.Purchased](answer.Bytes)
			return s.changedPurchase(ctx, bought.Purchase, answer)
		})
}

// listAllowances lists what was granted by the number of the world.
func (s *server) listAllowances(ctx context.Context, who identity.Principal, in *struct {
	PersonPath
	Page
}) (*body[wire.List[wire.Allowance]], error) {
	subject, err := s.subject(ctx, who, in.Person)
	if err != nil {
		return nil, err
	}
	last := uint64(0) // the world before the page
	if in.Cursor != "" {
		if last, err = strconv.ParseUint(in.Cursor, 10, 32); err != nil {
			return nil, badCursor()
		}
	}
	out := &body[wire.List[wire.Allowance]]{Body: wire.List[wire.Allowance]{Items: []wire.Allowance{}}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number, _ := state.PersonByID(subject.Person)
		for world := uint32(last) + 1; world <= state.Worlds(); world++ {
			a, granted := state.Allowance(number, world)
			if !granted {
				continue
			}
			if len(out.Body.Items) == in.Limit {
				out.Body.NextCursor = strconv.FormatUint(last, 10)
				return
			}
			out.Body.Items, last = append(out.Body.Items, s.allowanceOf(state, a)), uint64(world)
		}
	})
	return out, err
}

func (s *server) setAllowance(ctx context.Context, who identity.Principal, path AllowancePath, key bank.Key, dailyMicro int64) (*answered[wire.Allowance], error) {
	subject, err := s.subject(ctx, who, path.Person)
	if err != nil {
		return nil, err
	}
	command := bank.SetAllowance{Key: key, DailyMicro: dailyMicro}
	if command.World, err = s.worldNumber(ctx, path.World); err != nil {
		return nil, err
	}
	if command.Person, err = s.registered(ctx, subject.Person); err != nil {
		return nil, err
	}
	answer, err := s.submit(ctx, command.AppendTo(nil))
	if err != nil {
		return nil, err
	}
	return s.changedAllowance(ctx, command.Person, command.World, answer)
}

func (s *server) changedAllowance(ctx context.Context, person uint64, world uint32, answer journal.Answer) (*answered[wire.Allowance], error) {
	out := &answered[wire.Allowance]{Replayed: replayed(answer)}
	err := s.Bank.Read(ctx, func(state *bank.State) {
		a, _ := state.Allowance(person, world)
		a.World = world
		out.Body = s.allowanceOf(state, a)
	})
	return out, err
}

func (s *server) allowanceOf(state *bank.State, a bank.Allowance) wire.Allowance {
	today := bank.Day(s.NowMS())
	spent := a.SpentMicro
	if a.Day != today {
		spent = 0
	}
	return wire.Allowance{World: state.World(a.World).Code, Daily: points(a.DailyMicro), Spent: points(spent), Left: points(a.LeftMicro(today)), Set: timeText(a.SetMS)}
}

// payerOf returns the world that a server acts for, as whom a call on behalf of
// a user is remembered, and the person whose TIME is spent: the user or, where
// the user belongs to another by a link and lets this world spend nothing, that
// one, who has the TIME then. A link itself allows nothing.
func (s *server) payerOf(ctx context.Context, who identity.Principal, path UserPath) (world uint32, user identity.Principal, payer uint64, err error) {
	if world, err = s.ownWorld(ctx, who, path.World); err != nil {
		return 0, user, 0, err
	}
	subject, err := s.Identity.Find(ctx, identity.SubjectRef{World: world, UserID: path.UserID})
	if err != nil {
		return 0, user, 0, err
	}
	user = who
	user.PersonID = subject.Person
	head, err := s.head(ctx, subject)
	if err != nil {
		return 0, user, 0, err
	}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		payer, _ = state.PersonByID(subject.Person)
		if a, granted := state.Allowance(payer, world); granted && a.DailyMicro > 0 {
			return
		}
		if other, found := state.PersonByID(head.Person); found {
			payer = other
		}
	})
	if err == nil && payer == 0 {
		payer, err = s.registered(ctx, subject.Person)
	}
	return world, user, payer, err
}
