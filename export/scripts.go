package export

import (
	"fmt"
	"strings"
)

// scripts are the reading scripts of an archive, written for exactly the columns
// that are in it.
func (e *Export) scripts() []textFile {
	return []textFile{
		{"read.R", []byte(e.scriptR())},
		{"read.py", []byte(e.scriptPython())},
		{"read.sas", []byte(e.scriptSAS())},
		{"read.sps", []byte(e.scriptSPSS())},
	}
}

// readme stands in every archive.
const readme = `This archive holds every dataset of the study at one cut.

manifest.json        what was exported, from what, with row counts and SHA-256
data-dictionary.md   every dataset and column
csv/                 the datasets as CSV: UTF-8, LF, a header, empty = missing
xpt/                 the same as SAS transport files, version 5
read.R               reads csv/ into R data frames (base R is enough)
read.py              reads csv/ in Python (the standard library is enough)
read.sas             reads xpt/ into SAS
read.sps             reads csv/ into SPSS or PSPP

Unpack it, make this folder the working directory, and run a script as it is.
In csv/ a text that a spreadsheet would take for a formula has an apostrophe
before it; the scripts take that away again.
`

// quoted is a text in double quotes for R and Python.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// single is a text in single quotes for SAS and SPSS.
func single(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// scriptR reads the CSV files with base R.
func (e *Export) scriptR() string {
	var b strings.Builder
	b.WriteString(`# Reads every dataset in csv/ into a data frame of its name.
# Run it in the folder of the unpacked archive: source("read.R")

epro_read <- function(name, kinds, labels) {
  d <- read.csv(file.path("csv", paste0(name, ".csv")), colClasses = "character", na.strings = "",
                check.names = FALSE, encoding = "UTF-8", strip.white = FALSE)
  stopifnot(identical(names(d), names(kinds)))
  for (column in names(d)) {
    x <- d[[column]]
    d[[column]] <- switch(kinds[[column]],
      integer = as.integer(x),
      number  = as.numeric(x),
      date    = as.Date(x),
      instant = as.POSIXct(x, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC"),
      flag    = x,
      text    = sub("^'('*[-=+@\t\r\n])", "\\1", x))
    attr(d[[column]], "label") <- labels[[column]]
  }
  d
}

`)
	for _, p := range e.parts {
		fmt.Fprintf(&b, "%s <- epro_read(%s,\n  kinds = c(%s),\n  labels = c(%s))\n", p.dataset.Name, quoted(p.dataset.Name),
			eachColumn(p.dataset, func(c Column) string { return c.Name + " = " + quoted(c.Kind.String()) }),
			eachColumn(p.dataset, func(c Column) string { return c.Name + " = " + quoted(c.Label) }))
	}
	b.WriteString(`
# Mean scores by visit, of the forms that are valid for analysis.
valid <- scores_long[!is.na(scores_long$ANL01FL) & scores_long$ANL01FL == "Y", ]
if (nrow(valid) > 0) {
  means <- aggregate(AVAL ~ PARAMCD + AVISITN + AVISIT, data = valid, FUN = function(x) c(n = length(x), mean = mean(x)))
  means <- means[order(means$AVISITN, means$PARAMCD), ]
  cat(sprintf("%s %s n=%d mean=%.10f\n", means$PARAMCD, means$AVISIT, as.integer(means$AVAL[, "n"]), means$AVAL[, "mean"]), sep = "")
}
`)
	return b.String()
}

// eachColumn joins what f says of every column, a few to a line.
func eachColumn(d Dataset, f func(Column) string) string {
	words := make([]string, len(d.Columns))
	for i, c := range d.Columns {
		if words[i] = f(c); i > 0 && i%4 == 0 {
			words[i] = "\n    " + words[i]
		}
	}
	return strings.Join(words, ", ")
}

// scriptPython reads the CSV files with the standard library.
func (e *Export) scriptPython() string {
	var b strings.Builder
	b.WriteString(`"""Reads every dataset in csv/ into a list of rows, each a dict by column.

Run it in the folder of the unpacked archive: python3 read.py
Or import it: from read import read; rows = read("scores_long")
pandas.DataFrame(rows) makes a data frame of them.
"""
import csv
import datetime
import os

HERE = os.path.dirname(os.path.abspath(__file__))


def text(s):
    bare = s.lstrip("'")
    return s[1:] if s[:1] == "'" and bare[:1] in tuple("=+-@\t\r\n") else s


def instant(s):
    return datetime.datetime.strptime(s, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)


READ = {"text": text, "integer": int, "number": float, "date": datetime.date.fromisoformat, "instant": instant, "flag": str}

KINDS = {
`)
	for _, p := range e.parts {
		fmt.Fprintf(&b, "    %s: {%s},\n", quoted(p.dataset.Name),
			eachColumn(p.dataset, func(c Column) string { return quoted(c.Name) + ": " + quoted(c.Kind.String()) }))
	}
	b.WriteString(`}


def read(name):
    kinds = KINDS[name]
    with open(os.path.join(HERE, "csv", name + ".csv"), encoding="utf-8", newline="") as file:
        lines = csv.reader(file)
        header = next(lines)
        if header != list(kinds):
            raise ValueError(name + ": the columns are not those of this script")
        return [{c: READ[kinds[c]](v) if v != "" else None for c, v in zip(header, line)} for line in lines]


if __name__ == "__main__":
    # Mean scores by visit, of the forms that are valid for analysis.
    groups = {}
    for row in read("scores_long"):
        if row["ANL01FL"] == "Y":
            groups.setdefault((row["AVISITN"], row["PARAMCD"], row["AVISIT"]), []).append(row["AVAL"])
    for (_, code, visit), values in sorted(groups.items()):
        print("%s %s n=%d mean=%.10f" % (code, visit, len(values), sum(values) / len(values)))
`)
	return b.String()
}

// scriptSAS copies the transport files into the work library.
func (e *Export) scriptSAS() string {
	var b strings.Builder
	b.WriteString("/* Reads every transport file in xpt/ into the WORK library. Run it with the folder\n   of the unpacked archive as the current directory. */\n\n")
	xpt, _ := pickFormat("xpt")
	means := "" // the member that they are made of
	for _, p := range e.parts {
		if why := p.cannot(xpt); why != "" {
			fmt.Fprintf(&b, "/* %s is not in xpt/: %s */\n", p.dataset.Name, strings.ReplaceAll(why, "*/", "* /"))
			continue
		}
		fmt.Fprintf(&b, "libname epro xport %s access=readonly;\nproc copy in=epro out=work memtype=data; select %s; run;\nlibname epro clear;\n",
			single("xpt/"+lower(p.dataset.Member)+".xpt"), p.dataset.Member)
		if p.dataset.Name == "scores_long" {
			means = p.dataset.Member
		}
	}
	if means != "" {
		fmt.Fprintf(&b, "\n/* Mean scores by visit, of the forms that are valid for analysis. */\n"+
			"proc means data=%s n mean maxdec=10 nway;\n  where ANL01FL = 'Y';\n  class AVISITN PARAMCD AVISIT;\n  var AVAL;\nrun;\n", means)
	}
	return b.String()
}

// scriptSPSS reads the CSV files and saves each as an SPSS file. Instants stay
// texts: SPSS does not read the form that CSV has.
func (e *Export) scriptSPSS() string {
	var b strings.Builder
	b.WriteString("* Reads every dataset in csv/ and saves it as an SPSS file beside it.\n* Run it with the folder of the unpacked archive as the current directory.\n\n")
	for _, p := range e.parts {
		fmt.Fprintf(&b, "GET DATA /TYPE=TXT /FILE='csv/%s.csv' /ENCODING='UTF8' /ARRANGEMENT=DELIMITED /DELIMITERS=',' /QUALIFIER='\"' /FIRSTCASE=2 /VARIABLES=\n", p.dataset.Name)
		for i, c := range p.dataset.Columns {
			fmt.Fprintf(&b, "  %s %s\n", c.Name, formatSPSS(c, p.seen.widths[i]))
		}
		b.WriteString(".\nVARIABLE LABELS\n")
		for _, c := range p.dataset.Columns {
			fmt.Fprintf(&b, "  %s %s\n", c.Name, single(c.Label))
		}
		b.WriteString(".\n")
		for i, c := range p.dataset.Columns {
			b.WriteString(valuesSPSS(c, p.seen.widths[i]))
		}
		b.WriteString(bareSPSS(p.dataset))
		fmt.Fprintf(&b, "SAVE OUTFILE='csv/%s.sav'.\n\n", p.dataset.Name)
	}
	b.WriteString(`* Mean scores by visit, of the forms that are valid for analysis.
GET FILE='csv/scores_long.sav'.
SELECT IF (ANL01FL = 'Y').
SORT CASES BY AVISITN PARAMCD.
AGGREGATE OUTFILE=* /BREAK=AVISITN PARAMCD AVISIT /N=N(AVAL) /MEAN=MEAN(AVAL).
FORMATS N (F8.0) MEAN (F16.10).
LIST VARIABLES=PARAMCD AVISIT N MEAN.
`)
	return b.String()
}

// bareSPSS takes away the apostrophe that CSV has before some texts.
func bareSPSS(d Dataset) string {
	var open []string
	for _, c := range d.Columns {
		if c.open() {
			open = append(open, c.Name)
		}
	}
	if len(open) == 0 {
		return ""
	}
	return "DO REPEAT X = " + strings.Join(open, " ") + `.
  IF (SUBSTR(X, 1, 1) = "'" AND INDEX("=+-@", SUBSTR(LTRIM(X, "'"), 1, 1)) > 0) X = SUBSTR(X, 2).
END REPEAT.
`
}

// formatSPSS is how SPSS is to read a column. A text may have an apostrophe
// before it.
func formatSPSS(c Column, width int) string {
	switch c.Kind {
	case Integer:
		return "F12.0"
	case Number:
		return "F32.10"
	case Date:
		return "SDATE10"
	case Instant:
		return "A24"
	case Flag:
		return "A1"
	default:
		return fmt.Sprintf("A%d", max(width, 1)+1)
	}
}

// valuesSPSS labels the values of a closed list.
func valuesSPSS(c Column, width int) string {
	var b strings.Builder
	for _, code := range c.Codes {
		value := single(code.Value)
		if c.Kind == Integer {
			value = code.Value
		} else if len(code.Value) > max(width, 1)+1 {
			continue // a value that no cell has, longer than the column
		}
		if code.Meaning != "" {
			fmt.Fprintf(&b, "\n  %s %s", value, single(code.Meaning))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "VALUE LABELS " + c.Name + b.String() + ".\n"
}
