// Package api is the bank over HTTP: REST under /v1, described by OpenAPI 3.1
// at /openapi.json. Nothing is answered without a credential unless its
// operation says that it is public.
package api

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Bank carries out commands and shows the state. journal.Writer is one.
type Bank interface {
	Submit(ctx context.Context, commands ...[]byte) ([]journal.Answer, error)
	Read(ctx context.Context, read func(*bank.State)) error
}

// History answers about the past. sqldb.History is one.
type History interface {
	history.Books
	history.People
}

// Config is what the API is made of. Every field is required.
type Config struct {
	Bank      Bank
	Identity  *identity.Registry
	Collector *collect.Collector
	History   History
	// Lag says how far History is behind the bank.
	Lag func() history.Lag
	// Ready reports why the bank cannot serve; nil if it can.
	Ready func() error
	// Metrics answers GET /metrics, to operators only.
	Metrics http.Handler
	Version string
	// NowMS is the clock, ms since 1970-01-01 UTC.
	NowMS func() int64
}

// role is who may use an operation.
type role uint8

const (
	operator role = 1 << iota
	worldServer
	worldWrite
	person
	public
)

var roleOf = map[identity.Kind]role{
	identity.Operator: operator, identity.Server: worldServer, identity.Write: worldWrite, identity.Person: person,
}

func (r role) names() (names []string) {
	for i, name := range [...]string{"operator", "server", "write", "person", "public"} {
		if r>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

// server holds what the handlers share.
type server struct {
	Config
	huma     huma.API
	mux      *http.ServeMux
	accounts accountCache
}

// maxBodyBytes bounds the body of a REST request; events have a bound of their
// own.
const maxBodyBytes = 1 << 20

// New returns the handler of the whole API.
func New(config Config) http.Handler {
	return newServer(config)
}

func newServer(config Config) *server {
	huma.NewError = newProblem
	description := huma.DefaultConfig("Attention Bank", config.Version)
	description.Info.Description = "Attention of people in virtual worlds, metered, turned into a time asset and kept on a double-entry ledger. Amounts are decimal strings in the asset's own scale, times RFC 3339 in UTC, days YYYY-MM-DD in UTC."
	description.CreateHooks = nil // answers carry no links to schemas
	description.DocsPath = ""
	description.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":   {Type: "http", Scheme: "bearer", Description: "A key of the bank: ab_op_… of an operator, ab_sk_… of a world's server, ab_pk_… of a person."},
		"basic": {Type: "http", Scheme: "basic", Description: "The key as the user name, as analytics clients send it; the password is empty."},
	}
	s := &server{Config: config, mux: http.NewServeMux()}
	s.huma = humago.New(s.mux, description)
	s.registerWorlds()
	s.registerMoney()
	s.registerPeople()
	s.registerAccounts()
	s.registerTransfers()
	s.registerHolds()
	s.registerEvents()
	s.registerWelcome()
	s.registerHealth()
	return s
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'")
	if _, pattern := s.mux.Handler(r); pattern == "" {
		writeProblem(w, &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is nothing at this path. See /openapi.json."})
		return
	}
	s.mux.ServeHTTP(w, r)
}

type principalKey struct{}

// register adds an operation for the roles that are allowed. The handler gets
// who asks; for a public operation that may be nobody.
func register[I, O any](s *server, op huma.Operation, allowed role, handle func(ctx context.Context, who identity.Principal, in *I) (*O, error)) {
	describe(&op, allowed)
	op.MaxBodyBytes = maxBodyBytes
	op.Middlewares = huma.Middlewares{s.guard(allowed)}
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		who, _ := ctx.Value(principalKey{}).(identity.Principal)
		out, err := handle(ctx, who, in)
		if err != nil {
			return nil, problemOf(err)
		}
		return out, nil
	})
}

func describe(op *huma.Operation, allowed role) {
	if op.OperationID == "" {
		op.OperationID = strings.ToLower(op.Method) + strings.NewReplacer("/v1/", "-", "/", "-", "{", "", "}", "", "_", "-").Replace(op.Path)
	}
	op.Extensions = map[string]any{"x-roles": allowed.names()}
	if allowed&public == 0 {
		op.Security = []map[string][]string{{"key": {}}, {"basic": {}}}
		op.Errors = append(op.Errors, http.StatusUnauthorized, http.StatusForbidden)
	}
	op.Errors = slices.Compact(slices.Sorted(slices.Values(append(op.Errors, http.StatusUnprocessableEntity))))
}

// guard lets a request pass if its key is of an allowed role.
func (s *server) guard(allowed role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		secret := secretOf(ctx.Header("Authorization"))
		if secret == "" && allowed&public != 0 {
			next(ctx)
			return
		}
		who, err := s.authenticate(ctx.Context(), secret, allowed)
		if err != nil {
			ctx.SetHeader("WWW-Authenticate", "Bearer")
			p := problemOf(err)
			_, w := humago.Unwrap(ctx)
			writeProblem(w, p)
			return
		}
		next(huma.WithValue(ctx, principalKey{}, who))
	}
}

func (s *server) authenticate(ctx context.Context, secret string, allowed role) (identity.Principal, error) {
	if secret == "" {
		return identity.Principal{}, &Problem{Status: http.StatusUnauthorized, Code: "key_missing", Detail: "Send a key: Authorization: Bearer ab_…"}
	}
	who, err := s.Identity.Authenticate(ctx, secret)
	if err != nil {
		return who, err
	}
	if roleOf[who.Kind]&allowed == 0 && allowed&public == 0 {
		return who, &Problem{Status: http.StatusForbidden, Code: "role_forbidden",
			Detail: "A key of kind " + who.Kind.String() + " may not do this; allowed: " + strings.Join(allowed.names(), ", ") + "."}
	}
	return who, nil
}

// secretOf reads a key from a Bearer or Basic header; with Basic it is the
// user name.
func secretOf(header string) string {
	if secret, isBearer := strings.CutPrefix(header, "Bearer "); isBearer {
		return strings.TrimSpace(secret)
	}
	r := http.Request{Header: http.Header{"Authorization": {header}}}
	user, _, _ := r.BasicAuth()
	return user
}

// Idempotent is the header of calls that change something.
type Idempotent struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"A name of your own for this call. Sent again with the same body within 24 hours, it gets the first answer and nothing is done twice."`
}

// key returns the idempotency key of a call by who it is made: different
// owners' keys never meet.
func (i Idempotent) key(who identity.Principal, operation string) bank.Key {
	if i.IdempotencyKey == "" {
		return bank.Key{}
	}
	who.KeyID = "" // a retry may come under a key that was renewed
	h := sha256.New()
	for _, part := range []string{who.Kind.String(), strconv.FormatUint(uint64(who.World), 10), string(who.PersonID[:]), operation, i.IdempotencyKey} {
		h.Write([]byte{byte(len(part)), byte(len(part) >> 8)})
		h.Write([]byte(part))
	}
	return bank.Key(h.Sum(nil)[:16])
}

// Replayed is the header of an answer that was given before.
type Replayed struct {
	Replayed string `header:"Idempotent-Replayed"`
}

func replayedOf(answer journal.Answer) Replayed {
	if answer.Repeated {
		return Replayed{"true"}
	}
	return Replayed{}
}

// submit carries out one command; a refusal is an error.
func (s *server) submit(ctx context.Context, command []byte) (journal.Answer, error) {
	answers, err := s.Bank.Submit(ctx, command)
	if err != nil {
		return journal.Answer{}, err
	}
	if answers[0].Refusal != bank.Accepted {
		return answers[0], refusalProblem(answers[0])
	}
	return answers[0], nil
}
