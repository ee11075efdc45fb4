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
	"sync"
	"time"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/payout"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Bank carries out commands and shows the state. journal.Writer is one.
type Bank interface {
	Submit(ctx context.Context, commands ...[]byte) ([]journal.Answer, error)
	Read(ctx context.Context, read func(*bank.State)) error
	AnswerAt(ctx context.Context, seq uint64, index uint32) (journal.Answer, error)
}

// History answers about the past. sqldb.History is one.
type History interface {
	// Cursor returns how far it has come.
	Cursor(ctx context.Context) (history.Cursor, error)
	history.Books
	history.People
	history.Affairs
	history.Trail
	history.Markets
	history.PastOrders
}

// Config is what the API is made of. Every field is required that does not say
// otherwise.
type Config struct {
	Bank      Bank
	Identity  *identity.Registry
	Collector *collect.Collector
	History   History
	// Lag says how far History is behind the bank.
	Lag func() history.Lag
	// News, which may be nil, lets a function be told what History has learned,
	// as history.Follower.Tell does.
	News func(tell func(*history.Chunk))
	// Await, which may be nil, returns when History has come to a record, or with
	// the context's error, as history.Follower.WaitFor does.
	Await func(ctx context.Context, seq uint64) error
	// Ready reports why the bank cannot serve; nil if it can.
	Ready    func() error
	Webhooks Webhooks
	Conduct  Conduct
	// Standings keeps what people may do up to date. If it is nil, there is one
	// that nobody runs: what is changed through the API is up to date.
	Standings *Standings
	// Terms brings what people decide to where events are taken. If it is nil,
	// there is one that nobody runs: what was decided through the API is there.
	Terms *Terms
	// Payer is the account from which people are paid out. Without an IBAN
	// nobody is.
	Payer payment.Party
	// Fault, which may be nil, is told why an operation answered with a status
	// of 500 or above: the answer itself does not say.
	Fault func(operation string, err error)
	// Metrics answers GET /metrics, to operators only.
	Metrics http.Handler
	Version string
	// Audience is the name of this bank in the tokens of worlds (aud).
	Audience string
	// NowMS is the clock, ms since 1970-01-01 UTC.
	NowMS func() int64
	// Draining, which may be nil, is closed when the bank is about to stop: then
	// streams end, and no new ones begin.
	Draining <-chan struct{}
	// Streams, which may be nil, counts what streams do.
	Streams *StreamStats
}

// role is who may use an operation.
type role uint8

const (
	operator role = 1 << iota
	worldServer
	worldWrite
	person
	user
	public
)

var roleOf = map[identity.Kind]role{
	identity.Operator: operator, identity.Server: worldServer, identity.Write: worldWrite, identity.Person: person, identity.User: user,
}

func (r role) names() (names []string) {
	for i, name := range [...]string{"operator", "server", "write", "person", "user", "public"} {
		if r>>i&1 == 1 {
			names = append(names, name)
		}
	}
	return names
}

func init() { huma.NewError = newProblem } // huma knows one for the whole process

// server holds what the handlers share.
type server struct {
	Config
	huma huma.API
	mux  *http.ServeMux

	accounts remembered[uint64, accountFacts]
	persons  remembered[[16]byte, uint64]
	worlds   remembered[string, uint32]
	codes    remembered[uint32, string]
	markets  remembered[uint32, marketUnits]
	holds    remembered[uint64, ledger.Hold] // as they were when last seen
	vouched  remembered[[32]byte, struct{}]  // tokens whose session is open, by their SHA-256

	desk *payout.Desk

	limits limiter

	following   streams
	accruals    accruals
	marketFeeds marketFeeds
	heartbeat   time.Duration // of streams

	exporting chan struct{} // a place for each export that is made
	patience  time.Duration // of an export with the history

	cursorSecret [32]byte
	pages        map[string][]string // paths that pages of any origin may call, with the methods

	ingesting chan struct{} // a place for each request with events that is in memory
}

// maxBodyBytes bounds the body of a REST request; events have a bound of their
// own.
const maxBodyBytes = 1 << 20

// maxPublicBytes bounds what the server reads for whoever shows no key.
const maxPublicBytes = 4 << 10

// New returns the handler of the whole API.
func New(config Config) http.Handler {
	return newServer(config)
}

func newServer(config Config) *server {
	description := huma.DefaultConfig("Attention Bank", config.Version)
	description.Info.Description = "Attention of people in virtual worlds, metered, turned into a time asset and kept on a double-entry ledger. Amounts are decimal strings in the asset's own scale, times RFC 3339 in UTC, days YYYY-MM-DD in UTC."
	description.CreateHooks = nil // answers carry no links to schemas
	description.DocsPath, description.SchemasPath, description.OpenAPIPath = "", "", ""
	description.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"key":   {Type: "http", Scheme: "bearer", Description: "A key of the bank: ab_op_… of an operator, ab_sk_… of a world's server, ab_pk_… of a person; or, where the role user is allowed, a token that a world signed for its user (JWT)."},
		"basic": {Type: "http", Scheme: "basic", Description: "The key as the user name, as analytics clients send it; the password is empty."},
	}
	s := &server{Config: config, mux: http.NewServeMux(), ingesting: make(chan struct{}, maxIngesting), heartbeat: streamHeartbeat,
		exporting: make(chan struct{}, maxExports), patience: exportPatience, cursorSecret: config.Identity.BankSecret("cursor"), pages: map[string][]string{}}
	if s.Streams == nil {
		s.Streams = new(StreamStats)
	}
	if s.Standings == nil {
		s.Standings = NewStandings(s.Bank, s.Identity)
	}
	if s.Terms == nil {
		s.Terms = NewTerms(s.Bank, s.Identity, s.Collector)
	}
	s.desk = NewDesk(s.Bank, s.Identity, s.Payer)
	s.huma = humago.New(s.mux, description)
	s.registerWorlds()
	s.registerOperators()
	s.registerProposals()
	s.registerAudit()
	s.registerLimits()
	s.registerMoney()
	s.registerPeople()
	s.registerAccrual()
	s.registerTokens()
	s.registerLinks()
	s.registerAllowances()
	s.registerEligibility()
	s.registerConsents()
	s.registerOwnLimits()
	s.registerPayouts()
	s.registerExport()
	s.registerGoods()
	s.registerAccounts()
	s.registerTransfers()
	s.registerHolds()
	s.registerCatalogue()
	s.registerPurchases()
	s.registerListings()
	s.registerReviews()
	s.registerMarkets()
	s.registerOrders()
	s.registerWebhooks()
	s.registerConduct()
	s.registerMarketData()
	s.registerEvents()
	s.registerClients()
	s.registerWelcome()
	s.registerHealth()
	s.registerPreflights()
	s.complete()
	s.registerDocs()
	s.registerDescription()
	s.mux.HandleFunc("/", s.elsewhere)
	return s
}

// ServeHTTP implements http.Handler.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	s.mux.ServeHTTP(w, r)
}

// elsewhere answers what no operation is for.
func (s *server) elsewhere(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions} {
		if _, pattern := s.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != "/" {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		writeProblem(w, &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is nothing at this path. See /openapi.json."})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	writeProblem(w, &Problem{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Detail: "Accepted here: " + strings.Join(allowed, ", ") + "."})
}

// registerDescription serves the OpenAPI document, which is complete by now.
func (s *server) registerDescription() {
	for path, describe := range map[string]func() ([]byte, error){"/openapi.json": s.huma.OpenAPI().MarshalJSON, "/openapi.yaml": s.huma.OpenAPI().YAML} {
		text := sync.OnceValues(describe)
		s.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			document, err := text()
			if err != nil {
				writeProblem(w, s.problem("get-description", err))
				return
			}
			w.Header().Set("Content-Type", "application/openapi+"+strings.TrimPrefix(path, "/openapi."))
			w.Write(document) // a client that has gone away is no fault
		})
	}
}

type principalKey struct{}

// register adds an operation for the roles that are allowed. The handler gets
// who asks; for a public operation that may be nobody.
func register[I, O any](s *server, op huma.Operation, allowed role, handle func(ctx context.Context, who identity.Principal, in *I) (*O, error)) {
	describe(&op, allowed)
	if op.MaxBodyBytes == 0 {
		op.MaxBodyBytes = maxBodyBytes
	}
	op.BodyReadTimeout = -1 // the server's own bounds reading
	op.Middlewares = huma.Middlewares{s.guard(allowed)}
	if allowed&user != 0 {
		s.openToPages(&op)
	}
	audit := auditOf[I](&op, allowed)
	huma.Register(s.huma, op, func(ctx context.Context, in *I) (*O, error) {
		who, _ := ctx.Value(principalKey{}).(identity.Principal)
		ctx, err := s.beginAct(ctx, who, audit, in)
		if err != nil {
			return nil, s.problem(op.OperationID, err)
		}
		list, err := s.openCursor(op.OperationID, in)
		if err != nil {
			return nil, s.problem(op.OperationID, err)
		}
		out, err := handle(ctx, who, in)
		if err != nil {
			return nil, s.failedAct(ctx, op.OperationID, err)
		}
		s.sealCursor(list, out)
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

// document adds an operation to the description that is served without huma.
func (s *server) document(op *huma.Operation, answers map[string]*huma.Response, problems map[string]string) {
	op.Responses = answers
	schema := s.huma.OpenAPI().Components.Schemas.Schema(typeOf[Problem](), true, "Problem")
	for status, says := range problems {
		op.Responses[status] = &huma.Response{Description: says, Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
	}
	s.huma.OpenAPI().AddOperation(op)
}

// guard lets a request pass if its key is of an allowed role.
func (s *server) guard(allowed role) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		secret := secretOf(ctx.Header("Authorization"))
		if secret == "" && allowed&public != 0 {
			next(ctx)
			return
		}
		_, w := humago.Unwrap(ctx)
		who, err := s.authenticate(ctx.Context(), secret, allowed)
		if err == nil {
			err = s.limit(ctx.Context(), w, who)
		}
		if err != nil {
			writeProblem(w, s.problem(ctx.Operation().OperationID, err))
			return
		}
		if who.Kind == identity.Operator && ctx.Method() != http.MethodGet {
			ctx = huma.WithValue(ctx, actKey{}, &act{Act: bank.Act{Operation: ctx.Operation().OperationID, Target: targetOf(ctx)}})
		}
		next(huma.WithValue(ctx, principalKey{}, who))
	}
}

func (s *server) authenticate(ctx context.Context, secret string, allowed role) (identity.Principal, error) {
	if secret == "" {
		return identity.Principal{}, keyMissing()
	}
	who, err := s.whoIs(ctx, secret)
	if err != nil {
		return who, err
	}
	if roleOf[who.Kind]&allowed == 0 && allowed&public == 0 {
		return who, &Problem{Status: http.StatusForbidden, Code: "role_forbidden",
			Detail: "A credential of kind " + who.Kind.String() + " may not do this; allowed: " + strings.Join(allowed.names(), ", ") + "."}
	}
	return who, nil
}

// whoIs returns who acts by a key or by a token.
func (s *server) whoIs(ctx context.Context, secret string) (identity.Principal, error) {
	if !isToken(secret) {
		return s.Identity.Authenticate(ctx, secret)
	}
	token, err := s.readToken(ctx, secret)
	if err != nil {
		return identity.Principal{}, err
	}
	return s.userOf(ctx, token)
}

func keyMissing() *Problem {
	return &Problem{Status: http.StatusUnauthorized, Code: "key_missing", Detail: "Send a key: Authorization: Bearer ab_…"}
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
	// The id of the key is left out: a retry may come under one that was renewed.
	h := sha256.New()
	parts := []string{who.Kind.String(), strconv.FormatUint(uint64(who.World), 10), string(who.PersonID[:]), operation, i.IdempotencyKey}
	if who.Kind == identity.Operator && who.Subject != 0 {
		parts = append(parts, strconv.FormatUint(who.Subject, 10))
	}
	for _, part := range parts {
		h.Write([]byte{byte(len(part)), byte(len(part) >> 8)})
		h.Write([]byte(part))
	}
	return bank.Key(h.Sum(nil)[:16])
}

// replayed is the value of the header Idempotent-Replayed.
func replayed(answer journal.Answer) string {
	if answer.Repeated {
		return "true"
	}
	return ""
}

// submit carries out one command; a refusal is an error.
func (s *server) submit(ctx context.Context, command []byte) (journal.Answer, error) {
	command, proposes, err := s.actOn(ctx, command)
	if err != nil {
		return journal.Answer{}, err
	}
	answers, err := s.Bank.Submit(ctx, command)
	if err != nil {
		return journal.Answer{}, err
	}
	if proposes && answers[0].Refusal == bank.Accepted {
		return answers[0], s.proposed(ctx, answers[0])
	}
	if answers[0].Refusal != bank.Accepted {
		return answers[0], refusalProblem(answers[0])
	}
	return answers[0], nil
}
