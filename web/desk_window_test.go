package web_test

import (
	"compress/gzip"
	"html"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"epro/study"
)

var numberOf = regexp.MustCompile(`>(?:<strong>)?(N-\d{5})<`)

// numbers are the participants whom a page names, each once.
func numbers(page string) map[string]bool {
	found := map[string]bool{}
	for _, m := range numberOf.FindAllStringSubmatch(page, -1) {
		found[m[1]] = true
	}
	return found
}

var nextWindow = regexp.MustCompile(`<a href="([^"]+)">The next</a>`)

// A site of more participants than a page reads is shown window by window:
// nobody is left out, nobody stands twice, and every page stays small.
func TestALargeSiteIsShownWindowByWindow(t *testing.T) {
	const all, window = 503, 500
	o := crowd(t, 1, all)
	s := o.at(t, "anna", study.RoleCoordinator, crowdSite(0))
	for path, rest := range map[string]string{"/desk/completion": "", "/desk/completion?view=table": "", "/desk": "", "/desk/alerts": "", "/desk/devices": "", "/desk/participants?sort=closes&status=active": ""} {
		first := s.get(path)
		seen := numbers(first.page)
		link := nextWindow.FindStringSubmatch(first.page)
		if strings.HasPrefix(path, "/desk/completion") != (len(seen) == window) || link == nil && path != "/desk" {
			t.Fatalf("%s names %d participants, next %q%s", path, len(seen), link, rest)
		}
		if link == nil {
			continue // fewer than a window have to be looked at
		}
		behind := s.get(html.UnescapeString(link[1]))
		if behind.status != http.StatusOK || strings.Contains(behind.page, "The next") || !strings.Contains(behind.page, "From the beginning") {
			t.Errorf("behind %s: %d", path, behind.status)
		}
		for number := range numbers(behind.page) {
			if seen[number] || number < "N-00500" {
				t.Errorf("%s: %s is in the second window", path, number)
			}
		}
		if strings.HasPrefix(path, "/desk/completion") && len(numbers(behind.page)) != all-window {
			t.Errorf("%s: %d in the second window", path, len(numbers(behind.page)))
		}
		if size := compressed(t, s, path); size > 100<<10 {
			t.Errorf("%s is %d bytes compressed", path, size)
		}
	}
	if page := s.get("/desk/participants?q=N-00502&status=").page; !numbers(page)["N-00502"] {
		t.Error("a number outside the window is not found")
	}
	if strings.Contains(s.get("/desk/completion").page, "data-rate") || !strings.Contains(s.get("/desk/completion?rates=count").page, `data-rate="n_pop"`) {
		t.Error("the rates of a large site are counted unasked, or not when asked for")
	}
	if rows := strings.Count(s.get("/desk/completion?format=csv").page, "\n"); rows != all+1 {
		t.Errorf("the file has %d rows", rows)
	}
}

// compressed is how many bytes of a page go over the line.
func compressed(t *testing.T, s *seat, path string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	got := s.send(req)
	if got.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("%s is not compressed", path)
	}
	whole, err := gzip.NewReader(strings.NewReader(got.page))
	if err == nil {
		_, err = io.Copy(io.Discard, whole)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d bytes compressed", path, len(got.page))
	return len(got.page)
}
