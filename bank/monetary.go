package bank

import (
	"github.com/attentionbank/attentionbank/amount"
)

// Mode says how points become TIME at the close of an epoch.
type Mode uint8

const (
	// Capped pays λA, or a world's share of the budget pro rata to A if that
	// is less. It is the default.
	Capped Mode = iota + 1
	// Fixed pays λA whatever it comes to.
	Fixed
	// Budget pays a world's whole share of the budget pro rata to A.
	Budget
)

// String returns the name of the mode.
func (m Mode) String() string {
	switch m {
	case Capped:
		return "capped"
	case Fixed:
		return "fixed"
	case Budget:
		return "budget"
	}
	return "unknown"
}

// ParseMode reads the name of a mode.
func ParseMode(name string) (Mode, bool) {
	for _, m := range []Mode{Capped, Fixed, Budget} {
		if name == m.String() {
			return m, true
		}
	}
	return 0, false
}

// MonetaryPolicy says how an epoch turns points into TIME.
type MonetaryPolicy struct {
	Mode Mode
	// LambdaMicro is λ in millionths of a TIME per point, 0 to 100,000,000.
	LambdaMicro int64
	// BudgetMicro is the most TIME that an epoch issues, in millionths, 0 to
	// 10^18. Mode Fixed does not look at it.
	BudgetMicro int64
	// EpochMS is how long an epoch runs: a minute to 31 days. Epochs end at
	// multiples of it since 1970-01-01 UTC.
	EpochMS int64
	// CloseDelayMS is how long after its end an epoch still takes in what was
	// earned before: 0 to a day.
	CloseDelayMS int64
}

// DefaultMonetaryPolicy pays 1/60 TIME a point, rounded up at the sixth
// decimal, so that a typical hour, which earns 60 points by the default policy
// of a world, earns about 1 TIME; at most a million TIME a day.
func DefaultMonetaryPolicy() MonetaryPolicy {
	return MonetaryPolicy{
		Mode:         Capped,
		LambdaMicro:  16_667,
		BudgetMicro:  1_000_000 * 1_000_000,
		EpochMS:      24 * 60 * 60 * 1000,
		CloseDelayMS: 10 * 60 * 1000,
	}
}

func (p MonetaryPolicy) valid() bool {
	const minuteMS, dayMS = 60 * 1000, 24 * 60 * 60 * 1000
	return p.Mode >= Capped && p.Mode <= Budget &&
		p.LambdaMicro >= 0 && p.LambdaMicro <= 100_000_000 &&
		p.BudgetMicro >= 0 && p.BudgetMicro <= 1_000_000_000_000_000_000 &&
		p.EpochMS >= minuteMS && p.EpochMS <= 31*dayMS &&
		p.CloseDelayMS >= 0 && p.CloseDelayMS <= dayMS
}

func (p MonetaryPolicy) appendTo(dst []byte) []byte {
	dst = appendI64(appendI64(append(dst, uint8(p.Mode)), p.LambdaMicro), p.BudgetMicro)
	return appendI64(appendI64(dst, p.EpochMS), p.CloseDelayMS)
}

func readMonetaryPolicy(r *reader) MonetaryPolicy {
	return MonetaryPolicy{Mode: Mode(r.u8()), LambdaMicro: r.i64(), BudgetMicro: r.i64(), EpochMS: r.i64(), CloseDelayMS: r.i64()}
}

func (s *State) setMonetaryPolicy(r *reader) Refusal {
	policy := readMonetaryPolicy(r)
	if !r.finished() {
		return Malformed
	}
	if !policy.valid() {
		return MonetaryPolicyInvalid
	}
	s.epochs.next = policy
	s.answer = le.AppendUint64(append(s.answer, uint8(factMonetaryPolicySet)), s.epochs.running.Number+1)
	return Accepted
}

// rate is how the points of a world are paid: A × numerator / denominator.
type rate struct{ numerator, denominator int64 }

// pay returns what an account is paid, rounded down.
func (p rate) pay(pointsMicro int64) (int64, bool) {
	return amount.MulDivDown(pointsMicro, p.numerator, p.denominator)
}

// rateOf returns the rate of a world whose people have earned pendingMicro in
// all and whose share of the budget is shareMicro. shares reports whether the
// whole share is paid out, so that what rounding leaves goes to the treasury.
func (p MonetaryPolicy) rateOf(pendingMicro, shareMicro int64) (r rate, shares bool) {
	lambda := rate{p.LambdaMicro, 1_000_000}
	if pendingMicro == 0 {
		return lambda, false
	}
	wanted, fits := lambda.pay(pendingMicro)
	if p.Mode != Budget && fits && wanted <= shareMicro {
		return lambda, false
	}
	return rate{shareMicro, pendingMicro}, true
}
