package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/attentionbank/attentionbank/bank"
	"github.com/attentionbank/attentionbank/identity"
	"github.com/attentionbank/attentionbank/payment"
	"github.com/attentionbank/attentionbank/payout"
	"github.com/attentionbank/attentionbank/wire"
)

func (s *server) registerPayoutReports() {
	op := operation("import-payout-report", "PUT", "/v1/payout-files/{file}/report", "Note what the operator's bank says became of a file of payouts (pain.002); given again it changes nothing", "payouts")
	op.MaxBodyBytes = 3 * payment.MaxReportBytes // JSON writes some characters longer
	register(s, op, operator,
		func(ctx context.Context, _ identity.Principal, in *struct {
			File string `path:"file" maxLength:"20"`
			Body wire.NewPayoutReport
		}) (*body[wire.PayoutReport], error) {
			number, err := parseNumber("file", in.File)
			if err != nil {
				return nil, err
			}
			report, err := payment.ParseReport([]byte(in.Body.Report))
			if err == nil && report.File != payout.FileID(number) {
				err = fmt.Errorf("expected a report about %s, it is about %s", payout.FileID(number), report.File)
			}
			if err != nil {
				return nil, &Problem{Status: http.StatusUnprocessableEntity, Code: "report_invalid", Detail: err.Error() + "."}
			}
			findings, err := s.desk.Judge(ctx, report)
			if err != nil {
				return nil, err
			}
			for i := range findings {
				if err := s.carryOutFinding(ctx, report.ID, &findings[i]); err != nil {
					return nil, err
				}
			}
			return &body[wire.PayoutReport]{payoutReportOf(report, findings)}, nil
		})
}

// carryOutFinding ends a payout as a finding says. What has ended meanwhile, by
// another report, is a conflict.
func (s *server) carryOutFinding(ctx context.Context, report string, finding *payout.Finding) error {
	status, asked := finding.Status()
	if !asked {
		return nil
	}
	command := bank.EndPayout{Reference: referenceOf(report), Payout: finding.Payout, Status: status}
	_, err := s.submit(ctx, command.AppendTo(nil))
	if problem := (*Problem)(nil); errors.As(err, &problem) && (problem.Code == bank.PayoutOver.String() || problem.Code == bank.PayoutNotSent.String()) {
		finding.Verdict = payout.Conflict
		return nil
	}
	return err
}

// referenceOf makes a reference of an id that a bank chose.
func referenceOf(id string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == ':' {
			return c
		}
		return '-'
	}, id[:min(len(id), 64)])
}

func payoutReportOf(report *payment.Report, findings []payout.Finding) wire.PayoutReport {
	shown := wire.PayoutReport{Message: report.ID, File: report.File, Code: report.Code, Reasons: report.Reasons, Counts: map[string]int{}, Findings: []wire.PayoutFinding{}}
	for _, f := range findings {
		found := wire.PayoutFinding{Payment: f.Payment, Code: f.Code, Reasons: f.Reasons, Outcome: string(f.Verdict)}
		if f.Payout != 0 {
			found.Payout = strconv.FormatUint(f.Payout, 10)
		}
		shown.Counts[found.Outcome]++
		shown.Findings = append(shown.Findings, found)
	}
	return shown
}
