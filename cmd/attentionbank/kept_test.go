package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// kept is where in an export something is that is kept, or why it is not in it.
type kept struct {
	tables string // names with spaces between
	why    string
}

func in(tables string) kept { return kept{tables: tables} }
func not(why string) kept   { return kept{why: why} }

const (
	nobodys  = "says nothing of a person"
	theSame  = "finds or sums what is exported already"
	withheld = "a hash, to know something by that is shown again; it says nothing more"
)

// tablesKept are the tables of every store, by the file of package sqldb that
// makes them.
var tablesKept = map[string]kept{
	"blocks/blocks": not(withheld), "blocks/pages": not(withheld), // of message ids
	"details/details": in("attributes consents payees"), "details/detail_secrets": in("attributes consents payees"),
	"events/batches": in("events"), "events/parts": in("metering sessions spends days slices findings events"), "events/checkpoint": not(nobodys),
	"events/marks":  not(withheld), // of devices and days
	"events/places": not(theSame), "events/purged": not(nobodys),
	"history/cursor": not(nobodys), "history/records": not(nobodys),
	"history/transactions": in("purchases listings goods payouts cards allowances orders conversions own_limits standing case_changes holds"),
	"history/reference":    in("postings purchases"), "history/postings": in("postings"), "history/accounts": in("accounts"), "history/holds": in("holds"),
	"history/mints": in("mints"), "history/payments": in("payments"), "history/epochs": not(nobodys), "history/acts": in("acts"),
	"history/trades": not("what was traded, without by whom"), "history/fills": in("fills"), "history/candles": not(nobodys),
	"history/affairs": not(theSame), "history/orders": in("orders fills"),
	"identity/founding": not(nobodys), "identity/keys": in("keys"), "identity/key_labels": in("keys"),
	"identity/tickets":  not(withheld), // one-time codes, for an hour
	"identity/subjects": in("person names"), "identity/subject_secrets": in("names"), "identity/token_keys": not(nobodys),
	"identity/spent_tokens": not(withheld), "identity/links": in("links"),
	"journal/records": in("postings mints payments purchases listings goods payouts cards allowances orders fills conversions own_limits standing case_changes holds acts"), "journal/store_keys": not(nobodys),
	"outbox/cursor": not(nobodys), "outbox/messages": not("tells a world again what purchases says, under the person's id"), "outbox/endpoints": not(nobodys),
	"postgres/tables_version": not(nobodys),
	"snapshotrows/snapshots":  in("accounts points cases"), // the state of the bank, below
}

// stateKept are the parts of the bank's state that snapshots have.
var stateKept = map[string]kept{
	"seq": not(nobodys), "small": not("worlds, policies, epochs, products, operators, markets, tiers and rules"),
	"books": in("accounts points holds"), "people": in("person"), "days": in("mints"), "waiting": not("accounts of points that wait for an epoch: points has them"),
	"repeats": not(withheld), "purchases": in("purchases"), "listings": in("listings"), "cases": in("cases"), "standings": in("standing"), "allowed": in("allowances"),
	"goods": in("goods"), "payouts": in("payouts"), "credits": in("cards"), "ownLimits": in("own_limits"),
	"trade": in("orders"), // and sums of traders for the limits of their tiers
}

// factsKept are the facts that answers consist of.
var factsKept = map[string]kept{
	"AccountOpened": in("accounts"), "AllowanceSet": in("allowances"), "AllowanceSpent": in("allowances"), "CardCredited": in("cards"), "CaseChanged": in("case_changes"),
	"Converted": in("conversions"), "EpochPaid": in("payments"), "GoodMoved": in("goods"), "GoodOffered": in("goods"), "HoldPlaced": in("holds"), "HoldReduced": in("holds"),
	"LimitsSet": in("accounts"), "ListingEnded": in("listings"), "ListingPlaced": in("listings"), "Minted": in("mints"), "OrderAmended": in("orders"), "OrderCancelled": in("orders"),
	"OrderFilled": in("fills"), "OrderPlaced": in("orders"), "OrdersKept": in("orders"), "OwnLimitsSet": in("own_limits"), "PayoutEnded": in("payouts"), "PayoutRequested": in("payouts"),
	"PersonHalted": in("standing"), "PersonRegistered": in("person"), "Posted": in("postings"), "PurchaseEnded": in("purchases"), "Purchased": in("purchases"), "StandingSet": in("standing"),
	"AllHalted": not(nobodys), "AssetRegistered": not(nobodys), "CollectionSet": not(nobodys), "EligibilityPublished": not(nobodys), "EpochClosed": not(nobodys), "EpochClosing": not(nobodys),
	"MarketCleared": not(nobodys), "MarketOpened": not(nobodys), "MarketTermsSet": not(nobodys), "MonetaryPolicySet": not(nobodys), "OperatorAdmitted": not(nobodys), "OperatorRemoved": not(nobodys),
	"PayoutRateSet": not(nobodys), "PayoutsFiled": not("counts and sums of payouts of many"), "PayoutsSent": not("of a file of payouts of many"), "PhaseChanged": not(nobodys), "PolicyPublished": not(nobodys),
	"ProductSet": not(nobodys), "ProposalEnded": not(nobodys), "ProposalMade": not(nobodys), "RateLimitSet": not("of a key, by its id, set by an operator: an act"), "ReviewRulesPublished": not(nobodys),
	"TierSet": not(nobodys), "TwoPersonsRequired": not(nobodys), "RetentionSet": not(nobodys), "WorldRegistered": not(nobodys), "WorldShareSet": not(nobodys),
}

// foldedKept are the fields of what package collect folds of a person and of a
// day; entriesKept the kinds of entries of its log; detailsKept the details that
// identity keeps, as its code names them.
var (
	foldedKept = map[string]kept{
		"person.united": in("names"), "person.former": not("whose a device was before: the events of each user say so"), "person.sessions": in("sessions"), "person.waiting": in("metering events"),
		"person.spends": in("spends"), "person.refunds": in("spends"), "person.links": in("links"), "person.since": in("metering"), "person.appeals": in("events"), "person.terms": in("metering"),
		"person.days": in("days"), "person.changed": not(nobodys), "person.unsaved": not(nobodys),
		"day.Day": in("days slices"), "day.seq": in("days"), "day.matured": in("days"), "day.worlds": in("days"), "day.bounds": in("days"), "day.found": in("findings"), "day.marks": not(withheld),
		"day.dirty": not(nobodys), "day.unsure": not(nobodys), "day.changed": not(nobodys), "day.loaded": not(nobodys), "day.savedMarks": not(nobodys),
	}
	entriesKept = map[string]kept{
		"eventEntry": in("events"), "sessionEntry": in("events"), "linkEntry": in("events"), "appealEntry": in("events"), "termsEntry": in("events"),
		"droppedEntry": not("what a world keeps no longer: a hash is left"), "entryKinds": not(nobodys),
	}
	detailsKept = map[string]kept{"attributesName": in("attributes"), "consentName(c.Purpose)": in("consents"), "name": in("payees"), "unfinishedTerms": not(theSame)}
)

// sources parses the files of a package.
func sources(t *testing.T, folder string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s has no files, %v", folder, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// fieldsOf returns the names of the fields of a struct of a package.
func fieldsOf(t *testing.T, folder, name string) (names []string) {
	t.Helper()
	for _, file := range sources(t, folder) {
		ast.Inspect(file, func(n ast.Node) bool {
			spec, is := n.(*ast.TypeSpec)
			if !is || spec.Name.Name != name {
				return true
			}
			for _, field := range spec.Type.(*ast.StructType).Fields.List {
				for _, id := range field.Names {
					names = append(names, id.Name)
				}
				if embedded, is := field.Type.(*ast.SelectorExpr); is && len(field.Names) == 0 {
					names = append(names, embedded.Sel.Name)
				}
			}
			return true
		})
	}
	return names
}

var (
	tableMade = regexp.MustCompile("CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)")
	detailSet = regexp.MustCompile(`(?:setDetail|changeDetail)\(ctx, subject, ([^,]+),`)
)

// matches returns what an expression finds in the files of a package, with the
// name of the file before it if told.
func matches(t *testing.T, folder string, wanted *regexp.Regexp, withFile bool) (found []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, match := range wanted.FindAllSubmatch(text, -1) {
			name := string(match[1])
			if withFile {
				name = strings.TrimSuffix(filepath.Base(path), ".go") + "/" + name
			}
			found = append(found, name)
		}
	}
	return found
}

// exportNames returns the tables that an export of a bank has.
func exportNames(t *testing.T) (names []string) {
	t.Helper()
	s, operator, server := servingAnn(t)
	var person struct{ Person string }
	s.ask("GET", "/v1/worlds/cafe/users/ann", server, "", http.StatusOK, &person)
	var export struct {
		Manifest struct{ Tables []struct{ Name string } }
		Tables   map[string]json.RawMessage
	}
	s.ask("GET", "/v1/people/"+person.Person+"/export", operator, "", http.StatusOK, &export)
	for _, table := range export.Manifest.Tables {
		names = append(names, table.Name)
	}
	if len(export.Tables) != len(names) {
		t.Errorf("%d tables, the manifest names %d", len(export.Tables), len(names))
	}
	return names
}

// Everything kept that may be of a person has a place in the export, or a reason
// why it has none: what is new fails here until somebody says which.
func TestEverythingKeptIsExported(t *testing.T) {
	names := exportNames(t)
	used := map[string]bool{}
	check := func(what string, list map[string]kept, there []string) {
		t.Helper()
		slices.Sort(there)
		there = slices.Compact(there)
		if len(there) == 0 {
			t.Errorf("no %s was found, so the search is blind", what)
		}
		for _, name := range there {
			k, listed := list[name]
			if !listed || k == (kept{}) {
				t.Errorf("%s %s is new: say here where in the export it is, or why it is not", what, name)
			}
			for _, table := range strings.Fields(k.tables) {
				if used[table] = true; !slices.Contains(names, table) {
					t.Errorf("%s %s is said to be in %s, which no export has", what, name, table)
				}
			}
		}
		for name := range list {
			if !slices.Contains(there, name) {
				t.Errorf("%s %s is no longer there", what, name)
			}
		}
	}
	check("table", tablesKept, matches(t, "sqldb", tableMade, true))
	check("part of the state", stateKept, fieldsOf(t, "bank", "Frozen"))
	check("detail", detailsKept, matches(t, "identity", detailSet, false))
	var facts, folded, entries []string
	for _, file := range sources(t, "bank") {
		for _, declared := range file.Decls {
			if method, is := declared.(*ast.FuncDecl); is && method.Recv != nil && method.Name.Name == "factKind" {
				facts = append(facts, method.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	check("fact", factsKept, facts)
	for _, of := range []string{"person", "day"} {
		for _, field := range fieldsOf(t, "collect", of) {
			folded = append(folded, of+"."+field)
		}
	}
	check("folded field", foldedKept, folded)
	for _, file := range sources(t, "collect") {
		for _, declared := range file.Decls {
			entries = append(entries, constantsOf(declared, "entryKind")...)
		}
	}
	check("kind of entry", entriesKept, entries)
	for _, name := range names {
		if !used[name] {
			t.Errorf("nothing that is kept is said to be in %s", name)
		}
	}
}

// constantsOf returns the constants that a declaration has of a type, and those
// that go on from them.
func constantsOf(declared ast.Decl, of string) (names []string) {
	group, is := declared.(*ast.GenDecl)
	if !is || group.Tok != token.CONST {
		return nil
	}
	goesOn := false
	for _, spec := range group.Specs {
		values := spec.(*ast.ValueSpec)
		if kind, typed := values.Type.(*ast.Ident); typed {
			goesOn = kind.Name == of
		}
		if goesOn {
			for _, id := range values.Names {
				names = append(names, id.Name)
			}
		}
	}
	return names
}
