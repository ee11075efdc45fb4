package bank

import (
	"bytes"
	"slices"
)

// Bounds of the rate limits that single keys are given.
const (
	MaxRateLimits = 10_000 // keys with one of their own
	MaxPerSecond  = 1_000_000
	MaxBurst      = 10_000_000
)

// RateLimit is how often a key may call: so often a second in the long run, and
// so often at once after a pause. It stands in the journal because an operator
// decides it, and is enforced where calls come in.
type RateLimit struct {
	Credential       [10]byte // the id of the key
	PerSecond, Burst uint32
}

// SetRateLimit gives a key a limit of its own, or takes it away if both numbers
// are zero.
type SetRateLimit struct {
	Key   Key
	Limit RateLimit
}

// AppendTo appends the encoded command.
func (c SetRateLimit) AppendTo(dst []byte) []byte {
	return c.Limit.appendTo(begin(dst, kindSetRateLimit, c.Key))
}

// RateLimitSet says the limit that a key has now; zeros for that of its kind.
type RateLimitSet struct{ Limit RateLimit }

func (l RateLimit) appendTo(dst []byte) []byte {
	return le.AppendUint32(le.AppendUint32(append(dst, l.Credential[:]...), l.PerSecond), l.Burst)
}

func readRateLimit(r *reader) RateLimit {
	return RateLimit{Credential: [10]byte(r.take(10)), PerSecond: r.u32(), Burst: r.u32()}
}

// RateLimits returns the limits of keys that have one of their own.
func (s *State) RateLimits() []RateLimit { return slices.Clone(s.rateLimits) }

func (s *State) setRateLimit(r *reader) Refusal {
	limit := readRateLimit(r)
	if !r.finished() {
		return Malformed
	}
	none := limit.PerSecond == 0 && limit.Burst == 0
	if !none && (limit.PerSecond == 0 || limit.Burst == 0 || limit.PerSecond > MaxPerSecond || limit.Burst > MaxBurst) {
		return RateLimitInvalid
	}
	i, found := slices.BinarySearchFunc(s.rateLimits, limit.Credential, func(some RateLimit, id [10]byte) int { return bytes.Compare(some.Credential[:], id[:]) })
	switch {
	case found && none:
		s.rateLimits = slices.Delete(s.rateLimits, i, i+1)
	case found:
		s.rateLimits[i] = limit
	case !none && len(s.rateLimits) >= MaxRateLimits:
		return TooMany
	case !none:
		s.rateLimits = slices.Insert(s.rateLimits, i, limit)
	}
	s.answer = limit.appendTo(append(s.answer, uint8(factRateLimitSet)))
	return Accepted
}

func (s *State) appendRateLimits(dst []byte) []byte {
	dst = le.AppendUint32(dst, uint32(len(s.rateLimits)))
	for _, limit := range s.rateLimits {
		dst = limit.appendTo(dst)
	}
	return dst
}

func (s *State) readRateLimits(r *reader) {
	for n := r.u32(); n > 0 && !r.short; n-- {
		s.rateLimits = append(s.rateLimits, readRateLimit(r))
	}
}
