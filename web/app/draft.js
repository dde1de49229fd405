// One questionnaire being filled in. A draft belongs to an assessment and carries
// its own copy of the questions, so that nothing changes under a person's hands.
// Each change is made to what is stored, under a lock: two tabs share one draft.

import * as vault from "./vault.js";
import { uuid, clock } from "./sync.js";

const name = (assessment) => "draft/" + assessment;
const formName = (id) => "form/" + id;

// get is the draft of an assessment, or undefined.
export const get = (assessment) => vault.get(name(assessment));

// open is the draft of an assessment; it is made at the first time.
export function open(assessment, questionnaire, me) {
  return vault.locked(name(assessment.id), async () => {
    const known = await get(assessment.id);
    if (known || await formOf(assessment.id, me.participant_id)) return known;
    const draft = {
      assessment, participant: me.participant_id, submission_id: uuid(), questionnaire,
      opened_at: new Date().toISOString(), answers: {}, skipped: {},
    };
    await vault.write({ [name(assessment.id)]: draft });
    return draft;
  });
}

// answer keeps one answer: a number, "skipped", "opt_out", or undefined for none.
// It resolves to the draft once it is on the disk, or to undefined if the form
// has been sent from another tab.
export function answer(assessment, code, value) {
  return vault.locked(name(assessment), async () => {
    const draft = await get(assessment);
    if (!draft) return undefined;
    delete draft.answers[code];
    delete draft.skipped[code];
    if (typeof value === "number") draft.answers[code] = value;
    else if (value) draft.skipped[code] = value;
    await vault.write({ [name(assessment)]: draft });
    return draft;
  });
}

// given is what a draft says to an item, or undefined.
export const given = (draft, code) => draft.answers[code] ?? draft.skipped[code];

// firstOpen is the number, from 1, of the first item without an answer; one more
// than there are items if all have one.
export function firstOpen(draft) {
  const at = draft.questionnaire.items.findIndex((item) => given(draft, item.code) === undefined);
  return (at < 0 ? draft.questionnaire.items.length : at) + 1;
}

// finish freezes the answers and puts the form into the queue, in one step; it
// resolves to the form, also if another tab has done it.
export function finish(assessment, me) {
  return vault.locked(name(assessment), async () => {
    const draft = await get(assessment);
    if (!draft) return formOf(assessment, me.participant_id);
    const q = draft.questionnaire, now = new Date().toISOString();
    // A clock that was set back meanwhile must not make the form end before it
    // began: the server would never take it.
    const form = {
      submission_id: draft.submission_id, assessment: draft.assessment, participant: draft.participant, state: "queued",
      body: {
        instrument: q.id, instrument_version: q.version, wording_pack: q.wording.pack, answers: draft.answers, skipped: draft.skipped,
        started_at: draft.opened_at < now ? draft.opened_at : now, completed_at: now,
      },
    };
    await vault.write({ [name(assessment)]: undefined, [formName(form.submission_id)]: form });
    return form;
  });
}

// formOf is the finished form of an assessment, the latest if there are two.
export async function formOf(assessment, participant) {
  const forms = (await formsOf(participant)).filter((f) => f.assessment.id === assessment && !f.reopened);
  return forms.sort((a, b) => a.body.completed_at < b.body.completed_at ? 1 : -1)[0];
}

const formsOf = async (participant) => (await vault.all("form/")).filter((f) => f.participant === participant);

// waiting are the participant's finished forms that the server does not have.
export const waiting = async (participant) => (await formsOf(participant)).filter((f) => f.state === "queued");

// received is how many forms of this phone the server has.
export const received = async (participant) => (await formsOf(participant)).filter((f) => f.state === "received").length;

// hour is how long a form that was begun in time may still be finished for.
const hour = 60 * 60 * 1000, grace = 2 * hour;

// statusOf is an assessment's status now: the server's, moved on by the clock.
export function statusOf(a, me) {
  const now = clock(me);
  if (!["upcoming", "open", "overdue", "missed"].includes(a.status)) return a.status;
  if (now < Date.parse(a.opens_at)) return "upcoming";
  if (now >= Date.parse(a.closes_at)) return "missed";
  return a.status === "upcoming" || a.status === "missed" ? "open" : a.status;
}

// tooLate reports whether a draft can no longer be finished in the usual way.
export const tooLate = (draft, a, me) =>
  clock(me) >= Date.parse((a ?? draft.assessment).closes_at) + grace || ["not_expected", "superseded"].includes(a?.status);
