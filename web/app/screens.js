// What a person sees. Every screen is built of elements and text, never of
// markup: a questionnaire's words are shown as they are, whatever they hold.

import { say, dayOf, moment, lastDay, direction, other } from "./words.js";
import { given, firstOpen } from "./draft.js";

// el makes an element; attributes that are null, undefined or false are left out.
export function el(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name === "on") for (const [event, hear] of Object.entries(value)) made.addEventListener(event, hear);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, value);
  }
  made.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

const p = (text, attributes) => text ? el("p", attributes, text) : null;
const h1 = (text, attributes) => el("h1", { tabindex: "-1", ...attributes }, text);
const button = (text, click, attributes) => el("button", { type: "button", on: { click }, ...attributes }, text);
const link = (text, to, attributes) => el("a", { href: "#" + to, ...attributes }, text);

// problem is a place for a sentence about what to do; empty, it takes no room.
const problem = (id) => el("p", { class: "problem", id, role: "alert" });

export function complain(id, text) {
  const place = document.getElementById(id);
  if (!place) return;
  place.textContent = text;
  place.tabIndex = -1;
  place.focus();
}

const telephone = (phone) => "tel:" + phone.replace(/[^+0-9]/g, "");

// foot is on every screen: whom to call, and the way out.
function foot(view) {
  const phone = view.me?.help?.phone;
  return el("footer", null,
    phone ? el("a", { href: telephone(phone) }, say("call", phone)) : link(say("help"), "/help"),
    link(say("paper"), "/paper"));
}

// screen puts a title, a way back and a foot around what a screen shows.
function screen(view, name, heading, ...body) {
  return {
    title: heading, name,
    nodes: [
      view.back ? el("div", { class: "bar" }, link(say("back"), view.back, { class: "back", "data-back": true })) : null,
      el("div", { class: "body" }, h1(heading), ...body),
      foot(view),
    ],
  };
}

export function enrol(view, act) {
  const code = el("input", {
    id: "code", name: "code", value: view.code, autocomplete: "off", autocapitalize: "characters", spellcheck: "false", maxlength: "40",
    "aria-describedby": "code-hint code-problem", required: true,
  });
  const form = el("form", { novalidate: true, on: { submit: (e) => { e.preventDefault(); act.enrol(code.value, submit); } } },
    el("label", { for: "code" }, say("codeLabel")),
    p(view.code ? say("codeFilled") : say("codeHint"), { id: "code-hint", class: "quiet" }),
    problem("code-problem"), code);
  const submit = el("button", { class: "primary" }, say("connect"));
  form.append(submit);
  return screen(view, "enrol", say("welcome"),
    view.wiped ? p(say("wiped"), { class: "note" }) : null,
    view.out ? p(say("signedOut"), { class: "note" }) : p(say("welcomeText")),
    view.kept > 0 ? p(say("signedOutKept", view.kept), { class: "note" }) : null,
    form,
    notice(),
    button(say("otherLanguage"), act.language, { lang: other() === "zh" ? "zh-CN" : "en", class: "plain" }));
}

// notice is what everybody reads before the first form.
const notice = () => el("div", { class: "notice" }, p(say("notRead")), p(say("emergency")));

const dueText = (a, today) => a.due_on === today ? say("dueToday") : a.due_on < today ? say("duePassed", dayOf(a.due_on)) : say("pleaseBy", dayOf(a.due_on));

export function home(view, act) {
  const parts = [];
  if (view.waiting > 0) {
    parts.push(el("div", { class: "note" }, p(say("waiting", view.waiting)), p(say("waitingText")), button(say("retry"), act.retry, { class: "plain" })));
  }
  let heading = say("nothing");
  if (view.open) {
    const { assessment, draft, questionnaire } = view.open, of = questionnaire?.items.length;
    heading = draft ? say("resume") : say("due");
    const last = lastDay(assessment.closes_at, view.me.time_zone);
    parts.push(p(dueText(assessment, view.today)), last === dayOf(assessment.due_on) ? null : p(say("until", last)));
    if (draft) {
      const at = firstOpen(draft);
      parts.push(p(at > of ? say("allAnswered") : say("stoppedAt", at, of)), notice(), button(at > of ? say("review") : say("goOn"), act.resume, { class: "primary" }));
    } else if (of) {
      parts.push(p(say("howLong", of)), p(questionnaire.instruction, { class: "quiet", ...spoken(questionnaire) }), notice(), button(say("start"), act.begin, { class: "primary" }));
    } else {
      parts.push(p(view.refused ? say("wordsRefused") : say("noWords"), { class: "note" }), button(say("retry"), act.retry, { class: "primary" }));
    }
  } else {
    parts.push(...view.why.map((text) => p(text)), view.unknown ? button(say("retry"), act.retry, { class: "primary" }) : null, notice());
  }
  if (view.late) parts.push(el("div", { class: "note" }, p(say("lateKept")), link(say("look"), `/q/${encodeURIComponent(view.late)}/1`)));
  return screen(view, "home", heading, ...parts, link(say("phoneTitle"), "/phone", { class: "plain" }));
}

// why shows that nothing can be filled in, and the reason.
export function why(view, sentences) {
  return screen(view, "why", say("nothing"), ...sentences.map((text) => p(text)), link(say("home"), "/", { class: "primary", role: "button" }));
}

const spoken = (q) => ({ lang: q.wording.language, dir: q.wording.direction ?? direction(q.wording.language) });

function choice(item, kind, value, label, chosen, hear) {
  const id = kind === "checkbox" ? "box" : "choice-" + value;
  return el("div", { class: kind === "checkbox" ? "choice box" : "choice" },
    el("input", { type: kind, id, name: kind === "checkbox" ? "box" : "choice", value, checked: chosen, on: { change: hear } }),
    el("label", { for: id }, label));
}

// question is one item. Nothing is chosen that the person has not chosen, and
// a choice does not move on by itself.
export function question(view, act) {
  const { draft, n } = view, q = draft.questionnaire, item = q.items[n - 1], value = given(draft, item.code);
  const choices = item.choices.map((c) => choice(item, "radio", c.value, c.label, value === c.value, () => act.choose(c.value)));
  const box = item.opt_out ? choice(item, "checkbox", "opt_out", item.opt_out.text, value === "opt_out", (e) => act.choose(e.target.checked ? "opt_out" : undefined)) : null;
  const form = el("form", { novalidate: true, class: box ? "tight" : null, on: { submit: (e) => { e.preventDefault(); act.next(); } } },
    el("fieldset", { ...spoken(q), "aria-describedby": "recall" },
      el("legend", null, h1(item.text)),
      p(q.recall ?? q.instruction, { id: "recall", class: "recall" }),
      problem("choice-problem"), ...choices, box),
    el("div", { class: "actions", id: "actions" }, ...actions(act)));
  return {
    title: say("of", n, q.items.length), name: "question",
    nodes: [
      el("div", { class: "bar" },
        link(say("back"), view.back, { class: "back", "data-back": true }),
        el("p", { class: "count", id: "count" }, say(view.stopped ? "stoppedAt" : "of", n, q.items.length))),
      q.wording.licensed ? null : p(q.wording.banner, { class: "banner", ...spoken(q) }),
      form,
      foot(view),
      p(q.wording.copyright, { class: "copyright", ...spoken(q) }),
    ],
  };
}

const actions = (act) => [
  el("button", { class: "primary", id: "continue" }, say("continue")),
  button(say("skip"), act.askSkip, { id: "skip" }),
];

// askSkip puts the question whether to skip in the place of the buttons.
export function askSkip(act) {
  const place = document.getElementById("actions");
  const yes = button(say("skipYes"), act.skip, { id: "skip-yes", "aria-describedby": "skip-sure" });
  place.replaceChildren(p(say("skipSure"), { id: "skip-sure" }), yes, button(say("skipNo"), () => {
    place.replaceChildren(...actions(act));
    document.getElementById("skip").focus();
  }, { id: "skip-no" }));
  yes.focus();
}

function shown(draft, item) {
  const value = given(draft, item.code);
  if (value === "skipped") return el("em", null, say("skipped"));
  if (value === "opt_out") return el("span", spoken(draft.questionnaire), item.opt_out.text);
  if (value === undefined) return el("em", null, say("notAnswered"));
  return el("span", spoken(draft.questionnaire), item.choices.find((c) => c.value === value)?.label);
}

export function review(view, act) {
  const { draft } = view, q = draft.questionnaire;
  const rows = q.items.map((item, i) => el("li", null,
    el("p", { class: "asked" }, el("span", spoken(q), item.text)),
    el("p", { class: "said" }, shown(draft, item)),
    link(say("change"), `/q/${encodeURIComponent(draft.assessment.id)}/${i + 1}/r`, { "aria-label": say("changeOf", i + 1) })));
  return {
    title: say("reviewTitle"), name: "review",
    nodes: [
      el("div", { class: "bar" }, link(say("back"), view.back, { class: "back", "data-back": true })),
      q.wording.licensed ? null : p(q.wording.banner, { class: "banner", ...spoken(q) }),
      el("div", { class: "body" }, h1(say("reviewTitle")), p(say("reviewText")), el("ol", { class: "review", role: "list" }, ...rows),
        problem("send-problem"), button(say("send"), act.send, { class: "primary", id: "send" })),
      foot(view),
      p(q.wording.copyright, { class: "copyright", ...spoken(q) }),
    ],
  };
}

// late is for a draft whose time is over: what is kept, and what can be done.
export function late(view, act) {
  const { draft } = view, n = Object.keys(draft.answers).length, of = draft.questionnaire.items.length;
  return screen(view, "late", say("lateTitle"),
    p(view.over ? say("overText", n, of) : say("lateText", lastDay(view.closes, view.me.time_zone), n, of)),
    p(say("lateNext")), problem("send-problem"), button(say("lateSend"), act.send, { class: "primary", id: "send" }),
    link(say("home"), "/", { class: "plain" }));
}

export function sent(view, act) {
  const { form } = view, parts = [];
  let heading = say("queuedTitle");
  if (form.state === "received") {
    heading = say("thanks");
    parts.push(p(say("received", moment(form.receipt.received_at))), form.receipt.counted ? null : p(say("heldText")),
      p(view.next ? say("nextOn", dayOf(view.next)) : say("noNext")), p(say("receiptNo", form.submission_id.slice(0, 8)), { class: "quiet" }));
  } else if (form.state === "refused") {
    const already = form.refusal === "already_submitted";
    heading = say(already ? "alreadyTitle" : "refusedTitle");
    parts.push(p(say(already ? "alreadyText" : "refusedText")));
  } else {
    parts.push(p(say(form.refusal ? "queuedRefused" : "queuedText")), button(say("retry"), act.retry, { class: "primary" }));
  }
  if (view.remind) {
    parts.push(el("section", { class: "note", id: "remind" }, el("h2", null, say("remindTitle")), p(say("remindText")), problem("remind-problem"),
      button(say("remindYes"), act.remind, { class: "primary" }), button(say("remindNo"), act.noRemind)));
  } else if (view.install) {
    parts.push(el("section", { class: "note", id: "install" }, el("h2", null, say("installTitle")), p(say("installText")), button(say("installNo"), act.noInstall)));
  }
  return screen(view, "sent", heading, ...parts, link(say("home"), "/", { class: "plain" }));
}

export function help(view) {
  const phone = view.me?.help?.phone;
  return screen(view, "help", say("helpTitle"),
    phone ? el("p", null, el("a", { href: telephone(phone), class: "primary", role: "button" }, say("helpPhone", phone))) : p(say("helpNoPhone")),
    p(say("helpText")), notice());
}

export function paper(view) {
  return screen(view, "paper", say("paperTitle"), p(say("paperText")), p(say("paperKept")),
    p(view.me?.help?.phone ? say("helpPhone", view.me.help.phone) : say("helpNoPhone")));
}

export function phone(view, act) {
  return screen(view, "phone", say("phoneTitle"), button(say("otherLanguage"), act.language, { lang: other() === "zh" ? "zh-CN" : "en" }),
    p(say("phoneText")), link(say("disconnect"), "/phone/off", { class: "plain" }));
}

export function disconnect(view, act) {
  return screen(view, "disconnect", say("disconnectTitle"), p(say("disconnectText")), view.unsent ? p(say("disconnectUnsent"), { class: "note" }) : null,
    button(say("disconnectYes"), act.leave, { class: "danger", id: "leave" }), link(say("disconnectNo"), "/", { class: "primary", role: "button" }));
}

// plain is a sentence where no other screen can be shown.
export const plain = (view, text, act) => screen(view, "plain", say("app"), p(text, { class: "note" }), act ? button(say("retry"), act, { class: "primary" }) : null);
