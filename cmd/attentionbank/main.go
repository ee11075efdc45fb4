// Command attentionbank is the whole bank in one binary.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"golang.org/x/crypto/acme/autocert"
)

type cli struct {
	Serve  serveCommand  `cmd:"" help:"Run the bank: collect behaviour, keep the ledger, answer the API."`
	Score  scoreCommand  `cmd:"" help:"Compute attention and its value from numbers or from files, without a server."`
	Policy policyCommand `cmd:"" help:"Check a policy, and see who would gain and lose by it."`

	Review reviewCommand `cmd:"" help:"Try review rules on days that are over."`

	Calibrate calibrateCommand `cmd:"" help:"Estimate the weights of a policy from what people did and what came of it."`

	Import  importCommand  `cmd:"" help:"Bring history into a bank as its operator."`
	Report  reportCommand  `cmd:"" help:"Say what happened in the bank's economy in a period."`
	Conduct conductCommand `cmd:"" help:"Show the alerts that people's conduct in markets raises."`
	Fsck    fsckCommand    `cmd:"" help:"Run the whole journal again and check it."`
	Replay  replayCommand  `cmd:"" help:"Show the state of the bank after a record."`
	Purge   purgeCommand   `cmd:"" help:"Drop the events that their worlds keep no longer."`
	Backup  backupCommand  `cmd:"" help:"Copy a bank while it serves, and check the copy."`
	Restore restoreCommand `cmd:"" help:"Bring a backup into a new data directory, and check it."`
	Keys    keysCommand    `cmd:"" help:"Show, rotate and rewrap the keys under which a bank is stored."`
	Call    callCommand    `cmd:"" help:"Call an operation of a bank that serves."`
	Payouts payoutsCommand `cmd:"" help:"See payouts, put them into files, and note what became of them."`
	Export  exportCommand  `cmd:"" help:"Get everything that is kept about a person."`
	Audit   auditCommand   `cmd:"" help:"Show what operators did, and tried."`
	Bench   struct {
		Run    benchCommand `cmd:"" default:"withargs" help:"All benchmarks, or those that are named."`
		People benchPeople  `cmd:"" help:"A day of very many people: memory, disk, late events."`
	} `cmd:"" help:"Measure this machine and print JSON lines."`

	OperatorKey operatorKeyCommand `cmd:"" help:"Make an operator's key, to be admitted by its hash."`

	Market marketCommand `cmd:"" help:"Play recorded markets on the bank's book."`

	Simulate simulateCommand `cmd:"" help:"Run the bank in a world of its own, made of a seed."`

	Version kong.VersionFlag `help:"Print the version."`
}

// environment is what a command may touch of the process, so that tests can
// run commands in their own.
type environment struct {
	context        context.Context
	stdin          io.Reader
	stdout, stderr io.Writer
}

const description = `Attention Bank meters the time, the acts and the spending of people in virtual worlds into
attention A = Σ(αT + βI + γC), turns it into a time asset V = λA on a double-entry ledger,
and lets anyone check every step.

Examples:
  attentionbank serve
  attentionbank score --time 50h --interactions 500 --spend 1000 --alpha 0.5 --beta 0.3 --gamma 0.2 --lambda 0.01
  attentionbank fsck --data ./data
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	spreadProcessors()
	os.Exit(run(&environment{ctx, os.Stdin, os.Stdout, os.Stderr}, os.Args[1:]))
}

// run carries out a command line and returns the exit status: 0 for success, 1
// for failure, 2 for a command line that cannot be understood.
func run(env *environment, args []string) (status int) {
	var commands cli
	exited := -1
	parser, err := kong.New(&commands,
		kong.Name("attentionbank"), kong.Description(description),
		kong.Writers(env.stdout, env.stderr), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Exit(func(status int) { exited = status; panic(exit{}) }),
		kong.Vars{"version": version(), "letsencrypt": autocert.DefaultACMEDirectory},
	)
	if err != nil {
		fmt.Fprintf(env.stderr, "attentionbank: preparing the command line: %v\n", err)
		return 1
	}
	// kong ends --help and --version by its Exit function.
	defer func() {
		if r := recover(); r != nil {
			if _, isExit := r.(exit); !isExit {
				panic(r)
			}
			status = exited
		}
	}()
	command, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(env.stderr, "attentionbank: %v\nTry: attentionbank --help, or attentionbank COMMAND --help\n", err)
		return 2
	}
	if err := command.Run(env); err != nil {
		fmt.Fprintf(env.stderr, "attentionbank %s: %s\n", command.Selected().Name, once(err.Error()))
		var hinted *hintedError
		if errors.As(err, &hinted) {
			fmt.Fprintf(env.stderr, "Hint: %s\n", hinted.hint)
		}
		if errors.As(err, new(*usageError)) {
			return 2
		}
		return 1
	}
	return 0
}

// once leaves out lines that have been said: what ended the bank is also what
// its parts report when they are closed.
func once(text string) string {
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

type exit struct{}

// hintedError says what to do about an error.
type hintedError struct {
	error
	hint string
}

func (e *hintedError) Unwrap() error { return e.error }

func withHint(err error, format string, args ...any) error {
	return &hintedError{err, fmt.Sprintf(format, args...)}
}

// usageError is a command line that can be parsed and makes no sense.
type usageError struct{ error }

func usage(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// version returns the version of the module, or of the commit it was built of.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" && info.Main.Version == "(devel)" {
			return "devel " + setting.Value
		}
	}
	return info.Main.Version
}
