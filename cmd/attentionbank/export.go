package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/attentionbank/attentionbank/client"
)

type exportCommand struct {
	Person string `arg:"" optional:"" default:"me" help:"Id of the person; me for whose key it is."`
	Format string `enum:"json,csv" default:"json" help:"json, or csv: a ZIP of CSV files."`
	Out    string `short:"o" default:"-" help:"File to write, which must not be there yet; - for standard output." placeholder:"FILE"`

	Bank string `help:"Where the bank listens." env:"AB_BANK" default:"http://127.0.0.1:8080" placeholder:"URL"`
	Key  string `help:"Who asks: a key of the person, or an operator's. Rather set AB_KEY than write it here." env:"AB_KEY"`
}

// Help teaches by example.
func (c *exportCommand) Help() string {
	return `Asks a bank that serves for everything that it keeps about a person: names, keys without their secrets,
consents, every event with its verdict, what each day has earned and why, accounts, postings, orders,
purchases, cases. A manifest in it names every table and field. It is of one record of the journal, and
is written as it comes; what breaks off is removed. An operator's export is on the audit trail.

Examples:
  export AB_KEY=ab_pk_…
  attentionbank export -o me.json
  attentionbank export --format csv -o me.zip
  attentionbank export 7ba0d9e6550c5f760d7e8c9aa1c52c17 --key ab_op_… | jq '.tables.events | length'`
}

// Run implements the command.
func (c *exportCommand) Run(env *environment) error {
	bank, err := client.New(client.Config{URL: c.Bank, Key: c.Key})
	if err != nil {
		return usage("--bank: %v", err)
	}
	if c.Out == "-" {
		return c.refused(bank.ExportPerson(env.context, c.Person, c.Format, env.stdout))
	}
	file, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	err = bank.ExportPerson(env.context, c.Person, c.Format, file)
	if err == nil {
		err = file.Sync()
	}
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return errors.Join(c.refused(err), os.Remove(c.Out))
	}
	return nil
}

func (c *exportCommand) refused(err error) error {
	if client.Code(err) == "not_yours" {
		return withHint(err, "a person's key exports that person alone; an operator's exports everybody")
	}
	return refusedBy(err)
}
