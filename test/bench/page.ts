import { occasion } from '../fixtures/occasion.ts';
import type { Result } from './comparison.ts';
import { cellsOf, HEAD } from './table.ts';

const ABOUT = `# Benchmarks

\`npm run bench -- --save\` made this page: a platform of its own, each benchmark beside its peer on the same
machine in the same run, round by round, who begins changing from one to the next. Figures are medians; a
ratio is ours to the peer's, in the middle of its rounds, then its smallest and largest. A target stands where
one is set, ✔ where it is reached and ✘ where it is not. \`npm run bench -- <name>…\` prints what a machine of
yours has to say.`;

/** `docs/benchmarks.md` */
export function pageOf(results: readonly Result[]): string {
  const sections = results.map(({ name, about, rows }) => {
    const lines = [
      HEAD,
      HEAD.map((_, column) => (column === 0 ? ':--' : '--:')),
      ...rows.map(cellsOf),
    ];
    const table = lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    return `## ${name}\n\n${about}\n\n${table}`;
  });
  return `${[ABOUT, occasion(), ...sections].join('\n\n')}\n`;
}
