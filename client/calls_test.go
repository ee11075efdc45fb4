package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/attentionbank/attentionbank/client"
	"github.com/attentionbank/attentionbank/wire"
)

// gold makes an asset of the world and returns its issuer and an account of the
// world in it.
func (b *bank) gold() (issuer, account string) {
	b.t.Helper()
	ctx := b.t.Context()
	supply, err := b.operator.CreateAsset(ctx, wire.NewAsset{Asset: "GOLD", Scale: 2, World: "cafe"})
	if err != nil {
		b.t.Fatal(err)
	}
	opened, err := b.server.OpenAccount(ctx, wire.NewAccount{World: "cafe", Asset: "GOLD"})
	if err != nil {
		b.t.Fatal(err)
	}
	return supply.Issuer, opened.Account
}

// through returns the operator's client over a network.
func (b *bank) through(n *network) *client.Client {
	b.t.Helper()
	c, err := client.New(client.Config{URL: n.URL, Key: b.operatorKey})
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func transfer(from, to, amount string) wire.Transfer {
	return wire.Transfer{Reference: "order-1", Legs: []wire.Leg{{From: from, To: to, Amount: amount}}}
}

// A call is made again under the same Idempotency-Key until it is answered, and
// is carried out once.
func TestCallsAreRepeatedAndCarriedOutOnce(t *testing.T) {
	b := newBank(t)
	issuer, account := b.gold()
	n := newNetwork(t, b, "429", "down", "503", "cut")
	var header http.Header
	receipt, err := b.through(n).CreateTransfer(t.Context(), transfer(issuer, account, "2.50"), client.Header(&header))
	if err != nil {
		t.Fatal(err)
	}
	n.requireFailed()
	if header.Get("Idempotent-Replayed") != "true" {
		t.Error("the last attempt was not told that the call had been carried out")
	}
	keys, bodies := n.seen()
	if len(keys) != 5 || len(slices.Compact(keys)) != 1 || keys[0] == "" || len(slices.Compact(bodies)) != 1 {
		t.Errorf("the attempts came under the keys %q with %q", keys, bodies)
	}
	shown, err := b.server.GetAccount(t.Context(), account)
	if err != nil || shown.Balance != "2.5" {
		t.Errorf("the account has %s after one transfer of 2.50 (%v)", shown.Balance, err)
	}
	if len(receipt.Postings) != 2 {
		t.Errorf("the receipt has %d postings", len(receipt.Postings))
	}
}

// What makes a secret is not made again when the answer was lost: the secret
// could not be shown, so a second one would only lie about.
func TestSecretsAreMadeOnce(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b, "429", "cut")
	before := keysOf(t, b)
	if _, err := b.through(n).CreateWorldKey(t.Context(), "cafe", wire.NewKey{Kind: "server"}); err == nil || client.Code(err) != "" {
		t.Errorf("a lost answer became %v", err)
	}
	n.requireFailed()
	if after := keysOf(t, b); after != before+1 {
		t.Errorf("one call made %d keys", after-before)
	}
}

func keysOf(t *testing.T, b *bank) int {
	t.Helper()
	count := 0
	for _, err := range b.operator.ListWorldKeys(t.Context(), "cafe") {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	return count
}

// Lists are read page by page, as far as somebody wants them.
func TestListsAreReadToTheirEnd(t *testing.T) {
	b := newBank(t)
	ctx := t.Context()
	issuer, account := b.gold()
	var sent []wire.Transfer
	for i := range 25 {
		sent = append(sent, wire.Transfer{Reference: fmt.Sprintf("gift-%d", i), Legs: []wire.Leg{{From: issuer, To: account, Amount: "0.01"}}})
	}
	receipts, err := b.operator.CreateTransfers(ctx, wire.Transfers{Transfers: sent})
	if err != nil || len(receipts) != len(sent) {
		t.Fatalf("%d receipts: %v", len(receipts), err)
	}
	references := func(options ...client.Option) (found []string) {
		for entry, err := range b.server.GetStatement(ctx, account, options...) {
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, entry.Reference)
		}
		return found
	}
	for deadline := time.Now().Add(20 * time.Second); len(references()) < len(sent) && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond) // history follows the bank
	}
	whole := references()
	if len(whole) != 25 || whole[0] != "gift-24" || whole[24] != "gift-0" {
		t.Errorf("the statement reads %v", whole)
	}
	if pages := references(client.PageSize(4)); !slices.Equal(pages, whole) {
		t.Errorf("by pages of 4 it reads %v", pages)
	}
	if later := references(client.Where("from", time.Now().Add(time.Hour).Format(time.RFC3339))); len(later) != 0 {
		t.Errorf("later than now there are %v", later)
	}
	n := newNetwork(t, b)
	for range b.through(n).GetStatement(ctx, account, client.PageSize(4)) {
		break
	}
	if keys, _ := n.seen(); len(keys) != 1 {
		t.Errorf("one item took %d requests", len(keys))
	}
}

// Problems are errors with the code and all that the bank says.
func TestProblemsAreErrors(t *testing.T) {
	b := newBank(t)
	ctx := t.Context()
	issuer, account := b.gold()
	_, err := b.server.CreateTransfer(ctx, transfer(account, issuer, "1"))
	problem := new(client.Problem)
	if !errors.As(err, &problem) || problem.Code != "insufficient_available" || problem.Status != 409 || problem.Leg == nil || problem.Operation == "" {
		t.Errorf("more than there is: %v", err)
	}
	if _, err = b.server.ListOperators(ctx); client.Code(err) != "role_forbidden" {
		t.Errorf("a world's key asked for operators: %v", err)
	}
	if _, err = b.server.As("ab_sk_wrong").GetWorld(ctx, "cafe"); client.Code(err) != "key_invalid" {
		t.Errorf("a wrong key: %v", err)
	}
	for _, err := range b.server.GetStatement(ctx, "77777") {
		if client.Code(err) != "not_yours" {
			t.Errorf("somebody else's statement: %v", err)
		}
	}
	name := client.IdempotencyKey("once")
	if _, err = b.operator.CreateTransfer(ctx, transfer(issuer, account, "1"), name); err != nil {
		t.Fatal(err)
	}
	if _, err = b.operator.CreateTransfer(ctx, transfer(issuer, account, "2"), name); client.Code(err) != "key_reused" {
		t.Errorf("another body under a used key: %v", err)
	}
	if _, err := client.New(client.Config{URL: "bank.example"}); err == nil {
		t.Error("an address without a scheme was taken")
	}
	if _, err = b.operator.GetAccount(ctx, account, client.Where("colour", "red")); err == nil || client.Code(err) != "" {
		t.Errorf("an unknown filter: %v", err)
	}
	if _, err = b.operator.GetAccount(ctx, account, name); err == nil || client.Code(err) != "" {
		t.Errorf("an Idempotency-Key on a read: %v", err)
	}
}

// A call by one operator that takes two is an error that names the proposal,
// which another operator approves by the client.
func TestWhatTakesTwoIsProposed(t *testing.T) {
	b := newBank(t, "--mint-every=2s")
	ctx := t.Context()
	issuer, account := b.gold()
	_, err := b.operator.CreateTransfer(ctx, transfer(issuer, account, "1"))
	proposed := new(client.Proposed)
	if !errors.As(err, &proposed) {
		t.Fatalf("a transfer by one of two operators: %v", err)
	}
	if _, err := b.operator.ApproveProposal(ctx, proposed.Number); client.Code(err) != "own_proposal" {
		t.Errorf("approving one's own: %v", err)
	}
	open := 0
	for proposal, err := range b.operator.ListProposals(ctx, client.Where("status", "open")) {
		if err != nil || proposal.Number != proposed.Number {
			t.Errorf("proposal %+v, %v", proposal, err)
		}
		open++
	}
	if open != 1 {
		t.Errorf("%d proposals are open", open)
	}
	if ended, err := b.operator.RejectProposal(ctx, proposed.Number); err != nil || ended.Status != "rejected" {
		t.Errorf("rejected: %+v, %v", ended, err)
	}
}

// A context that ends ends the call, also between two attempts.
func TestContextEndsACall(t *testing.T) {
	b := newBank(t)
	n := newNetwork(t, b, slices.Repeat([]string{"503"}, 100)...)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.through(n).GetWorld(ctx, "cafe"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the call ended with %v", err)
	}
}
