package api

import (
	"context"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerRetention() {
	register(s, operation("set-world-retention", "PUT", "/v1/worlds/{world}/retention", "Set for how long a world's events are kept", "worlds"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Idempotent
			Body wire.Retention
		}) (*answered[wire.World], error) {
			number, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			if shown, err := s.showWorld(ctx, number); err == nil {
				before(ctx, shown.Body)
			}
			answer, err := s.submit(ctx, bank.SetRetention{Key: in.key(who, "retention"), World: number, Days: in.Body.Days}.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			return s.changedWorld(ctx, number, answer)
		})
}
