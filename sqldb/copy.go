package sqldb

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
)

// Copy writes a copy of a database file to a path that is not there yet, as it
// is at one moment, while others read and write it. The copy is durable when
// Copy returns.
func Copy(ctx context.Context, from, to string) error {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("copying a database: %w", err)
	}
	query := url.Values{"_pragma": {"busy_timeout(10000)"}}
	source, err := sql.Open("sqlite", "file:"+(&url.URL{Path: from}).EscapedPath()+"?"+query.Encode())
	if err != nil {
		return fmt.Errorf("copying %s: %w", filepath.Base(from), err)
	}
	defer source.Close()
	if _, err := source.ExecContext(ctx, "VACUUM INTO ?", to); err != nil {
		return fmt.Errorf("copying %s: %w", filepath.Base(from), err)
	}
	if err := os.Chmod(to, 0o600); err != nil {
		return fmt.Errorf("copying %s: %w", filepath.Base(from), err)
	}
	return syncFile(to)
}

func syncFile(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = file.Sync()
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = syncFolder(filepath.Dir(path))
	}
	return err
}
