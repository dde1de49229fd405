package export

import (
	"fmt"
	"io"
	"reflect"
	"time"

	"github.com/parquet-go/parquet-go"

	"epro/study"
)

// rowsPerGroup bounds what the Parquet writer holds back: it writes when so many
// rows have come.
const rowsPerGroup = 16 << 10

// parquetEncoder writes Apache Parquet. Every column is optional.
type parquetEncoder struct {
	out  io.Writer
	file *parquet.GenericWriter[any]
	rows []parquet.Row // one; the writer wants a slice
}

func newParquet(w io.Writer) Encoder { return &parquetEncoder{out: w} }

// parquetTypes are how each kind is stored, as a Go type and the tag that the
// library reads the rest from. Words that repeat from row to row are stored once
// a page.
var parquetTypes = [...]struct {
	goType reflect.Type
	tag    string
}{
	Text:    {reflect.TypeFor[string](), ",optional,dict,snappy"},
	Integer: {reflect.TypeFor[int64](), ",optional,snappy"},
	Number:  {reflect.TypeFor[float64](), ",optional,snappy"},
	Date:    {reflect.TypeFor[int32](), ",optional,snappy,date"},
	Instant: {reflect.TypeFor[int64](), ",optional,snappy,timestamp(millisecond)"},
	Flag:    {reflect.TypeFor[string](), ",optional,dict,snappy"},
}

// Begin states the schema. The library keeps the order of columns for a Go
// struct only, so one is made of them.
func (e *parquetEncoder) Begin(h Head) error {
	fields := make([]reflect.StructField, len(h.Columns))
	for i, c := range h.Columns {
		t := parquetTypes[c.Kind]
		fields[i] = reflect.StructField{Name: c.Name, Type: t.goType, Tag: reflect.StructTag(fmt.Sprintf(`parquet:%q`, c.Name+t.tag))}
	}
	schema := parquet.NewSchema(h.Name, parquet.SchemaOf(reflect.New(reflect.StructOf(fields)).Interface()))
	e.file = parquet.NewGenericWriter[any](e.out, schema, parquet.MaxRowsPerRowGroup(rowsPerGroup), parquet.CreatedBy("epro", known(h.Program), "export"),
		parquet.KeyValueMetadata("export_id", h.ExportID), parquet.KeyValueMetadata("cut", study.InstantOf(h.At).String()))
	e.rows = []parquet.Row{make(parquet.Row, len(h.Columns))}
	return nil
}

// Row writes one row.
func (e *parquetEncoder) Row(cells []Value) error {
	for i, v := range cells {
		if v.Missing() {
			e.rows[0][i] = parquet.NullValue().Level(0, 0, i)
			continue
		}
		e.rows[0][i] = parquetValue(v).Level(0, 1, i)
	}
	_, err := e.file.WriteRows(e.rows)
	return err
}

var epochParquet = study.NewDate(1970, time.January, 1)

func parquetValue(v Value) parquet.Value {
	switch v.kind {
	case Integer, Instant:
		return parquet.Int64Value(v.whole)
	case Number:
		return parquet.DoubleValue(v.Number())
	case Date:
		return parquet.Int32Value(int32(v.Day() - epochParquet))
	default:
		text := v.String()
		return parquet.ByteArrayValue([]byte(text))
	}
}

// End writes the footer.
func (e *parquetEncoder) End() error { return e.file.Close() }
