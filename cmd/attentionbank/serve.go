package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/attentionbank/attentionbank/api"
	"github.com/attentionbank/attentionbank/bankfiles"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/tracing"
)

type serveCommand struct {
	Listen string `default:"127.0.0.1:8080" help:"Address to listen on." placeholder:"HOST:PORT"`
	Site
	MintEvery  time.Duration `default:"1h" help:"How often what was earned is posted as points; the close of an epoch posts it too."`
	PurgeEvery time.Duration `default:"1h" help:"How often events that their worlds keep no longer are looked for and dropped, in small steps."`
	Certificates
	SingleOperator    bool          `help:"On the first start: let one operator change λ, budgets and accounts by hand. It ends when a second operator is admitted."`
	DrainWait         time.Duration `help:"How long to go on serving after SIGTERM while /readyz fails already, so that load balancers look elsewhere." placeholder:"DURATION"`
	WebhooksToPrivate bool          `help:"Let worlds have their messages sent into private networks and by plain http. For tests and closed networks only."`
	HistoryLag        time.Duration `default:"1h" help:"How long statements may be behind before nothing new is taken; what comes in until then is only behind, never lost."`
	Traces            string        `env:"OTEL_EXPORTER_OTLP_ENDPOINT" help:"OTLP endpoint (HTTP) that gets a trace of each request." placeholder:"URL"`
	Audience          string        `default:"attentionbank" help:"Name of this bank in the tokens that worlds sign for their users (aud)." placeholder:"NAME"`
	PayoutName        string        `help:"Name of the account from which people are paid out; without an account nobody is." placeholder:"NAME"`
	PayoutIBAN        string        `name:"payout-iban" help:"IBAN of that account." placeholder:"IBAN"`
	PayoutBIC         string        `name:"payout-bic" help:"BIC of its bank, if that wants one." placeholder:"BIC"`
	PayoutDir         string        `help:"Directory in which files of payouts are put for the operator's bank." placeholder:"DIR"`
	PayoutFormat      string        `default:"pain.001" enum:"pain.001,csv" help:"Form of these files: ${enum}."`
	PayoutEvery       time.Duration `help:"How often payouts that wait are put into files by themselves; without it an operator says when (attentionbank payouts batch)." placeholder:"DURATION"`
	Log               string        `default:"text" enum:"text,json" help:"Form of the log: ${enum}."`
}

// Help teaches by example.
func (c *serveCommand) Help() string {
	return `The bank runs on embedded databases in the data directory; nothing else is needed. With --store they
are in PostgreSQL; with a synchronous standby there, the loss of one machine loses nothing.
On the first start it prints a one-time link that makes the operator's key.

Examples:
  attentionbank serve
  attentionbank serve --listen 0.0.0.0:8080 --data /var/lib/attentionbank --log json
  attentionbank serve --listen :443 --tls-cert chain.pem --tls-key key.pem
  attentionbank serve --listen :443 --acme-domain bank.example --acme-email ops@bank.example
  attentionbank serve --traces http://127.0.0.1:4318
  attentionbank serve --payout-name "Cafe Ltd" --payout-iban DE89370400440532013000 --payout-dir /srv/payouts
  attentionbank serve --store "postgres://bank@db1,db2/bank?sslmode=verify-full"

Stop it with Ctrl-C or SIGTERM: /readyz fails, what waits is answered, a snapshot is taken.`
}

// Run implements the command.
func (c *serveCommand) Run(env *environment) error {
	logger := c.logger(env)
	if c.MintEvery < time.Second || c.PurgeEvery < time.Second {
		return usage("--mint-every, --purge-every: expected a second or more")
	}
	way, err := c.wayOut()
	if err != nil {
		return err
	}
	tlsConfig, err := c.Certificates.config(c.Data, func(err error) { logger.Warn("no certificate", "error", err) })
	if err != nil {
		return err
	}
	tracer, err := c.tracer(env.context, logger)
	if err != nil {
		return err
	}
	defer stopTracing(tracer, logger)
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return withHint(fmt.Errorf("listening: %w", err), "choose another address with --listen HOST:PORT")
	}
	scheme := "http"
	if tlsConfig != nil {
		scheme, listener = "https", tls.NewListener(listener, tlsConfig)
	}
	entry, counts := newDoor(), newTraffic()
	server := &http.Server{
		Handler:           tracer.Handler(logged(logger, counts, entry)),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	defer server.Close()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	// While the bank is being recovered the door says so.
	n, err := openTraced(env.context, c.Site, tracer, systemMS, func(message string) { logger.Warn(message) })
	if err != nil {
		return err
	}
	if err := n.openOutbox(env.context, way, systemMS, func(message string) { logger.Warn(message) }); err != nil {
		return errors.Join(err, n.close())
	}
	n.openPatrol(systemMS, func(message string) { logger.Warn(message) })
	if err := n.requireTwo(env.context, c.SingleOperator); err != nil {
		return errors.Join(err, n.close())
	}
	link, err := n.identity.OperatorLink(env.context)
	if err != nil {
		return errors.Join(fmt.Errorf("making the operator link: %w", err), n.close())
	}
	entry.open(c.handler(n, entry, counts))
	// In one piece, so that whoever waits for the first line has all of it.
	greeting := fmt.Sprintf("Attention Bank is listening on %s://%s\n", scheme, listener.Addr())
	if alone, err := n.oneOperator(env.context); err == nil && alone {
		greeting += "One operator changes λ, budgets and accounts by hand alone, until a second is admitted (docs/operators.md).\n"
	}
	if link != "" {
		greeting += fmt.Sprintf("Operator link, for one use within 24 hours: %s://%s/welcome/%s\n", scheme, listener.Addr(), link)
	}
	fmt.Fprint(env.stdout, greeting)
	err = c.serve(env.context, n, served, logger, entry)
	drain, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(drain), n.close())
}

func (c *serveCommand) logger(env *environment) *slog.Logger {
	var handler slog.Handler = slog.NewTextHandler(env.stderr, nil)
	if c.Log == "json" {
		handler = slog.NewJSONHandler(env.stderr, nil)
	}
	return slog.New(tracing.Log(handler))
}

func (c *serveCommand) tracer(ctx context.Context, logger *slog.Logger) (*tracing.Tracer, error) {
	if c.Traces == "" {
		return nil, nil
	}
	tracer, err := tracing.Start(ctx, c.Traces, version(), func(err error) { logger.Warn("traces could not be sent", "error", err) })
	if err != nil {
		return nil, usage("--traces: %v", err)
	}
	return tracer, nil
}

// stopTracing sends the last spans. That they cannot be sent is no failure of
// the bank.
func stopTracing(tracer *tracing.Tracer, logger *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := tracer.Stop(ctx); err != nil {
		logger.Warn("the last traces could not be sent", "error", err)
	}
}

// payer is the account from which people are paid out.
func (c *serveCommand) payer() payment.Party {
	return payment.Party{Name: c.PayoutName, IBAN: c.PayoutIBAN, BIC: c.PayoutBIC}
}

// wayOut is how things leave the bank. People are paid out only where it is
// said from which account and where to.
func (c *serveCommand) wayOut() (wayOut, error) {
	way := wayOut{private: c.WebhooksToPrivate, payer: c.payer()}
	if way.payer == (payment.Party{}) && c.PayoutDir == "" && c.PayoutEvery == 0 {
		return way, nil
	}
	if c.PayoutEvery != 0 && c.PayoutEvery < time.Second {
		return way, usage("--payout-every: expected a second or more")
	}
	if err := way.payer.Check(); err != nil {
		return way, usage("--payout-name, --payout-iban, --payout-bic: %v", err)
	}
	if c.PayoutDir == "" {
		return way, usage("--payout-dir: expected a directory in which files of payouts are put")
	}
	directory, err := bankfiles.Open(c.PayoutDir, bankfiles.Format(c.PayoutFormat))
	way.payments = directory
	return way, err
}

// handler returns the API of a bank.
func (c *serveCommand) handler(n *node, entry *door, counts *traffic) http.Handler {
	return api.New(api.Config{
		Bank: boundedBank{n.journal, n.follower, c.HistoryLag.Milliseconds()}, Identity: n.identity, Standings: n.standings, Terms: n.terms, Payer: c.payer(), Collector: n.collector, History: n.history,
		Webhooks: n.webhooks(c.WebhooksToPrivate), Conduct: n.patrol, Lag: n.follower.Lag, News: n.follower.Tell, Await: n.follower.WaitFor,
		Ready: func() error { return errors.Join(entry.err(), n.ready()) }, Metrics: n.metrics(counts.collectors()...), Version: version(), Audience: c.Audience, NowMS: systemMS,
		Draining: entry.draining, Streams: &counts.streams,
	})
}

// serve answers until the context ends or a part of the bank has stopped.
func (c *serveCommand) serve(ctx context.Context, n *node, served <-chan error, logger *slog.Logger, entry *door) error {
	loops, stopLoops := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() { c.batch(loops, n, logger, systemMS) })
	running.Go(func() {
		n.standings.Run(loops, func(err error) { logger.Warn("standings are behind and will be tried again", "error", err) })
	})
	running.Go(func() {
		n.terms.Run(loops, func(err error) {
			logger.Warn("what people decided is not everywhere yet and will be tried again", "error", err)
		})
	})
	running.Go(func() { c.mint(loops, n, logger, systemMS) })
	running.Go(func() { c.purge(loops, n, logger) })
	var err error
	select {
	case err = <-served:
	case <-n.journal.Done():
		err = n.journal.Err()
	case <-n.collector.Done():
		err = n.collector.Err()
	case <-n.lost:
		err = errors.New("the connection that holds the database for this process is lost, and another may have taken it")
	case <-ctx.Done():
		entry.drain()
		logger.Info("stopping: answering what waits")
		time.Sleep(c.DrainWait)
	}
	stopLoops()
	running.Wait()
	if err != nil {
		err = withHint(err, "mend what it names, such as a full disk, and start again: what was acknowledged is there, and a client's retry counts once")
	}
	return err
}

// ready reports why the bank cannot serve.
func (n *node) ready() error {
	for _, stopped := range []<-chan struct{}{n.journal.Done(), n.collector.Done()} {
		select {
		case <-stopped:
			return errors.Join(errors.New("the bank has stopped"), n.journal.Err(), n.collector.Err())
		default:
		}
	}
	return nil
}
