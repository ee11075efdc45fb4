package api

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/wire"
)

// Webhooks are what worlds are told.
type Webhooks struct {
	Store outbox.Store
	// SendAgain makes a message due now.
	SendAgain func(ctx context.Context, number uint64) error
	// Secret returns the signing secret of a world.
	Secret func(world, generation uint32) [32]byte
	// Private allows endpoints in private networks, and http.
	Private bool
}

// MessagePath names a message to a world.
type MessagePath struct {
	WorldPath
	Message string `path:"message" maxLength:"24"`
}

func (s *server) registerWebhooks() {
	register(s, operation("set-webhook", "PUT", "/v1/worlds/{world}/webhook", "Say where a world wants to be told what happened", "webhooks"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *struct {
			WorldPath
			Body wire.NewWebhook
		}) (*body[wire.Webhook], error) {
			world, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			if in.Body.URL != "" {
				if err := outbox.CheckURL(in.Body.URL, s.Webhooks.Private); err != nil {
					return nil, invalid("url", "%v", err)
				}
			}
			endpoint := outbox.Endpoint{World: world, URL: in.Body.URL, Generation: in.Body.SecretGeneration}
			if err := s.Webhooks.Store.SetEndpoint(ctx, endpoint); err != nil {
				return nil, err
			}
			return &body[wire.Webhook]{s.webhookOf(endpoint)}, nil
		})
	register(s, operation("get-webhook", "GET", "/v1/worlds/{world}/webhook", "Where a world is told what happened", "webhooks"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *WorldPath) (*body[wire.Webhook], error) {
			world, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			endpoint, err := s.Webhooks.Store.Endpoint(ctx, world)
			if errors.Is(err, outbox.ErrNotFound) {
				return nil, notFound("webhook")
			}
			return &body[wire.Webhook]{s.webhookOf(endpoint)}, err
		})
	register(s, operation("list-messages", "GET", "/v1/worlds/{world}/messages", "What a world was told, the newest first", "webhooks"), operator|worldServer, s.listMessages)
	register(s, operation("send-message-again", "POST", "/v1/worlds/{world}/messages/{message}/send", "Send a message again", "webhooks"), operator|worldServer,
		func(ctx context.Context, who identity.Principal, in *MessagePath) (*body[wire.Message], error) {
			world, err := s.ownWorld(ctx, who, in.World)
			if err != nil {
				return nil, err
			}
			number, err := strconv.ParseUint(strings.TrimPrefix(in.Message, messagePrefix), 10, 63)
			if err != nil {
				return nil, notFound("message")
			}
			message, err := s.Webhooks.Store.Message(ctx, number)
			if errors.Is(err, outbox.ErrNotFound) || err == nil && message.World != world {
				return nil, notFound("message")
			}
			if err == nil {
				err = s.Webhooks.SendAgain(ctx, number)
			}
			if err == nil {
				message, err = s.Webhooks.Store.Message(ctx, number)
			}
			return &body[wire.Message]{messageOf(message)}, err
		})
}

const messagePrefix = "msg_"

func (s *server) webhookOf(e outbox.Endpoint) wire.Webhook {
	return wire.Webhook{URL: e.URL, SecretGeneration: e.Generation, Secret: outbox.SecretText(s.Webhooks.Secret(e.World, e.Generation)), Disabled: e.Disabled}
}

func messageOf(m outbox.Message) wire.Message {
	shown := wire.Message{
		Message: messagePrefix + strconv.FormatUint(m.Number, 10), Kind: m.Kind, Body: json.RawMessage(m.Body), Created: timeText(m.CreatedMS),
		Status: m.Status.String(), Attempts: m.Attempts, Fault: m.Fault,
	}
	if m.Status == outbox.Waiting {
		shown.Next = timeText(m.NextMS)
	}
	return shown
}

func (s *server) listMessages(ctx context.Context, who identity.Principal, in *struct {
	WorldPath
	Page
}) (*body[wire.List[wire.Message]], error) {
	world, err := s.ownWorld(ctx, who, in.World)
	if err != nil {
		return nil, err
	}
	before := uint64(0)
	if in.Cursor != "" {
		if before, err = strconv.ParseUint(in.Cursor, 10, 63); err != nil || before == 0 {
			return nil, badCursor()
		}
	}
	messages, err := s.Webhooks.Store.Messages(ctx, world, before, in.Limit+1)
	if err != nil {
		return nil, err
	}
	messages, more := cut(messages, in.Limit)
	out := &body[wire.List[wire.Message]]{wire.List[wire.Message]{Items: make([]wire.Message, len(messages))}}
	for i, message := range messages {
		out.Body.Items[i] = messageOf(message)
	}
	if more {
		out.Body.NextCursor = strconv.FormatUint(messages[len(messages)-1].Number, 10)
	}
	return out, nil
}
