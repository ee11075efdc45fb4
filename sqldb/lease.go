package sqldb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrTaken is returned by Lease when another process holds the bank.
var ErrTaken = errors.New("another process serves the bank in this database")

// Leased is held by the one process that serves the bank of a PostgreSQL
// database. It keeps two from starting by mistake; that nothing is
// acknowledged twice rests on the journal alone, where a sequence is taken
// once.
type Leased struct {
	conn *pgx.Conn
	stop context.CancelFunc
	done chan struct{}
}

const leaseEvery = 3 * time.Second

// leaseKey is the number of the advisory lock: "AttnBank" in ASCII.
const leaseKey = 0x4174746e42616e6b

// Lease takes the bank of a database, or returns ErrTaken.
func Lease(ctx context.Context, url string) (*Leased, error) {
	config, err := parseURL(url)
	if err != nil {
		return nil, err
	}
	config.RuntimeParams["application_name"] = "attentionbank lease"
	// So that the server notices when this machine is gone.
	config.RuntimeParams["tcp_keepalives_idle"] = "10"
	config.RuntimeParams["tcp_keepalives_interval"] = "5"
	config.RuntimeParams["tcp_keepalives_count"] = "3"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connecting to PostgreSQL: %w", err)
	}
	deadline := time.Now().Add(config.ConnectTimeout) // for one that was killed and is not noticed yet
	for {
		var taken bool
		err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(leaseKey)).Scan(&taken)
		if err == nil && taken {
			break
		}
		if err == nil && time.Now().After(deadline) {
			err = ErrTaken
		}
		if err == nil {
			err = sleep(ctx, 200*time.Millisecond)
		}
		if err != nil {
			conn.Close(ctx)
			return nil, fmt.Errorf("taking the lease of the database: %w", err)
		}
	}
	watching, stop := context.WithCancel(context.Background())
	l := &Leased{conn: conn, stop: stop, done: make(chan struct{})}
	go l.watch(watching)
	return l, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// watch ends when the lease is lost or given back.
func (l *Leased) watch(ctx context.Context) {
	defer close(l.done)
	for sleep(ctx, leaseEvery) == nil {
		asking, cancel := context.WithTimeout(ctx, connectTimeout)
		err := l.conn.Ping(asking)
		cancel()
		if err != nil {
			return
		}
	}
}

// Done is closed when the lease is lost: the process must stop.
func (l *Leased) Done() <-chan struct{} { return l.done }

// Close gives the lease back.
func (l *Leased) Close() error {
	l.stop()
	<-l.done
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	return l.conn.Close(ctx)
}
