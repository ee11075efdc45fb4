package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/export"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/ledger"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

const (
	// maxExports are made at a time; each reads much.
	maxExports = 4
	// exportPatience is how long an export waits for the history.
	exportPatience = 20 * time.Second
)

func (s *server) registerExport() {
	op := operation("export-person", "GET", "/v1/people/{person}/export", "Everything that is kept about a person", "people")
	op.Description = "As one JSON document, or as a ZIP of CSV files; a manifest in it names every table and field. It shows the bank as of one record of the journal, which X-Journal-Sequence names, and is sent as it is read: what breaks off cannot be opened, and a whole one says that it is complete. That an operator has made one is on the audit trail."
	op.Parameters = []*huma.Param{
		{Name: "person", In: "path", Required: true, Description: "Id of the person, or me for whose credential it is.", Schema: &huma.Schema{Type: "string"}},
		{Name: "format", In: "query", Description: "json, or csv for the ZIP.", Schema: &huma.Schema{Type: "string", Enum: []any{"json", "csv"}, Default: "json"}},
	}
	describe(&op, operator|person)
	s.document(&op, map[string]*huma.Response{"200": {
		Description: "The export.",
		Content: map[string]*huma.MediaType{
			"application/json": {Schema: &huma.Schema{Type: "object", AdditionalProperties: true}},
			"application/zip":  {Schema: &huma.Schema{Type: "string", Format: "binary"}},
		},
	}}, map[string]string{
		"401": "The key is missing or not valid.", "403": "The person is not you.", "404": "There is no such person.", "410": "The person was erased: nothing personal is kept.",
		"422": "A parameter is wrong.", "429": "Too many exports or calls; see Retry-After.", "503": "The bank is stopping.",
	})
	s.mux.HandleFunc("GET "+op.Path, func(w http.ResponseWriter, r *http.Request) {
		who, err := s.authenticate(r.Context(), secretOf(r.Header.Get("Authorization")), operator|person)
		if err == nil {
			err = s.limit(r.Context(), w, who)
		}
		if err == nil {
			err = s.exportPerson(w, r, who)
		}
		if err != nil {
			writeProblem(w, s.problem(op.OperationID, err))
		}
	})
}

func (s *server) exportPerson(w http.ResponseWriter, r *http.Request, who identity.Principal) error {
	ctx := r.Context()
	subject, err := s.subject(ctx, who, r.PathValue("person"))
	if err != nil {
		return err
	}
	write, media, ending := export.WriteJSON, "application/json", "json"
	switch format := r.URL.Query().Get("format"); format {
	case "", "json":
	case "csv":
		write, media, ending = export.WriteCSV, "application/zip", "zip"
	default:
		return invalid("format", "%q: accepted: json, csv", format)
	}
	select {
	case s.exporting <- struct{}{}:
		defer func() { <-s.exporting }()
	default:
		return &Problem{Status: http.StatusTooManyRequests, Code: "too_many_exports", RetryAfterSeconds: 10, Detail: fmt.Sprintf("At most %d exports are made at a time. Try again in a moment.", maxExports)}
	}
	if who.Kind == identity.Operator && r.Method != http.MethodHead {
		if err := s.note(ctx, bank.Act{Actor: actorOf(who), Operation: "export-person", Target: "person=" + personText(subject.Person)}); err != nil {
			return err
		}
	}
	x := &exported{server: s, ctx: ctx, own: who.Kind == identity.Person, subject: subject}
	if err := x.begin(); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", `attachment; filename="attentionbank-`+personText(subject.Person)+`.`+ending+`"`)
	h.Set("X-Journal-Sequence", strconv.FormatUint(x.seq, 10))
	if r.Method == http.MethodHead {
		return nil
	}
	out := &eventWriter{w, http.NewResponseController(w)}
	if err := write(exportWriter{out}, x.manifest(), x.tables()); err != nil {
		if !errors.Is(err, errGone) && ctx.Err() == nil {
			s.problem("export-person", err)
		}
		panic(http.ErrAbortHandler) // so that nobody takes it for whole
	}
	return nil
}

// exportWriter writes each piece within a time of its own.
type exportWriter struct{ *eventWriter }

var _ io.Writer = exportWriter{}

// Write implements io.Writer.
func (e exportWriter) Write(p []byte) (int, error) {
	if err := e.write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// exported is a person of whom everything is told, as of one record of the
// journal. What the state of the bank says was copied at that record; what
// history says is read up to it while it is written.
type exported struct {
	*server
	ctx     context.Context
	own     bool // the person asks
	subject identity.Subject
	known   identity.Exported

	seq    uint64
	atMS   int64
	batch  uint64
	person uint64 // the bank's number; 0 if it knows nobody

	accounts []wire.Account
	points   []worldPoints
	cases    []wire.Case
	assets   map[uint32]assetFacts
}

type worldPoints struct {
	world                  string
	running, closing, owed int64
}

type assetFacts struct {
	code  string
	scale int
}

// begin fixes the record and copies what the state says.
func (x *exported) begin() error {
	if x.subject.ErasedMS != 0 {
		return identity.ErrErased
	}
	x.assets = map[uint32]assetFacts{}
	var err error
	if x.known, err = x.Identity.Export(x.ctx, x.subject.Number); err != nil {
		return err
	}
	folded, err := x.Collector.Folded(x.ctx, x.subject.Number)
	if err != nil {
		return err
	}
	x.batch = folded.Batch
	var opened uint64 // accounts that history is known to have
	err = x.Bank.Read(x.ctx, func(state *bank.State) { x.seq, opened = state.Seq(), state.Books().Accounts() })
	if err != nil {
		return err
	}
	number, _, err := x.personNumber(x.ctx, x.subject.Person)
	if err != nil {
		return err
	}
	x.person = number
	if err := x.waitForHistory(); err != nil {
		return err
	}
	accounts, err := x.accountNumbers(opened)
	if err != nil {
		return err
	}
	err = x.Bank.Read(x.ctx, func(state *bank.State) { x.copyState(state, accounts, opened) })
	if err != nil {
		return err
	}
	return x.waitForHistory()
}

// accountNumbers returns the person's accounts up to one, out of history.
func (x *exported) accountNumbers(last uint64) (numbers []uint64, err error) {
	if x.person == 0 {
		return nil, nil
	}
	for _, kind := range []ledger.OwnerKind{ledger.OwnerPerson, ledger.OwnerBank} {
		for after := uint64(0); ; {
			page, err := x.History.Accounts(x.ctx, kind, x.person, after, history.MaxPage)
			if err != nil {
				return nil, err
			}
			for _, a := range page {
				if after = a.Number; a.Number <= last && ofPerson(a.Key, x.person) {
					numbers = append(numbers, a.Number)
				}
			}
			if len(page) < history.MaxPage {
				break
			}
		}
	}
	return numbers, nil
}

// ofPerson reports whether an account is a person's, or of what the person owes.
func ofPerson(key ledger.Key, person uint64) bool {
	return key.Owner == person && (key.OwnerKind == ledger.OwnerPerson || key.Purpose == ledger.PurposeReceivable)
}

// copyState copies what a moment has of the person; accounts that were opened
// since the last one that history is known to have are looked for.
func (x *exported) copyState(state *bank.State, accounts []uint64, opened uint64) {
	x.seq, x.atMS = state.Seq(), state.NowMS()
	x.person, _ = state.PersonByID(x.subject.Person)
	if x.person == 0 {
		return
	}
	for number := opened + 1; number <= state.Books().Accounts(); number++ {
		if ofPerson(state.Books().Account(number).Key, x.person) {
			accounts = append(accounts, number)
		}
	}
	for _, number := range accounts {
		x.accounts = append(x.accounts, accountOf(state, number))
	}
	for world := uint32(1); world <= state.Worlds(); world++ {
		p := worldPoints{world: state.World(world).Code}
		if p.running, p.closing, p.owed = state.PointsOfWorldMicro(x.person, world); p.running != 0 || p.closing != 0 || p.owed != 0 {
			x.points = append(x.points, p)
		}
	}
	for _, number := range state.CasesOf(x.person) {
		c, _ := state.Case(number)
		x.cases = append(x.cases, caseOf(state, number, c))
	}
}

// waitForHistory returns when history has come to the record.
func (x *exported) waitForHistory() error {
	for deadline := time.Now().Add(x.patience); ; {
		cursor, err := x.History.Cursor(x.ctx)
		if err != nil || cursor.Seq >= x.seq {
			return err
		}
		if time.Now().After(deadline) {
			return history.ErrLagging
		}
		select {
		case <-x.ctx.Done():
			return x.ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (x *exported) manifest() export.Manifest {
	return export.Manifest{
		Person: personText(x.subject.Person), Made: timeText(x.NowMS()), Sequence: strconv.FormatUint(x.seq, 10), Batch: strconv.FormatUint(x.batch, 10),
		About: "Attention Bank keeps this about you. Times are UTC by RFC 3339, days are UTC days, amounts are decimal numbers in the unit of their asset. docs/people.md of the product says what is not in it and why.",
	}
}

// tables are all of them; TestEverythingIsExported says that none is missing.
func (x *exported) tables() (all []export.Table) {
	for _, some := range [][]export.Table{x.identityTables(), x.eventTables(), x.dayTables(), x.bookTables(), x.shopTables(), x.tradeTables(), x.ruleTables()} {
		all = append(all, some...)
	}
	return all
}

// asset returns the code and the scale of an asset.
func (x *exported) asset(number uint32) (facts assetFacts, err error) {
	facts, known := x.assets[number]
	if known || number == 0 {
		return facts, nil
	}
	err = x.Bank.Read(x.ctx, func(state *bank.State) {
		if a := state.Books().Asset(number); a != nil {
			facts = assetFacts{a.Code, int(a.Scale)}
		}
	})
	x.assets[number] = facts
	return facts, err
}

func (a assetFacts) format(minor int64) string { return amount.Format(minor, a.scale) }

// affairs gives the facts of transactions of a topic up to the record.
func (x *exported) affairs(topic history.Topic, number uint64, each func(t *history.Transaction, fact bank.Fact) error) error {
	if number == 0 {
		return nil
	}
	query := history.AffairQuery{Topic: topic, Number: number, UntilSeq: x.seq, Limit: 256}
	for {
		page, err := x.History.Affairs(x.ctx, query)
		if err != nil {
			return err
		}
		for i := range page {
			for fact, err := range bank.Facts(page[i].Answer) {
				if err == nil {
					err = each(&page[i], fact)
				}
				if err != nil {
					return err
				}
			}
		}
		if len(page) < query.Limit {
			return nil
		}
		last := &page[len(page)-1]
		query.After = history.Position{Seq: last.Seq, Index: last.Index}
	}
}

func operationOf(t *history.Transaction) string {
	return history.Position{Seq: t.Seq, Index: t.Index}.String()
}

func idText(number uint64) string {
	if number == 0 {
		return ""
	}
	return strconv.FormatUint(number, 10)
}

// field is a column; what means the same in every table need not be said again.
func field(name string, kind export.Kind, about string) export.Field {
	if about == "" {
		about = abouts[name]
	}
	return export.Field{Name: name, Kind: kind, About: about}
}

var abouts = map[string]string{
	"time": "When the bank did it.", "operation": "Where it stands in the journal: record and command.", "reference": "Of the business operation, as it was given.",
	"kind": "What was done.", "account": "Its number.", "asset": "Its code.", "world": "Its code.", "day": "The UTC day.", "from": "Since when.", "until": "Until when.",
	"balance": "What is in it.", "available": "What of it can be spent.", "floor": "What must stay in it.", "credit_limit": "How far below zero it may go.", "iban": "Its number.", "bic": "Its bank.",
	"message_id": "Of the client.", "user_id": "The world's name for you.", "anonymous_id": "The client's name for your device.", "amount": "How much.", "quantity": "How many.",
	"beneficiary": "The account that it is for.", "expires": "When it ends by itself.", "group": "Holds that end together.", "revision": "Counts how often it changed.", "owed": "What you owe of it.",
	"epoch": "Its number.", "policy_version": "Of the world's policy.", "commitment": "What the journal shows of T, I and C.", "points": "Attention.", "product": "Its code.", "market": "What is traded for what.",
	"side": "buy or sell.", "order": "Its market and number.", "ended": "When it came to that.", "currency": "Its code.", "charged_back": "The card's bank took it back.", "post_only": "It was not to trade at once.",
	"case": "Its number.", "status": "What it came to.", "meaning": "What that means.", "tier": "How well you are known.", "rules_version": "Of the review rules.", "opened": "When it began.", "decided": "When an operator decided.",
	"appeal_until": "Until when you may appeal.", "next_spend_daily": "TIME, from a time on.", "next_orders_daily": "TIME, from a time on.", "spend_from": "From when on.", "orders_from": "From when on.",
	"earn_minutes": "Minutes of presence of a day that earn.", "next_earn_minutes": "The same, from a time on.", "earn_from": "From when on.", "earns_nothing_until": "By your own choice.", "about": "What it was about, by ids.",
}
