/** Where the steps of a start or a stop are told to a person. */
export interface Progress {
  /** Runs a step and prints one line with how long it took; `detail` may refine the text. */
  step<T>(text: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  line(text: string): void;
}

/** @param write takes a whole line; a terminal and a parent process are both fine */
export function printProgress(write: (line: string) => void): Progress {
  return {
    line: write,
    async step(text, work) {
      const begun = performance.now();
      let shown = text;
      try {
        const result = await work((detail) => {
          shown = detail;
        });
        write(`✔ ${shown}  ${formatDuration(performance.now() - begun)}`);
        return result;
      } catch (error) {
        write(`✘ ${shown}  ${formatDuration(performance.now() - begun)}`);
        throw error;
      }
    },
  };
}

function formatDuration(durationMs: number): string {
  return durationMs < 950
    ? `${Math.round(durationMs / 10) * 10} ms`
    : `${(durationMs / 1000).toFixed(1)} s`;
}
