package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
)

// benchKey makes a server key of the world "bench".
func (n *node) benchKey(ctx context.Context) (secret string, err error) {
	return n.unlimitedKey(ctx, identity.Principal{Kind: identity.Server, World: 1})
}

// unlimitedKey makes a key that may call as often as the machine lets it.
func (n *node) unlimitedKey(ctx context.Context, owner identity.Principal) (secret string, err error) {
	key, secret, err := n.identity.CreateKey(ctx, owner, "bench")
	if err != nil {
		return "", err
	}
	limit := bank.RateLimit{PerSecond: bank.MaxPerSecond, Burst: bank.MaxBurst}
	if _, err := hex.Decode(limit.Credential[:], []byte(strings.TrimPrefix(key.ID, "key_"))); err != nil {
		return "", err
	}
	answers, err := n.journal.Submit(ctx, bank.SetRateLimit{Limit: limit}.AppendTo(nil))
	if err == nil && answers[0].Refusal != bank.Accepted {
		err = fmt.Errorf("the limit of the key: %s", answers[0].Refusal)
	}
	return secret, err
}
