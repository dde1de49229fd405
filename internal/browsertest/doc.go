// Package browsertest holds the tests that drive the pages in a real browser,
// against the real API on a real store. It has no code of its own: pages and
// API never import each other, and this is where they meet.
//
// The tests look for Chromium as EPRO_CHROMIUM, chromium, chromium-browser or
// google-chrome, and skip without one. EPRO_AXE names a file of axe-core, the
// accessibility checker; EPRO_SHOTS a folder that wants pictures of the screens.
// With EPRO_BROWSER=required, as in .ci/run, a missing tool is a failure.
package browsertest
