// The phone's memory: one IndexedDB store in which every value is encrypted with
// a key that scripts can use but not read. What was written is on the disk
// when the promise resolves.

const DB = "epro", SEALED = "sealed", KEYS = "keys";

let db, key;

// asked turns an IndexedDB request into a promise.
const asked = (request) => new Promise((done, fail) => {
  request.onsuccess = () => done(request.result);
  request.onerror = () => fail(request.error);
});

// ended waits until a transaction is on the disk.
const ended = (tx) => new Promise((done, fail) => {
  tx.oncomplete = () => done();
  tx.onabort = tx.onerror = () => fail(tx.error);
});

// open gets the memory ready; it fails where the browser has none.
export async function open() {
  if (!globalThis.indexedDB || !globalThis.crypto?.subtle) throw new Error("no storage");
  const opening = indexedDB.open(DB, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore(SEALED);
    opening.result.createObjectStore(KEYS);
  };
  db = await asked(opening);
  db.onversionchange = () => db.close(); // a newer app in another tab may go on
  key = await asked(db.transaction(KEYS).objectStore(KEYS).get("aes")) ?? await makeKey();
}

// makeKey makes the key once, also when two tabs start at the same time.
async function makeKey() {
  const made = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const tx = db.transaction(KEYS, "readwrite", { durability: "strict" }), store = tx.objectStore(KEYS);
  const theirs = await asked(store.get("aes"));
  if (!theirs) store.put(made, "aes");
  await ended(tx);
  return theirs ?? made;
}

const params = (name, iv) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) });

async function seal(name, value) {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const data = await crypto.subtle.encrypt(params(name, iv), key, new TextEncoder().encode(JSON.stringify(value)));
  return { iv, data };
}

// get is the value under a name, or undefined.
export async function get(name) {
  const sealed = await asked(db.transaction(SEALED).objectStore(SEALED).get(name));
  if (!sealed) return undefined;
  return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(params(name, sealed.iv), key, sealed.data)));
}

// all are the values whose names begin like this.
export async function all(prefix) {
  const range = IDBKeyRange.bound(prefix, prefix + "\uffff");
  const names = await asked(db.transaction(SEALED).objectStore(SEALED).getAllKeys(range));
  const values = await Promise.all(names.map(get));
  return values.filter((v) => v !== undefined);
}

// write keeps all values, or none: undefined removes a name.
export async function write(values) {
  const sealed = [];
  for (const [name, value] of Object.entries(values)) {
    sealed.push([name, value === undefined ? undefined : await seal(name, value)]);
  }
  const tx = db.transaction(SEALED, "readwrite", { durability: "strict" }), store = tx.objectStore(SEALED);
  for (const [name, value] of sealed) value ? store.put(value, name) : store.delete(name);
  await ended(tx);
}

// wipe forgets everything, the key too.
export async function wipe() {
  const tx = db.transaction([SEALED, KEYS], "readwrite", { durability: "strict" });
  tx.objectStore(SEALED).clear();
  tx.objectStore(KEYS).clear();
  await ended(tx);
  key = await makeKey();
}

const tails = new Map();

// locked runs one piece of work at a time under a name, over all tabs.
export function locked(name, work) {
  if (navigator.locks) return navigator.locks.request("epro/" + name, work);
  const run = (tails.get(name) ?? Promise.resolve()).then(work);
  tails.set(name, run.catch(() => {}));
  return run;
}
