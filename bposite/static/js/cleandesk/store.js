// What a walk keeps on the phone: the round as it was loaded, every look until the site has it, and drafts.
import { openDB } from "../../vendor/idb.js";

const NAME = "bposite-walk";
const VERSION = 1;

let opened = null;

function open() {
  opened ||= openDB(NAME, VERSION, {
    upgrade(db) {
      db.createObjectStore("rounds", { keyPath: "id" });
      const looks = db.createObjectStore("looks", { keyPath: "id" });
      looks.createIndex("round", "round");
      db.createObjectStore("drafts", { keyPath: "key" });
    },
    // Another tab has a newer version: let go, the next use opens again.
    blocking(_now, _blocked, event) { event.target.close(); opened = null; },
    terminated() { opened = null; },
  });
  return opened;
}

// A 36-letter id of 128 random bits; randomUUID exists only where the address is secure.
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [bytes.slice(0, 8), bytes.slice(8, 12), bytes.slice(12, 16), bytes.slice(16, 20), bytes.slice(20)].join("-");
}

export async function keepRound(data) {
  await (await open()).put("rounds", { id: data.round.id, data, kept: Date.now() });
}

export async function keptRound(id) {
  return (await (await open()).get("rounds", id))?.data || null;
}

// The looks of a round in the order in which they were made.
export async function looksOf(round) {
  const rows = await (await open()).getAllFromIndex("looks", "round", round);
  return rows.sort((a, b) => a.seq - b.seq);
}

// Writes a look durably before the screen moves on: `strict` waits for the disk.
export async function keepLook(row) {
  const tx = (await open()).transaction("looks", "readwrite", { durability: "strict" });
  tx.store.put(row);
  await tx.done;
}

export async function dropLook(id) {
  await (await open()).delete("looks", id);
}

export async function keepDraft(key, draft) {
  await (await open()).put("drafts", { key, draft });
}

export async function draftOf(key) {
  return (await (await open()).get("drafts", key))?.draft || null;
}

export async function dropDraft(key) {
  await (await open()).delete("drafts", key);
}

// When a round is submitted and nothing waits, the phone forgets it.
export async function forgetRound(id) {
  const db = await open();
  const tx = db.transaction(["rounds", "looks", "drafts"], "readwrite");
  tx.objectStore("rounds").delete(id);
  tx.objectStore("drafts").delete(id);
  for (const key of await tx.objectStore("looks").index("round").getAllKeys(id)) tx.objectStore("looks").delete(key);
  await tx.done;
}
