package web_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"epro/study"
)

// benchLists are the lists of the desk.
var benchLists = []struct{ name, path string }{
	{"morning", "/desk"}, {"participants", "/desk/participants"}, {"sorted", "/desk/participants?sort=closes"}, {"heat-map", "/desk/completion"},
	{"alerts", "/desk/alerts"}, {"devices", "/desk/devices"}, {"reminder-log", "/desk/reminders"},
}

// benchSite is how many participants a site has, benchAsks how often each list
// is asked for.
const benchSite, benchAsks = 500, 40

// BenchmarkDeskLists asks for every list of the desk of a site with 500
// participants, alone in its study and in one of EPRO_BENCH_ROWS, such as 50000
// (100 sites), in turns: the time at the server that 95 of 100 answers stay
// below, and their ratio. "same" is the same site every time; "turns" is another
// site every time, as when every site's morning comes at once: then nearly all
// participants are read from the store, and of the small study none.
// "one-site" is a site that has all participants.
func BenchmarkDeskLists(b *testing.B) {
	each, all, asks := benchSite, 0, benchAsks
	if n, err := strconv.Atoi(os.Getenv("EPRO_BENCH_ROWS")); err == nil {
		all = min(n, 50_000)
	}
	if all < 2*each {
		each, all, asks = 20, 60, 3 // a smoke
	}
	few, many, one := manned(b, 1, each), manned(b, all/each, each), manned(b, 1, all)
	for _, list := range benchLists {
		b.Run(list.name, func(b *testing.B) {
			took := make([][]time.Duration, 4)
			for range b.N {
				for i := range asks {
					took[0] = append(took[0], few[0].ask(b, list.path))
					took[1] = append(took[1], many[0].ask(b, list.path))
					took[2] = append(took[2], many[1+i%(len(many)-1)].ask(b, list.path))
					took[3] = append(took[3], one[0].ask(b, list.path))
				}
			}
			small := p95(took[0])
			b.ReportMetric(float64(small.Microseconds())/1000, "ms-p95")
			for i, what := range []string{"same", "turns", "one-site"} {
				b.ReportMetric(float64(p95(took[i+1]).Microseconds())/1000, what+"-ms-p95")
				b.ReportMetric(float64(p95(took[i+1]))/float64(small), what+"-ratio")
			}
			b.ReportMetric(0, "ns/op") // an iteration is many answers
		})
	}
}

func p95(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[(len(all)-1)*95/100]
}

// manned is a study with a coordinator of each site at her desk.
func manned(b *testing.B, sites, each int) []*seat {
	b.Helper()
	o := crowd(b, sites, each)
	seats := make([]*seat, sites)
	for i := range seats {
		seats[i] = o.at(b, "anna-"+strconv.Itoa(i), study.RoleCoordinator, crowdSite(i))
		seats[i].get("/desk")
	}
	return seats
}

// ask is how long the server takes to answer, compressed.
func (s *seat) ask(b *testing.B, path string) time.Duration {
	b.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost"+path, nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	for _, c := range s.jar.Cookies(req.URL) {
		req.AddCookie(c)
	}
	began := time.Now()
	resp, err := s.app.Test(req, -1)
	if err != nil {
		b.Fatal(err)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	took := time.Since(began)
	if resp.StatusCode != http.StatusOK || n == 0 || err != nil {
		b.Fatalf("%s: %d, %d bytes, %v", path, resp.StatusCode, n, err)
	}
	return took
}
