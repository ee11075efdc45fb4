package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// plain is what one would write first: balances in rows, a function that moves
// an amount once for a key and refuses an overdraft. Rows are locked in the
// order of their numbers, so that no two calls wait for each other for ever.
const plain = `
CREATE TABLE accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0));
CREATE TABLE transfers (
	id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key TEXT NOT NULL UNIQUE,
	debit BIGINT NOT NULL, credit BIGINT NOT NULL, amount BIGINT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX ON transfers (debit, id);
CREATE INDEX ON transfers (credit, id);
INSERT INTO accounts SELECT n, 1000000000 FROM generate_series(1, 2000) AS n;
CREATE FUNCTION transfer(the_key TEXT, from_id BIGINT, to_id BIGINT, moved BIGINT) RETURNS BIGINT LANGUAGE plpgsql AS $$
DECLARE made BIGINT;
BEGIN
	INSERT INTO transfers (key, debit, credit, amount) VALUES (the_key, from_id, to_id, moved) ON CONFLICT (key) DO NOTHING RETURNING id INTO made;
	IF made IS NULL THEN
		SELECT id INTO made FROM transfers WHERE key = the_key;
		RETURN made;
	END IF;
	PERFORM 1 FROM accounts WHERE id IN (from_id, to_id) ORDER BY id FOR UPDATE;
	UPDATE accounts SET balance = balance - moved WHERE id = from_id;
	UPDATE accounts SET balance = balance + moved WHERE id = to_id;
	RETURN made;
END $$`

// plainFunction measures calls of the function from so many connections. Debits
// are from the accounts above 1000, credits to the first so many.
func plainFunction(store string, clients, credits int) func(context.Context, time.Duration) (result, error) {
	return func(ctx context.Context, length time.Duration) (r result, err error) {
		name := fmt.Sprintf("peers_%d", time.Now().UnixNano())
		admin, err := pgx.Connect(ctx, store)
		if err != nil {
			return r, err
		}
		defer admin.Close(ctx)
		if _, err := admin.Exec(ctx, "CREATE DATABASE "+name); err != nil {
			return r, err
		}
		defer func() {
			_, dropErr := admin.Exec(ctx, "DROP DATABASE "+name+" WITH (FORCE)")
			err = errors.Join(err, dropErr)
		}()
		config, err := pgx.ParseConfig(store)
		if err != nil {
			return r, err
		}
		config.Database = name
		setup, err := pgx.ConnectConfig(ctx, config)
		if err != nil {
			return r, err
		}
		_, err = setup.Exec(ctx, plain)
		if err = errors.Join(err, setup.Close(ctx)); err != nil {
			return r, err
		}
		return callers(ctx, config, clients, credits, length)
	}
}

func callers(ctx context.Context, config *pgx.ConnConfig, clients, credits int, length time.Duration) (r result, err error) {
	var mu sync.Mutex
	var group sync.WaitGroup
	var answers []time.Duration
	var faults []error
	conns := make([]*pgx.Conn, clients)
	for i := range conns {
		if conns[i], err = pgx.ConnectConfig(ctx, config); err != nil {
			return r, err
		}
		defer conns[i].Close(ctx)
	}
	began := time.Now()
	for client, conn := range conns {
		group.Go(func() {
			random := rand.New(rand.NewPCG(uint64(client), 1))
			var own []time.Duration
			var fault error
			for n := 0; time.Since(began) < length && fault == nil; n++ {
				from, to := 1001+random.IntN(1000), 1+random.IntN(credits)
				asked := time.Now()
				var made int64
				fault = conn.QueryRow(ctx, "SELECT transfer($1, $2, $3, 1)", fmt.Sprintf("%d-%d", client, n), from, to).Scan(&made)
				own = append(own, time.Since(asked))
			}
			mu.Lock()
			defer mu.Unlock()
			answers, faults = append(answers, own...), append(faults, fault)
		})
	}
	group.Wait()
	took := time.Since(began)
	if err := errors.Join(faults...); err != nil {
		return r, err
	}
	slices.Sort(answers)
	at := func(share float64) float64 { return float64(answers[int(share*float64(len(answers)-1))]) / 1e6 }
	r.PerSecond, r.P50MS, r.P99MS = float64(int64(float64(len(answers))/took.Seconds())), at(0.5), at(0.99)
	return r, nil
}
