package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/attentionbank/attentionbank/api"
	"github.com/attentionbank/attentionbank/bank"
)

type serveCommand struct {
	Listen string `default:"127.0.0.1:8080" help:"Address to listen on." placeholder:"HOST:PORT"`
	Site
	MintEvery  time.Duration `default:"1h" help:"How often what was earned is posted as points; the close of an epoch posts it too."`
	TLSCert    string        `help:"Certificate chain (PEM) to serve TLS by; needs --tls-key." type:"existingfile"`
	TLSKey     string        `help:"Key of the certificate (PEM)." type:"existingfile"`
	HistoryLag time.Duration `default:"1h" help:"How long statements may be behind before nothing new is taken; what comes in until then is only behind, never lost."`
	Log        string        `default:"text" enum:"text,json" help:"Form of the log: ${enum}."`
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
  attentionbank serve --store "postgres://bank@db1,db2/bank?sslmode=verify-full"

Stop it with Ctrl-C or SIGTERM: it answers what waits and takes a snapshot.`
}

// Run implements the command.
func (c *serveCommand) Run(env *environment) error {
	logger := slog.New(slog.NewTextHandler(env.stderr, nil))
	if c.Log == "json" {
		logger = slog.New(slog.NewJSONHandler(env.stderr, nil))
	}
	if c.MintEvery < time.Second {
		return usage("--mint-every: expected a second or more")
	}
	scheme := "http"
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return usage("expected --tls-cert and --tls-key, or neither")
	} else if c.TLSCert != "" {
		scheme = "https"
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return withHint(fmt.Errorf("listening: %w", err), "choose another address with --listen HOST:PORT")
	}
	defer listener.Close()
	nowMS := func() int64 { return time.Now().UnixMilli() }
	n, err := openNode(env.context, c.Site, nowMS, func(message string) { logger.Warn(message) })
	if err != nil {
		return err
	}
	link, err := n.identity.OperatorLink(env.context)
	if err != nil {
		n.close()
		return fmt.Errorf("making the operator link: %w", err)
	}
	fmt.Fprintf(env.stdout, "Attention Bank is listening on %s://%s\n", scheme, listener.Addr())
	if link != "" {
		fmt.Fprintf(env.stdout, "Operator link, for one use within 24 hours: %s://%s/welcome/%s\n", scheme, listener.Addr(), link)
	}
	err = c.serve(env.context, n, listener, logger, nowMS)
	return errors.Join(err, n.close())
}

// serve answers until the context ends or a part of the bank has stopped.
func (c *serveCommand) serve(ctx context.Context, n *node, listener net.Listener, logger *slog.Logger, nowMS func() int64) error {
	server := &http.Server{
		Handler: logged(logger, api.New(api.Config{
			Bank: boundedBank{n.journal, n.follower, c.HistoryLag.Milliseconds()}, Identity: n.identity, Collector: n.collector, History: n.history,
			Lag: n.follower.Lag, Ready: n.ready, Metrics: n.metrics(), Version: version(), NowMS: nowMS,
		})),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() {
		if c.TLSCert != "" {
			served <- server.ServeTLS(listener, c.TLSCert, c.TLSKey)
		} else {
			served <- server.Serve(listener)
		}
	}()
	loops, stopLoops := context.WithCancel(ctx)
	minting := make(chan struct{})
	go func() {
		defer close(minting)
		c.mint(loops, n, logger, nowMS)
	}()
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
		logger.Info("stopping: answering what waits")
	}
	stopLoops()
	<-minting
	drain, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	return errors.Join(err, server.Shutdown(drain))
}

// mint posts what was earned every so often, and once more after the end of an
// epoch, before the epoch closes.
func (c *serveCommand) mint(ctx context.Context, n *node, logger *slog.Logger, nowMS func() int64) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	saved := time.Now()
	var nextMS, flushedEpoch int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		var epoch bank.Epoch
		if err := n.journal.Read(ctx, func(state *bank.State) { epoch = state.RunningEpoch() }); err != nil {
			return // the journal's end is reported by itself
		}
		ended := nowMS() >= epoch.EndMS && flushedEpoch != epoch.EndMS
		if nowMS() < nextMS && !ended {
			continue
		}
		minted, err := n.flush(ctx)
		if err != nil {
			if ctx.Err() == nil {
				logger.Error("posting what was earned failed and will be tried again", "error", err)
			}
			continue
		}
		if ended {
			flushedEpoch = epoch.EndMS
		}
		nextMS = nowMS() + c.MintEvery.Milliseconds()
		logger.Info("posted what was earned", "person_days", minted)
		if time.Since(saved) > time.Hour {
			saved = time.Now()
			if err := n.identity.SaveLastUsed(ctx); err != nil {
				logger.Error("saving when keys were last used", "error", err)
			}
		}
	}
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
