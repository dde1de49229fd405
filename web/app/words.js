// The app's own words, in English and Simplified Chinese. Questionnaires bring
// their own. No text here names an illness, a drug or a study.

const en = {
  app: "My questions",
  back: "Back",
  continue: "Continue",
  home: "Start page",
  retry: "Try again",
  otherLanguage: "中文",
  loading: "One moment…",

  welcome: "Welcome",
  welcomeText: "Here you answer the questions of your study, on this phone, when it suits you. It also works without a connection.",
  codeLabel: "Code from your study team",
  codeHint: "11 letters and numbers. Capitals, spaces and hyphens do not matter.",
  codeFilled: "The code came with your link. Press the button to connect this phone.",
  connect: "Connect this phone",
  connecting: "Connecting…",
  codeEmpty: "Type the code from your letter.",
  codeBad: "This is not a whole code. Compare it with your letter, sign by sign.",
  codeRefused: "This code cannot be used. Check it sign by sign, or ask your study team for a new one.",
  codeOffline: "There is no connection. Your code is kept: try again when you are online.",
  tooMany: "Too many tries. Wait a few minutes, then try again.",
  serverTrouble: "The server cannot answer now. Nothing is lost. Try again in a few minutes.",
  signedOut: "This phone is no longer connected. Ask your study team for a new code.",
  signedOutKept: (n) => n === 1
    ? "The answers on this phone are kept. They will be sent when you connect again."
    : `The answers on this phone (${n} questionnaires) are kept. They will be sent when you connect again.`,
  wiped: "This browser had forgotten this app, and the answers that were not sent with it. What was sent is safe.",

  due: "Your questions are ready",
  resume: "Go on with your questions",
  stoppedAt: (n, of) => `You stopped at question ${n} of ${of}.`,
  allAnswered: "You have answered all questions. Look at them once more, then send them.",
  howLong: (n) => `${n} short questions, about 10 minutes. You can stop and go on later.`,
  pleaseBy: (date) => `Please answer by ${date}.`,
  dueToday: "Please answer today.",
  duePassed: (date) => `They were due on ${date}. You can still answer.`,
  until: (date) => `You can answer until the end of ${date}.`,
  notRead: "Nobody reads your answers straight away. If you feel unwell or worried, do not wait: call your study team.",
  emergency: "In an emergency call the emergency services.",
  start: "Start",
  goOn: "Go on",
  review: "Look at my answers",

  nothing: "Nothing to do now",
  nextOn: (date) => `Your next questions open on ${date}.`,
  noNext: "No more questions are planned.",
  completedToday: "You have sent your last questions. Thank you.",
  missed: (date) => `The last questions closed on ${date}. If you want to tell us something, call your study team.`,
  ended: "You do not need to fill in anything any more. Thank you for all your answers. If that is a surprise, call your study team.",
  stateUnknown: "We do not know yet what is due: there was no connection since this phone was connected. Try again when you are online.",
  noWords: "The questions are not on this phone yet. Connect to the internet once, then they work without it.",
  wordsRefused: "The questions cannot be shown at the moment. You do not have to do anything; your study team can help.",
  notYet: (date) => `These questions are not open yet. They open on ${date}.`,
  doneAlready: "You have already sent these questions. Thank you.",
  closedAlready: (date) => `These questions closed on ${date}.`,
  notNeeded: "These questions are not needed any more.",
  unknown: "These questions are not for this phone, or not any more.",

  of: (n, all) => `Question ${n} of ${all}`,
  choose: "Choose an answer, or skip this question.",
  skip: "Skip this question",
  skipSure: "Skip this question?",
  skipYes: "Yes, skip it",
  skipNo: "No, go back",
  savedHere: "Saved on this phone",
  notSaved: "Your answer could not be saved on this phone. Free some space, then try again.",
  sentElsewhere: "These questions were sent from another window.",

  reviewTitle: "Your answers",
  reviewText: "Change what is not right. Then send them.",
  change: "Change",
  changeOf: (n) => `Change the answer to question ${n}`,
  skipped: "Skipped",
  notAnswered: "Not answered",
  send: "Send my answers",
  sending: "Sending…",

  lateTitle: "The time for these questions is over",
  lateText: (date, n, of) => `They closed on ${date}. You had answered ${n} of ${of} questions, and these answers are kept on this phone.`,
  lateNext: "You can send them as they are. Your study team then decides whether they still count.",
  lateKept: "Answers to questions that have closed are still on this phone.",
  look: "Look at them",
  lateSend: "Send what I have answered",
  overText: (n, of) => `These questions are not needed any more. You had answered ${n} of ${of}.`,

  thanks: "Thank you",
  received: (when) => `We received your answers on ${when}.`,
  receiptNo: (id) => `Receipt ${id}`,
  heldText: "They came at an unusual time. Your study team will look whether they count. You do not have to do anything.",
  queuedTitle: "Your answers are saved",
  queuedText: "They are on this phone and not sent yet. They will be sent as soon as there is a connection. You can close this page; open it again when you are online.",
  queuedRefused: "The server did not take them yet. They stay on this phone and will be tried again. If this goes on, call your study team.",
  alreadyTitle: "We already have an answer",
  alreadyText: "These questions had been answered already, on another phone or on paper. You do not have to do anything.",
  refusedTitle: "Your answers could not be taken",
  refusedText: "They are kept on this phone. Please call your study team, so that nothing is lost.",
  waiting: (n) => n === 1 ? "Answers on this phone are not sent yet." : `Answers to ${n} questionnaires on this phone are not sent yet.`,
  waitingText: "They are sent by themselves when there is a connection.",
  sentNow: "Sent. Thank you.",
  stillOffline: "Still no connection. Nothing is lost.",

  remindTitle: "Shall this phone remind you?",
  remindText: "It shows a short message when your next questions are ready. The message says nothing about you or your health.",
  remindYes: "Yes, remind me",
  remindNo: "No, thank you",
  remindOn: "This phone will remind you.",
  remindDenied: "This browser does not allow it. You can change that in the settings of your phone.",
  installTitle: "Put it on your start screen",
  installText: "In your browser's menu choose “Add to home screen”. Then you find your questions like any other app.",
  installNo: "Not now",

  help: "Help",
  call: (phone) => `Call ${phone}`,
  paper: "On paper instead",
  helpTitle: "Help",
  helpPhone: (phone) => `Call your study team: ${phone}`,
  helpNoPhone: "Call your study team. The number is on your study letter.",
  helpText: "They can help with this app, give you a new code, or go through the questions with you.",
  paperTitle: "On paper instead",
  paperText: "You may fill in the questions on paper. Ask your study team for a sheet, or ask at your next visit. You need not tell why.",
  paperKept: "What you have answered here is kept. If you hand in a sheet, leave the questions here unsent.",
  phoneTitle: "This phone",
  phoneText: "Disconnect this phone if you give it away or want to use another one.",
  disconnect: "Disconnect this phone",
  disconnectTitle: "Disconnect this phone?",
  disconnectText: "Everything of this app on this phone is deleted. To connect again you need a new code from your study team.",
  disconnectUnsent: "Some answers on this phone are not sent. They will be lost.",
  disconnectYes: "Yes, disconnect and delete",
  disconnectNo: "No, stay connected",

  noStorage: "This browser cannot keep your answers safe, so nothing can be filled in here. Leave the private mode, try another browser, or use paper.",
  broken: "Something went wrong on this page. What you answered is kept. Open it again.",
};

const zh = {
  app: "我的问卷",
  back: "返回",
  continue: "继续",
  home: "首页",
  retry: "再试一次",
  otherLanguage: "English",
  loading: "请稍候…",

  welcome: "欢迎",
  welcomeText: "您可以在方便的时候，用这部手机回答研究的问题。没有网络也可以使用。",
  codeLabel: "研究团队给您的代码",
  codeHint: "共 11 个字母和数字。大小写、空格和短横线都不影响。",
  codeFilled: "代码已随链接填好。请按下面的按钮连接这部手机。",
  connect: "连接这部手机",
  connecting: "正在连接…",
  codeEmpty: "请输入信上的代码。",
  codeBad: "代码不完整。请与信上的代码逐字核对。",
  codeRefused: "这个代码不能使用。请逐字核对，或向研究团队索取新的代码。",
  codeOffline: "现在没有网络。代码已保留，联网后请再试一次。",
  tooMany: "尝试次数太多。请等几分钟再试。",
  serverTrouble: "服务器暂时没有回应。内容不会丢失。请过几分钟再试。",
  signedOut: "这部手机已断开连接。请向研究团队索取新的代码。",
  signedOutKept: (n) => n === 1 ? "手机上的答案已保留，重新连接后会发送。" : `手机上的答案（${n} 份问卷）已保留，重新连接后会发送。`,
  wiped: "浏览器清除了本应用的数据，未发送的答案也一并清除。已发送的答案是安全的。",

  due: "您的问卷可以填写了",
  resume: "继续填写问卷",
  stoppedAt: (n, of) => `上次停在第 ${n} 题，共 ${of} 题。`,
  allAnswered: "所有题目都已回答。请再看一遍，然后发送。",
  howLong: (n) => `${n} 道简短的题目，大约 10 分钟。可以随时停下，以后再继续。`,
  pleaseBy: (date) => `请在${date}或之前回答。`,
  dueToday: "请在今天回答。",
  duePassed: (date) => `原定日期是${date}。现在仍可回答。`,
  until: (date) => `最晚可在${date}当天结束前回答。`,
  notRead: "您的答案不会马上有人查看。如果您感到不舒服或担心，请不要等待：打电话给研究团队。",
  emergency: "紧急情况请拨打急救电话。",
  start: "开始",
  goOn: "继续填写",
  review: "查看我的答案",

  nothing: "现在没有要填写的",
  nextOn: (date) => `下一份问卷将于${date}开放。`,
  noNext: "没有其他计划中的问卷了。",
  completedToday: "最近一份问卷已经发送。谢谢您。",
  missed: (date) => `上一份问卷已于${date}截止。如果您有事想告诉我们，请打电话给研究团队。`,
  ended: "您不需要再填写问卷了。感谢您的所有回答。如果您觉得有误，请打电话给研究团队。",
  stateUnknown: "还不知道有没有要填写的问卷：连接手机之后一直没有网络。请联网后再试一次。",
  noWords: "题目还没有下载到这部手机。请先联网一次，之后没有网络也可以使用。",
  wordsRefused: "现在无法显示题目。您不需要做什么；研究团队可以帮助您。",
  notYet: (date) => `这份问卷还没有开放，将于${date}开放。`,
  doneAlready: "您已经发送过这份问卷。谢谢您。",
  closedAlready: (date) => `这份问卷已于${date}截止。`,
  notNeeded: "这份问卷不再需要填写。",
  unknown: "这份问卷不属于这部手机，或已不再使用。",

  of: (n, all) => `第 ${n} 题，共 ${all} 题`,
  choose: "请选择一个答案，或跳过此题。",
  skip: "跳过此题",
  skipSure: "要跳过此题吗？",
  skipYes: "是，跳过",
  skipNo: "不，返回",
  savedHere: "已保存在这部手机上",
  notSaved: "答案无法保存在这部手机上。请清理一些空间后再试。",
  sentElsewhere: "这份问卷已从另一个窗口发送。",

  reviewTitle: "您的答案",
  reviewText: "请修改不对的地方，然后发送。",
  change: "修改",
  changeOf: (n) => `修改第 ${n} 题的答案`,
  skipped: "已跳过",
  notAnswered: "未回答",
  send: "发送我的答案",
  sending: "正在发送…",

  lateTitle: "这份问卷的填写时间已过",
  lateText: (date, n, of) => `问卷已于${date}截止。您回答了 ${of} 题中的 ${n} 题，答案保留在这部手机上。`,
  lateNext: "您可以按现状发送。之后由研究团队决定是否计入。",
  lateKept: "这部手机上还有已截止问卷的答案。",
  look: "查看",
  lateSend: "发送已回答的部分",
  overText: (n, of) => `这份问卷不再需要填写。您回答了 ${of} 题中的 ${n} 题。`,

  thanks: "谢谢您",
  received: (when) => `我们已于${when}收到您的答案。`,
  receiptNo: (id) => `回执 ${id}`,
  heldText: "答案到达的时间不在通常范围内。研究团队会决定是否计入。您不需要做什么。",
  queuedTitle: "您的答案已保存",
  queuedText: "答案在这部手机上，还没有发送。一有网络就会自动发送。您可以关闭本页，联网后再打开。",
  queuedRefused: "服务器还没有接收。答案保留在这部手机上，之后会再试。如果一直这样，请打电话给研究团队。",
  alreadyTitle: "我们已经有答案了",
  alreadyText: "这份问卷已在另一部手机或纸上回答过。您不需要做什么。",
  refusedTitle: "您的答案无法接收",
  refusedText: "答案保留在这部手机上。请打电话给研究团队，以免丢失。",
  waiting: (n) => n === 1 ? "这部手机上有答案还没有发送。" : `这部手机上有 ${n} 份问卷的答案还没有发送。`,
  waitingText: "一有网络就会自动发送。",
  sentNow: "已发送。谢谢您。",
  stillOffline: "仍然没有网络。内容不会丢失。",

  remindTitle: "要让这部手机提醒您吗？",
  remindText: "下一份问卷可以填写时，手机会显示一条短消息。消息不会提到您或您的健康。",
  remindYes: "好，请提醒我",
  remindNo: "不用，谢谢",
  remindOn: "这部手机会提醒您。",
  remindDenied: "浏览器不允许提醒。您可以在手机设置中更改。",
  installTitle: "放到手机主屏幕",
  installText: "在浏览器菜单中选择“添加到主屏幕”，就能像其他应用一样打开问卷。",
  installNo: "以后再说",

  help: "帮助",
  call: (phone) => `致电 ${phone}`,
  paper: "改用纸质问卷",
  helpTitle: "帮助",
  helpPhone: (phone) => `请打电话给研究团队：${phone}`,
  helpNoPhone: "请打电话给研究团队。电话号码在研究信件上。",
  helpText: "他们可以帮您使用本应用、给您新的代码，或与您一起填写问卷。",
  paperTitle: "改用纸质问卷",
  paperText: "您可以在纸上填写。请向研究团队索取问卷，或在下次就诊时索取。不需要说明原因。",
  paperKept: "您在这里的回答会保留。如果您交了纸质问卷，就不必在这里发送。",
  phoneTitle: "这部手机",
  phoneText: "如果您要把手机送人或换用另一部手机，请断开连接。",
  disconnect: "断开这部手机",
  disconnectTitle: "要断开这部手机吗？",
  disconnectText: "本应用在这部手机上的全部内容会被删除。重新连接需要研究团队给您新的代码。",
  disconnectUnsent: "这部手机上有答案还没有发送，断开后会丢失。",
  disconnectYes: "是，断开并删除",
  disconnectNo: "不，保持连接",

  noStorage: "这个浏览器无法安全保存您的答案，因此不能在这里填写。请退出无痕模式、换一个浏览器，或使用纸质问卷。",
  broken: "本页出了问题。您的回答已保留。请重新打开。",
};

const texts = { en, zh };
const tags = { en: "en", zh: "zh-CN" };

let current = "en";

// use chooses a language: the nearest of the two that we have.
export function use(tag) {
  current = /^zh\b/i.test(tag ?? "") ? "zh" : "en";
  document.documentElement.lang = tags[current];
  document.documentElement.dir = direction(tags[current]);
}

export const language = () => current;

// other is the language that is not in use.
export const other = () => current === "en" ? "zh" : "en";

// say is one of our texts in the language in use.
export function say(name, ...args) {
  const text = texts[current][name];
  return typeof text === "function" ? text(...args) : text;
}

// direction is that of a language's script.
export const direction = (tag) => /^(ar|fa|he|iw|ur|ps|sd|ug|yi|dv|ckb)\b/i.test(tag ?? "") ? "rtl" : "ltr";

// day writes the date of an instant in a zone, as people say it.
export const day = (instant, zone) =>
  new Intl.DateTimeFormat(tags[current], { weekday: "long", day: "numeric", month: "long", timeZone: zone }).format(new Date(instant));

// dayOf writes a calendar date, which has no zone.
export const dayOf = (date) => day(date + "T12:00:00Z", "UTC");

// moment writes an instant with its time of day.
export const moment = (instant, zone) =>
  new Intl.DateTimeFormat(tags[current], { dateStyle: "long", timeStyle: "short", timeZone: zone }).format(new Date(instant));

// lastDay is the last whole day before a window closes: windows end at midnight.
export const lastDay = (closesAt, zone) => day(Date.parse(closesAt) - 1, zone);
