import type { BuildStep } from '@slipway/contracts';
import type { ProgressSink } from '../builder.ts';
import type { DockerfileStep } from '../dockerfile/dockerfile.ts';

/** What buildah says of pulls and of itself: of no use to a tenant, and with names that are not theirs. */
const OF_THE_BUILDER =
  /^(Resolv(ed|ing) "|Trying to pull |Getting image source signatures|Copying (blob|config) |Writing manifest |Storing signatures|time=")/;
const OF_NO_EFFECT = /^time="[^"]*" level=\w+ msg="(\w+) is not supported for OCI image format/;
const CACHED = /^--> Using cache [0-9a-f]{64}$/;
const COMPLAINT = 'Error: ';
/** Go's name of a signal. */
const ENDED_BY = /^container exited on (.+)$/;
/** Also the labels that are no instruction of the Dockerfile's. */
const OF_A_STAGE = /^(\[\d+\/\d+\] )?(COMMIT|STEP (\d+)\/\3: LABEL ".*)$/s;

/**
 * Tells a builder's own lines from those of the commands that it runs: they share a stream, so that
 * a step's announcement counts only where it is due.
 */
export class BuildProgress {
  readonly #planned: readonly DockerfileStep[];
  readonly #steps: BuildStep[];
  readonly #sink: ProgressSink;
  /** index of the step that is under way; -1: none yet */
  #at = -1;
  /** What its announcement said of how many steps the stage has; triggers of its base are added later. */
  #stageTotal = 0;
  #signal: string | null = null;
  /** A last line like this is the builder's own; with others behind it, it was some command's. */
  #held: string | null = null;

  constructor(planned: readonly DockerfileStep[], sink: ProgressSink) {
    this.#planned = planned;
    this.#sink = sink;
    this.#steps = planned.map(({ number, line, instruction }) => {
      const times = { startedAt: null, finishedAt: null };
      return { number, line, instruction, state: 'waiting', cached: false, ...times };
    });
    this.#tell();
  }

  /** The step that is under way. */
  get current(): DockerfileStep | null {
    return this.#planned[this.#at] ?? null;
  }

  /** The builder's last complaint, without `Error: `. */
  get error(): string {
    return this.#held?.slice(COMPLAINT.length) ?? '';
  }

  /** What ended the command of the step that is under way, such as `killed`. */
  get signal(): string | null {
    return this.#signal;
  }

  onLine(line: string): void {
    this.#release();
    this.#signal ??= ENDED_BY.exec(line)?.[1] ?? null;
    const announced = this.#announced(line);
    const withoutEffect = OF_NO_EFFECT.exec(line)?.[1];
    if (announced !== -1) {
      this.#begin(announced);
    } else if (withoutEffect !== undefined) {
      // it is said again with each later step
      if (withoutEffect === this.current?.keyword) {
        this.#sink.write(null, `warning: ${withoutEffect} has no effect in an OCI image`);
      }
    } else if (CACHED.test(line)) {
      this.#noteCached();
    } else if (line.startsWith(COMPLAINT)) {
      this.#held = line;
    } else if (!this.#isNoise(line)) {
      this.#sink.write(this.current?.number ?? null, line);
    }
  }

  /** Of a build that fails, the API says what becomes of its steps: it may begin again. */
  succeeded(): void {
    this.#release();
    for (const step of this.#steps) endOf(step);
    this.#tell();
  }

  /**
   * Index of the step whose announcement it is; -1 when it is none, or none that may come now. ONBUILD
   * triggers of a base image are announced too, behind its FROM.
   */
  #announced(line: string): number {
    const found = /^(?:\[(\d+)\/\d+\] )?STEP (\d+)\/(\d+): ([A-Za-z]+)/.exec(line);
    if (found === null) return -1;
    const [, stage = '1', number, total, keyword] = found;
    const triggers = number === '1' ? 0 : Number(total) - this.#stageTotal;
    const index = this.#planned.findIndex(
      (step, at) =>
        this.#mayFollow(at) &&
        step.stage === Number(stage) &&
        step.numberInStage === Number(number) - triggers &&
        step.keyword === keyword?.toUpperCase(),
    );
    if (index !== -1 && number === '1') this.#stageTotal = Number(total);
    return index;
  }

  /** The next step, or behind the last one of a stage the first one of another. */
  #mayFollow(index: number): boolean {
    const isBehindStage = this.#planned[this.#at + 1]?.stage !== this.current?.stage;
    if (index === this.#at + 1) return true;
    return index > this.#at && isBehindStage && this.#planned[index]?.numberInStage === 1;
  }

  /** What lies between two steps belongs to a stage that the image does not need. */
  #begin(index: number): void {
    for (const [before, step] of this.#steps.entries()) {
      if (before >= index) break;
      endOf(step);
    }
    const step = this.#steps[index];
    if (step === undefined) return;
    step.state = 'running';
    step.startedAt = new Date().toISOString();
    this.#at = index;
    this.#signal = null;
    this.#tell();
    this.#sink.write(null, `STEP ${step.number}/${this.#steps.length}: ${step.instruction}`);
  }

  #noteCached(): void {
    const step = this.#steps[this.#at];
    if (step === undefined || this.current?.keyword === 'FROM') return; // a trigger of the base
    step.cached = true;
    this.#tell();
    this.#sink.write(null, '--> cached');
  }

  #isNoise(line: string): boolean {
    const isLastOfStage = this.#planned[this.#at + 1]?.stage !== this.current?.stage;
    if (isLastOfStage && OF_A_STAGE.test(line)) return true;
    return this.current?.keyword !== 'RUN' && OF_THE_BUILDER.test(line);
  }

  #release(): void {
    if (this.#held !== null) this.#sink.write(this.current?.number ?? null, this.#held);
    this.#held = null;
  }

  #tell(): void {
    this.#sink.steps(this.#steps.map((step) => ({ ...step })));
  }
}

/** When what comes behind it has begun. */
function endOf(step: BuildStep): void {
  if (step.state === 'waiting') step.state = 'skipped';
  if (step.state !== 'running') return;
  step.state = 'succeeded';
  step.finishedAt = new Date().toISOString();
}
