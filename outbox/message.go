package outbox

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/attentionbank/attentionbank/amount"
	"github.com/attentionbank/attentionbank/bank"
)

// Sale is who bought what of whom.
type Sale struct {
	World   uint32
	Product string
	Buyer   [16]byte // the person's opaque id
}

// Thing is a unique good.
type Thing struct {
	World     uint32
	Asset, ID string // of its collection, and in it
}

// Sales tells what is known of purchases, goods and people, which never changes.
type Sales interface {
	Sale(ctx context.Context, purchase uint64) (Sale, error)
	Thing(ctx context.Context, good uint64) (Thing, error)
	// Person returns the opaque id of a person of that number.
	Person(ctx context.Context, number uint64) ([16]byte, error)
}

// body is what a receiver reads.
type body struct {
	Type      string `json:"type"`
	Timestamp string `json:"timestamp"`
	Data      any    `json:"data"`
}

type purchaseData struct {
	Purchase string `json:"purchase"`
	Product  string `json:"product"`
	Buyer    string `json:"buyer"`
	Quantity int64  `json:"quantity,omitempty"`
	Total    string `json:"total,omitempty"`
	Until    string `json:"until,omitempty"`
	Service  bool   `json:"service,omitempty"`
	Status   string `json:"status,omitempty"`
}

type goodData struct {
	Good    string `json:"good"`
	Asset   string `json:"asset"`
	ID      string `json:"id"`
	From    string `json:"from,omitempty"` // nobody is the world
	To      string `json:"to,omitempty"`
	Price   string `json:"price,omitempty"`
	Royalty string `json:"royalty,omitempty"`
}

// messagesOf returns what the facts of a record are to be told, in order.
func messagesOf(ctx context.Context, record Record, sales Sales) (messages []Message, err error) {
	for _, answer := range record.Answers {
		for fact, err := range bank.Facts(answer) {
			if err != nil {
				return nil, fmt.Errorf("record %d: %w", record.Seq, err)
			}
			message, told, err := messageOf(ctx, fact, record.TimeMS, sales)
			if err != nil {
				return nil, fmt.Errorf("record %d: %w", record.Seq, err)
			}
			if told {
				message.Number = record.Seq<<16 + uint64(len(messages))
				messages = append(messages, message)
			}
		}
	}
	return messages, nil
}

func messageOf(ctx context.Context, fact bank.Fact, timeMS int64, sales Sales) (m Message, told bool, err error) {
	var kind string
	var purchase uint64
	var data purchaseData
	switch f := fact.(type) {
	case bank.Purchased:
		kind, purchase = "purchase.created", f.Purchase
		data.Quantity, data.Total = f.Quantity, amount.Format(f.TotalMicro, 6)
		data.Until, data.Service = timeText(f.UntilMS), f.Hold != 0
	case bank.PurchaseEnded:
		kind, purchase = "purchase.ended", f.Purchase
		data.Status = f.Outcome.String()
	case bank.GoodMoved:
		m, err := goodMessage(ctx, f, timeMS, sales)
		return m, true, err
	case bank.PayoutsFiled:
		text, err := json.Marshal(payoutData{f.File})
		return Message{Kind: payoutKind, Body: text, CreatedMS: timeMS, NextMS: timeMS}, true, err
	default:
		return m, false, nil
	}
	sale, err := sales.Sale(ctx, purchase)
	if err != nil {
		return m, false, fmt.Errorf("looking up purchase %d: %w", purchase, err)
	}
	data.Purchase, data.Product, data.Buyer = strconv.FormatUint(purchase, 10), sale.Product, hex.EncodeToString(sale.Buyer[:])
	m, err = message(sale.World, kind, timeMS, data)
	return m, true, err
}

// message is for a world.
func message(world uint32, kind string, timeMS int64, data any) (Message, error) {
	text, err := json.Marshal(body{kind, timeText(timeMS), data})
	return Message{World: world, Kind: kind, Body: text, CreatedMS: timeMS, NextMS: timeMS}, err
}

// goodMessage tells the world of a good whose it is now.
func goodMessage(ctx context.Context, f bank.GoodMoved, timeMS int64, sales Sales) (Message, error) {
	thing, err := sales.Thing(ctx, f.Good)
	if err != nil {
		return Message{}, fmt.Errorf("looking up good %d: %w", f.Good, err)
	}
	data := goodData{Good: strconv.FormatUint(f.Good, 10), Asset: thing.Asset, ID: thing.ID}
	for number, into := range map[uint64]*string{f.From: &data.From, f.To: &data.To} {
		if number == 0 {
			continue // the world itself
		}
		id, err := sales.Person(ctx, number)
		if err != nil {
			return Message{}, fmt.Errorf("looking up person %d: %w", number, err)
		}
		*into = hex.EncodeToString(id[:])
	}
	kind := "good.given"
	if f.PriceMicro != 0 {
		kind, data.Price = "good.sold", amount.Format(f.PriceMicro, 6)
	}
	if f.RoyaltyMicro != 0 {
		data.Royalty = amount.Format(f.RoyaltyMicro, 6)
	}
	if f.To == 0 {
		kind = "good.refunded"
	}
	return message(thing.World, kind, timeMS, data)
}

func timeText(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }
