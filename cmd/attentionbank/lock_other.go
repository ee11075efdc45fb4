//go:build !unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// lockFolder opens the lock file. This system has no lock that ends with its
// process; the journal's terms still keep a second writer from being
// acknowledged.
func lockFolder(folder string) (*os.File, error) {
	file, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("locking the data directory: %w", err)
	}
	return file, nil
}
