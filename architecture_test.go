package attentionbank

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/attentionbank/attentionbank"

// layers says which packages of ours a package may import, and which of other
// people's. Imports point down; verbs do not import verbs; technologies do not
// import each other.
var layers = map[string]struct {
	ours, others []string
	// pure packages have no clock, no random, no I/O, no goroutine, no float.
	pure bool
}{
	"amount": {pure: true},
	"pages":  {pure: true},
	"event":  {ours: []string{"amount"}, pure: true},
	"packs":  {pure: true},
	"score":  {ours: []string{"amount", "event", "packs"}, others: []string{"cel.dev/cel-go", "go.yaml.in/yaml/v3"}, pure: true},
	"ledger": {ours: []string{"amount", "pages"}, pure: true},
	"market": {ours: []string{"amount", "pages"}, pure: true},
	"bank":   {ours: []string{"amount", "ledger", "market", "pages"}, pure: true},

	"abuse": {ours: []string{"amount", "score"}, others: []string{"go.yaml.in/yaml/v3"}, pure: true},

	"payment":     {ours: []string{"amount"}, pure: true},
	"eligibility": {ours: []string{"bank"}, others: []string{"go.yaml.in/yaml/v3"}, pure: true},
	"economy":     {ours: []string{"amount", "bank", "ledger", "market"}, pure: true},
	"conduct":     {ours: []string{"bank", "ledger", "market"}, pure: true},

	"collect":  {ours: []string{"abuse", "bank", "event", "score"}},
	"journal":  {ours: []string{"bank"}, others: []string{"golang.org/x/sys"}},
	"history":  {ours: []string{"bank", "ledger", "market"}},
	"patrol":   {ours: []string{"conduct"}},
	"identity": {ours: []string{"bank", "eligibility"}, others: []string{"github.com/go-jose/go-jose/v4"}},
	"outbox":   {ours: []string{"amount", "bank", "payment"}},
	"payout":   {ours: []string{"amount", "bank", "payment"}},

	"memory": {ours: []string{"collect", "history", "identity", "journal", "ledger", "outbox"}},
	"sqldb":  {ours: []string{"collect", "history", "identity", "journal", "ledger", "outbox", "pages"}, others: []string{"github.com/jackc/pgx/v5", "golang.org/x/sys", "modernc.org/libc", "modernc.org/sqlite"}},
	"api": {
		ours: []string{
			"abuse",
			"amount",
			"bank",
			"collect",
			"conduct",
			"eligibility",
			"event",
			"export",
			"history",
			"identity",
			"journal",
			"ledger",
			"market",
			"outbox",
			"patrol",
			"payment",
			"payout",
			"score",
			"wire",
		},
		others: []string{"github.com/danielgtaylor/huma/v2"},
	},
	"wire":       {},
	"strongroom": {ours: []string{"collect", "journal", "outbox"}},
	"transit":    {},
	"bankfiles":  {ours: []string{"payment"}},
	"tracing":    {ours: []string{"collect", "journal"}, others: []string{"go.opentelemetry.io/otel"}},
	"client":     {ours: []string{"wire"}},

	"lab":       {ours: []string{"market"}},
	"recording": {ours: []string{"amount", "market"}},
	"plot":      {},
	"export":    {},
	"calibrate": {ours: []string{"amount", "plot", "score"}, others: []string{"go.yaml.in/yaml/v3", "gonum.org/v1/gonum"}},

	"storetest": {ours: []string{"bank", "collect", "history", "identity", "journal", "ledger", "market", "memory", "outbox"}, others: []string{"pgregory.net/rapid"}},
	"auditor":   {pure: true}, // independent of what it audits
	"sim":       {ours: []string{"abuse", "auditor", "bank", "collect", "event", "journal", "ledger", "memory", "score"}},
	"crowd":     {ours: []string{"abuse", "bank", "collect", "event", "identity", "journal", "ledger", "memory", "score"}},
	"cmd/attentionbank": {
		ours: []string{
			"abuse",
			"amount",
			"api",
			"bank",
			"bankfiles",
			"calibrate",
			"client",
			"collect",
			"crowd", "conduct",
			"economy",
			"event",
			"history",
			"identity",
			"journal",
			"lab",
			"ledger",
			"market",
			"outbox",
			"packs", "payment", "payout",
			"patrol",
			"plot",
			"recording",
			"score",
			"sim",
			"sqldb",
			"strongroom",
			"tracing",
			"transit",
			"wire",
		},
		others: []string{"github.com/alecthomas/kong", "github.com/prometheus/client_golang", "github.com/schollz/progressbar/v3", "golang.org/x/crypto/acme", "golang.org/x/sys", "golang.org/x/term"},
	},
	"e2e": {},
	".":   {},
}

// impure are the parts of the standard library that a pure package stays away
// from. time is there for event and economy, which read and write times and
// never ask for one.
var impure = []string{"context", "crypto/rand", "database/sql", "log", "math/rand", "net", "os", "runtime", "sync", "syscall", "time", "unsafe"}

var impureAllowed = map[string][]string{"event": {"time"}, "economy": {"time"}}

// The lengths beyond which code no longer reads as one idea.
const (
	maxFileLines     = 450
	maxFunctionLines = 75
	maxMethods       = 8
)

var bannedNames = regexp.MustCompile(`(^|/)(util|utils|common|types|helper|helpers|impl|misc|base|lib|pkg|mock|mocks)(/|$|\.go$)`)

type source struct {
	path, folder string
	file         *ast.File
	lines        int
	isTest       bool
}

func sources(t *testing.T) (list []source, files *token.FileSet) {
	t.Helper()
	files = token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "node_modules" || name == "testdata" || name == "bin" || name == "data" || strings.HasPrefix(name, ".") && name != ".") {
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); entry.IsDir() && path != "." && err == nil {
			return filepath.SkipDir // a module of its own
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(files, path, text, parser.ParseComments)
		if err != nil {
			return err
		}
		list = append(list, source{filepath.ToSlash(path), filepath.ToSlash(filepath.Dir(path)), file, bytes.Count(text, []byte("\n")), strings.HasSuffix(name, "_test.go")})
		return nil
	})
	if err != nil || len(list) == 0 {
		t.Fatalf("reading the tree: %d files, %v", len(list), err)
	}
	return list, files
}

func TestImportsPointDown(t *testing.T) {
	list, _ := sources(t)
	for _, s := range list {
		layer, known := layers[s.folder]
		if !known {
			t.Errorf("%s: package %s has no place in the architecture", s.path, s.folder)
			continue
		}
		if s.isTest {
			continue
		}
		for _, spec := range s.file.Imports {
			path := strings.Trim(spec.Path.Value, `"`)
			if ours, isOurs := strings.CutPrefix(path, module+"/"); isOurs {
				if !slices.Contains(layer.ours, ours) {
					t.Errorf("%s: %s may not import %s", s.path, s.folder, ours)
				}
				continue
			}
			if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
				vetted := slices.ContainsFunc(layer.others, func(other string) bool { return path == other || strings.HasPrefix(path, other+"/") })
				if !vetted {
					t.Errorf("%s: %s may not import %s", s.path, s.folder, path)
				}
				continue
			}
			banned := slices.ContainsFunc(impure, func(other string) bool { return path == other || strings.HasPrefix(path, other+"/") })
			if layer.pure && banned && !slices.Contains(impureAllowed[s.folder], path) {
				t.Errorf("%s: %s is pure and may not import %s", s.path, s.folder, path)
			}
		}
	}
}

func TestPurePackagesComputeOnly(t *testing.T) {
	list, files := sources(t)
	for _, s := range list {
		if !layers[s.folder].pure || s.isTest {
			continue
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			bad := ""
			switch n := node.(type) {
			case *ast.GoStmt:
				bad = "a goroutine"
			case *ast.SelectStmt, *ast.ChanType:
				bad = "a channel"
			case *ast.Ident:
				if n.Name == "float64" || n.Name == "float32" {
					bad = "a float"
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					bad = "a float"
				}
			case *ast.SelectorExpr:
				if x, isIdent := n.X.(*ast.Ident); isIdent && x.Name == "time" && (n.Sel.Name == "Now" || n.Sel.Name == "Since") {
					bad = "the clock"
				}
			}
			if bad != "" {
				t.Errorf("%s: %s is pure and uses %s", files.Position(node.Pos()), s.folder, bad)
			}
			return true
		})
	}
}

func TestCodeReadsAsOneIdeaAfterAnother(t *testing.T) {
	list, files := sources(t)
	documented := map[string]bool{}
	for _, s := range list {
		if s.file.Doc != nil {
			documented[s.folder] = true
		}
		if bannedNames.MatchString(s.path) {
			t.Errorf("%s: a name that says nothing", s.path)
		}
		if s.isTest {
			continue
		}
		if s.lines > maxFileLines {
			t.Errorf("%s has %d lines, more than %d", s.path, s.lines, maxFileLines)
		}
		ast.Inspect(s.file, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				if n.Body == nil {
					break
				}
				lines := files.Position(n.End()).Line - files.Position(n.Pos()).Line
				// Lists of routes and tables are read down, not through.
				if lines > maxFunctionLines && !strings.HasPrefix(n.Name.Name, "register") {
					t.Errorf("%s: %s has %d lines, more than %d", s.path, n.Name.Name, lines, maxFunctionLines)
				}
				if n.Doc == nil && n.Name.IsExported() && n.Recv == nil {
					t.Errorf("%s: %s is exported and not documented", s.path, n.Name.Name)
				}
			case *ast.InterfaceType:
				if n.Methods.NumFields() > maxMethods {
					t.Errorf("%s: an interface with %d methods, more than %d", files.Position(n.Pos()), n.Methods.NumFields(), maxMethods)
				}
			}
			return true
		})
	}
	for _, s := range list {
		if !s.isTest && !documented[s.folder] {
			t.Errorf("package %s says nowhere what it is", s.folder)
			documented[s.folder] = true
		}
	}
}

// Every fuzz target is in the list that make fuzz runs.
func TestFuzzTargetsAreListed(t *testing.T) {
	list, _ := sources(t)
	var found []string
	for _, s := range list {
		for _, decl := range s.file.Decls {
			if f, isFunc := decl.(*ast.FuncDecl); isFunc && s.isTest && strings.HasPrefix(f.Name.Name, "Fuzz") {
				found = append(found, s.folder+":"+f.Name.Name)
			}
		}
	}
	slices.Sort(found)
	text, err := os.ReadFile("testdata/fuzz-targets.txt")
	if err != nil {
		t.Fatal(err)
	}
	if listed := strings.Fields(string(text)); !slices.Equal(listed, found) {
		t.Errorf("testdata/fuzz-targets.txt has\n%s\nthe code has\n%s", strings.Join(listed, "\n"), strings.Join(found, "\n"))
	}
}

// parsers are named for what they do; enumerations, which look a name up in a
// list, return whether it is there and need no fuzzing.
var parsers = regexp.MustCompile(`^(Parse|Decode|Restore)`)

// Every exported parser is called by a fuzz target of its package.
func TestEveryParserIsFuzzed(t *testing.T) {
	list, _ := sources(t)
	called := map[string]bool{} // by folder and name
	for _, s := range list {
		for _, decl := range s.file.Decls {
			f, isFunc := decl.(*ast.FuncDecl)
			if !isFunc || !s.isTest || !strings.HasPrefix(f.Name.Name, "Fuzz") {
				continue
			}
			ast.Inspect(f, func(node ast.Node) bool {
				if name, isName := node.(*ast.Ident); isName {
					called[s.folder+"."+name.Name] = true
				}
				return true
			})
		}
	}
	for _, s := range list {
		for _, decl := range s.file.Decls {
			f, isFunc := decl.(*ast.FuncDecl)
			if !isFunc || s.isTest || f.Recv != nil || !parsers.MatchString(f.Name.Name) || isLookup(f) {
				continue
			}
			if !called[s.folder+"."+f.Name.Name] && !fuzzedThrough[s.folder+"."+f.Name.Name] {
				t.Errorf("%s: %s is called by no fuzz target of its package", s.path, f.Name.Name)
			}
		}
	}
}

// fuzzedThrough are parsers that a target reaches through what it calls.
var fuzzedThrough = map[string]bool{
	"ledger.Decode":           true, // bank:FuzzRestore
	"pages.Decode":            true, // bank:FuzzRestore
	"market.Decode":           true, // market:FuzzRestore
	"strongroom.ParseEntries": true, // strongroom:FuzzEntries opens a keyring with them
}

// isLookup tells whether a function returns whether a name is known.
func isLookup(f *ast.FuncDecl) bool {
	results := f.Type.Results
	if results == nil || results.NumFields() == 1 {
		return true // ParseCall: zero for none
	}
	last, isName := results.List[len(results.List)-1].Type.(*ast.Ident)
	return isName && last.Name == "bool" && results.NumFields() == 2 && f.Name.Name != "ParseSpend"
}

// What is committed names no machine, no user's folder and no download host.
func TestFilesNameNoMachine(t *testing.T) {
	output, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skipf("this is no git checkout, so there is no list of what is committed: %v", err)
	}
	machines := regexp.MustCompile(`/(root|home/[a-z]+|Users/[A-Za-z]+|work)/|registry\.` + `npmjs|proxy\.` + `golang\.org`)
	for _, path := range strings.Fields(string(output)) {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // deleted and not committed yet
		}
		if where := machines.FindIndex(text); where != nil {
			line := 1 + bytes.Count(text[:where[0]], []byte("\n"))
			t.Errorf("%s:%d names %q", path, line, text[where[0]:where[1]])
		}
	}
}

// The documents name files and folders that exist.
func TestDocumentsNameWhatExists(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	documents, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	deeper, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	deepest, err := filepath.Glob("docs/*/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, document := range slices.Concat(documents, deeper, deepest) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), match[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", document, match[1])
			}
		}
	}
	if len(documents) == 0 {
		t.Error(fmt.Errorf("no documents"))
	}
}
