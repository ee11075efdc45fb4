package main

import (
	"encoding/json"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
)

type replayCommand struct {
	To uint64 `required:"" help:"Show the state after this record." placeholder:"SEQ"`
	Site
	Accounts bool `help:"Show every account too."`
	JSON     bool `help:"Print JSON."`
}

// Help teaches by example.
func (c *replayCommand) Help() string {
	return `Runs the journal from its first record to the one that is named and shows the state then.

Examples:
  attentionbank replay --to 1000
  attentionbank replay --to 1000 --accounts --json`
}

// stateShown is the state as the command prints it.
type stateShown struct {
	Seq       uint64         `json:"seq"`
	Time      string         `json:"time"`
	StateHash string         `json:"state_hash"`
	Epoch     uint64         `json:"running_epoch"`
	Worlds    uint32         `json:"worlds"`
	People    uint64         `json:"people"`
	Holds     int            `json:"open_holds"`
	Assets    []assetShown   `json:"assets"`
	Accounts  []accountShown `json:"accounts,omitempty"`
}

type assetShown struct {
	Asset  string `json:"asset"`
	Issued string `json:"issued"`
	Burned string `json:"burned"`
	Supply string `json:"supply"`
}

type accountShown struct {
	Account uint64 `json:"account"`
	Asset   string `json:"asset"`
	Balance string `json:"balance"`
	Held    string `json:"held"`
}

// Run implements the command.
func (c *replayCommand) Run(env *environment) error {
	if c.To == 0 {
		return usage("--to: expected a record from 1 on")
	}
	store, _, done, err := openForReading(env, c.Site)
	if err != nil {
		return err
	}
	defer done()
	progress, end := recordProgress(env, "replaying records")
	state, err := journal.StateAt(env.context, store, c.To, progress)
	end()
	if err != nil {
		return err
	}
	shown := c.show(state)
	if c.JSON {
		encoder := json.NewEncoder(env.stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shown)
	}
	fmt.Fprintf(env.stdout, "Record %d at %s, state %s\n", shown.Seq, shown.Time, shown.StateHash)
	fmt.Fprintf(env.stdout, "Epoch %d, %d worlds, %d people, %d open holds\n\n", shown.Epoch, shown.Worlds, shown.People, shown.Holds)
	table := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "ASSET\tISSUED\tBURNED\tSUPPLY\t")
	for _, a := range shown.Assets {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t\n", a.Asset, a.Issued, a.Burned, a.Supply)
	}
	if len(shown.Accounts) > 0 {
		fmt.Fprintln(table, "\nACCOUNT\tASSET\tBALANCE\tHELD\t")
	}
	for _, a := range shown.Accounts {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t\n", a.Account, a.Asset, a.Balance, a.Held)
	}
	return table.Flush()
}

func (c *replayCommand) show(state *bank.State) stateShown {
	books, hash := state.Books(), state.Hash()
	shown := stateShown{
		Seq: state.Seq(), Time: time.UnixMilli(state.NowMS()).UTC().Format(time.RFC3339Nano), StateHash: fmt.Sprintf("%x", hash),
		Epoch: state.RunningEpoch().Number, Worlds: state.Worlds(), People: state.People(), Holds: books.OpenHolds(),
	}
	for number := uint32(1); int(number) <= books.Assets(); number++ {
		a := books.Asset(number)
		format := func(v int64) string { return amount.Format(v, int(a.Scale)) }
		shown.Assets = append(shown.Assets, assetShown{a.Code, format(a.Issued), format(a.Burned), format(a.Supply())})
	}
	for number := uint64(1); c.Accounts && number <= books.Accounts(); number++ {
		account := books.Account(number)
		a := books.Asset(account.Asset)
		shown.Accounts = append(shown.Accounts, accountShown{number, a.Code, amount.Format(account.Balance, int(a.Scale)), amount.Format(account.Held, int(a.Scale))})
	}
	return shown
}
