package export

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
)

// keptInMemory is how many bytes of packed rows wait in memory before they go
// into a file.
const keptInMemory = 256 << 10

// keptRows are a dataset's rows between reading and writing. They are packed, a
// row as what differs from the one before, and all but the last few are in a
// file that has no name and vanishes with the process.
type keptRows struct {
	packed  []byte // not in the file yet
	file    *os.File
	size    int64 // of the file
	last    []Value
	columns int
}

func newKeptRows(columns int) *keptRows {
	return &keptRows{last: make([]Value, columns), columns: columns}
}

// add keeps one row.
func (k *keptRows) add(cells []Value) error {
	start := len(k.packed)
	k.packed = binary.LittleEndian.AppendUint32(k.packed, 0) // the row's length, once it is known
	bits := len(k.packed)
	k.packed = append(k.packed, make([]byte, (k.columns+7)/8)...)
	for i := range cells {
		if cells[i].same(&k.last[i]) {
			continue
		}
		k.packed[bits+i/8] |= 1 << (i % 8)
		k.packed = cells[i].pack(k.packed)
	}
	copy(k.last, cells)
	binary.LittleEndian.PutUint32(k.packed[start:], uint32(len(k.packed)-bits))
	if len(k.packed) < keptInMemory {
		return nil
	}
	return k.spill()
}

// spill moves what is in memory into the file.
func (k *keptRows) spill() (err error) {
	if k.file == nil {
		if k.file, err = nameless(); err != nil {
			return err
		}
	}
	n, err := k.file.Write(k.packed)
	k.size, k.packed = k.size+int64(n), k.packed[:0]
	return err
}

// each calls take with every row, in order. The cells are used again for the
// next one. Several may read at once.
func (k *keptRows) each(take func(cells []Value) error) error {
	var from io.Reader = bytes.NewReader(k.packed)
	if k.file != nil {
		from = io.MultiReader(bufio.NewReaderSize(io.NewSectionReader(k.file, 0, k.size), 64<<10), from)
	}
	cells, packed := make([]Value, k.columns), make([]byte, 0, 1<<10)
	for {
		var length [4]byte
		if _, err := io.ReadFull(from, length[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		n := int(binary.LittleEndian.Uint32(length[:]))
		if cap(packed) < n {
			packed = make([]byte, n)
		}
		packed = packed[:n]
		if _, err := io.ReadFull(from, packed); err != nil {
			return err
		}
		unpack(string(packed), cells)
		if err := take(cells); err != nil {
			return err
		}
	}
}

// Close gives the room on disk back.
func (k *keptRows) Close() error {
	if k.file == nil {
		return nil
	}
	file := k.file
	k.file = nil
	return file.Close()
}

// nameless is a temporary file without a name.
func nameless() (*os.File, error) {
	file, err := os.CreateTemp("", "epro-export-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// same reports whether both cells are written alike in every format.
func (v *Value) same(o *Value) bool {
	return v.present == o.present && v.kind == o.kind && v.whole == o.whole && v.text == o.text
}

// presentBit marks a cell that is not missing, beside its kind.
const presentBit = 1 << 7

// pack adds the cell: its kind, and its value where it has one.
func (v *Value) pack(b []byte) []byte {
	if !v.present {
		return append(b, byte(v.kind))
	}
	b = append(b, byte(v.kind)|presentBit)
	switch v.kind {
	case Text:
		return append(binary.AppendUvarint(b, uint64(len(v.text))), v.text...)
	case Number:
		return binary.LittleEndian.AppendUint64(b, uint64(v.whole))
	default:
		return binary.AppendVarint(b, v.whole)
	}
}

// unpack changes the cells of the row before into those of the packed one. Texts
// share the memory of the string.
func unpack(packed string, cells []Value) {
	bits := (len(cells) + 7) / 8
	rest := packed[bits:]
	for i := range cells {
		if packed[i/8]&(1<<(i%8)) == 0 {
			continue
		}
		v := Value{kind: Kind(rest[0] &^ presentBit), present: rest[0]&presentBit != 0}
		rest = rest[1:]
		switch {
		case !v.present:
		case v.kind == Text:
			n, used := uvarint(rest)
			v.text, rest = rest[used:used+int(n)], rest[used+int(n):]
		case v.kind == Number:
			v.whole, rest = int64(binary.LittleEndian.Uint64([]byte(rest[:8]))), rest[8:]
		default:
			n, used := uvarint(rest)
			v.whole, rest = int64(n>>1)^-int64(n&1), rest[used:]
		}
		cells[i] = v
	}
}

// uvarint is binary.Uvarint of a string.
func uvarint(s string) (n uint64, used int) {
	for shift := uint(0); ; shift += 7 {
		b := s[used]
		used++
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			return n, used
		}
	}
}
