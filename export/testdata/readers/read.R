# Reads the files named on the command line with packages that are not ours and
# prints every cell in a form that loses nothing:
#   == READER FILE            then a line a row, cells separated by blanks:
#   N missing, n a number as a hexadecimal double, t a text as hexadecimal bytes.
# Dates are days and instants seconds, from 1970, where the reader knows them as
# such.
# Exits with status 3 when one of the packages is not here.
for (p in c("haven", "foreign", "readxl")) if (!requireNamespace(p, quietly = TRUE)) quit(status = 3)

cell <- function(x) {
  if (inherits(x, "POSIXt") || inherits(x, "Date")) x <- as.numeric(x)
  if (is.character(x)) {
    bytes <- vapply(x, function(s) if (is.na(s)) "" else paste(charToRaw(enc2utf8(s)), collapse = ""), "")
    return(ifelse(is.na(x) | x == "", "N", paste0("t", bytes)))
  }
  x <- as.numeric(x)
  ifelse(is.na(x), "N", paste0("n", sprintf("%a", x)))
}

show <- function(reader, file, d) {
  cat("==", reader, file, "\n")
  cat(names(d), "\n")
  if (nrow(d) > 0) {
    cells <- lapply(d, cell)
    writeLines(do.call(paste, unname(cells)))
  }
}

for (file in commandArgs(trailingOnly = TRUE)) {
  if (grepl("[.]xpt$", file)) {
    show("haven", file, as.data.frame(haven::read_xpt(file)))
    d <- foreign::read.xport(file, as.is = TRUE)
    show("foreign", file, as.data.frame(d, stringsAsFactors = FALSE))
  } else {
    show("readxl", file, as.data.frame(readxl::read_xlsx(file, guess_max = 10000, trim_ws = FALSE, na = "")))
  }
}
