import { statfsSync } from 'node:fs';

const MIB = 1024 * 1024;
/** What programs say when a disk has no room: Node, the C library, apt. */
const FULL = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded|enough free space/i;

/** What failed may have freed some. */
const FULL_BELOW_MIB = 64;

/**
 * Before something that would end half-way there and say so in other words, or not at all.
 * @param {string} folder on the disk that is written to
 * @param {number} mib
 * @param {string} what needs it: `Slipway`
 * @throws {Error} a sentence that says what to do
 */
export function requireRoom(folder, mib, what) {
  const free = freeMiB(folder);
  if (free >= mib) return;
  throw new Error(
    `The disk of ${folder} has ${free} MiB free, and ${what} needs ${mib} MiB: make room there, then try again.`,
  );
}

/**
 * @param {string} message why something failed
 * @param {readonly string[]} folders where it may have written
 * @returns {string} the same; when a disk is full, one sentence that says which and what to do
 */
export function explainFullDisk(message, folders) {
  if (!FULL.test(message)) return message;
  const full = folders.find((folder) => freeMiB(folder) < FULL_BELOW_MIB);
  const which = full === undefined ? 'A disk' : `The disk of ${full}`;
  return `${which} is full: make room there, then try again; nothing is lost. (${message})`;
}

/** @param {string} folder */
function freeMiB(folder) {
  try {
    const { bsize, bfree, blocks } = statfsSync(folder); // bfree: root may have what is reserved
    // /proc and its like have no blocks
    return blocks === 0 ? Number.POSITIVE_INFINITY : Math.floor((bsize * bfree) / MIB);
  } catch {
    return Number.POSITIVE_INFINITY; // not there yet
  }
}
