package instruments_test

import (
	"strings"
	"testing"

	"epro/instruments"
)

// small is a valid questionnaire of three items, made afresh for each test.
func small() *instruments.Instrument {
	half := instruments.Threshold{Num: 1, Den: 2}
	return &instruments.Instrument{
		ID: "small", Version: "1", Name: "Small",
		Choices: []instruments.Choice{{Value: 0}, {Value: 1}, {Value: 2}},
		Items: []instruments.Item{
			{Code: "A1", Subscale: "A"}, {Code: "A2", Subscale: "A", Reversed: true, OptOut: "Q9"}, {Code: "C1", Subscale: "C"},
		},
		Subscales: []instruments.Subscale{
			{Code: "A", Name: "a", Items: []string{"A1", "A2"}, Needs: half},
			{Code: "C", Name: "c", Items: []string{"C1"}, Needs: half},
		},
		Totals: []instruments.Total{{Code: "T", Name: "t", Parts: []string{"A", "C"}}},
	}
}

func TestSoundDefinitionPasses(t *testing.T) {
	if err := small().Validate(); err != nil {
		t.Error(err)
	}
}

func TestEachFaultOfADefinitionIsNamed(t *testing.T) {
	cases := map[string]struct {
		spoil func(*instruments.Instrument)
		says  string
	}{
		"no version":             {func(i *instruments.Instrument) { i.Version = "" }, "ID and a version"},
		"no items":               {func(i *instruments.Instrument) { i.Items = nil }, "1 to 255 items"},
		"too many items":         {func(i *instruments.Instrument) { i.Items = make([]instruments.Item, 256) }, "not 256"},
		"one choice":             {func(i *instruments.Instrument) { i.Choices = i.Choices[:1] }, "two choices"},
		"choice of two digits":   {func(i *instruments.Instrument) { i.Choices[2].Value = 10 }, "choice 10"},
		"negative choice":        {func(i *instruments.Instrument) { i.Choices[0].Value = -1 }, "choice -1"},
		"choices with a gap":     {func(i *instruments.Instrument) { i.Choices[2].Value = 3 }, "choice 3: values must rise one by one"},
		"choices out of order":   {func(i *instruments.Instrument) { i.Choices[1].Value = 0 }, "must rise"},
		"item without a code":    {func(i *instruments.Instrument) { i.Items[0].Code = "" }, "item without a code"},
		"code with a space":      {func(i *instruments.Instrument) { i.Items[0].Code = "A 1" }, "letters and digits"},
		"item code twice":        {func(i *instruments.Instrument) { i.Items[1].Code = "A1" }, "item A1: the code is already"},
		"box named like an item": {func(i *instruments.Instrument) { i.Items[1].OptOut = "C1" }, "C1: the code is already"},
		"item of no subscale":    {func(i *instruments.Instrument) { i.Items[0].Subscale = "X" }, `"X" is no subscale`},
		"item not listed":        {func(i *instruments.Instrument) { i.Items[0].Subscale = "C" }, "C does not list it"},
		"no subscales":           {func(i *instruments.Instrument) { i.Subscales = nil }, "at least one subscale"},
		"empty subscale":         {func(i *instruments.Instrument) { i.Subscales[1].Items = nil }, "subscale C: has no items"},
		"subscale of no item":    {func(i *instruments.Instrument) { i.Subscales[1].Items = []string{"C1", "X"} }, `"X" is no item`},
		"item listed twice":      {func(i *instruments.Instrument) { i.Subscales[1].Items = []string{"C1", "C1"} }, "lists C1 twice"},
		"subscale without share": {func(i *instruments.Instrument) { i.Subscales[0].Needs = instruments.Threshold{} }, "says nothing about"},
		"share above all":        {func(i *instruments.Instrument) { i.Subscales[0].Needs.Num = 2 }, "2/2"},
		"none or more":           {func(i *instruments.Instrument) { i.Subscales[0].Needs = instruments.Threshold{Den: 2, OrMore: true} }, "0/2"},
		"total of no subscale":   {func(i *instruments.Instrument) { i.Totals[0].Parts = []string{"A1"} }, `part "A1" is no subscale`},
		"total without parts":    {func(i *instruments.Instrument) { i.Totals[0].Parts = nil }, "has no parts"},
		"part twice":             {func(i *instruments.Instrument) { i.Totals[0].Parts = []string{"C", "C"} }, "counts C1 twice"},
		"total share above all":  {func(i *instruments.Instrument) { i.Totals[0].Needs = instruments.Threshold{Num: 6, Den: 5} }, "6/5"},
		"score named twice":      {func(i *instruments.Instrument) { i.Totals[0].Code = "A" }, "total A: the code is already"},
		"MID without source":     {func(i *instruments.Instrument) { i.Totals[0].MID = instruments.MID{Low: 1, High: 2} }, "no source"},
		"MID upside down":        {func(i *instruments.Instrument) { i.Totals[0].MID = instruments.MID{Low: 2, High: 1, Source: "s"} }, "upwards"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			ins := small()
			c.spoil(ins)
			if err := ins.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("want a fault with %q, got %v", c.says, err)
			}
		})
	}
}

func TestAllFaultsOfADefinitionAreReportedAtOnce(t *testing.T) {
	ins := small()
	ins.Version = ""
	ins.Items[1].Code = "A1"
	ins.Totals[0].Parts = []string{"X"}
	err := ins.Validate()
	if err == nil {
		t.Fatal("passed")
	}
	for _, says := range []string{"version", "already that of", `part "X"`, `"A2" is no item`} {
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q is not reported in: %v", says, err)
		}
	}
}

func TestThresholdsDecideExactlyOnTheShare(t *testing.T) {
	cases := []struct {
		t               instruments.Threshold
		answered, items int
		met             bool
	}{
		{instruments.Threshold{Num: 1, Den: 2}, 3, 6, false}, {instruments.Threshold{Num: 1, Den: 2}, 4, 6, true},
		{instruments.Threshold{Num: 1, Den: 2}, 4, 7, true}, {instruments.Threshold{Num: 1, Den: 2}, 3, 7, false},
		{instruments.Threshold{Num: 1, Den: 2, OrMore: true}, 3, 6, true},
		{instruments.Threshold{Num: 1, Den: 2, OrMore: true}, 3, 7, false},
		{instruments.Threshold{Num: 4, Den: 5}, 32, 40, false}, {instruments.Threshold{Num: 4, Den: 5}, 33, 40, true},
		{instruments.Threshold{Num: 4, Den: 5}, 36, 45, false}, {instruments.Threshold{Num: 4, Den: 5}, 22, 27, true},
		{instruments.Threshold{Num: 4, Den: 5}, 21, 27, false}, {instruments.Threshold{Num: 4, Den: 5}, 30, 37, true},
		{instruments.Threshold{Num: 4, Den: 5}, 29, 37, false}, {instruments.Threshold{}, 0, 24, true},
	}
	for _, c := range cases {
		if got := c.t.Met(c.answered, c.items); got != c.met {
			t.Errorf("%+v with %d of %d: got %v", c.t, c.answered, c.items, got)
		}
	}
}

func TestCodesLeadToItemsAndRanges(t *testing.T) {
	ins := small()
	if i, ok := ins.Index("C1"); !ok || i != 2 {
		t.Errorf("C1 is at %d, %v", i, ok)
	}
	for _, code := range []string{"", "c1", "A", "Q9", "C11"} {
		if _, ok := ins.Index(code); ok {
			t.Errorf("%q is taken for an item", code)
		}
	}
	if got := strings.Join(ins.ItemsOf("T"), " "); got != "A1 A2 C1" {
		t.Errorf("items of T: %s", got)
	}
	if low, high, ok := ins.Range("T"); low != 0 || high != 6 || !ok {
		t.Errorf("range of T: %d-%d, %v", low, high, ok)
	}
	if _, _, ok := ins.Range("X"); ok || ins.ItemsOf("X") != nil {
		t.Error("X has a range or items")
	}
}
