package api

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

// rates are how often keys of a kind may call, unless a key has a limit of its
// own; docs/api.md has the table.
var rates = map[identity.Kind]rate{
	identity.Operator: {100, 1000},
	identity.Server:   {5000, 20_000},
	identity.Write:    {5000, 20_000},
	identity.Person:   {50, 500},
	identity.User:     {50, 500},
}

// rate is a token bucket: perSecond calls in the long run, burst at once.
type rate struct{ perSecond, burst int64 }

// maxBuckets bounds the buckets of one generation.
const maxBuckets = 100_000

// bucket is what a key may still do, in thousandths of a call.
type bucket struct{ millis, atMS int64 }

// limiter counts the calls of keys. Keys that have called lately are in one of
// two generations; when the younger is full it becomes the older, and who has
// not called since begins with a full bucket again. So memory is bounded, and
// to gain by it one needs as many valid keys as a generation holds.
type limiter struct {
	mu             sync.Mutex
	younger, older map[string]bucket
	own            map[string]rate // by key id
	loaded         bool
}

// take takes a call out of a bucket. It returns what is left, in how many
// seconds the bucket is full, and if there was nothing, in how many there will
// be something.
func (l *limiter) take(id string, r rate, nowMS int64) (left, fullSeconds, waitSeconds int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if own, found := l.own[id]; found {
		r = own
	}
	b, found := l.younger[id]
	if !found {
		b, found = l.older[id]
	}
	if !found {
		b = bucket{r.burst * 1000, nowMS}
	}
	// A clock that goes back gives nothing and takes nothing.
	elapsedMS := max(nowMS-b.atMS, 0)
	full := r.burst * 1000
	if missing := full - b.millis; elapsedMS >= missing/r.perSecond+1 {
		b.millis = full
	} else {
		b.millis += elapsedMS * r.perSecond // a thousandth a millisecond and call a second
	}
	b.atMS = max(b.atMS, nowMS)
	if b.millis >= 1000 {
		b.millis -= 1000
	} else {
		waitSeconds = ceilDiv(1000-b.millis, r.perSecond*1000)
	}
	if len(l.younger) >= maxBuckets || l.younger == nil {
		l.younger, l.older = make(map[string]bucket), l.younger
	}
	l.younger[id] = b
	return b.millis / 1000, ceilDiv(full-b.millis, r.perSecond*1000), waitSeconds
}

func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

func (l *limiter) set(limit bank.RateLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := "key_" + hex.EncodeToString(limit.Credential[:])
	if limit.PerSecond == 0 {
		delete(l.own, id)
		return
	}
	l.own[id] = rate{int64(limit.PerSecond), int64(limit.Burst)}
}

// loadLimits reads the limits that the bank keeps, once.
func (s *server) loadLimits(ctx context.Context) error {
	s.limits.mu.Lock()
	defer s.limits.mu.Unlock()
	if s.limits.loaded {
		return nil
	}
	var list []bank.RateLimit
	if err := s.Bank.Read(ctx, func(state *bank.State) { list = state.RateLimits() }); err != nil {
		return err
	}
	s.limits.own = make(map[string]rate, len(list))
	for _, limit := range list {
		s.limits.own["key_"+hex.EncodeToString(limit.Credential[:])] = rate{int64(limit.PerSecond), int64(limit.Burst)}
	}
	s.limits.loaded = true
	return nil
}

// limit counts a call of who was authenticated, says in the headers how many
// are left, and refuses what is too many. The headers are those of the IETF's
// draft "RateLimit header fields for HTTP".
func (s *server) limit(ctx context.Context, w http.ResponseWriter, who identity.Principal) error {
	if err := s.loadLimits(ctx); err != nil {
		return err
	}
	id := counted(who)
	r, known := rates[who.Kind]
	if !known {
		return nil
	}
	left, full, wait := s.limits.take(id, r, s.NowMS())
	own := s.limits.rateOf(id, r)
	w.Header().Set("RateLimit-Policy", fmt.Sprintf(`"key";q=%d;w=%d`, own.burst, ceilDiv(own.burst, own.perSecond)))
	w.Header().Set("RateLimit", fmt.Sprintf(`"key";r=%d;t=%d`, left, full))
	if wait == 0 {
		return nil
	}
	return &Problem{Status: http.StatusTooManyRequests, Code: "rate_limited", RetryAfterSeconds: wait,
		Detail: fmt.Sprintf("This key may call %d times a second, and %d times at once after a pause.", own.perSecond, own.burst)}
}

// counted names whose calls and streams are counted together: those of a key, of
// the person of tokens, whatever token it is, or of nobody.
func counted(who identity.Principal) string {
	if who.Kind == identity.User {
		return "user_" + strconv.FormatUint(who.Subject, 10)
	}
	return who.KeyID
}

func (l *limiter) rateOf(id string, otherwise rate) rate {
	l.mu.Lock()
	defer l.mu.Unlock()
	if own, found := l.own[id]; found {
		return own
	}
	return otherwise
}

// KeyPath names a key.
type KeyPath struct {
	Key string `path:"key" maxLength:"64"`
}

func (s *server) registerLimits() {
	register(s, operation("get-rate-limit", "GET", "/v1/keys/{key}/rate-limit", "How often a key may call", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *KeyPath) (*body[wire.RateLimit], error) {
			return s.showLimit(ctx, in.Key)
		})
	register(s, operation("set-rate-limit", "PUT", "/v1/keys/{key}/rate-limit", "Give a key a limit of its own; zeros give it that of its kind", "keys"), operator,
		func(ctx context.Context, _ identity.Principal, in *struct {
			KeyPath
			Body wire.NewRateLimit
		}) (*body[wire.RateLimit], error) {
			was, err := s.showLimit(ctx, in.Key)
			if err != nil {
				return nil, err
			}
			before(ctx, was.Body)
			command := bank.SetRateLimit{Limit: bank.RateLimit{PerSecond: in.Body.PerSecond, Burst: in.Body.Burst}}
			id, err := hex.DecodeString(strings.TrimPrefix(in.Key, "key_"))
			if err != nil || len(id) != len(command.Limit.Credential) {
				return nil, notFound("key")
			}
			copy(command.Limit.Credential[:], id)
			if _, err := s.submit(ctx, command.AppendTo(nil)); err != nil {
				return nil, err
			}
			s.limits.set(command.Limit)
			return s.showLimit(ctx, in.Key)
		})
}

func (s *server) showLimit(ctx context.Context, id string) (*body[wire.RateLimit], error) {
	key, err := s.Identity.Key(ctx, id)
	if err != nil {
		return nil, err
	}
	if err := s.loadLimits(ctx); err != nil {
		return nil, err
	}
	ofKind := rates[key.Owner.Kind]
	shown := s.limits.rateOf(id, ofKind)
	return &body[wire.RateLimit]{wire.RateLimit{PerSecond: uint32(shown.perSecond), Burst: uint32(shown.burst), OfKind: shown == ofKind}}, nil
}
