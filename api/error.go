package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/collect"
	"github.com/attentionbank/attentionbank/history"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/journal"
	"github.com/attentionbank/attentionbank/market"
	"github.com/attentionbank/attentionbank/wire"
	"github.com/danielgtaylor/huma/v2"
)

// newProblem makes what huma itself has to say a problem.
func newProblem(status int, message string, errs ...error) huma.StatusError {
	p := &Problem{Status: status, Title: http.StatusText(status), Detail: message, Code: strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_")}
	switch status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		p.Code = "invalid_request"
	case http.StatusRequestEntityTooLarge:
		p.Code = "too_large"
	}
	for _, err := range errs {
		var detail huma.ErrorDetailer
		if errors.As(err, &detail) {
			d := detail.ErrorDetail()
			p.Errors = append(p.Errors, wire.Fault{Message: d.Message, Location: d.Location})
		} else if err != nil {
			p.Errors = append(p.Errors, wire.Fault{Message: err.Error()})
		}
	}
	return p
}

// refusals is the one table from the bank's refusals to HTTP: the status, and
// what would be accepted. Everything is listed, so that a new refusal cannot be
// forgotten; a test says so.
var refusals = map[bank.Refusal]struct {
	status int
	detail string
}{
	bank.Malformed:                                {http.StatusBadRequest, "The command cannot be read."},
	bank.KeyReused:                                {http.StatusUnprocessableEntity, "This Idempotency-Key was used with another body. Use a new key for a new call."},
	bank.Repeated:                                 {http.StatusConflict, "The first answer to this Idempotency-Key can no longer be read."},
	bank.CodeInvalid:                              {http.StatusUnprocessableEntity, "Accepted: for a world 1 to 32 of a-z 0-9 -, for an asset 2 to 24 of A-Z 0-9 - _."},
	bank.CodeTaken:                                {http.StatusConflict, "The code is taken. Choose another."},
	bank.ScaleInvalid:                             {http.StatusUnprocessableEntity, "Accepted: 0 to 18 decimal places."},
	bank.ReferenceInvalid:                         {http.StatusUnprocessableEntity, "Accepted: up to 64 of A-Z a-z 0-9 . _ : -, no free text."},
	bank.WorldNotFound:                            {http.StatusNotFound, "There is no such world."},
	bank.PersonNotFound:                           {http.StatusNotFound, "There is no such person."},
	bank.AssetNotFound:                            {http.StatusNotFound, "There is no such asset."},
	bank.OwnerInvalid:                             {http.StatusUnprocessableEntity, "Accounts are opened for worlds and persons, in any asset but POINTS."},
	bank.TooMany:                                  {http.StatusUnprocessableEntity, "A bound is reached: see docs/api.md for the bounds."},
	bank.PolicyTooLarge:                           {http.StatusRequestEntityTooLarge, "Accepted: a policy of up to 32 KiB."},
	bank.PolicyNotAhead:                           {http.StatusUnprocessableEntity, "A policy takes effect on a day to come, by UTC."},
	bank.PolicyOutOfOrder:                         {http.StatusUnprocessableEntity, "A policy takes effect no earlier than the one before it."},
	bank.MonetaryPolicyInvalid:                    {http.StatusUnprocessableEntity, "Accepted: mode capped, fixed or budget; lambda 0 to 100; budget 0 to 10^12; epoch 1 minute to 31 days; close delay up to a day; share weight up to 1000000."},
	bank.DayNotCome:                               {http.StatusUnprocessableEntity, "The day has not come."},
	bank.AttentionOutOfRange:                      {http.StatusUnprocessableEntity, "A person's day earns 0 to 100000000 points."},
	bank.ProductInvalid:                           {http.StatusUnprocessableEntity, "Accepted: a code of 1 to 32 of A-Z a-z 0-9 - _; a price above zero; for an item an asset of the world without decimal places that no other product sells, for a service a deadline; kind and asset of a product stay."},
	bank.ProductNotFound:                          {http.StatusNotFound, "There is no such product."},
	bank.QuantityInvalid:                          {http.StatusUnprocessableEntity, "A quantity is 1 or more, and a price above zero."},
	bank.NotOnSale:                                {http.StatusConflict, "It is not on sale now."},
	bank.SoldOut:                                  {http.StatusConflict, "Fewer are left than were asked for."},
	bank.PriceExceeded:                            {http.StatusConflict, "It costs more than you said you would pay."},
	bank.PurchaseNotFound:                         {http.StatusNotFound, "There is no such purchase."},
	bank.PurchaseOver:                             {http.StatusConflict, "The purchase has ended: delivered, declined, refunded or lapsed."},
	bank.RefundWindowOver:                         {http.StatusConflict, "The time in which it could be taken back is over."},
	bank.NotListable:                              {http.StatusUnprocessableEntity, "Items of worlds are listed: assets of a world without decimal places."},
	bank.ListingNotFound:                          {http.StatusNotFound, "There is no such listing."},
	bank.ListingOver:                              {http.StatusConflict, "The listing was sold or taken back."},
	bank.OwnListing:                               {http.StatusConflict, "Take your own listing back instead."},
	bank.HoldManaged:                              {http.StatusConflict, "The hold belongs to a purchase, a listing or an order, and ends with it."},
	bank.OperatorNotFound:                         {http.StatusForbidden, "There is no such operator, or no longer."},
	bank.LastOperator:                             {http.StatusConflict, "A bank keeps one operator. Admit another first."},
	bank.ApprovalNeeded:                           {http.StatusConflict, "This takes two operators. Make the call by itself: it becomes a proposal, which another operator approves."},
	bank.NotProposable:                            {http.StatusUnprocessableEntity, "One operator does this alone."},
	bank.ProposalNotFound:                         {http.StatusNotFound, "There is no such proposal."},
	bank.ProposalOver:                             {http.StatusConflict, "The proposal was approved, rejected or has expired."},
	bank.OwnProposal:                              {http.StatusForbidden, "Another operator approves what you have proposed."},
	bank.RateLimitInvalid:                         {http.StatusUnprocessableEntity, "Accepted: up to 1000000 a second and 10000000 at once, both above zero, or two zeros for the limit of the kind."},
	bank.CaseNotFound:                             {http.StatusNotFound, "There is no such case."},
	bank.CaseOver:                                 {http.StatusConflict, "The case is over, or the time for an appeal is, or it only watches."},
	bank.OwnDecision:                              {http.StatusForbidden, "An appeal is decided by another operator."},
	bank.StandingInvalid:                          {http.StatusUnprocessableEntity, "Accepted: known features, a tier of 0 to 9, an exclusion that ends at a time."},
	bank.FeatureDenied:                            {http.StatusForbidden, "You may not do this: see your standing for what you may, and ask the operator what would change it."},
	bank.SelfExcluded:                             {http.StatusForbidden, "You have chosen to spend nothing for a time; your standing says until when. Taking out what is yours is not affected."},
	bank.AllowanceInvalid:                         {http.StatusUnprocessableEntity, "Accepted: an allowance of 0 to 1000000 TIME a day; 0 takes it back."},
	bank.AllowanceExceeded:                        {http.StatusConflict, "The person lets this world spend less today, or nothing. The person grants an allowance; a UTC day later it is whole again."},
	bank.OwnLimitInvalid:                          {http.StatusUnprocessableEntity, "Accepted: limits of zero or more TIME, minutes of 0 to 1440."},
	bank.RetentionInvalid:                         {http.StatusUnprocessableEntity, "Accepted: 7 days, for which message ids are remembered, to 3650."},
	bank.OwnLimitReached:                          {http.StatusForbidden, "It is more than you allow yourself today. A higher limit holds 24 hours after you set it."},
	bank.QuoteExpired:                             {http.StatusConflict, "The quote is no longer good, or says a time more than a minute ahead. Ask for another."},
	bank.CollectionInvalid:                        {http.StatusUnprocessableEntity, "Accepted: an asset of the world without decimal places of which nothing was issued and that no product or market is in; a window of up to 90 days; a royalty of up to 2500."},
	bank.CollectionNotFound:                       {http.StatusNotFound, "There is no such collection."},
	bank.GoodInvalid:                              {http.StatusUnprocessableEntity, "Accepted: an id of 1 to 64 of A-Z a-z 0-9 . _ : , - and a price of zero or more."},
	bank.GoodNotFound:                             {http.StatusNotFound, "There is no such good."},
	bank.NotYourGood:                              {http.StatusForbidden, "The good belongs to somebody else."},
	bank.PayoutRateInvalid:                        {http.StatusUnprocessableEntity, "Accepted: an asset of a world, a national currency with a code of three letters, and a rate above zero."},
	bank.PayoutsClosed:                            {http.StatusConflict, "The operator pays nothing out of this asset now."},
	bank.PayoutOutOfRange:                         {http.StatusUnprocessableEntity, "Accepted: what comes to one minor unit of the currency or more, and to at most 10^12 of them."},
	bank.PayoutWorse:                              {http.StatusConflict, "It would pay less than you said you would take."},
	bank.PayoutNotFound:                           {http.StatusNotFound, "There is no such payout, or none that waits."},
	bank.PayoutOver:                               {http.StatusConflict, "The payout has ended, or stands in a file already."},
	bank.PayoutNotSent:                            {http.StatusConflict, "The payout is in no file, or in one that was not handed over yet."},
	bank.ChargebackOwed:                           {http.StatusConflict, "What was taken back from a card is still owed; nothing is paid out until it is not."},
	bank.CardCreditInvalid:                        {http.StatusUnprocessableEntity, "Accepted: an asset of a world, held for up to 180 days."},
	bank.CardCreditNotFound:                       {http.StatusNotFound, "There is no such card credit."},
	bank.CardCreditOver:                           {http.StatusConflict, "All of it was taken back."},
	bank.MarketRefusal(market.MarketNotFound):     {http.StatusNotFound, "There is no such market. GET /v1/markets has those that are."},
	bank.MarketRefusal(market.SideUnknown):        {http.StatusUnprocessableEntity, "Accepted: buy or sell."},
	bank.MarketRefusal(market.KindUnknown):        {http.StatusUnprocessableEntity, "Accepted: gtc, gtd, market, ioc or fok; self-trade prevention by newest, oldest or both."},
	bank.MarketRefusal(market.PriceOutOfRange):    {http.StatusUnprocessableEntity, "A price is a tick of the market or more, up to its largest price; a market order may leave it out."},
	bank.MarketRefusal(market.QuantityOutOfRange): {http.StatusUnprocessableEntity, "A quantity is a lot of the market or more, up to its largest quantity."},
	bank.MarketRefusal(market.ExpiryNotAhead):     {http.StatusUnprocessableEntity, "A gtd order expires in the future."},
	bank.MarketRefusal(market.ExpiryNotAllowed):   {http.StatusUnprocessableEntity, "Only a gtd order has an expiry."},
	bank.MarketRefusal(market.PostOnlyMustRest):   {http.StatusUnprocessableEntity, "Only gtc and gtd orders can be post-only."},
	bank.MarketRefusal(market.OrderNotFound):      {http.StatusNotFound, "No open order has that number."},
	bank.MarketRefusal(market.NotOwner):           {http.StatusForbidden, "The order is not yours. Accepted: one of yours."},
	bank.MarketRefusal(market.NothingLeft):        {http.StatusConflict, "No more than that was filled already. Cancel the order instead."},
	bank.MarketRefusal(market.AllHalted):          {http.StatusConflict, "Every market is halted. Orders can be cancelled."},
	bank.MarketRefusal(market.MarketHalted):       {http.StatusConflict, "The market is halted until an auction opens it. Orders can be cancelled."},
	bank.MarketRefusal(market.OwnerHalted):        {http.StatusForbidden, "The operator has stopped you from placing and amending orders. You can cancel them."},
	bank.MarketRefusal(market.NotHalted):          {http.StatusConflict, "An auction is called in a halted market only. Halt it first."},
	bank.MarketRefusal(market.AuctionLocked):      {http.StatusConflict, "The auction is about to end: orders are not cancelled and not amended for the worse."},
	bank.MarketRefusal(market.FillOrKillInCall):   {http.StatusConflict, "A fok order needs continuous trading. Accepted now: gtc, gtd, market, ioc."},
	bank.MarketRefusal(market.NoBound):            {http.StatusConflict, "The market has no bands now that would bound a market order. Name the worst price that you accept."},
	bank.MarketRefusal(market.TooManyOwnerOrders): {http.StatusConflict, "You have as many open orders in this market as it allows. Cancel one first."},
	bank.MarketRefusal(market.BookFull):           {http.StatusConflict, "The market has as many open orders as it can hold. Try again later."},
	bank.MarketRefusal(market.NumbersExhausted):   {http.StatusConflict, "The market has no order numbers left. The operator has to open another."},
	bank.MarketRefusal(market.WouldTake):          {http.StatusConflict, "A post-only order would trade at once at this price. Accepted: a price that no order of the other side meets, or an order that is not post-only."},
	bank.MarketRefusal(market.WouldMeetOwn):       {http.StatusConflict, "In a call this order could trade with one of your own. Cancel that first."},
	bank.MarketRefusal(market.CannotFill):         {http.StatusConflict, "The book does not hold the whole quantity at that price, or an order of your own stands in between. Accepted: less, a worse price, or an ioc order."},
	bank.MarketInvalid:                            {http.StatusUnprocessableEntity, "Accepted: two different assets, each TIME or an asset of a world; a lot that is 1, 10, 100, … minor units; a tick of whole minor units of the quote a lot; largest price x largest quantity below 2^62 minor units; a bound on a person's open orders."},
	bank.TermsInvalid:                             {http.StatusUnprocessableEntity, "Accepted: fees of 0 to 1000 basis points; shares of the operator and of burning up to 10000 together, burning only of TIME; a value of the quote in TIME where neither asset is TIME and only there."},
	bank.TierInvalid:                              {http.StatusUnprocessableEntity, "Accepted: tiers 0 to 9; an order of up to 100000000 TIME; up to 10000 open orders; 1 to 1000000 messages a second and at once."},
	bank.TimeoutInvalid:                           {http.StatusUnprocessableEntity, "Accepted: 0 for no limit, or up to 86400000 ms."},
	bank.MarketBehind:                             {http.StatusConflict, "More ends in the market at this moment than is done at once. Try again in a moment under another Idempotency-Key."},
	bank.AuctionRunning:                           {http.StatusConflict, "Nothing is converted while an auction gathers orders. Place an order, or wait for its end."},
	bank.SlippageExceeded:                         {http.StatusConflict, "The market has moved: it would come out worse than the quote allows. Ask for another."},
	bank.NotionalTooSmall:                         {http.StatusUnprocessableEntity, "Accepted: an order worth the market's min_notional or more."},
	bank.OrderTooLarge:                            {http.StatusConflict, "Accepted: an order that counts as at most what GET /v1/tiers says for your tier."},
	bank.TooManyOrders:                            {http.StatusConflict, "You have as many open orders as your tier allows (GET /v1/tiers). Cancel one first."},
	bank.DailyVolumeExceeded:                      {http.StatusConflict, "With what you have traded in 24 hours and what is open it would be more than your tier allows (GET /v1/tiers). Cancel an order, or wait."},
	bank.HoldingsExceeded:                         {http.StatusConflict, "With what you hold and what is open you would come to hold more of the asset than your tier allows (GET /v1/tiers). Accepted: a smaller order."},
	bank.TooManyMessages:                          {http.StatusTooManyRequests, "You place and amend more often than your tier allows (GET /v1/tiers). Cancelling is always possible."},
	bank.NoLegs:                                   {http.StatusUnprocessableEntity, "Accepted: 1 to 1000 legs."},
	bank.TooManyLegs:                              {http.StatusUnprocessableEntity, "Accepted: 1 to 1000 legs."},
	bank.AmountNotPositive:                        {http.StatusUnprocessableEntity, "An amount is more than zero."},
	bank.SameAccount:                              {http.StatusUnprocessableEntity, "The two accounts must differ."},
	bank.DebitAccountNotFound:                     {http.StatusNotFound, "There is no such account to debit."},
	bank.CreditAccountNotFound:                    {http.StatusNotFound, "There is no such account to credit."},
	bank.AssetMismatch:                            {http.StatusUnprocessableEntity, "Both accounts must be in the same asset."},
	bank.NotTransferable:                          {http.StatusUnprocessableEntity, "Points, unique goods and what issues TIME move by the bank's rules only; a collection may not let its owners give."},
	bank.HoldNotFound:                             {http.StatusNotFound, "There is no such hold, or no open hold of this group."},
	bank.HoldNotOpen:                              {http.StatusConflict, "The hold was settled, released or has expired."},
	bank.ExpiryNotAhead:                           {http.StatusUnprocessableEntity, "A hold expires in the future."},
	bank.GroupTooLarge:                            {http.StatusUnprocessableEntity, "A group has at most 1000 open holds."},
	bank.ExceedsHold:                              {http.StatusUnprocessableEntity, "At most what is still held can be settled."},
	bank.CreditNotAllowed:                         {http.StatusUnprocessableEntity, "A person's account, and one that moves by the bank's rules only, has neither floor nor credit."},
	bank.LimitOutOfRange:                          {http.StatusUnprocessableEntity, "Floor and credit limit are zero or more."},
	bank.InsufficientAvailable:                    {http.StatusConflict, "The account has less available than this amount."},
	bank.Overflow:                                 {http.StatusUnprocessableEntity, "Accepted: less than 2^62 minor units of an asset issued in all, and as much owed on credit at a time."},
}

func refusalProblem(answer journal.Answer) *Problem {
	row, known := refusals[answer.Refusal]
	if !known {
		row.status = http.StatusUnprocessableEntity
	}
	p := &Problem{Status: row.status, Code: answer.Refusal.String(), Title: http.StatusText(row.status), Detail: row.detail}
	p.Operation = history.Position{Seq: answer.Seq, Index: answer.Index}.String()
	if leg, ok := bank.RefusedLeg(answer.Bytes); ok {
		p.Leg = &leg
	}
	return p
}

// faults is the table from the other errors that a caller can do something
// about.
var faults = []struct {
	err    error
	status int
	code   string
	detail string
}{
	{identity.ErrUnauthenticated, http.StatusUnauthorized, "key_invalid", "The key is not valid: unknown or revoked."},
	{identity.ErrTicketSpent, http.StatusGone, "code_spent", "The one-time code is unknown, used or expired. Ask for a new one."},
	{identity.ErrPersonHasKey, http.StatusConflict, "person_has_key", "The person holds a key already; only the person or the operator makes further ones."},
	{identity.ErrReferenceInvalid, http.StatusUnprocessableEntity, "user_id_invalid", "Accepted: a user id of 1 to 256 bytes."},
	{identity.ErrLabelInvalid, http.StatusUnprocessableEntity, "label_invalid", "Accepted: a label of up to 100 bytes."},
	{identity.ErrTooManyKeys, http.StatusUnprocessableEntity, "too_many", "Accepted: up to 100 keys of an owner that are not revoked. Revoke one first."},
	{identity.ErrOwnerInvalid, http.StatusUnprocessableEntity, "owner_invalid", "The owner does not fit the kind of key."},
	{identity.ErrConsentInvalid, http.StatusUnprocessableEntity, "consent_invalid", "Accepted: the purposes scoring, analytics and marketing, and a version of 1 to 32 of A-Z a-z 0-9 . _ -."},
	{identity.ErrConsentOwn, http.StatusConflict, "consent_withdrawn", "The person has withdrawn this consent by their own credential, and gives it again by that."},
	{identity.ErrTokenSpent, http.StatusConflict, "token_spent", "A token links once, and this one linked somebody else. Ask the world for another."},
	{identity.ErrTokenWithoutID, http.StatusUnprocessableEntity, "token_without_id", "A token that links needs a jti."},
	{identity.ErrLinkSame, http.StatusUnprocessableEntity, "link_invalid", "Accepted: a token of a world in which you are known already, and one of another world in which you are not linked."},
	{identity.ErrLinked, http.StatusConflict, "linked_already", "One of the two is linked to somebody else, or belongs to another already. End that link first."},
	{identity.ErrTooManyLinks, http.StatusUnprocessableEntity, "too_many", "A person has at most 64 links, ended ones included."},
	{collect.ErrLink, http.StatusConflict, "link_over", "There is no such open link, or there are too many."},
	{identity.ErrAttributesInvalid, http.StatusUnprocessableEntity, "attributes_invalid", "Accepted: a country of ISO 3166-1 alpha-2 or none, an age of unknown, minor or adult, a tier of 0 to 9."},
	{identity.ErrErased, http.StatusGone, "erased", "The person was erased."},
	{identity.ErrNotFound, http.StatusNotFound, "not_found", "There is no such thing."},
	{collect.ErrErased, http.StatusGone, "erased", "The person was erased."},
	{collect.ErrSession, http.StatusUnprocessableEntity, "session_invalid", "A session begins within the last seven days and lasts up to 24 hours."},
	{history.ErrNotFound, http.StatusNotFound, "not_found", "There is no such transaction."},
	{journal.ErrBusy, http.StatusTooManyRequests, "busy", "Too many requests wait. Try again in a second."},
	{collect.ErrBusy, http.StatusTooManyRequests, "busy", "Too many requests wait. Try again in a second."},
	{errNotYet, http.StatusServiceUnavailable, "history_behind", "What was done last is not in the history yet. Try again in a moment."},
	{history.ErrLagging, http.StatusTooManyRequests, "history_lagging", "Statements are too far behind what was done. Try again in a minute; tell the operator if it goes on."},
	{journal.ErrStopped, http.StatusServiceUnavailable, "stopped", "The bank has stopped. Whether the call was carried out is not known: send it again with the same Idempotency-Key."},
	{collect.ErrStopped, http.StatusServiceUnavailable, "stopped", "Events are not taken now. Send them again with the same message ids."},
}

// problemOf turns any error into a problem. What nobody outside can do
// something about says no more than that.
func problemOf(err error) *Problem {
	var p *Problem
	if errors.As(err, &p) {
		if p.Title == "" {
			p.Title = http.StatusText(p.Status)
		}
		return p
	}
	for _, row := range faults {
		if errors.Is(err, row.err) {
			return &Problem{Status: row.status, Code: row.code, Title: http.StatusText(row.status), Detail: row.detail}
		}
	}
	return &Problem{Status: http.StatusInternalServerError, Code: "internal", Title: "Internal Server Error", Detail: "The bank could not do this. Send the call again with the same Idempotency-Key, and tell its operator if it fails again."}
}

// problem turns an error of an operation into a problem, and tells whoever runs
// the bank what its caller cannot be told.
func (s *server) problem(operation string, err error) *Problem {
	p := problemOf(err)
	if p.Status >= http.StatusInternalServerError && s.Fault != nil {
		s.Fault(operation, err)
	}
	return p
}

func invalid(field, format string, args ...any) *Problem {
	return &Problem{Status: http.StatusUnprocessableEntity, Code: "invalid_request", Detail: field + ": " + fmt.Sprintf(format, args...)}
}

func badCursor() *Problem {
	return invalid("cursor", "expected what next_cursor said on a page of this list, asked for with the same filters")
}

func notFound(what string) *Problem {
	return &Problem{Status: http.StatusNotFound, Code: "not_found", Detail: "There is no such " + what + "."}
}

func forbidden(detail string) *Problem {
	return &Problem{Status: http.StatusForbidden, Code: "not_yours", Detail: detail}
}

func writeProblem(w http.ResponseWriter, p *Problem) {
	if p.Title == "" {
		p.Title = http.StatusText(p.Status)
	}
	w.Header().Set("Content-Type", p.ContentType(""))
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	w.WriteHeader(p.Status)
	json.NewEncoder(w).Encode(p) // a client that has gone away is no fault
}
