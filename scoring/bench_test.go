package scoring_test

import (
	"testing"
	"time"

	"epro/instruments"
	"epro/instruments/factb"
	"epro/scoring"
)

var (
	sumSink   int
	scoreSink []scoring.Score
)

func sum37(a instruments.Answers) int {
	sum := 0
	for _, v := range a {
		sum += int(v)
	}
	return sum
}

func BenchmarkSum37(b *testing.B) {
	a := sheet(b, "0123401 4321043 102340 0432102 1234012340")
	b.ReportAllocs()
	for b.Loop() {
		sumSink = sum37(a)
	}
}

func BenchmarkScore(b *testing.B) {
	s := scorer(b, factb.FACTB)
	for name, text := range map[string]string{
		"complete": "0123401 4321043 102340 0432102 1234012340",
		"gaps":     "01.3401 432104o 10.340 0432.02 123401s340",
	} {
		b.Run(name, func(b *testing.B) {
			a := sheet(b, text)
			dst := make([]scoring.Score, 0, 8)
			b.ReportAllocs()
			for b.Loop() {
				scoreSink = s.Score(dst[:0], a)
			}
		})
	}
}

// BenchmarkScoreAgainstSum measures both in short turns and reports the ratio of
// the fastest turns, so that a busy machine does not decide the figure.
func BenchmarkScoreAgainstSum(b *testing.B) {
	s := scorer(b, factb.FACTB)
	a := sheet(b, "0123401 4321043 102340 0432102 1234012340")
	dst := make([]scoring.Score, 0, 8)
	const turn = 2_000
	summing, scored := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		for range turn {
			sumSink = sum37(a)
		}
		summing = min(summing, time.Since(start))
		start = time.Now()
		for range turn {
			scoreSink = s.Score(dst[:0], a)
		}
		scored = min(scored, time.Since(start))
	}
	b.ReportMetric(float64(scored)/float64(summing), "x-sum")
	b.ReportMetric(float64(scored.Nanoseconds())/turn, "ns/score")
	b.ReportMetric(float64(summing.Nanoseconds())/turn, "ns/sum")
}
