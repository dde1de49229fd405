# Compares what read.sps has saved with the CSV files, cell by cell, and prints
# how many cells were equal. Run in the folder of an unpacked archive. Status 3:
# haven is not here.
if (!requireNamespace("haven", quietly = TRUE)) quit(status = 3)
sink(nullfile())
source("read.R")
sink()
equal <- 0
for (name in sub("[.]csv$", "", list.files("csv", "[.]csv$"))) {
  want <- get(name)
  got <- haven::read_sav(file.path("csv", paste0(name, ".sav")))
  stopifnot(identical(names(got), names(want)), nrow(got) == nrow(want))
  raw <- read.csv(file.path("csv", paste0(name, ".csv")), colClasses = "character", na.strings = "", encoding = "UTF-8")
  for (column in names(want)) {
    x <- want[[column]]
    y <- haven::zap_labels(got[[column]])
    if (!identical(attr(got[[column]], "label"), attr(x, "label")))
      stop(name, ".", column, ": the label is ", attr(got[[column]], "label"))
    if (inherits(x, "POSIXct")) x <- raw[[column]] # SPSS keeps instants as texts
    if (is.character(x)) {
      x[is.na(x)] <- ""
      y <- as.character(y)
    }
    x <- as.vector(x)
    y <- as.vector(y)
    wrong <- which(!(is.na(x) & is.na(y)) & !(x == y) %in% TRUE)
    if (length(wrong) > 0)
      stop(name, ".", column, " in row ", wrong[1], ": ", format(y[wrong[1]], digits = 17), ", want ", format(x[wrong[1]], digits = 17))
    equal <- equal + length(x)
  }
}
cat(equal, "cells equal\n")
