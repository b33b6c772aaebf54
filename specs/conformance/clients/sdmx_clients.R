# Reads a node with rsdmx, for sdmx_clients.py: prints a line for each observation that it got,
# `check <tab> area <tab> period <tab> figure`, and stops where a structure is not what it must be.
suppressMessages(library(rsdmx))
arguments <- commandArgs(TRUE)
base <- paste0(arguments[1], "/v1")
agency <- arguments[2]

read <- function(...) readSDMX(..., verbose = FALSE)
tell <- function(check, frame, period = "obsTime") {
  if (is.null(frame)) return(invisible())
  figures <- format(frame$obsValue, digits = 17, trim = TRUE)
  cat(paste(check, frame$REF_AREA, frame[[period]], figures, sep = "\t"), sep = "\n")
}
demand <- function(what, holds) if (!isTRUE(holds)) stop(paste("rsdmx,", what), call. = FALSE)

builder <- SDMXREST21RequestBuilder(regUrl = base, repoUrl = base, compliant = TRUE)
addSDMXServiceProvider(SDMXServiceProvider(agencyId = agency, name = "assay", builder = builder))
ask <- function(...) read(providerId = agency, ...)

flows <- as.data.frame(ask(resource = "dataflow"))
demand("the dataflows", "inflation" %in% flows$id && agency %in% flows$agencyID)
demand("the structure that a dataflow names", "inflation" %in% flows$dsdRef)
structure <- ask(resource = "datastructure", resourceId = "inflation")
definition <- structure@datastructures@datastructures[[1]]
dimensions <- sapply(definition@Components@Dimensions, function(part) part@conceptRef)
demand("the dimensions", identical(as.character(dimensions), c("FREQ", "REF_AREA")))
lists <- sapply(structure@codelists@codelists, function(list) list@id)
demand("the code lists", "CL_FREQ" %in% lists && "CL_inflation-_REF_AREA" %in% lists)
codes <- as.data.frame(structure@codelists, codelistId = "CL_inflation-_REF_AREA")
demand("the codes", "TUR" %in% codes$id)

data <- function(...) as.data.frame(ask(resource = "data", flowRef = "inflation", ...))
tell("all", data())
tell("key and periods", data(key = "A.TUR+AUS", start = 2015, end = 2016))
tell("with its structure", data(key = "A.TUR", start = 2015, dsd = TRUE))
tell("nothing", data(key = "A.TUR", start = 2999))
alone <- paste0(base, "/data/inflation/A.TUR?dimensionAtObservation=AllDimensions")
tell("observations alone", as.data.frame(read(alone)), "TIME_PERIOD")
specific <- "application/vnd.sdmx.structurespecificdata+xml;version=2.1"
frame <- as.data.frame(read(paste0(base, "/data/inflation/A.TUR"), headers = list(Accept = specific)))
frame$obsValue <- as.numeric(frame$OBS_VALUE)
tell("structure-specific", frame, "TIME_PERIOD")
