import { endOfStep, type terminal } from './bootstrap/terminal.mjs';

/** Where the steps of a start or a stop are told to a person. */
export interface Progress {
  /**
   * Runs a step and prints one line with how long it took, or none when it is called off (AbortError);
   * `detail` may refine the text.
   */
  step<T>(text: string, work: (detail: (text: string) => void) => Promise<T>): Promise<T>;
  line(text: string): void;
}

export function printProgress(output: typeof terminal): Progress {
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
      underWay.push(text);
      output.begun(text);
      const working = work((detail) => {
        shown = detail;
      }).finally(() => underWay.splice(underWay.indexOf(text), 1));
      try {
        const result = await working;
        line(endOfStep(true, shown, begun));
        return result;
      } catch (error) {
        if (!isAbort(error)) line(endOfStep(false, shown, begun));
        throw error;
      }
    },
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}
