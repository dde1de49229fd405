package export

import (
	"archive/zip"
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/flate"
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

// spool is one file of an archive. The files are made side by side: compressed,
// in files that have no name any more and vanish with the process.
type spool struct {
	name   string
	part   *part
	format Format

	file     *os.File
	buffer   *bufio.Writer
	deflated *flate.Writer
	sum      hash.Hash
	crc      hash.Hash32
	size     int64
}

// write makes the file. Every byte goes three ways: into the checksum that the
// archive wants, the one that the manifest states, and the compressed file.
func (s *spool) write(ctx context.Context, e *Export, written func(rows int)) (err error) {
	if s.file, err = nameless(); err != nil {
		return wroteBadly(err)
	}
	s.sum, s.crc, s.buffer = sha256.New(), crc32.NewIEEE(), bufio.NewWriterSize(s.file, 64<<10)
	if s.deflated, err = flate.NewWriter(s.buffer, flate.BestSpeed); err != nil {
		return wroteBadly(err)
	}
	if err := e.encode(ctx, s.format.New(s), s.part, written); err != nil {
		return err
	}
	return wroteBadly(errors.Join(s.deflated.Close(), s.buffer.Flush()))
}

// Write takes the file's bytes as they will be when unpacked.
func (s *spool) Write(b []byte) (int, error) {
	s.size += int64(len(b))
	_, _ = s.sum.Write(b)
	_, _ = s.crc.Write(b)
	return s.deflated.Write(b)
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
	spools := e.spools()
	defer func() {
		for _, s := range spools {
			if s.file != nil {
				err = errors.Join(err, s.file.Close())
			}
		}
	}()
	if err := e.makeFiles(ctx, spools); err != nil {
		return err
	}
	return wroteBadly(e.pack(w, spools))
}

// makeFiles makes the files, as many at a time as there are processors.
func (e *Export) makeFiles(ctx context.Context, spools []*spool) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	rows := 0
	for _, s := range spools {
		rows += s.part.seen.rows
	}
	written := e.writing(rows)
	todo := make(chan *spool, len(spools))
	for _, s := range slices.SortedStableFunc(slices.Values(spools), func(a, b *spool) int { return cmp.Compare(b.part.seen.rows, a.part.seen.rows) }) {
		todo <- s // the long ones first
	}
	close(todo)
	var making sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		making.Go(func() {
			for s := range todo {
				if err := guarded(func() error { return s.write(ctx, e, written) }); err != nil {
					stop(err) // the first one stays the cause
				}
			}
		})
	}
	making.Wait()
	return context.Cause(ctx)
}

// spools are a file for every dataset in every format that can hold it.
func (e *Export) spools() []*spool {
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
			all = append(all, &spool{name: f.Name + "/" + name + "." + f.Name, part: p, format: f})
		}
	}
	return all
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
