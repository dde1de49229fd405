// Package epro is the map of the program; the code is in the folders below.
//
// epro serves the FACT-B questionnaire to patients' phones, scores it, keeps it
// for years, reminds patients at scheduled treatment cycles over one year, and
// hands coordinators and analysts what they need. It is one binary, cmd/epro.
//
// One idea carries the rest: a participant's record is an append-only log of
// events, and everything else is computed from it. See
// docs/decisions/0001-a-participant-is-a-log.md.
//
// # The folders, from the bottom up
//
//   - instruments says what a questionnaire is: items, choices, subscales,
//     answers, and the check that finds every fault in a set of answers. It
//     knows the standard library only. instruments/factb is FACT-B version 4
//     as data, with our own short labels; the licensed wording is loaded from
//     files and is never in this tree. instruments/wording reads those files,
//     the wording packs, and names every fault of one; it knows Unicode and
//     language tags besides. Wherever instruments may be imported, a package
//     below it may be too.
//   - scoring turns answers into scores: pure functions over instruments.
//   - study holds the rules: the protocol, the schedule and its windows, the
//     events, Fold (events to state), Decide (state and command to one event),
//     the coded errors, the Actor, the Store interface, and the Service that
//     ties them together. It imports instruments and scoring.
//   - store opens a store by its address. store/sqlite is the embedded one,
//     store/mongo the one for several machines, store/storetest the contract
//     that both must pass, written as tests. They import study; store imports
//     its own folders too. store/mongo/mongotest gives tests a database and a
//     proxy in front of it.
//   - auth turns a password, a code or a token into a study.Actor. It speaks no
//     HTTP. It imports study. auth/firebase checks the ID tokens of Firebase for
//     it, where a study lets patients sign in so.
//   - reminders plans reminders (pure) and sends them (a loop that can be
//     stopped) through a Sender. It imports study. reminders/fcm is Firebase
//     behind that Sender, with a local Firebase for tests in
//     reminders/fcm/fcmtest; reminders/webpush reaches browsers without it.
//   - analysis counts completion, change, responders and deterioration: pure,
//     over study, scoring and instruments.
//   - export writes data sets a row at a time, over study, scoring, instruments
//     and analysis.
//   - certify makes certified copies of forms, as data and as PDF, over study
//     and instruments.
//   - api is HTTP: every route, one table from error code to status. It may
//     import all of the above and never web.
//   - web/figure draws the tables of package analysis, over web/plot, which
//     writes SVG and knows nothing of studies.
//   - web is the embedded pages for patients, coordinators and analysts, over
//     study, instruments, analysis, export, certify and auth. It never imports api.
//   - cmd/epro wires everything together, one file a subcommand.
//   - internal/simulate invents a study through the same commands as in real
//     use: a function of participants, seed and date. It imports study, scoring
//     and instruments.
//   - internal/browsertest drives the pages in a real browser, against the real
//     API. It may import everything but cmd/epro, and is nothing but tests.
//   - internal/testkit holds builders and a fixed clock for tests. It may import
//     anything below api.
//   - internal/testkit/seeded makes tests draw the same cases in every run.
//
// # The arrows
//
// Imports never point upward: study decides, what is above it only carries,
// what is below it knows no people. Each third-party module has one home.
// Neither clock nor chance is read in instruments, scoring, study or analysis:
// the time and every id are passed in. layers_test.go reads the imports of the
// whole tree and fails on a breach; to add a package, add its rule there and
// its line here.
package epro
