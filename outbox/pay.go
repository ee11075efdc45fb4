package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/attentionbank/attentionbank/payment"
)

// Payments is the way on which money leaves the bank.
type Payments interface {
	// Taken reports whether the payments of a file were taken, after it has
	// finished what a crash interrupted. To whom they go is not looked at.
	Taken(ctx context.Context, file *payment.File) (bool, error)
	// Take takes a file, whole or not at all; one that was taken before changes
	// nothing.
	Take(ctx context.Context, file *payment.File) error
}

// Payouts tells what is in the files of payouts, and takes down what became of
// them.
type Payouts interface {
	// Outline returns a file without whom its payments go to.
	Outline(ctx context.Context, file uint64) (*payment.File, error)
	// Prepare returns a file to be sent, without those who cannot be paid any
	// more. From then on its outline is the same for ever.
	Prepare(ctx context.Context, file uint64) (*payment.File, error)
	// Sent notes that a file was sent. It may be called again.
	Sent(ctx context.Context, file uint64) error
}

// payoutKind is the kind of the messages that tell of a file of payouts. They
// are of no world, and say nothing but its number: nobody's name and account
// is kept in the outbox.
const payoutKind = "payout.file"

type payoutData struct {
	File uint64 `json:"file"`
}

// payoutWaits are the pauses after the first, second, … failed attempt; the last
// is that of all others: money is tried for ever.
var payoutWaits = [...]time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute}

// FileOf returns the number of the file of payouts that a message tells of.
func FileOf(message Message) (file uint64, is bool) {
	var told payoutData
	if message.Kind != payoutKind || json.Unmarshal(message.Body, &told) != nil {
		return 0, false
	}
	return told.File, true
}

// pay hands the payouts of a file over once and marks what became of it. What
// was handed over, a crash in between or not, is asked for before.
func (b *Outbox) pay(ctx context.Context, message Message) error {
	number, is := FileOf(message)
	if !is {
		return fmt.Errorf("message %d tells of no file of payouts: %s", message.Number, message.Body)
	}
	message.Attempts++
	message.Status, message.Fault = Delivered, ""
	taken, err := b.handOver(ctx, number)
	if ctx.Err() != nil {
		return nil // it stays due
	}
	if err != nil {
		message.Status, message.Fault = Waiting, err.Error()
		message.NextMS = b.options.NowMS() + payoutWaits[min(message.Attempts, len(payoutWaits))-1].Milliseconds()
		if b.options.Warn != nil {
			b.options.Warn(fmt.Sprintf("file %d of payouts was not handed over and will be tried again: %v", number, err))
		}
	}
	if taken {
		if err := b.options.Payouts.Sent(ctx, number); err != nil {
			return err
		}
	}
	b.count(message)
	return b.store.Mark(ctx, message)
}

func (b *Outbox) handOver(ctx context.Context, number uint64) (taken bool, err error) {
	if b.options.Payments == nil {
		return false, fmt.Errorf("there is no way to pay: serve --payout-dir DIR")
	}
	outline, err := b.options.Payouts.Outline(ctx, number)
	if err != nil {
		return false, err
	}
	if taken, err = b.options.Payments.Taken(ctx, outline); taken || err != nil {
		return taken, err
	}
	file, err := b.options.Payouts.Prepare(ctx, number)
	if err != nil {
		return false, err
	}
	if len(file.Payments) == 0 {
		return true, nil // nobody is left to be paid
	}
	err = b.options.Payments.Take(ctx, file)
	return err == nil, err
}
