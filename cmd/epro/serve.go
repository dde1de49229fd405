package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"epro/api"
	"epro/auth"
	"epro/certify"
	"epro/reminders"
	"epro/study"
	"epro/web"
)

// settings are what serve can be told.
type settings struct {
	addr, store, secret, protocol string
	wording                       string
	publicURL, metricsAddr        string
	copyFont                      string
	proxies                       string
	logLevel                      string
	passwordOnly                  bool // staff need no authenticator app
	ratePerMinute                 int
	requestTime, drain            time.Duration
	checkpointDir                 string
	checkpointEvery               time.Duration
	reminders                     reminderSettings
	checkpoint                    func(context.Context) error // nil: none are kept
	push                          push
	ways                          ways // to remind
}

func (s *settings) register(fs *flag.FlagSet) {
	fs.StringVar(&s.addr, "addr", "127.0.0.1:8080", "listen on `HOST:PORT` (EPRO_ADDR)")
	fs.StringVar(&s.store, "store", defaultStore, "the store's `URL`: sqlite:PATH or mongodb://HOST/DATABASE (EPRO_STORE)")
	fs.StringVar(&s.secret, "secret", "", "`FILE` with the server's secret; made beside an embedded store when absent (EPRO_SECRET)")
	fs.StringVar(&s.protocol, "protocol", "", "protocol `FILE` (YAML); must be the one in force, or the first (EPRO_PROTOCOL)")
	fs.StringVar(&s.wording, "wording", "", "import the packs of licensed wording in this `FOLDER` (*.json) that the store does not have (EPRO_WORDING)")
	fs.StringVar(&s.checkpointDir, "checkpoint-dir", "", "keep signed checkpoints of the log in this `FOLDER`; choose one on another machine's disk")
	fs.DurationVar(&s.checkpointEvery, "checkpoint-every", time.Hour, "how often a checkpoint is written")
	fs.BoolVar(&s.passwordOnly, "password-only", false, "let staff sign in without an authenticator app; for trials on one machine only")
	s.push.register(fs)
	s.registerHTTP(fs)
}

// registerHTTP are the settings that demo shares.
func (s *settings) registerHTTP(fs *flag.FlagSet) {
	fs.StringVar(&s.publicURL, "public-url", "", "`URL` that links are written with; empty: as the request came in")
	fs.StringVar(&s.metricsAddr, "metrics-addr", "", "also serve /metrics to anybody on this `HOST:PORT`; else only to loopback on the main address")
	fs.StringVar(&s.proxies, "trusted-proxies", "", "comma-separated `CIDRs` of proxies whose X-Forwarded-For is believed")
	fs.StringVar(&s.logLevel, "log-level", "info", "debug, info, warn or error")
	fs.IntVar(&s.ratePerMinute, "rate-limit", 6000, "most `requests` a minute of one session, or one address without a session; 0: no limit")
	fs.StringVar(&s.copyFont, "copy-font", "", "TrueType font `FILE` (.ttf) for certified copies with characters beyond Latin, Greek and Cyrillic, such as Chinese")
	s.reminders.register(fs)
	fs.DurationVar(&s.requestTime, "request-time", 10*time.Second, "how long a request may wait for the store before it is answered with 503; data sets may take longer")
	fs.DurationVar(&s.drain, "drain", 8*time.Second, "how long running requests may take after SIGTERM")
}

// runServe runs the server until the context ends.
func runServe(ctx context.Context, c *cli, args []string) (err error) {
	var s settings
	fs := c.flags("serve", "serve [flags]")
	s.register(fs)
	if err := c.parseSettings(fs, args); err != nil {
		return err
	}
	svc, st, err := openAt(ctx, s.store, time.Now)
	if err != nil {
		return err
	}
	defer closing(st, &err)
	if err := study.Unfinished(ctx, st); err != nil {
		return err
	}
	secret, err := secretFile(s.secret, s.store)
	if err != nil {
		return err
	}
	if err := putInForce(ctx, svc, s.protocol); err != nil {
		return err
	}
	if err := s.importFolder(ctx, c, svc); err != nil {
		return err
	}
	users, err := s.push.users(ctx)
	if err != nil {
		return err
	}
	accounts, err := openAuth(ctx, svc, st, secret, time.Now, signIn{auth.DefaultCost, !s.passwordOnly, users})
	if err != nil {
		return err
	}
	if s.ways, err = s.openWays(ctx, c, secret); err != nil {
		return err
	}
	if s.checkpoint, err = s.checkpoints(svc, secret); err != nil {
		return err
	}
	return serve(ctx, c, s, svc, st, accounts, time.Now, func(base string) error {
		return printSetup(ctx, c.stdout, accounts, base)
	})
}

// openWays opens the ways to remind.
func (s *settings) openWays(ctx context.Context, c *cli, secretPath string) (ways, error) {
	log, err := newLog(c.stderr, s.logLevel)
	if err != nil {
		return ways{}, err
	}
	secret, err := auth.LoadSecret(secretPath, rand.Reader)
	if err != nil {
		return ways{}, err
	}
	return s.push.open(ctx, secret, s.publicURL, log)
}

// putInForce puts the protocol file, or the embedded default, in force on a
// new store, and refuses a file that is not the one in force on an old one.
func putInForce(ctx context.Context, svc *study.Service, file string) error {
	current, err := svc.Study(ctx)
	if err != nil {
		return err
	}
	text := study.DefaultProtocolText()
	if file != "" {
		if text, err = os.ReadFile(file); err != nil {
			return fmt.Errorf("read the protocol: %w", err)
		}
	}
	if current.History.Current() != nil {
		if file == "" {
			return nil
		}
		return current.CheckInForce(text)
	}
	_, err = svc.Adopt(ctx, study.Request{By: study.System("serve")}, text, 0, false)
	return err
}

// printSetup prints the one-time link that makes the first administrator.
func printSetup(ctx context.Context, w io.Writer, accounts *auth.Auth, base string) error {
	token, err := accounts.SetupToken(ctx)
	if err != nil || token == "" {
		return err
	}
	_, err = fmt.Fprintf(w, "No staff account exists yet. Make the first administrator here, once:\n  %s/setup?token=%s\n", base, token)
	return err
}

// serve listens, runs the background work, and stops in order: accept nothing
// more, finish what runs, stop the loops. The caller closes the store.
func serve(ctx context.Context, c *cli, s settings, svc *study.Service, st study.Store, accounts *auth.Auth,
	now func() time.Time, ready func(base string) error) error {
	log, err := newLog(c.stderr, s.logLevel)
	if err != nil {
		return err
	}
	proxies, err := parseProxies(s.proxies)
	if err != nil {
		return err
	}
	fonts, err := certify.LoadFonts(s.copyFont)
	if err != nil {
		return err
	}
	ln, err := listen(ctx, s.addr)
	if err != nil {
		return err
	}
	server := api.New(api.Options{Study: svc, Auth: accounts, Store: st, Now: now, Log: log, Version: buildVersion(),
		PublicURL: s.publicURL, TrustedProxies: proxies, RatePerMinute: s.ratePerMinute, RequestTime: s.requestTime, PushKey: s.ways.key, Fonts: fonts, Pages: web.All(web.Pages(accounts),
			web.Desk(web.DeskOptions{Study: svc, Auth: accounts, Now: now, NewID: uuid.NewString, PublicURL: s.publicURL, Program: buildVersion(), Fonts: fonts}))})
	if s.metricsAddr != "" {
		stop, err := serveMetrics(ctx, s.metricsAddr, server)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		defer stop()
	}
	dispatcher, err := s.reminders.dispatcher(svc, st, server, s.ways, now, log)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer s.work(ctx, svc, st, dispatcher, now, log)()
	base := "http://" + ln.Addr().String()
	if s.publicURL != "" {
		base = strings.TrimSuffix(s.publicURL, "/")
	}
	if err := ready(base); err != nil {
		return errors.Join(err, ln.Close())
	}
	if err := warnRestored(ctx, st, log); err != nil {
		return errors.Join(err, ln.Close())
	}
	log.Info("serving", "url", base, "store", redactURL(s.store))
	return server.Serve(ctx, ln, s.drain)
}

// work starts what runs beside the requests. What it gives back stops all of it
// and waits until it has.
func (s settings) work(ctx context.Context, svc *study.Service, st study.Store, d *reminders.Dispatcher, now func() time.Time, log *slog.Logger) (stop func()) {
	loops, stopLoops := context.WithCancel(context.WithoutCancel(ctx))
	repaired := every(loops, log, "repair", study.RepairEvery, func(ctx context.Context) error {
		_, err := svc.KeepRepaired(ctx)
		return err
	})
	purged := every(loops, log, "purge", time.Hour, func(ctx context.Context) error {
		_, err := st.PurgeRecords(ctx, now())
		return err
	})
	checkpointed := s.keepCheckpoints(loops, log)
	reminded := s.reminders.run(loops, d)
	return func() {
		stopLoops()
		<-reminded
		<-checkpointed
		<-repaired
		<-purged
		log.Info("stopped")
	}
}

// warnRestored says at every start that a restored store still waits for a person.
func warnRestored(ctx context.Context, st study.Store, log *slog.Logger) error {
	may, err := study.MayRemind(ctx, st)
	if err == nil && !may {
		log.Warn("this store was restored from a backup: no reminder leaves it until an administrator confirms with epro restore -confirm")
	}
	return err
}

// listen takes the address, or says what to do about it.
func listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w; stop the other program or choose another -addr", addr, err)
	}
	return ln, nil
}

// every runs the work at once and then at every interval until the context
// ends; the channel closes when it has stopped. A failure is logged and tried
// again next time.
func every(ctx context.Context, log *slog.Logger, name string, interval time.Duration, work func(context.Context) error) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			if err := work(ctx); err != nil && ctx.Err() == nil {
				log.Error("background work failed", "work", name, "error", err.Error())
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return done
}

func newLog(w io.Writer, level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, usageError{"-log-level takes debug, info, warn or error"}
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
}

func parseProxies(list string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, part := range strings.Split(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, usageError{fmt.Sprintf("-trusted-proxies: %q is no CIDR such as 127.0.0.0/8", part)}
		}
		out = append(out, p)
	}
	return out, nil
}

// redactURL leaves out what a store's URL may hold of credentials.
func redactURL(storeURL string) string {
	scheme, rest, _ := strings.Cut(storeURL, "://")
	if _, host, has := strings.Cut(rest, "@"); has {
		return scheme + "://…@" + host
	}
	return storeURL
}
