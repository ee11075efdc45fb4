package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/attentionbank/attentionbank/client"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/payout"
	"github.com/attentionbank/attentionbank/wire"
)

type payoutsCommand struct {
	List   payoutsListCommand   `cmd:"" help:"List payouts, the newest first."`
	Files  payoutsFilesCommand  `cmd:"" help:"List files of payouts, and whether they were handed over."`
	Batch  payoutsBatchCommand  `cmd:"" help:"Put the payouts that wait into a file, which is handed over by itself."`
	Export payoutsExportCommand `cmd:"" help:"Write a copy of a file that was handed over."`
	Import payoutsImportCommand `cmd:"" help:"Note what a bank's status reports (pain.002) say."`
	Mark   payoutsMarkCommand   `cmd:"" help:"Note by hand that payouts were paid or have failed."`
}

// Help teaches by example.
func (c *payoutsCommand) Help() string {
	return `Payouts of a bank that serves, for its operator. docs/payouts.md says what becomes of them.

Examples:
  export AB_KEY=ab_op_…
  attentionbank payouts list --status pending
  attentionbank payouts batch EUR
  attentionbank payouts files
  attentionbank payouts export 3 --format csv --out payouts-3.csv
  attentionbank payouts import report-2026-01-03.xml
  attentionbank payouts mark paid 17 18
  attentionbank payouts mark failed 19 --reference returned-by-bank`
}

// Output says how an answer is printed.
type Output struct {
	JSON bool `help:"Print a JSON object a line."`
}

// printEach prints the items of a list, as JSON a line each or as a table.
func printEach[T any](w io.Writer, o Output, head string, row func(T) string, items func(yield func(T, error) bool)) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if !o.JSON {
		fmt.Fprintln(table, head)
	}
	encoder := json.NewEncoder(w)
	for item, err := range items {
		if err == nil && o.JSON {
			err = encoder.Encode(item)
		} else if err == nil {
			_, err = fmt.Fprintln(table, row(item))
		}
		if err != nil {
			return errors.Join(refusedBy(err), table.Flush())
		}
	}
	return table.Flush()
}

const payoutHead = "PAYOUT\tSTATUS\tPAID\tFOR\tTIME\tFILE\tPERSON"

func payoutRow(p wire.Payout) string {
	return strings.Join([]string{p.Payout, p.Status, p.Paid + " " + p.Currency, p.Amount + " " + p.Asset, p.Time, p.File, p.Person}, "\t")
}

type payoutsListCommand struct {
	Status   string `help:"Of this status only: pending, sent, paid, failed, cancelled, left_out." placeholder:"STATUS"`
	Asset    string `help:"Of this asset only." placeholder:"CODE"`
	Currency string `help:"In this currency only." placeholder:"CODE"`
	File     string `help:"In this file only." placeholder:"NUMBER"`
	Person   string `help:"Of this person only." placeholder:"ID"`
	Output
	Serving
}

// Help teaches by example.
func (c *payoutsListCommand) Help() string {
	return `Examples:
  attentionbank payouts list
  attentionbank payouts list --status sent --file 3
  attentionbank payouts list --status pending --currency EUR --json | jq -r .paid`
}

// Run implements the command.
func (c *payoutsListCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	options := []client.Option{client.PageSize(500)}
	for name, value := range map[string]string{"status": c.Status, "asset": c.Asset, "currency": c.Currency, "file": c.File, "person": c.Person} {
		if value != "" {
			options = append(options, client.Where(name, value))
		}
	}
	return printEach(env.stdout, c.Output, payoutHead, payoutRow, bank.ListPayouts(env.context, options...))
}

const payoutFileHead = "FILE\tPAYOUTS\tSUM\tMADE\tHANDED OVER"

func payoutFileRow(f wire.PayoutFile) string {
	sent := f.Sent
	if sent == "" {
		sent = "not yet"
	}
	if f.Fault != "" {
		sent += fmt.Sprintf(", failed %d times: %s", f.Attempts, f.Fault)
	}
	return fmt.Sprintf("%s\t%d\t%s %s\t%s\t%s", f.File, f.Count, f.Sum, f.Currency, f.Time, sent)
}

type payoutsFilesCommand struct {
	Output
	Serving
}

// Help teaches by example.
func (c *payoutsFilesCommand) Help() string {
	return `A file that could not be handed over is tried again for ever; it says why.

Examples:
  attentionbank payouts files
  attentionbank payouts files --json | jq 'select(.sent == null)'`
}

// Run implements the command.
func (c *payoutsFilesCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	return printEach(env.stdout, c.Output, payoutFileHead, payoutFileRow, bank.ListPayoutFiles(env.context))
}

type payoutsBatchCommand struct {
	Currency       string `arg:"" help:"The currency of the payouts, such as EUR."`
	Most           uint32 `help:"At most so many; as many as a file holds if none is given." placeholder:"N"`
	IdempotencyKey string `help:"A name for this call: given again within 24 hours, it is done once."`
	Output
	Serving
}

// Help teaches by example.
func (c *payoutsBatchCommand) Help() string {
	return `The oldest payouts that wait, up to 1,000 of one currency, become a file, which the bank hands over to
where it was started with --payout-dir. Who asked for a payout cannot cancel it any more.

Examples:
  attentionbank payouts batch EUR
  attentionbank payouts batch EUR --most 100 --idempotency-key payday-2026-01`
}

// Run implements the command.
func (c *payoutsBatchCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	var options []client.Option
	if c.IdempotencyKey != "" {
		options = append(options, client.IdempotencyKey(c.IdempotencyKey))
	}
	file, err := bank.FilePayouts(env.context, wire.NewPayoutFile{Currency: c.Currency, Most: c.Most}, options...)
	if client.Code(err) == "payout_not_found" {
		return withHint(err, "no payout in %s waits", c.Currency)
	}
	return printEach(env.stdout, c.Output, payoutFileHead, payoutFileRow, one(file, err))
}

// one is a list of one item, or its error.
func one[T any](item T, err error) func(yield func(T, error) bool) {
	return func(yield func(T, error) bool) { yield(item, err) }
}

type payoutsExportCommand struct {
	File   string `arg:"" help:"The file, by its number."`
	Format string `default:"pain.001" enum:"pain.001,csv" help:"Form of the copy: ${enum}."`
	Out    string `help:"Where to write it; standard output if nothing is given." placeholder:"FILE" type:"path"`
	Serving
}

// Help teaches by example.
func (c *payoutsExportCommand) Help() string {
	return `The copy has the message id and the payments of the file that was handed over. A bank that was given
one must not be given the other, too: it knows them by that id.

Examples:
  attentionbank payouts export 3
  attentionbank payouts export 3 --format csv --out payouts-3.csv`
}

// Run implements the command.
func (c *payoutsExportCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	text, err := bank.GetPayoutFile(env.context, c.File, client.Where("format", c.Format))
	if err != nil {
		return refusedBy(err)
	}
	if len(text.LeftOut) > 0 {
		fmt.Fprintf(env.stderr, "Not in this copy, since their people were erased: %s\n", strings.Join(text.LeftOut, " "))
	}
	if c.Out == "" {
		_, err = io.WriteString(env.stdout, text.Text)
		return err
	}
	return os.WriteFile(c.Out, []byte(text.Text), 0o600)
}

type payoutsImportCommand struct {
	Files []string `arg:"" help:"Status reports, ISO 20022 pain.002; - for standard input."`
	Output
	Serving
}

// Help teaches by example.
func (c *payoutsImportCommand) Help() string {
	return `Settled payments (ACSC, ACCC) become paid; rejected and cancelled ones (RJCT, CANC) have failed, and
what was set aside is given back; all others stay. A report may come in parts, late and twice. What does
not fit changes nothing, is told, and makes the exit status 1: payments that were not sent, other
amounts, payouts that have ended otherwise, rejections of what the bank has already.

Examples:
  attentionbank payouts import report.xml
  attentionbank payouts import /srv/bank/incoming/*.xml --json`
}

// decided are the outcomes of a report that nobody has to look at.
var decided = []string{"paid", "failed", "stays", "already"}

// Run implements the command.
func (c *payoutsImportCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	odd := 0
	for _, name := range c.Files {
		report, err := c.read(env, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		parsed, err := payment.ParseReport(report)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		number := payout.FileNumber(parsed.File)
		if number == 0 {
			return fmt.Errorf("%s: it is about %q, which is no file of payouts of a bank such as this", name, parsed.File)
		}
		said, err := bank.ImportPayoutReport(env.context, fmt.Sprint(number), wire.NewPayoutReport{Report: string(report)})
		if err != nil {
			return refusedBy(fmt.Errorf("%s: %w", name, err))
		}
		if err := c.print(env.stdout, name, said); err != nil {
			return err
		}
		for outcome, count := range said.Counts {
			if !slices.Contains(decided, outcome) {
				odd += count
			}
		}
	}
	if odd > 0 {
		return withHint(fmt.Errorf("%d payments do not fit what was sent", odd), "look at them with your bank, then: attentionbank payouts mark paid|failed PAYOUT")
	}
	return nil
}

func (c *payoutsImportCommand) read(env *environment, name string) ([]byte, error) {
	in := env.stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	return io.ReadAll(io.LimitReader(in, payment.MaxReportBytes+1))
}

func (c *payoutsImportCommand) print(w io.Writer, name string, said wire.PayoutReport) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(said)
	}
	status := said.Code
	if status == "" {
		status = "no status of the whole"
	}
	fmt.Fprintf(w, "%s: report %s about %s, %s, %d payments\n", name, said.Message, said.File, status, len(said.Findings))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, f := range said.Findings {
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", f.Payment, f.Code, f.Outcome, strings.Join(f.Reasons, ", "))
	}
	return table.Flush()
}

type payoutsMarkCommand struct {
	As        string   `arg:"" enum:"paid,failed" help:"What became of them: ${enum}."`
	Payouts   []string `arg:"" help:"The payouts, by their numbers."`
	Reference string   `help:"Names why, such as a line of a statement; 64 of A-Z a-z 0-9 . _ : -." placeholder:"TEXT"`
	Output
	Serving
}

// Help teaches by example.
func (c *payoutsMarkCommand) Help() string {
	return `What was paid and came back is marked failed, too: it is issued again.

Examples:
  attentionbank payouts mark paid 17 18 --reference statement-2026-01-03
  attentionbank payouts mark failed 19`
}

// Run implements the command.
func (c *payoutsMarkCommand) Run(env *environment) error {
	bank, err := c.client()
	if err != nil {
		return err
	}
	return printEach(env.stdout, c.Output, payoutHead, payoutRow, func(yield func(wire.Payout, error) bool) {
		for _, number := range c.Payouts {
			if !yield(bank.EndPayout(env.context, number, wire.PayoutOutcome{Status: c.As, Reference: c.Reference})) {
				return
			}
		}
	})
}
