import { type Comparison, differences, median, ratios } from './comparison.ts';

export const HEAD = ['', 'Slipway', 'peer', 'ratio', 'of each round', 'target', ''];

/** Medians, and the ratio of the rounds in the middle. */
export function printTable(rows: readonly Comparison[]): void {
  const cells = [HEAD, ...rows.map(cellsOf)];
  const widths = HEAD.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  console.log('');
  for (const row of cells) {
    const padded = row.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column === 0 || column === row.length - 1 ? cell.padEnd(width) : cell.padStart(width);
    });
    console.log(padded.join('  ').trimEnd());
  }
}

export function cellsOf(row: Comparison): string[] {
  const { what, figures, unit, better, peer } = row;
  const ours = `${shown(median(figures.ours))} ${unit}`;
  const rounds = `${figures.ours.length} rounds`;
  if (peer === null) {
    return [what, ours, '', '', '', targetOf(row), `${better} is better; ${rounds}`];
  }
  return [
    ...[what, ours, `${shown(median(figures.theirs))} ${unit}`],
    ...[`${median(ratios(figures)).toFixed(2)} ×`, spread(ratios(figures))],
    ...[targetOf(row), `${better} is better; beside ${peer}, ${rounds}`],
  ];
}

/** What is aimed at, and whether it is reached. */
function targetOf({ target, figures, unit, better }: Comparison): string {
  if (target === undefined) return '';
  const { wanted, found, text } =
    'ratio' in target
      ? { wanted: target.ratio, found: median(ratios(figures)), text: `${target.ratio} ×` }
      : 'difference' in target
        ? {
            ...{ wanted: target.difference, found: median(differences(figures)) },
            text: `+ ${target.difference} ${unit}`,
          }
        : {
            ...{ wanted: target.figure, found: median(figures.ours) },
            text: `${target.figure} ${unit}`,
          };
  const isReached = better === 'lower' ? found <= wanted : found >= wanted;
  return `${isReached ? '✔' : '✘'} ${better === 'lower' ? '≤' : '≥'} ${text}`;
}

function spread(figures: readonly number[]): string {
  return `${Math.min(...figures).toFixed(2)} – ${Math.max(...figures).toFixed(2)}`;
}

function shown(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US');
}
