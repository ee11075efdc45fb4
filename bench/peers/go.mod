module github.com/attentionbank/attentionbank/bench/peers

go 1.26.0

require (
	github.com/formancehq/numscript v0.2.0
	github.com/jackc/pgx/v5 v5.12.0
)

require (
	github.com/antlr4-go/antlr/v4 v4.13.1 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	golang.org/x/exp v0.0.0-20260908205506-85c1c2202aba // indirect
	golang.org/x/text v0.44.0 // indirect
)
