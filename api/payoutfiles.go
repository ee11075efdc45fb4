package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/outbox"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/payout"
	"github.com/attentionbank/attentionbank/wire"
)

// NewDesk returns the desk at which payouts leave a bank; payer is the account
// from which they are paid.
func NewDesk(of Bank, registry *identity.Registry, payer payment.Party) *payout.Desk {
	return &payout.Desk{Bank: deskBank{of}, Payees: payees{registry}, Payer: payer}
}

type deskBank struct{ Bank }

// Submit implements payout.Bank.
func (b deskBank) Submit(ctx context.Context, command []byte) (bank.Refusal, error) {
	answers, err := b.Bank.Submit(ctx, command)
	if err != nil {
		return 0, err
	}
	return answers[0].Refusal, nil
}

type payees struct{ registry *identity.Registry }

// PayeeOf implements payout.Payees.
func (p payees) PayeeOf(ctx context.Context, person [16]byte, number uint64) (payment.Party, error) {
	subjects, err := p.registry.SubjectsOf(ctx, person)
	if err == nil && len(subjects) == 0 {
		err = identity.ErrNotFound
	}
	var payee identity.Payee
	if err == nil {
		payee, err = p.registry.PayeeOf(ctx, subjects[0].Number, number)
	}
	if errors.Is(err, identity.ErrErased) || errors.Is(err, identity.ErrNotFound) {
		err = payout.ErrNobody
	}
	return payment.Party(payee), err
}

func (s *server) registerPayoutFiles() {
	register(s, created("file-payouts", "POST", "/v1/payout-files", "Put the payouts that wait into a file", "payouts"), operator,
		func(ctx context.Context, who identity.Principal, in *struct {
			Idempotent
			Body wire.NewPayoutFile
		}) (*answered[wire.PayoutFile], error) {
			if err := s.payoutsOff(); err != nil {
				return nil, err
			}
			command := bank.FilePayouts{Key: in.key(who, "file-payouts"), Most: in.Body.Most}
			if command.Most == 0 {
				command.Most = bank.MaxPerFile
			}
			var err error
			if command.Currency, err = s.assetNumber(ctx, in.Body.Currency); err != nil {
				return nil, err
			}
			answer, err := s.submit(ctx, command.AppendTo(nil))
			if err != nil {
				return nil, err
			}
			filed, _ := bank.First[bank.PayoutsFiled](answer.Bytes)
			out := &answered[wire.PayoutFile]{Replayed: replayed(answer)}
			err = s.Bank.Read(ctx, func(state *bank.State) { out.Body = payoutFileOf(state, filed.File, &filed.PayoutFile) })
			return out, err
		})
	register(s, operation("list-payout-files", "GET", "/v1/payout-files", "Files of payouts, the newest first, and whether they were handed over", "payouts"), operator, s.listPayoutFiles)
	register(s, operation("get-payout-file", "GET", "/v1/payout-files/{file}", "A copy of a file of payouts that was handed over", "payouts"), operator,
		func(ctx context.Context, _ identity.Principal, in *struct {
			File   string `path:"file" maxLength:"20"`
			Format string `query:"format" enum:"pain.001,csv" default:"pain.001"`
		}) (*body[wire.PayoutText], error) {
			if err := s.payoutsOff(); err != nil {
				return nil, err
			}
			number, err := parseNumber("file", in.File)
			if err != nil {
				return nil, err
			}
			var filed bank.PayoutFile
			var found bool
			if err := s.Bank.Read(ctx, func(state *bank.State) { filed, _, found = state.PayoutFile(number) }); err != nil {
				return nil, err
			}
			switch {
			case !found:
				return nil, notFound("file")
			case filed.SentMS == 0: // before, a copy could be paid beside the file
				return nil, &Problem{Status: http.StatusConflict, Code: bank.PayoutNotSent.String(), Detail: "The file was not handed over yet; GET /v1/payout-files says why."}
			}
			return s.payoutFile(ctx, number, in.Format)
		})
}

func payoutFileOf(state *bank.State, number uint64, file *bank.PayoutFile) wire.PayoutFile {
	shown := wire.PayoutFile{File: strconv.FormatUint(number, 10), Currency: state.Books().Asset(file.Currency).Code, Count: file.Count,
		Sum: money(state, file.Currency, file.SumMinor), Time: timeText(file.AtMS)}
	if file.SentMS != 0 {
		shown.Sent = timeText(file.SentMS)
	}
	return shown
}

func (s *server) listPayoutFiles(ctx context.Context, _ identity.Principal, in *Page) (*body[wire.List[wire.PayoutFile]], error) {
	before, err := cursorBefore(in.Cursor)
	if err != nil {
		return nil, err
	}
	out := &body[wire.List[wire.PayoutFile]]{Body: wire.List[wire.PayoutFile]{Items: []wire.PayoutFile{}}}
	err = s.Bank.Read(ctx, func(state *bank.State) {
		number := min(before, state.PayoutFiles()+1)
		for number > 1 && len(out.Body.Items) < in.Limit {
			number--
			file, _, _ := state.PayoutFile(number)
			out.Body.Items = append(out.Body.Items, payoutFileOf(state, number, &file))
		}
		if number > 1 {
			out.Body.NextCursor = strconv.FormatUint(number, 10)
		}
	})
	if err != nil {
		return nil, err
	}
	// Why one was not handed over stands in the outbox, where those that wait are
	// the last.
	messages, err := s.Webhooks.Store.Messages(ctx, 0, 0, in.Limit)
	for _, message := range messages {
		number, _ := outbox.FileOf(message)
		for i := range out.Body.Items {
			if shown := &out.Body.Items[i]; shown.Sent == "" && shown.File == strconv.FormatUint(number, 10) {
				shown.Attempts, shown.Fault = message.Attempts, message.Fault
			}
		}
	}
	return out, err
}

// payoutFile writes a copy of a file, the same each time: its payouts, sums and
// ids stand in the journal, and to whom they go was fixed when it was sent.
func (s *server) payoutFile(ctx context.Context, number uint64, format string) (*body[wire.PayoutText], error) {
	file, erased, err := s.desk.Copy(ctx, number)
	if errors.Is(err, payout.ErrNoFile) {
		return nil, notFound("file")
	}
	if err != nil {
		return nil, err
	}
	out := &body[wire.PayoutText]{wire.PayoutText{LeftOut: []string{}}}
	for _, number := range erased {
		out.Body.LeftOut = append(out.Body.LeftOut, strconv.FormatUint(number, 10))
	}
	if len(file.Payments) == 0 {
		return nil, &Problem{Status: http.StatusGone, Code: "erased", Detail: "Everybody who was to be paid by this file was erased."}
	}
	write, ending := file.Pain001, ".xml"
	if format == "csv" {
		write, ending = file.CSV, ".csv"
	}
	text, err := write()
	out.Body.Name, out.Body.Text = file.ID+ending, string(text)
	return out, err
}
