package main

import (
	"path/filepath"
	"strings"
	"testing"

	"epro/internal/testkit"
)

// forLong is a licence that outlives this test: the commands look at the clock.
func forLong(pack map[string]any) {
	licence, _ := pack["licence"].(map[string]any)
	licence["valid_from"], licence["valid_to"] = "2000-01-01", "2199-12-31"
}

func packFile(t *testing.T, dir, version string, changes ...func(map[string]any)) string {
	t.Helper()
	file := filepath.Join(dir, "acme-"+version+".json")
	write(t, file, string(testkit.WordingPack("acme-en", version, "en", append(changes, forLong)...)))
	return file
}

func TestWordingCheckNamesEveryFaultOfEveryFile(t *testing.T) {
	dir := t.TempDir()
	good := packFile(t, dir, "1")
	bad := packFile(t, dir, "2", func(p map[string]any) {
		items, _ := p["items"].(map[string]any)
		items["GP1"], items["B3"], items["X1"] = "<b>made-up</b>", "", "made-up"
		p["language"] = "English"
		delete(p, "copyright")
	})
	code, out, errs := runHere(t, "wording", "check", good)
	if code != exitGood || !strings.Contains(out, "pack acme-en@1, fact-b version 4 in en, 37 items") || errs != "" {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
	code, out, errs = runHere(t, "wording", "check", good, bad)
	if code != exitFailed || !strings.Contains(out, "acme-en@1") || !strings.Contains(errs, "1 of 2 files cannot be imported") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
	for _, says := range []string{bad, "5 faults", "items.GP1: holds markup at character 1", "items.B3: is empty", "items.X1: does not belong", "language: is no language tag", "copyright: is missing"} {
		if !strings.Contains(errs, says) {
			t.Errorf("%q is not said:\n%s", says, errs)
		}
	}
	if strings.Contains(errs, "made-up") {
		t.Errorf("the pack's text is repeated:\n%s", errs)
	}
	for _, args := range [][]string{{"wording"}, {"wording", "fly"}, {"wording", "check"}, {"wording", "import"}} {
		if code, _, errs := runHere(t, args...); code != exitUsage || errs == "" {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
}

func TestWordingImportAndListShowWhereAPackStands(t *testing.T) {
	dir := t.TempDir()
	store := storeIn(t.TempDir())
	file := packFile(t, dir, "1")
	for range 2 { // the second time changes nothing
		code, out, errs := runHere(t, "wording", "import", file, "-store", store)
		if code != exitGood || !strings.Contains(out, "pack acme-en@1\n") || !strings.Contains(out, "status waiting\n") || !strings.Contains(errs, "before an administrator") {
			t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
		}
	}
	code, out, _ := runHere(t, "wording", "list", "-store", store)
	if code != exitGood || strings.Count(out, "\n") != 1 || !strings.HasPrefix(out, "acme-en@1\ten\twaiting\t2000-01-01..2199-12-31\t") {
		t.Errorf("exit %d, %q", code, out)
	}
	changed := packFile(t, dir, "1", func(p map[string]any) { p["recall"] = "other" })
	if code, _, errs := runHere(t, "wording", "import", changed, "-store", store); code != exitFailed || !strings.Contains(errs, changed) || !strings.Contains(errs, "new version") {
		t.Errorf("exit %d, %q", code, errs)
	}
	if code, _, errs := runHere(t, "wording", "import", filepath.Join(dir, "none.json"), "-store", store); code != exitFailed || !strings.Contains(errs, "none.json") {
		t.Errorf("exit %d, %q", code, errs)
	}
}

func TestServeBringsInTheFoldersPacksWhenTheyAreNew(t *testing.T) {
	packs, dir := t.TempDir(), t.TempDir()
	packFile(t, packs, "1")
	write(t, filepath.Join(packs, "README"), "not a pack")
	for range 2 {
		p := launch(t, nil, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir), "-wording", packs)
		p.serving(t)
		terminate(t, p)
	}
	if code, out, _ := runHere(t, "wording", "list", "-store", storeIn(dir)); code != exitGood || strings.Count(out, "\n") != 1 {
		t.Errorf("exit %d, %q", code, out)
	}
	packFile(t, packs, "2", func(p map[string]any) { delete(p, "items") })
	code, _, errs := runHere(t, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir), "-wording", packs)
	if code != exitFailed || !strings.Contains(errs, "acme-2.json") || !strings.Contains(errs, "items: is missing") {
		t.Errorf("with a broken pack: exit %d, %q", code, errs)
	}
	code, _, errs = runHere(t, "serve", "-addr", "127.0.0.1:0", "-store", storeIn(dir), "-wording", filepath.Join(packs, "none"))
	if code != exitFailed || !strings.Contains(errs, "no folder") {
		t.Errorf("without the folder: exit %d, %q", code, errs)
	}
}
