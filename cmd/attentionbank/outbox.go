package main

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/attentionbank/attentionbank/api"
	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/sqldb"
	"github.com/attentionbank/attentionbank/strongroom"
)

// wayOut is how things leave the bank.
type wayOut struct {
	private  bool            // endpoints in private networks are allowed
	payer    payment.Party   // the account from which people are paid out
	payments outbox.Payments // nil if nobody is
}

// openOutbox opens the outbox and lets it send until the node is closed.
func (n *node) openOutbox(ctx context.Context, way wayOut, nowMS func() int64, warn func(string)) error {
	ring, err := n.site.keyring(ctx)
	if err != nil {
		return err
	}
	inner, err := sqldb.OpenOutbox(ctx, n.site.place("outbox"))
	if err != nil {
		return err
	}
	n.closers = append(n.closers, inner.Close)
	store := strongroom.NewOutbox(inner, ring)
	n.letters = store
	n.outbox = outbox.New(store, outboxSource{n.records, n.journal}, outbox.Options{
		NowMS: nowMS, Sales: sales{n.journal}, Private: way.private,
		Secret: n.webhookSecret, EndPurchase: n.endPurchase,
		Payouts: api.NewDesk(n.journal, n.identity, way.payer), Payments: way.payments, Warn: warn,
	})
	running, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for running.Err() == nil {
			if err := n.outbox.Run(running); err != nil && running.Err() == nil {
				warn(fmt.Sprintf("the outbox cannot go on and will try again: %v", err))
				select {
				case <-time.After(time.Second):
				case <-running.Done():
				}
			}
		}
	}()
	n.closers = append(n.closers, func() error { stop(); <-done; return nil })
	return nil
}

func (n *node) webhookSecret(world, generation uint32) [32]byte {
	return n.identity.WorldSecret(world, fmt.Sprintf("webhook/%d", generation))
}

// webhooks shows the outbox to the API.
func (n *node) webhooks(private bool) api.Webhooks {
	return api.Webhooks{Store: n.letters, SendAgain: n.outbox.SendAgain, Secret: n.webhookSecret, Private: private}
}

// endPurchase carries out what a world answered. That the purchase is over is
// no fault: the answer came before, or too late.
func (n *node) endPurchase(ctx context.Context, purchase uint64, delivered bool) error {
	answers, err := n.journal.Submit(ctx, bank.EndPurchase{Purchase: purchase, Delivered: delivered}.AppendTo(nil))
	if err != nil {
		return err
	}
	if refusal := answers[0].Refusal; refusal != bank.Accepted && refusal != bank.PurchaseOver {
		return fmt.Errorf("ending purchase %d: the bank refused: %s", purchase, refusal)
	}
	return nil
}

// outboxSource shows to the outbox what concerns it of the journal's records.
type outboxSource struct {
	store  journal.Store
	writer *journal.Writer
}

func (s outboxSource) Durable() uint64 { return s.writer.Durable() }

func (s outboxSource) WaitNewer(ctx context.Context, seq uint64) { s.writer.WaitNewer(ctx, seq) }

func (s outboxSource) Load(ctx context.Context, from uint64) iter.Seq2[outbox.Record, error] {
	return func(yield func(outbox.Record, error) bool) {
		for record, err := range s.store.Load(ctx, from) {
			if err != nil {
				yield(outbox.Record{}, err)
				return
			}
			shown := outbox.Record{Seq: record.Seq, TimeMS: record.Header().TimeMS, Hash: record.Hash}
			for pair, err := range record.Pairs() {
				if err != nil {
					yield(outbox.Record{}, err)
					return
				}
				if bank.TellsOthers(pair.Command) {
					shown.Answers = append(shown.Answers, pair.Answer)
				}
			}
			if !yield(shown, nil) {
				return
			}
		}
	}
}

// sales tells of purchases what never changes, so that the state of now can be
// asked about the past.
type sales struct{ writer *journal.Writer }

func (s sales) Sale(ctx context.Context, number uint64) (sale outbox.Sale, err error) {
	found := false
	err = s.writer.Read(ctx, func(state *bank.State) {
		var purchase bank.PurchaseView
		if purchase, found = state.Purchase(number); found {
			product := state.Product(purchase.Product)
			sale.World, sale.Product = product.World, product.Code
			sale.Buyer, _ = state.PersonID(purchase.Buyer)
		}
	})
	if err == nil && !found {
		err = fmt.Errorf("the bank knows no purchase %d", number)
	}
	return sale, err
}

func (s sales) Thing(ctx context.Context, number uint64) (thing outbox.Thing, err error) {
	found := false
	err = s.writer.Read(ctx, func(state *bank.State) {
		var good bank.Good
		if good, found = state.Good(number); found {
			asset := state.Books().Asset(good.Asset)
			thing = outbox.Thing{World: asset.World, Asset: asset.Code, ID: good.ID}
		}
	})
	if err == nil && !found {
		err = fmt.Errorf("the bank knows no good %d", number)
	}
	return thing, err
}

func (s sales) Person(ctx context.Context, number uint64) (id [16]byte, err error) {
	found := false
	err = s.writer.Read(ctx, func(state *bank.State) { id, found = state.PersonID(number) })
	if err == nil && !found {
		err = fmt.Errorf("the bank knows no person %d", number)
	}
	return id, err
}
