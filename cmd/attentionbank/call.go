package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/attentionbank/attentionbank/client"
)

type callCommand struct {
	Operation string   `arg:"" optional:"" help:"The operation's name, such as place-order; without it, all are listed."`
	Values    []string `arg:"" optional:"" help:"What it takes, as name=value; texts as they are, everything else as JSON."`

	Serving
	Body           string `help:"The whole body from a file, - for standard input." placeholder:"FILE"`
	All            bool   `help:"Of a list, all pages: an item a line."`
	IdempotencyKey string `help:"A name for this call: given again within 24 hours, it is done once."`
	Explain        bool   `help:"Say what the operation takes, and call nothing."`
}

// Serving is a bank that serves, and who asks it.
type Serving struct {
	Bank string `help:"Where the bank listens." env:"AB_BANK" default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key  string `help:"Who asks: a key of the bank. Rather set AB_KEY than write it here." env:"AB_KEY"`
}

func (s Serving) client() (*client.Client, error) {
	bank, err := client.New(client.Config{URL: s.Bank, Key: s.Key})
	if err != nil {
		return nil, usage("--bank: %v", err)
	}
	return bank, nil
}

// Help teaches by example.
func (c *callCommand) Help() string {
	return `Calls an operation of a bank that serves, as its description (/openapi.json) has it, and prints the
answer as JSON. Calls are made again when the bank is busy or the connection is lost, under one
Idempotency-Key, so nothing is done twice.

Examples:
  attentionbank call                                             # lists the operations
  attentionbank call place-order --explain
  export AB_KEY=ab_pk_…
  attentionbank call place-order market=1 side=buy price=0.12 quantity=10
  attentionbank call get-quote market=1 side=sell quantity=5
  attentionbank call list-orders --all
  attentionbank call create-transfer --body transfer.json --idempotency-key salary-2026-01`
}

// Run implements the command.
func (c *callCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	text, err := bank.As("").Do(env.context, client.Request{Method: http.MethodGet, Path: "/openapi.json"})
	if err != nil {
		return withHint(fmt.Errorf("asking %s what it can do: %w", c.Bank, err), "is it a bank that serves? Name it by --bank or AB_BANK")
	}
	all, err := readDescription(text)
	if err != nil {
		return err
	}
	if c.Operation == "" {
		return listOperations(env.stdout, all)
	}
	operation := all[c.Operation]
	if operation == nil {
		return usage("there is no operation %q%s; attentionbank call lists them", c.Operation, similar(all, c.Operation))
	}
	if c.Explain {
		return operation.explain(env.stdout)
	}
	return c.call(env, bank, operation)
}

func (c *callCommand) call(env *environment, bank *client.Client, operation *described) error {
	given, err := operation.fill(c.Values)
	if err != nil {
		return err
	}
	request := client.Request{Method: operation.Method, Path: given.path, Query: given.query, Keyed: operation.takesKey()}
	if request.Body, err = c.body(env, operation, given); err != nil {
		return err
	}
	var options []client.Option
	if c.IdempotencyKey != "" {
		if !request.Keyed {
			return usage("%s takes no --idempotency-key", operation.ID)
		}
		options = append(options, client.IdempotencyKey(c.IdempotencyKey))
	}
	for {
		answer, err := bank.Do(env.context, request, options...)
		if err != nil {
			return refusedBy(err)
		}
		next, err := c.print(env.stdout, answer)
		if err != nil || next == "" {
			return err
		}
		request.Query.Set("cursor", next)
	}
}

// body returns the body of a call, nil for none.
func (c *callCommand) body(env *environment, operation *described, given filled) (json.RawMessage, error) {
	if c.Body == "" {
		if len(given.body) == 0 && len(operation.needed) == 0 && !operation.RequestBody.Required {
			return nil, nil
		}
		return json.Marshal(given.body)
	}
	if len(given.body) > 0 {
		return nil, usage("--body and members of the body exclude each other")
	}
	var text []byte
	var err error
	if c.Body == "-" {
		text, err = io.ReadAll(io.LimitReader(env.stdin, 8<<20))
	} else {
		text, err = os.ReadFile(c.Body)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the body: %w", err)
	}
	if !json.Valid(text) {
		return nil, usage("--body: %s is no JSON", c.Body)
	}
	return text, nil
}

// print writes an answer; of a list that is to be written whole, its items, and
// it returns where the list goes on.
func (c *callCommand) print(w io.Writer, answer json.RawMessage) (next string, err error) {
	if c.All {
		var page struct {
			Items      []json.RawMessage `json:"items"`
			NextCursor string            `json:"next_cursor"`
		}
		if err := json.Unmarshal(answer, &page); err != nil || page.Items == nil {
			return "", usage("--all: the answer is no list")
		}
		for _, item := range page.Items {
			if _, err := fmt.Fprintf(w, "%s\n", item); err != nil {
				return "", err
			}
		}
		return page.NextCursor, nil
	}
	var indented bytes.Buffer
	if json.Indent(&indented, bytes.TrimSpace(answer), "", "  ") != nil {
		_, err = w.Write(answer) // metrics and the like are no JSON
		return "", err
	}
	if indented.Len() > 0 {
		_, err = fmt.Fprintln(w, indented.String())
	}
	return "", err
}

// refusedBy says what to do about what the bank answered.
func refusedBy(err error) error {
	var proposed *client.Proposed
	if errors.As(err, &proposed) {
		return withHint(err, "another operator: attentionbank call approve-proposal proposal=%s", proposed.Number)
	}
	switch client.Code(err) {
	case "key_missing":
		return withHint(err, "export AB_KEY=ab_…")
	case "role_forbidden", "key_invalid":
		return withHint(err, "whose key is in AB_KEY? The list (attentionbank call) has the roles of each operation")
	}
	return err
}

func listOperations(w io.Writer, all map[string]*described) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "OPERATION\tROLES\tWHAT")
	for _, o := range sorted(all) {
		fmt.Fprintf(table, "%s\t%s\t%s\n", o.ID, strings.Join(o.Roles, " "), o.Summary)
	}
	return table.Flush()
}

func sorted(all map[string]*described) (list []*described) {
	for _, o := range all {
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b *described) int { return cmp.Compare(a.ID, b.ID) })
	return list
}

// similar names operations whose names begin as what was asked for does.
func similar(all map[string]*described, asked string) string {
	common := func(o *described) (n int) {
		for n < len(o.ID) && n < len(asked) && o.ID[n] == asked[n] {
			n++
		}
		return n
	}
	list := sorted(all)
	slices.SortStableFunc(list, func(a, b *described) int { return cmp.Compare(common(b), common(a)) })
	var names []string
	for _, o := range list[:min(len(list), 5)] {
		if common(o) > 2 {
			names = append(names, o.ID)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "; similar: " + strings.Join(names, ", ")
}

// explain says what an operation takes.
func (d *described) explain(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%s: %s\n%s %s; %s\n", d.ID, d.Summary, d.Method, d.Path, strings.Join(d.Roles, ", "))
	row := func(name string, needed bool, s schema, says string) {
		needs := ""
		if needed {
			needs = "needed"
		}
		kind := strings.Trim(string(s.Type), `"`)
		if len(s.Enum) > 0 {
			var values []string
			for _, v := range s.Enum {
				values = append(values, fmt.Sprint(v))
			}
			kind = strings.Join(values, "|")
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", name, cmp.Or(kind, "JSON"), needs, cmp.Or(says, s.Description))
	}
	for _, p := range d.Parameters {
		if p.In == "path" || p.In == "query" {
			row(p.Name, p.Required, p.Schema, p.Description)
		}
	}
	var names []string
	for name := range d.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		row(name, slices.Contains(d.needed, name), d.fields[name], "")
	}
	return table.Flush()
}
