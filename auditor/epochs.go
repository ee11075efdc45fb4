package auditor

import "math/big"

// Money says how an epoch turns points into TIME: λ a point, or a world's
// share of the budget pro rata if that is less.
type Money struct {
	LambdaMicro, BudgetMicro int64
	EpochMS, DelayMS         int64
}

// Account is a person's in a world.
type Account struct {
	Person string
	World  uint32
}

// Epochs follow the bank's time: what was minted, and what each epoch paid.
type Epochs struct {
	Next   Money             // holds from the next epoch on
	Shares map[uint32]int64  // weights of the worlds in the budget
	NowMS  int64             // of the bank; never goes back
	Number int64             // of the running epoch
	Time   map[string]int64  // paid, by person
	Owed   map[Account]int64 // points taken back that were paid already
	// Pending are the points that wait for the running epoch's close.
	Pending map[Account]int64
	// Treasury is what rounding left of shares that were paid out whole.
	Treasury                             int64
	PointsIssued, PointsBurned, TimePaid int64

	// Cases of each person in their order, what they hold back, and what was
	// burned of it. TimePaid counts what is held back.
	Cases      map[string][]*Case
	Held       map[string]int64
	TimeBurned int64

	money Money // of the running epoch
	endMS int64
	known map[knownDay]known
}

type knownDay struct {
	Account
	day int64
}

type known struct {
	revision revision
	micro    int64
}

// NewEpochs returns epochs before the bank's first record.
func NewEpochs(money Money) *Epochs {
	return &Epochs{
		Next: money, Shares: map[uint32]int64{}, Time: map[string]int64{}, Owed: map[Account]int64{},
		Pending: map[Account]int64{}, known: map[knownDay]known{}, Cases: map[string][]*Case{}, Held: map[string]int64{},
	}
}

// Record says that the bank made a record durable when its clock stood at
// clockMS, and returns the time of the record. Time takes effect with every
// record but one that only begins a term.
func (e *Epochs) Record(clockMS int64, begins bool) (atMS int64) {
	e.NowMS = max(e.NowMS, clockMS)
	if e.Number == 0 {
		e.Number, e.money, e.endMS = 1, e.Next, e.NowMS-e.NowMS%e.Next.EpochMS+e.Next.EpochMS
	}
	if !begins {
		e.forfeit()
	}
	if !begins && e.NowMS >= e.endMS+e.money.DelayMS {
		e.close()
		e.Number++
		e.money, e.endMS = e.Next, e.NowMS-e.NowMS%e.Next.EpochMS+e.Next.EpochMS
	}
	return e.NowMS
}

// mulDiv returns a·b/c, rounded down.
func mulDiv(a, b, c int64) int64 {
	product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
	return product.Div(product, big.NewInt(c)).Int64()
}

// close pays for the points of the running epoch.
func (e *Epochs) close() {
	var weights int64
	for _, weight := range e.Shares {
		weights += weight
	}
	for world, weight := range e.Shares {
		share := mulDiv(e.money.BudgetMicro, weight, weights)
		var earned, paid int64
		for account, points := range e.Pending {
			if account.World == world {
				earned += points
			}
		}
		whole := earned > 0 && mulDiv(earned, e.money.LambdaMicro, 1_000_000) > share
		for account, points := range e.Pending {
			if account.World != world {
				continue
			}
			pay := mulDiv(points, e.money.LambdaMicro, 1_000_000)
			if whole {
				pay = mulDiv(points, share, earned)
			}
			e.pay(account.Person, pay)
			paid += pay
			e.PointsBurned += points
			delete(e.Pending, account)
		}
		if whole {
			e.Treasury += share - paid
			paid = share
		}
		e.TimePaid += paid
	}
}

// Mint takes in what days have earned so far. A day that has not come yet is
// refused, and one that is known by the same or a later revision changes
// nothing.
func (e *Epochs) Mint(awards []Award) {
	for _, a := range awards {
		account := Account{a.Person, a.World}
		key := knownDay{account, a.Day}
		if a.Day > e.NowMS/dayMS+1 || !a.revision.after(e.known[key].revision) {
			continue
		}
		difference := a.PointsMicro - e.known[key].micro
		if difference == 0 {
			continue
		}
		e.known[key] = known{a.revision, a.PointsMicro}
		if difference > 0 {
			repaid := min(e.Owed[account], difference)
			e.Owed[account] -= repaid
			e.Pending[account] += difference - repaid
			e.PointsIssued += difference - repaid
			continue
		}
		taken := min(e.Pending[account], -difference)
		e.Pending[account] -= taken
		e.PointsBurned += taken
		e.Owed[account] += -difference - taken
	}
}

// Behind returns the days whose points the bank does not know as they are.
func (e *Epochs) Behind(awards []Award) (list []Award) {
	for _, a := range awards {
		if e.known[knownDay{Account{a.Person, a.World}, a.Day}].micro != a.PointsMicro {
			list = append(list, a)
		}
	}
	return list
}
