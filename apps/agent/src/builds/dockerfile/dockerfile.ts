import type { BuildOrder } from '@slipway/contracts';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { BuildFailure } from '../build-failure.ts';
import { GlobalArguments } from './global-arguments.ts';
import { parsed, whyNotOurs, whyRefused } from './rules.ts';

/** One instruction, and where the builder will say that it is. */
export interface DockerfileStep {
  number: number;
  line: number;
  instruction: string;
  keyword: string;
  /** both from 1 */
  stage: number;
  numberInStage: number;
}

const KEYWORDS = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);
const SHOWN_CHARACTERS = 500;
const MAX_STEPS = 500;

/**
 * The steps of a Dockerfile: its instructions from the first FROM on.
 * @param order values for its ARGs, and the stage that it is built for
 * @throws BuildFailure `dockerfile-invalid` with the line, also for what a build may not do here
 * @see Docker, Dockerfile reference
 */
export function stepsOf(
  file: string,
  { args, target }: Pick<BuildOrder, 'args' | 'target'>,
): DockerfileStep[] {
  const dockerfile = DockerfileParser.parse(file);
  const globals = new GlobalArguments(args);
  const stageNames = new Set<string>();
  const steps: DockerfileStep[] = [];
  let stage = 0;
  let numberInStage = 0;
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    const text = joined(instruction, dockerfile.getEscapeCharacter());
    if (!KEYWORDS.has(keyword)) throw refusal(instruction, 'there is no such instruction');
    const why = whyRefused(text, stageNames);
    if (why !== null) throw refusal(instruction, why);
    const { words } = parsed(text);
    if (keyword === 'FROM') {
      const [base = '', as, name] = words;
      checkBase(instruction, base, globals, stageNames);
      stage++;
      numberInStage = 0;
      if (as?.toUpperCase() === 'AS') stageNames.add(name?.toLowerCase() ?? '');
    } else if (stage === 0) {
      if (keyword !== 'ARG') throw refusal(instruction, 'FROM has to come first');
      for (const word of words) globals.declare(word);
      continue;
    }
    numberInStage++;
    if (steps.length === MAX_STEPS)
      throw refusal(instruction, `more than ${MAX_STEPS} instructions`);
    steps.push({
      ...{ number: steps.length + 1, line: lineOf(instruction) },
      instruction: shown(text),
      keyword,
      ...{ stage, numberInStage },
    });
  }
  if (stage === 0) throw new BuildFailure('dockerfile-invalid', 'The Dockerfile has no FROM.');
  if (target !== null && !stageNames.has(target.toLowerCase()) && !(Number(target) < stage)) {
    throw new BuildFailure('dockerfile-invalid', `The Dockerfile has no stage "${target}".`);
  }
  return steps;
}

function checkBase(
  instruction: Instruction,
  word: string,
  globals: GlobalArguments,
  stageNames: ReadonlySet<string>,
): void {
  const name = globals.expanded(word);
  if (name === null) throw refusal(instruction, `"${word}" cannot be resolved`);
  if (name === 'scratch' || stageNames.has(name.toLowerCase())) return;
  const why = whyNotOurs(name);
  if (why !== null) throw refusal(instruction, why);
}

function lineOf(instruction: Instruction): number {
  return instruction.getRange().start.line + 1;
}

/** As the builder reads it: continued lines in one, without the comments between them. */
function joined(instruction: Instruction, escapeCharacter: string): string {
  const continued = new RegExp(`\\${escapeCharacter}[ \\t]*\\r?\\n(?:\\s*#[^\\n]*\\n)*`, 'g');
  return instruction.getTextContent().replace(continued, '').replaceAll('\0', '\ufffd');
}

function shown(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)}…` : line;
}

function refusal(instruction: Instruction, why: string): BuildFailure {
  const where = `Dockerfile, line ${lineOf(instruction)}: ${instruction.getInstruction()}`;
  return new BuildFailure('dockerfile-invalid', `${where}: ${why}.`);
}
