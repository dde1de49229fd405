// The app: it reads the address, shows the screen that belongs to it, and does
// what a person asks for. The part of the address behind the # never leaves the phone.

import * as vault from "./vault.js";
import * as drafts from "./draft.js";
import * as screens from "./screens.js";
import * as net from "./sync.js";
import { say, use, other, day, lastDay } from "./words.js";

const main = document.getElementById("main"), said = document.getElementById("said");

let shown = "";     // the screen's name and address
let stopped = false; // this start goes on with a draft
let wiped = false;  // the browser had forgotten everything
let code = sessionStorage.getItem("epro-code") ?? ""; // from the link

// go shows another address: as a new entry in the history, or in place of this one.
function go(to, replace = false) {
  const from = location.hash.slice(1);
  if (replace) history.replaceState({ from: history.state?.from }, "", "#" + to);
  else history.pushState({ from }, "", "#" + to);
  return show();
}

// back goes to the address that lies behind in the flow: by the browser's own
// history where that leads there, so that both ways back are one.
function back(to) {
  if (history.state?.from === to) history.back();
  else go(to, true);
}

// route is the address, in its parts; one that makes no sense is the start page's.
function route() {
  try {
    return location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    return [""];
  }
}

// parts are what most screens need to know.
async function parts() {
  const me = await vault.get("me"), list = (await vault.get("assessments"))?.items;
  return { me, list };
}

let showing = Promise.resolve();

// show paints the screen of the address. One at a time, in order.
function show() {
  showing = showing.then(paint).catch((e) => {
    console.error(e);
    put(screens.plain({}, say("broken"), () => location.reload()));
  });
  return showing;
}

async function paint() {
  const { me, list } = await parts(), to = route();
  if (me?.language && !localStorage.getItem("epro-language")) use(me.language);
  if (to[0] === "help") return put(screens.help({ me, back: "/" }));
  if (to[0] === "paper") return put(screens.paper({ me, back: "/" }));
  if (!me || me.out || code) return put(await enrolScreen(me));
  switch (to[0]) {
    case "q": return put(await formScreen(me, list, to[1], to[2], to[3]));
    case "sent": return put(await sentScreen(me, list, to[1]));
    case "a": return put(await landing(me, list, to[1]));
    case "phone": return put(to[1] === "off" ? await offScreen(me) : screens.phone({ me, back: "/" }, { language: switchLanguage }));
    default: return put(await homeScreen(me, list));
  }
}

// put shows a screen, and moves the focus to its heading if it is another one.
// A screen may be a string: the address of the screen to show instead.
function put(screen) {
  if (typeof screen === "string") {
    history.replaceState({ from: history.state?.from }, "", "#" + screen);
    return paint();
  }
  const here = screen.name + location.hash;
  document.title = screen.title + " – " + say("app");
  document.body.dataset.screen = screen.name;
  const next = screens.el("main", null, ...screen.nodes);
  if (here === shown && next.innerHTML === main.innerHTML) return; // nothing new: leave focus and typing alone
  const focused = main.contains(document.activeElement) ? document.activeElement : undefined;
  main.replaceChildren(...next.childNodes);
  if (here === shown) {
    const again = (focused?.id && document.getElementById(focused.id)) || (focused && main.querySelector("h1"));
    again?.focus({ preventScroll: true });
    return;
  }
  shown = here;
  scrollTo(0, 0);
  main.querySelector("h1")?.focus({ preventScroll: true });
}

function tell(text) {
  said.textContent = "";
  if (text) setTimeout(() => { said.textContent = text; }, 50); // or a repeated text would not be read out
}

async function enrolScreen(me) {
  const drafted = me ? await vault.all("draft/") : [], queued = me ? await drafts.waiting(me.participant_id) : [];
  return screens.enrol({ me, code, wiped, out: me?.out, kept: drafted.length + queued.length }, { enrol, language: switchLanguage });
}

// openOne is the assessment that can be filled in now, or undefined.
function openOne(me, list, forms) {
  return (list ?? []).find((a) => ["open", "overdue"].includes(drafts.statusOf(a, me)) && !forms.has(a.id));
}

// sentFor are the assessments that this phone has finished a form for.
async function sentFor(me, list) {
  const sent = new Map();
  for (const a of list ?? []) {
    const form = await drafts.formOf(a.id, me.participant_id);
    if (form) sent.set(a.id, form);
  }
  return sent;
}

const today = (me) => new Intl.DateTimeFormat("en-CA", { timeZone: me.time_zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(net.clock(me)));

async function homeScreen(me, list) {
  const forms = await sentFor(me, list), waiting = (await drafts.waiting(me.participant_id)).length;
  const a = openOne(me, list, forms), kept = await vault.get("questionnaire");
  const view = { me, waiting, today: me.time_zone && today(me), unknown: !list };
  const late = (await vault.all("draft/")).find((d) => d.participant === me.participant_id && drafts.tooLate(d, list?.find((one) => one.id === d.assessment.id), me));
  view.late = late?.assessment.id;
  if (a) {
    const draft = await drafts.get(a.id);
    view.open = { assessment: a, draft, questionnaire: draft?.questionnaire ?? kept?.q };
    view.refused = kept?.refused;
  } else {
    view.why = reasons(me, list, forms);
  }
  const target = (n) => `/q/${encodeURIComponent(a.id)}/${n}`;
  return screens.home(view, {
    retry,
    begin: async () => {
      const draft = await drafts.open(a, (await vault.get("questionnaire")).q, me);
      go(draft ? target(drafts.firstOpen(draft)) : "/");
    },
    resume: () => {
      const at = drafts.firstOpen(view.open.draft);
      go(at > view.open.draft.questionnaire.items.length ? target("review") : target(at));
    },
  });
}

// reasons say why nothing is open, and when something will be.
function reasons(me, list, forms) {
  if (!list) return [say("stateUnknown")];
  if (["withdrawn", "deceased", "excluded"].includes(me.status)) return [say("ended")];
  const status = (a) => forms.has(a.id) ? "completed" : drafts.statusOf(a, me);
  const past = list.filter((a) => ["completed", "missed"].includes(status(a))).at(-1);
  const next = list.find((a) => status(a) === "upcoming");
  const out = [];
  if (past) out.push(status(past) === "completed" ? say("completedToday") : say("missed", lastDay(past.closes_at, me.time_zone)));
  out.push(next ? say("nextOn", day(next.opens_at, me.time_zone)) : say("noNext"));
  return out;
}

// landing is where a reminder leads: to the questions, or to a sentence.
async function landing(me, list, id) {
  const a = list?.find((one) => one.id === id), form = await drafts.formOf(id, me.participant_id);
  if (!a) return screens.why({ me, back: "/" }, [list ? say("unknown") : say("stateUnknown")]);
  if (form) return "/sent/" + form.submission_id;
  switch (drafts.statusOf(a, me)) {
    case "open": case "overdue": return "/";
    case "upcoming": return screens.why({ me, back: "/" }, [say("notYet", day(a.opens_at, me.time_zone))]);
    case "completed": return screens.why({ me, back: "/" }, [say("doneAlready")]);
    case "missed": return await drafts.get(id) ? `/q/${encodeURIComponent(id)}/1` : screens.why({ me, back: "/" }, [say("closedAlready", lastDay(a.closes_at, me.time_zone))]);
    default: return screens.why({ me, back: "/" }, [say("notNeeded")]);
  }
}

// formScreen is a question, the review, or what to do when the time is over.
async function formScreen(me, list, id, where, from) {
  const draft = await drafts.get(id), a = list?.find((one) => one.id === id);
  if (!draft || draft.participant !== me.participant_id) {
    const form = await drafts.formOf(id, me.participant_id);
    return form ? "/sent/" + form.submission_id : "/";
  }
  const base = `/q/${encodeURIComponent(id)}/`, of = draft.questionnaire.items.length, first = drafts.firstOpen(draft);
  if (drafts.tooLate(draft, a, me)) {
    const over = a && ["not_expected", "superseded"].includes(a.status);
    return screens.late({ me, back: "/", draft, over, closes: (a ?? draft.assessment).closes_at }, { send: () => send(id, me) });
  }
  if (a && drafts.statusOf(a, me) === "upcoming") return screens.why({ me, back: "/" }, [say("notYet", day(a.opens_at, me.time_zone))]);
  if (where === "review") {
    if (first <= of) return base + first;
    return screens.review({ me, draft, back: base + of }, { send: () => send(id, me) });
  }
  const n = Number(where);
  if (!(n >= 1 && n <= of && Number.isInteger(n))) return base + Math.min(first, of);
  if (n > first) return base + first;
  const review = from === "r";
  const act = answering(id, draft.questionnaire.items[n - 1].code, () => go(review || n === of ? base + "review" : base + (n + 1)));
  const note = stopped && n === first;
  stopped = false;
  return screens.question({ me, draft, n, stopped: note, back: review ? base + "review" : n > 1 ? base + (n - 1) : "/" }, act);
}

// answering is what can be done with one question. What was chosen is on the
// disk before anything else is painted.
function answering(id, code, onward) {
  let writing = Promise.resolve(), busy = false;
  const keep = (value) => {
    writing = writing.catch(() => {}).then(() => drafts.answer(id, code, value));
    writing.then((draft) => {
      if (draft) return;
      tell(say("sentElsewhere"));
      show();
    }, () => screens.complain("choice-problem", say("notSaved")));
    return writing;
  };
  const act = {
    choose(value) {
      document.getElementById("choice-problem").textContent = "";
      for (const input of main.querySelectorAll("fieldset input")) {
        input.checked = value !== undefined && input.value === String(value);
      }
      keep(value).then(net.afterAnswer, () => {});
      askToKeep();
    },
    async next() {
      if (busy) return;
      busy = true;
      try {
        await writing;
        const draft = await drafts.get(id);
        if (!draft) return show();
        if (drafts.given(draft, code) === undefined) return screens.complain("choice-problem", say("choose"));
        await onward();
      } catch {
        screens.complain("choice-problem", say("notSaved"));
      } finally {
        busy = false;
      }
    },
    askSkip: () => screens.askSkip(act),
    skip: () => keep("skipped").then((draft) => { if (draft) return onward(); }, () => {}),
  };
  return act;
}

// askToKeep asks the browser once not to clear this app's memory.
function askToKeep() {
  if (localStorage.getItem("epro-persist")) return;
  localStorage.setItem("epro-persist", "asked");
  navigator.storage?.persist?.().catch(() => {});
}

async function send(id, me) {
  try {
    const form = await drafts.finish(id, me);
    await go("/sent/" + form.submission_id);
    net.sync();
  } catch {
    screens.complain("send-problem", say("notSaved"));
  }
}

async function sentScreen(me, list, id) {
  const form = await vault.get("form/" + id);
  if (!form || form.participant !== me.participant_id) return "/";
  const next = list?.find((a) => drafts.statusOf(a, me) === "upcoming");
  const received = await drafts.received(me.participant_id);
  const dismissed = (name) => Date.now() - Number(localStorage.getItem(name) ?? 0) < 90 * 24 * 60 * 60 * 1000;
  const view = { me, form, next: next && next.opens_at.slice(0, 10) };
  if (next) view.next = dateIn(next.opens_at, me.time_zone);
  if (form.state === "received") {
    view.remind = !dismissed("epro-no-reminder") && await canRemind();
    view.install = received >= 2 && !dismissed("epro-no-install") && !matchMedia("(display-mode: standalone)").matches;
  }
  const hide = (name) => () => {
    localStorage.setItem(name, Date.now());
    show();
  };
  return screens.sent(view, { retry, remind, noRemind: hide("epro-no-reminder"), noInstall: hide("epro-no-install") });
}

const dateIn = (instant, zone) => new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(new Date(instant));

let key;

async function canRemind() {
  if (!("Notification" in globalThis) || !("PushManager" in globalThis) || Notification.permission !== "default") return false;
  key ??= await net.pushKey();
  return Boolean(key);
}

// remind asks for the permission, by the person's own tap, and tells the server.
async function remind() {
  try {
    if (await Notification.requestPermission() !== "granted") return screens.complain("remind-problem", say("remindDenied"));
    await subscribe();
    tell(say("remindOn"));
    await show();
  } catch {
    screens.complain("remind-problem", say("serverTrouble"));
  }
}

async function subscribe() {
  const registration = await navigator.serviceWorker.ready;
  await net.bindDevice(await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key }));
}

// renewSubscription tells the server where to send reminders, for browsers
// change that now and then, and a new session has told nothing yet.
async function renewSubscription() {
  if (!("Notification" in globalThis) || !("PushManager" in globalThis) || Notification.permission !== "granted") return;
  const me = await vault.get("me");
  if (!me || me.out) return;
  key ??= await net.pushKey();
  if (key) await subscribe();
}

async function retry() {
  const reached = await net.sync(), me = await vault.get("me");
  await show();
  if (!reached) tell(say("stillOffline"));
  else if (me && (await drafts.waiting(me.participant_id)).length === 0) tell("");
}

async function enrol(typed, submit) {
  if (!typed.trim()) return screens.complain("code-problem", say("codeEmpty"));
  submit.disabled = true;
  tell(say("connecting"));
  try {
    await net.enrol(typed);
    code = "";
    sessionStorage.removeItem("epro-code");
    wiped = false;
    await go(await resumeAt() ?? "/", true);
    tell("");
  } catch (e) {
    submit.disabled = false;
    tell("");
    screens.complain("code-problem", say(enrolProblem(e)));
  }
}

function enrolProblem(e) {
  if (e instanceof net.Offline) return "codeOffline";
  if (!(e instanceof net.Problem)) return "broken";
  return { 400: "codeBad", 401: "codeRefused", 429: "tooMany" }[e.status] ?? "serverTrouble";
}

async function offScreen(me) {
  const unsent = (await vault.all("draft/")).length + (await drafts.waiting(me.participant_id)).length > 0;
  return screens.disconnect({ me, back: "/phone", unsent }, {
    leave: async () => {
      await net.leave();
      history.replaceState(null, "", "#/");
      location.reload();
    },
  });
}

function switchLanguage() {
  const to = other();
  localStorage.setItem("epro-language", to);
  use(to);
  shown = "";
  show();
}

// resumeAt is the question to go on with, if a draft is open.
async function resumeAt() {
  const { me, list } = await parts();
  if (!me || me.out) return undefined;
  const forms = await sentFor(me, list), a = openOne(me, list, forms), draft = a && await drafts.get(a.id);
  if (!draft || Object.keys(draft.answers).length + Object.keys(draft.skipped).length === 0) return undefined;
  const at = drafts.firstOpen(draft);
  stopped = at <= draft.questionnaire.items.length;
  return `/q/${encodeURIComponent(a.id)}/${stopped ? at : "review"}`;
}

// readLink takes an enrolment code out of the address, and out of the history.
function readLink() {
  const text = location.hash.slice(1);
  if (!text || text.startsWith("/")) return;
  code = text.replace(/^code=/, "").slice(0, 40);
  sessionStorage.setItem("epro-code", code);
  history.replaceState(null, "", "#/");
}

// register installs the service worker; its address is the only one that may
// become a script.
function register() {
  if (!("serviceWorker" in navigator)) return;
  const address = "/app/sw.js";
  const policy = globalThis.trustedTypes?.createPolicy("epro", { createScriptURL: (s) => s === address ? s : "" });
  navigator.serviceWorker.register(policy?.createScriptURL(address) ?? address, { scope: "/app" }).catch(() => {}); // without it the app needs a connection to start
  navigator.serviceWorker.addEventListener("message", (e) => { if (e.data?.go) go(e.data.go); });
}

function listen() {
  addEventListener("popstate", show);
  addEventListener("hashchange", () => {
    if (location.hash.startsWith("#/")) return;
    readLink();
    show();
  });
  document.addEventListener("click", (e) => {
    const a = e.target.closest?.("a[href^='#']");
    if (!a) return;
    e.preventDefault();
    const to = a.getAttribute("href").slice(1);
    if (a.hasAttribute("data-back")) back(to);
    else go(to);
  });
  const others = "BroadcastChannel" in globalThis ? new BroadcastChannel("epro") : undefined;
  if (others) others.onmessage = show;
  let renewed = false; // once a start
  net.onSync((reached) => {
    if (reached && !renewed) {
      renewed = true;
      renewSubscription().catch(() => { renewed = false; });
    }
    others?.postMessage("synced");
    if (document.body.dataset.screen !== "enrol" || reached) refresh();
  });
}

// refresh paints again after a sync, but not under a person's hands.
async function refresh() {
  await showing; // what is being painted was read before the sync
  const name = document.body.dataset.screen;
  if (["help", "paper", "phone", "disconnect"].includes(name)) return;
  if (name === "question" || name === "review") {
    const { me, list } = await parts(), [, id] = route(), draft = await drafts.get(id);
    if (draft && !me?.out && !drafts.tooLate(draft, list?.find((a) => a.id === id), me)) return;
  }
  show();
}

async function begin() {
  use(localStorage.getItem("epro-language") ?? navigator.language);
  readLink();
  try {
    await vault.open();
  } catch {
    return put(screens.plain({}, say("noStorage")));
  }
  const me = await vault.get("me");
  if (me?.language && !localStorage.getItem("epro-language")) use(me.language);
  if (!me && localStorage.getItem("epro-enrolled")) wiped = true;
  listen();
  const at = location.hash.length < 3 && !code ? await resumeAt() : undefined;
  if (at) history.replaceState(null, "", "#" + at);
  await show();
  net.start();
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
}

begin();
