/** Where lines for a person go. */
export interface Output {
  line(text: string): void;
  /** under way now, and so not for a log */
  begun(text: string): void;
}

const CLEAR_LINE = '\r\x1b[K';

/** Ours; where nobody looks on, what is under way is not told. */
export const terminal: Output = {
  line(text) {
    console.log(process.stdout.isTTY ? `${CLEAR_LINE}${text}` : text);
  },
  begun(text) {
    if (process.stdout.isTTY) process.stdout.write(`${CLEAR_LINE}○ ${text}`);
  },
};

/** Where the steps of a start or a stop are told to a person. */
export interface Progress {
  /** Runs a step and prints one line with how long it took; `detail` may refine the text. */
  step<T>(text: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  line(text: string): void;
}

export function printProgress(output: Output): Progress {
  const underWay: string[] = [];
  const line = (text: string): void => {
    output.line(text);
    const last = underWay.at(-1);
    if (last !== undefined) output.begun(last);
  };
  return {
    line,
    async step(text, work) {
      const begun = performance.now();
      let shown = text;
      const end = (mark: string): void => {
        underWay.splice(underWay.indexOf(text), 1);
        line(`${mark} ${shown}  ${formatDuration(performance.now() - begun)}`);
      };
      underWay.push(text);
      output.begun(text);
      try {
        const result = await work((detail) => {
          shown = detail;
        });
        end('✔');
        return result;
      } catch (error) {
        end('✘');
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
