// Between the phone's memory and the server. The memory comes first: nothing
// here is needed to answer, and whatever is not sent stays until it is.

import * as vault from "./vault.js";

export const version = "1";
const day = 24 * 60 * 60 * 1000;
export const uuid = () => crypto.randomUUID();

// Problem is an answer of the server that is not a good one.
export class Problem extends Error {
  constructor(status, body) {
    super(body?.detail ?? "");
    this.status = status;
    this.code = body?.code ?? (status >= 500 ? "unavailable" : "internal");
  }
}

// Offline means that no answer came at all: the request may have arrived.
export class Offline extends Error {}

async function request(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method, credentials: "same-origin", cache: "no-store", redirect: "error", signal: AbortSignal.timeout?.(20000),
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (answer.status === 204 || answer.status === 304) return { status: answer.status };
    const text = await answer.text();
    if (answer.ok) return { status: answer.status, body: JSON.parse(text), etag: answer.headers.get("ETag") };
    let problem;
    try {
      problem = JSON.parse(text);
    } catch { /* a proxy's page */ }
    throw new Problem(answer.status, problem);
  } catch (e) {
    throw e instanceof Problem ? e : new Offline();
  }
}

// api is a request with the session; an expired one is renewed once.
export async function api(method, path, body, headers) {
  try {
    return await request(method, path, body, headers);
  } catch (e) {
    if (e.status !== 401) throw e;
    await renew(e);
    return request(method, path, body, headers);
  }
}

let renewals = 0;

// renew gets a new session for the refresh cookie or, should the browser have
// lost its cookies within a day of enrolling, for the code and its attempt.
async function renew(why) {
  const seen = renewals;
  await vault.locked("session", async () => {
    if (seen !== renewals) return; // another request of this tab did it meanwhile
    try {
      await request("POST", "/v1/auth/refresh", { transport: "cookie", holder: "participant" });
    } catch (e) {
      if (e.status !== 401) throw e;
      const used = await vault.get("enrolment");
      if (!used?.done || Date.now() - used.at > day) throw why;
      await enrolRequest(used);
    }
    renewals++;
  });
}

const enrolRequest = (e) => request("POST", "/v1/auth/enrol", { code: e.code, attempt_id: e.attempt, transport: "cookie" });

// enrol binds this phone with a code. The same code keeps the same attempt, so
// that an answer that got lost on the way costs nobody the code.
export async function enrol(code) {
  const plain = code.normalize("NFKC").toUpperCase().replace(/[\s\p{Pd}\u2212]/gu, ""); // the same code, however it is typed
  let attempt = await vault.get("enrolment");
  if (attempt?.code !== plain) attempt = { code: plain, attempt: uuid(), at: Date.now(), done: false };
  await vault.write({ enrolment: attempt });
  const { body } = await enrolRequest(attempt);
  const known = await vault.get("me");
  const me = known?.participant_id === body.participant_id ? { ...known, out: false } : { participant_id: body.participant_id };
  await vault.write({ enrolment: { ...attempt, done: true, at: Date.now() }, me, ...(known?.participant_id === body.participant_id ? {} : { assessments: undefined, questionnaire: undefined, device: undefined }) });
  localStorage.setItem("epro-enrolled", "yes");
  await sync();
}

// leave ends the session and forgets everything on this phone.
export async function leave() {
  try {
    await request("POST", "/v1/auth/logout", { transport: "cookie", holder: "participant" });
  } catch { /* the session then ends by itself; this phone has forgotten it */ }
  await vault.wipe();
  localStorage.clear();
}

// clock is the server's time, as far as this phone knows it; windows are judged
// by it, and answers are stamped with the phone's own.
export const clock = (me) => Date.now() + (me?.skew ?? 0);

let running, again = false;
const listeners = new Set();

// onSync hears of every attempt, when it is over.
export const onSync = (hear) => listeners.add(hear);

// sync does whatever there is to do with the server; one at a time.
export function sync() {
  if (running) {
    again = true;
    return running;
  }
  running = (async () => {
    let reached = true;
    do {
      again = false;
      try {
        await vault.locked("sync", exchange);
      } catch (e) {
        reached = false;
        if (e.status === 401) await signedOut();
        else if (!(e instanceof Offline) && !(e instanceof Problem)) console.error(e);
      }
    } while (again && reached);
    for (const hear of listeners) hear(reached);
    return reached;
  })().finally(() => { running = undefined; });
  return running;
}

async function signedOut() {
  const me = await vault.get("me");
  if (me && !me.out) await vault.write({ me: { ...me, out: true } });
}

async function exchange() {
  if (!await vault.get("me")) return;
  const asked = Date.now(), { body } = await api("GET", "/v1/me");
  const skew = body.now ? Date.parse(body.now) - (asked + Date.now()) / 2 : 0;
  const before = await vault.get("me");
  await vault.write({ me: { ...body, skew: Math.abs(skew) < 60000 ? 0 : skew, out: false } });
  if (before.participant_id !== body.participant_id) await vault.write({ assessments: undefined, questionnaire: undefined });
  const used = await vault.get("enrolment");
  if (used?.done && Date.now() - used.at > day) await vault.write({ enrolment: undefined });
  let trouble;
  try {
    await sendQueue(body.participant_id);
  } catch (e) {
    if (!(e instanceof Problem) || e.status === 401) throw e;
    trouble = e; // the rest may work, and the desk hears that a form waits here
  }
  const { items } = (await api("GET", "/v1/me/assessments")).body;
  await vault.write({ assessments: { items: items ?? [], at: Date.now() } });
  await restore(body.participant_id, items ?? []);
  await questionnaire(body, items ?? []);
  await progress(body.participant_id, items ?? []);
  if (trouble) throw trouble;
}

// sendQueue sends every finished form of this participant. A form leaves the
// queue when the server has it, or will never take it; nothing is forgotten.
async function sendQueue(participant) {
  for (const form of await vault.all("form/")) {
    if (form.participant !== participant || form.state !== "queued") continue;
    await send(form);
  }
}

// final are the refusals that no repetition will change.
const final = ["already_submitted", "conflict", "version_mismatch", "invalid", "invalid_answers", "too_large"];

async function send(form) {
  const path = `/v1/me/assessments/${encodeURIComponent(form.assessment.id)}/submissions/${form.submission_id}`;
  let next;
  try {
    const { status, body } = await api("PUT", path, { ...form.body, sent_at: new Date().toISOString(), app: { platform: "web", version } });
    next = { ...form, state: "received", receipt: body, settled_at: form.settled_at ?? Date.now() };
    if (form.resent_at && status === 200) next.reopened = true; // known, and asked for once more: voided, or too old for the first dose
  } catch (e) {
    if (!(e instanceof Problem) || e.status === 401 || e.status === 429 || e.status >= 500) throw e;
    next = { ...form, refusal: e.code, ...(final.includes(e.code) ? { state: "refused", settled_at: Date.now() } : {}) };
  }
  await vault.locked("form/" + form.submission_id, async () => {
    if (await vault.get("form/" + form.submission_id)) await vault.write({ ["form/" + form.submission_id]: next });
  });
}

// restore sends a form again that the server once received and does not list
// any more, as after a restore of an older backup; at most once a day. After
// 30 days a form is forgotten.
async function restore(participant, items) {
  for (const form of await vault.all("form/")) {
    if (form.participant !== participant || form.state === "queued") continue;
    const name = "form/" + form.submission_id;
    if (Date.now() - form.settled_at > 30 * day) {
      await vault.write({ [name]: undefined });
      continue;
    }
    const listed = items.find((a) => a.id === form.assessment.id);
    const missing = form.state === "received" && listed && listed.submission_id === null;
    if (!missing || Date.now() - (form.resent_at ?? 0) < day) continue;
    await vault.write({ [name]: { ...form, resent_at: Date.now() } });
    await send({ ...form, resent_at: Date.now() });
  }
}

// questionnaire keeps the questions in the participant's language, or those that
// a form was opened with on another phone, for starting without a connection. A
// draft keeps its own copy from when it was opened.
async function questionnaire(me, items) {
  const pack = items.find((a) => ["open", "overdue"].includes(a.status))?.wording_pack;
  const address = "/v1/instruments/fact-b?" + new URLSearchParams(pack ? { lang: me.language, pack } : { lang: me.language });
  const kept = await vault.get("questionnaire"), same = kept?.address === address;
  try {
    const got = await api("GET", address, undefined, same && kept.etag ? { "If-None-Match": kept.etag } : {});
    if (got.status !== 304) await vault.write({ questionnaire: { address, etag: got.etag, q: got.body } });
  } catch (e) {
    if (!(e instanceof Problem) || e.status === 401) throw e;
    await vault.write({ questionnaire: { address, q: same ? kept.q : undefined, refused: e.code } });
  }
}

// progress says how far an open form is, and that a finished one waits here.
async function progress(participant, items) {
  const drafts = await vault.all("draft/"), forms = await vault.all("form/"), said = await vault.get("progress") ?? {};
  for (const a of items) {
    const draft = drafts.find((d) => d.assessment.id === a.id && d.participant === participant);
    const form = forms.find((f) => f.assessment.id === a.id && f.participant === participant);
    if (!draft && !form) continue;
    const counts = draft
      ? { opened_at: draft.opened_at, answered: Object.keys(draft.answers).length, unsent: 0, wording_pack: draft.questionnaire.wording.pack }
      : { opened_at: form.body.started_at, answered: Object.keys(form.body.answers).length, unsent: form.state === "queued" ? 1 : 0 };
    const text = JSON.stringify(counts);
    if (said[a.id] === text || (said[a.id] === undefined && form && form.state !== "queued")) continue;
    await api("PUT", `/v1/me/assessments/${encodeURIComponent(a.id)}/progress`, counts);
    said[a.id] = text;
    await vault.write({ progress: said });
  }
}

// pushKey is the server's public key for web push, or undefined where it sends none.
export async function pushKey() {
  try {
    return (await api("GET", "/v1/me/push-key")).body?.key;
  } catch {
    return undefined;
  }
}

// bindDevice tells the server where to send reminders to.
export async function bindDevice(subscription) {
  const device = await vault.get("device") ?? { id: uuid() }, value = JSON.stringify(subscription);
  if (device.told === value) return;
  await api("PUT", "/v1/me/devices/" + device.id, { platform: "web", push_target: { kind: "web_push", value } });
  await vault.write({ device: { ...device, told: value } });
}

let soon, wait = 2000;

const whenSeen = () => { if (document.visibilityState === "visible") sync(); };

// start syncs at every sensible moment while the app is open: after a failure
// again, ever more slowly, and every half minute in any case.
export function start() {
  addEventListener("online", whenSeen);
  addEventListener("pageshow", whenSeen);
  document.addEventListener("visibilitychange", whenSeen);
  onSync((reached) => {
    if (reached) wait = 2000;
    else later(wait = Math.min(wait * 2, 30000));
  });
  setInterval(whenSeen, 30000);
  whenSeen();
}

function later(milliseconds) {
  clearTimeout(soon);
  soon = setTimeout(whenSeen, milliseconds);
}

// afterAnswer syncs soon, not at every tap.
export const afterAnswer = () => later(2000);
