import type { Checkout } from '../fixtures/checkout.ts';

export type Side = 'ours' | 'theirs';

/** Round by round: the n-th of both are of the same work. */
export class Figures implements Record<Side, number[]> {
  readonly ours: number[] = [];
  readonly theirs: number[] = [];
}

export interface Comparison {
  /** `push 1 × 200 MB` */
  what: string;
  /** null: there is none, and so none of its figures */
  peer: string | null;
  /** `MB/s` */
  unit: string;
  better: 'higher' | 'lower';
  figures: Figures;
  target?: Target;
}

/** Of what is measured, at the most when lower is better, else at least. */
export type Target =
  | { /** of ours to the peer's */ ratio: number }
  | { /** of ours and the peer's, in the row's unit */ difference: number }
  | { /** of ours, in the row's unit */ figure: number };

export interface Bench {
  /** for who reads the figures: what is done, and where it differs from what the peer does */
  about: string;
  /** Does the same on the running platform and on a peer. @param say what it is about */
  run(checkout: Checkout, say: (line: string) => void): Promise<Comparison[]>;
}

/** What a benchmark came to. */
export interface Result {
  name: string;
  about: string;
  rows: readonly Comparison[];
}

export interface Round {
  /** `round 2 of 5` */
  name: string;
  /** who begins changes from one to the next */
  sides: readonly Side[];
  /** the first is a warm-up */
  counts: boolean;
}

export function* rounds(count: number): Generator<Round> {
  for (let round = 0; round <= count; round++) {
    yield {
      name: round === 0 ? 'warm-up' : `round ${round} of ${count}`,
      sides: round % 2 === 0 ? ['ours', 'theirs'] : ['theirs', 'ours'],
      counts: round > 0,
    };
  }
}

export function median(figures: readonly number[]): number {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Ours to theirs, round by round: a machine's speed drifts from one to the next. */
export function ratios(figures: Figures): number[] {
  return each(figures, (ours, theirs) => ours / theirs);
}

export function differences(figures: Figures): number[] {
  return each(figures, (ours, theirs) => ours - theirs);
}

function each({ ours, theirs }: Figures, of: (ours: number, theirs: number) => number): number[] {
  return ours.map((figure, round) => of(figure, theirs[round] ?? Number.NaN));
}
