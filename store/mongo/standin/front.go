package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// front stands before the server and lets one update at a time through.
// FerretDB looks for a document and writes it in two steps, so that two
// updates of one document can both find what only the first should.
type front struct {
	backend string // path of the server's socket
	updates sync.Mutex
}

// serve answers whoever connects, until the context ends.
func (f *front) serve(ctx context.Context, l net.Listener) {
	context.AfterFunc(ctx, func() { _ = l.Close() })
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer client.Close()
			context.AfterFunc(ctx, func() { _ = client.Close() })
			_ = f.talk(ctx, client) // whoever hung up knows it
		}()
	}
}

// talk passes on questions and answers, which take turns in this protocol.
func (f *front) talk(ctx context.Context, client io.ReadWriter) error {
	server, err := new(net.Dialer).DialContext(ctx, "unix", f.backend)
	if err != nil {
		return err
	}
	defer server.Close()
	for {
		question, err := message(client)
		if err != nil {
			return err
		}
		answer, err := f.ask(server, question)
		if err != nil {
			return err
		}
		if _, err := client.Write(answer); err != nil {
			return err
		}
	}
}

func (f *front) ask(server io.ReadWriter, question []byte) ([]byte, error) {
	switch command(question) {
	case "update", "findAndModify", "delete":
		f.updates.Lock()
		defer f.updates.Unlock()
	}
	if _, err := server.Write(question); err != nil {
		return nil, err
	}
	return message(server)
}

// The layout of the protocol's one message in use, OP_MSG: a header with the
// length of all, flags, the kind of the section, and the command as BSON.
const (
	headerSize = 16
	opMsg      = 2013
	firstKey   = headerSize + 4 + 1 + 4 + 1
	maxSize    = 48_000_000
)

func message(r io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint32(size[:])
	if n < headerSize || n > maxSize {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	whole := make([]byte, n)
	copy(whole, size[:])
	_, err := io.ReadFull(r, whole[len(size):])
	return whole, err
}

// command is the name of the command that a message holds, or empty.
func command(m []byte) string {
	if len(m) < firstKey || binary.LittleEndian.Uint32(m[12:]) != opMsg {
		return ""
	}
	for i, b := range m[firstKey:] {
		if b == 0 {
			return string(m[firstKey:][:i])
		}
	}
	return ""
}
