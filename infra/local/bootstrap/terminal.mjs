const CLEAR_LINE = '\r\x1b[K';

/** Where our lines for a person go; where nobody looks on, what is under way is not told. */
export const terminal = {
  /** @param {string} text */
  line(text) {
    console.log(process.stdout.isTTY ? `${CLEAR_LINE}${text}` : text);
  },
  /** @param {string} text under way now, and so not for a log */
  begun(text) {
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR_LINE}○ ${text}`);
  },
};

/**
 * The line of a step that has ended.
 * @param {boolean} isDone
 * @param {string} text
 * @param {number} sinceMs of `performance.now()`
 */
export function endOfStep(isDone, text, sinceMs) {
  const tookMs = performance.now() - sinceMs;
  const duration =
    tookMs < 950 ? `${Math.round(tookMs / 10) * 10} ms` : `${(tookMs / 1000).toFixed(1)} s`;
  return `${isDone ? '✔' : '✘'} ${text}  ${duration}`;
}
