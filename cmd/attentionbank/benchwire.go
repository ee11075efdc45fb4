package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// plainWire is a plain HTTP/1.1 connection for the load of a benchmark: it costs
// the machine that is measured as little as it can, and trusts the answers of
// this program's own server.
type plainWire struct {
	connection net.Conn
	reader     *bufio.Reader
	request    []byte
}

func dialWire(address string) (*plainWire, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	return &plainWire{connection: connection, reader: bufio.NewReaderSize(connection, 64<<10)}, nil
}

func (w *plainWire) close() { w.connection.Close() }

// post sends a request that must be answered with a status.
func (w *plainWire) post(path, key, idempotencyKey string, body []byte, status int) error {
	got, answer, err := w.send(path, key, idempotencyKey, body)
	if err == nil && got != status {
		err = fmt.Errorf("status %d, expected %d: %s", got, status, answer)
	}
	return err
}

// send sends a request and reads the whole answer.
func (w *plainWire) send(path, key, idempotencyKey string, body []byte) (status int, answer []byte, err error) {
	w.request = fmt.Appendf(w.request[:0], "POST %s HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n", path, key)
	if idempotencyKey != "" {
		w.request = fmt.Appendf(w.request, "Idempotency-Key: %s\r\n", idempotencyKey)
	}
	w.request = append(fmt.Appendf(w.request, "Content-Length: %d\r\n\r\n", len(body)), body...)
	if _, err := w.connection.Write(w.request); err != nil {
		return 0, nil, err
	}
	chunked, length := false, 0
	for first := true; ; first = false {
		line, err := w.reader.ReadString('\n')
		if err != nil {
			return 0, nil, err
		}
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			break
		}
		name, value, _ := strings.Cut(line, ": ")
		switch {
		case first:
			status, _ = strconv.Atoi(strings.Fields(line)[1])
		case name == "Content-Length":
			length, _ = strconv.Atoi(value)
		case name == "Transfer-Encoding":
			chunked = true
		}
	}
	answer, err = w.readBody(length, chunked)
	return status, answer, err
}

func (w *plainWire) readBody(length int, chunked bool) (answer []byte, err error) {
	for {
		if chunked {
			line, err := w.reader.ReadString('\n')
			if err != nil {
				return nil, err
			}
			size, err := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
			if err != nil {
				return nil, err
			}
			length = int(size) + 2 // and the line's end
		}
		part := make([]byte, length)
		if _, err := io.ReadFull(w.reader, part); err != nil {
			return nil, err
		}
		answer = append(answer, part...)
		if !chunked || length == 2 {
			return answer, nil
		}
	}
}
