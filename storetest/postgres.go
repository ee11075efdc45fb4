package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Postgres is a PostgreSQL server of the test's own, on a free port of the
// loopback interface, in a folder that is removed with it.
type Postgres struct {
	Port   int
	folder string
	bin    string
	as     *syscall.Credential // who runs it; PostgreSQL refuses to be root
	server *exec.Cmd
	leave  func() // lets the thread go that has started it
	output bytes.Buffer
}

// StartPostgres starts a server that stops at the end of the test. Without the
// programs of PostgreSQL the test is skipped, and fails if it runs in CI.
func StartPostgres(t *testing.T, settings ...string) *Postgres {
	t.Helper()
	p := newPostgres(t)
	// What initdb writes need not survive a loss of power: the server syncs what
	// it writes itself.
	p.run(t, "initdb", "--no-sync", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata="+p.data())
	p.Configure(t, append([]string{
		"listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", "max_connections = 100",
		"shared_buffers = 64MB", "max_wal_size = 512MB", "wal_keep_size = 64MB",
	}, settings...)...)
	p.Start(t)
	return p
}

func newPostgres(t *testing.T) *Postgres {
	t.Helper()
	bin, err := postgresPrograms()
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	p := &Postgres{bin: bin, Port: freePort(t)}
	// Not t.TempDir: another user must be able to come to it.
	if p.folder, err = os.MkdirTemp("", "attentionbank-postgres-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(p.folder) })
	if os.Getuid() == 0 {
		if p.as, err = unprivileged(); err == nil {
			err = os.Chown(p.folder, int(p.as.Uid), int(p.as.Gid))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { p.Kill() })
	return p
}

// postgresPrograms finds the newest of the folders with PostgreSQL's programs.
func postgresPrograms() (folder string, err error) {
	places, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is well formed
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // zero if it is none
		return n
	}
	slices.SortFunc(places, func(a, b string) int { return version(b) - version(a) })
	if found, err := exec.LookPath("postgres"); err == nil {
		places = append(places, found)
	}
	if len(places) == 0 {
		return "", errors.New("PostgreSQL's programs were not found in /usr/lib/postgresql or the PATH: `make test` installs them on Debian; elsewhere install PostgreSQL 13 or newer")
	}
	return filepath.Dir(places[0]), nil
}

func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.ParseUint(found.Uid, 10, 32)
		gid, err2 := strconv.ParseUint(found.Gid, 10, 32)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
	}
	return nil, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody")
}

// freePort returns a port below those that systems give to connections that go
// out, so that it is still free when the server starts again.
func freePort(t *testing.T) int {
	t.Helper()
	var err error
	for range 100 {
		port := 15_000 + rand.IntN(15_000)
		var listener net.Listener
		if listener, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			listener.Close()
			return port
		}
	}
	t.Fatalf("no port is free: %v", err)
	return 0
}

func (p *Postgres) data() string { return filepath.Join(p.folder, "data") }

func (p *Postgres) command(ctx context.Context, program string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, filepath.Join(p.bin, program), args...)
	command.Dir = p.folder
	command.SysProcAttr = &syscall.SysProcAttr{Credential: p.as}
	command.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	return command
}

func (p *Postgres) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	output, err := p.command(ctx, program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, output)
	}
	return string(output)
}

// Configure appends settings, which hold from the next start or reload.
func (p *Postgres) Configure(t *testing.T, settings ...string) {
	t.Helper()
	file, err := os.OpenFile(filepath.Join(p.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteString("\n" + strings.Join(settings, "\n") + "\n")
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
}

// Start starts the server and waits until it answers.
func (p *Postgres) Start(t *testing.T) {
	t.Helper()
	p.server = p.command(context.Background(), "postgres", "-D", p.data(), "-p", strconv.Itoa(p.Port))
	dieWithParent(p.server.SysProcAttr)
	p.server.Stdout, p.server.Stderr = &p.output, &p.output
	// It dies with the thread that has started it, so that thread waits.
	started, stays := make(chan error), make(chan struct{})
	p.leave = func() { close(stays) }
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		started <- p.server.Start()
		<-stays
	}()
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err := p.command(ctx, "pg_isready", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port)).Run()
		cancel()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			p.Kill()
			t.Fatalf("PostgreSQL does not answer: %v\n%s", err, p.output.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Kill ends the server as kill -9 does, together with all that it has started.
func (p *Postgres) Kill() {
	if p.server == nil {
		return
	}
	// The backends notice that the postmaster is gone, but not at once.
	children, _ := exec.Command("pgrep", "-P", strconv.Itoa(p.server.Process.Pid)).Output()
	p.server.Process.Kill()
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	p.server.Wait() // that it was killed is no news
	p.leave()
	p.server = nil
}

// Query runs SQL in a database and returns what it prints.
func (p *Postgres) Query(t *testing.T, database, sql string) string {
	t.Helper()
	return strings.TrimSpace(p.run(t, "psql", "-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port), "-U", "postgres", "-c", sql, database))
}

// Dump returns all that is in a database, as pg_dump writes it: bytes are in
// hexadecimal digits.
func (p *Postgres) Dump(t *testing.T, database string) string {
	t.Helper()
	return p.run(t, "pg_dump", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port), "-U", "postgres", database)
}

// NewDatabase makes an empty database and returns its URL.
func (p *Postgres) NewDatabase(t *testing.T, name string) string {
	t.Helper()
	p.Query(t, "postgres", `CREATE DATABASE "`+name+`"`)
	return p.URL(name)
}

// URL returns the address of a database of this server.
func (p *Postgres) URL(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: fmt.Sprintf("127.0.0.1:%d", p.Port), Path: database, RawQuery: "sslmode=disable"}).String()
}

// Standby starts a synchronous standby of the server: from its return on, what
// the server acknowledges is on both.
func (p *Postgres) Standby(t *testing.T) *Postgres {
	t.Helper()
	standby := newPostgres(t)
	standby.run(t, "pg_basebackup", "-h", "127.0.0.1", "-p", strconv.Itoa(p.Port), "-U", "postgres", "-D", standby.data(), "--wal-method=stream", "--checkpoint=fast", "--no-sync", "--write-recovery-conf")
	standby.Start(t)
	p.Configure(t, "synchronous_standby_names = '*'")
	p.Query(t, "postgres", "SELECT pg_reload_conf()")
	deadline := time.Now().Add(time.Minute)
	for p.Query(t, "postgres", "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") != "1" {
		if time.Now().After(deadline) {
			t.Fatalf("the standby does not follow\n%s", standby.output.String())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return standby
}

// Promote makes a standby a primary of its own.
func (p *Postgres) Promote(t *testing.T) {
	t.Helper()
	p.Query(t, "postgres", "SELECT pg_promote(true, 60)")
}
