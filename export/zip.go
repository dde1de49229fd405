package export

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"time"
)

// Zip is the name of the format that only Everything can be written in.
const Zip = "zip"

// zipFormat is the archive of everything: it has no encoder of its own.
var zipFormat = Format{Name: Zip, Title: "all datasets as CSV and SAS transport files, with manifest, dictionary and reading scripts", ContentType: "application/zip"}

// formats are those that the export's rows are written in. CSV comes first in an
// archive, because it can hold everything.
func (e *Export) formats() []Format {
	if e.format.Name != Zip {
		return []Format{e.format}
	}
	var formats []Format
	for _, f := range Formats() {
		if f.Name == "csv" || f.Name == "xpt" {
			formats = append(formats, f)
		}
	}
	return formats
}

// spool is one file of an archive while the study is read. All datasets come
// from one reading, so the files grow side by side: compressed, in files that
// have no name any more and vanish with the process.
type spool struct {
	name    string
	part    *part
	format  Format
	encoder Encoder

	file     *os.File
	buffer   *bufio.Writer
	deflated *flate.Writer
	sum      hash.Hash
	crc      hash.Hash32
	size     int64
}

// newSpool opens a file of the archive. Every byte goes three ways: into the
// checksum that the archive wants, the one that the manifest states, and the
// compressed file.
func newSpool(name string, p *part, f Format) (*spool, error) {
	file, err := os.CreateTemp("", "epro-export-*")
	if err != nil {
		return nil, err
	}
	s := &spool{name: name, part: p, format: f, file: file, sum: sha256.New(), crc: crc32.NewIEEE()}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	s.buffer = bufio.NewWriterSize(file, 64<<10)
	if s.deflated, err = flate.NewWriter(s.buffer, flate.BestSpeed); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	if f.New != nil {
		s.encoder = f.New(s)
	}
	return s, nil
}

// Write takes the file's bytes as they will be when unpacked.
func (s *spool) Write(b []byte) (int, error) {
	s.size += int64(len(b))
	_, _ = s.sum.Write(b)
	_, _ = s.crc.Write(b)
	return s.deflated.Write(b)
}

// finish ends the compressed stream.
func (s *spool) finish() error {
	if err := s.deflated.Close(); err != nil {
		return err
	}
	return s.buffer.Flush()
}

// into adds the file to the archive as it was compressed.
func (s *spool) into(z *zip.Writer, at time.Time) error {
	length, err := s.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	header := &zip.FileHeader{Name: s.name, Method: zip.Deflate, CRC32: s.crc.Sum32(),
		CompressedSize64: uint64(length), UncompressedSize64: uint64(s.size)}
	header.SetModTime(at) //nolint:staticcheck // what is compressed already takes the time in the old fields only
	w, err := z.CreateRaw(header)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, s.file)
	return err
}

// writeZip writes everything into one archive. Nothing is sent before all of it
// is there, so a fault leaves no half an archive behind.
func (e *Export) writeZip(ctx context.Context, w io.Writer) (err error) {
	spools, err := e.spools()
	defer func() {
		for _, s := range spools {
			err = errors.Join(err, closeEncoder(s.encoder, nil), s.file.Close())
		}
	}()
	if err != nil {
		return err
	}
	byPart := map[*part][]Encoder{}
	for _, s := range spools {
		byPart[s.part] = append(byPart[s.part], s.encoder)
		if err := s.encoder.Begin(e.head(s.part)); err != nil {
			return wroteBadly(err)
		}
	}
	err = e.readAgain(ctx, func(p *part, cells []Value) error {
		for _, encoder := range byPart[p] {
			if err := encoder.Row(cells); err != nil {
				return wroteBadly(err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, s := range spools {
		if err := errors.Join(s.encoder.End(), s.finish()); err != nil {
			return wroteBadly(err)
		}
	}
	return wroteBadly(e.pack(w, spools))
}

// spools are a file for every dataset in every format that can hold it.
func (e *Export) spools() ([]*spool, error) {
	var all []*spool
	for _, f := range e.formats() {
		for _, p := range e.parts {
			if p.cannot(f) != "" {
				continue
			}
			name := p.dataset.Name
			if f.Name == "xpt" { // readers want the file named as the dataset in it
				name = lower(p.dataset.Member)
			}
			s, err := newSpool(f.Name+"/"+name+"."+f.Name, p, f)
			if err != nil {
				return all, err
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// pack puts the archive together: what a person reads first, then the data.
func (e *Export) pack(w io.Writer, spools []*spool) error {
	z := zip.NewWriter(w)
	manifest, err := e.manifest(spools)
	if err != nil {
		return err
	}
	files := []textFile{{"manifest.json", manifest}, {"README.txt", []byte(readme)}, {"data-dictionary.md", []byte(e.dictionary())}}
	files = append(files, e.scripts()...)
	for _, f := range files {
		out, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: e.summary.Cut.At})
		if err != nil {
			return err
		}
		if _, err := io.Copy(out, bytes.NewReader(f.text)); err != nil {
			return err
		}
	}
	for _, s := range spools {
		if err := s.into(z, e.summary.Cut.At); err != nil {
			return err
		}
	}
	return z.Close()
}

// textFile is a small file of the archive.
type textFile struct {
	name string
	text []byte
}

func hexOf(sum hash.Hash) string { return hex.EncodeToString(sum.Sum(nil)) }
