import type { BuildOrder } from '@slipway/contracts';
import { parseImageReference } from '@slipway/oci';
import { DockerfileParser, type Instruction } from 'dockerfile-ast';
import { BuildFailure } from './build-failure.ts';

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
  const globals = new Map<string, string>();
  const stageNames = new Set<string>();
  const steps: DockerfileStep[] = [];
  let stage = 0;
  let numberInStage = 0;
  for (const instruction of dockerfile.getInstructions()) {
    const keyword = instruction.getKeyword();
    const text = joined(instruction, dockerfile.getEscapeCharacter());
    if (!KEYWORDS.has(keyword)) throw refusal(instruction, 'there is no such instruction');
    if (keyword === 'FROM') {
      checkBase(instruction, text, globals, stageNames);
      stage++;
      numberInStage = 0;
      const words = wordsOf(text);
      if (words[1]?.toUpperCase() === 'AS') stageNames.add(words[2]?.toLowerCase() ?? '');
    } else if (stage === 0) {
      if (keyword !== 'ARG') throw refusal(instruction, 'FROM has to come first');
      for (const word of wordsOf(text)) declare(globals, word, args);
      continue;
    } else {
      checkSources(instruction, text, stageNames);
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
  text: string,
  globals: ReadonlyMap<string, string>,
  stageNames: ReadonlySet<string>,
): void {
  const [word = ''] = wordsOf(text);
  const name = expanded(word, globals);
  if (name === null) throw refusal(instruction, `"${word}" cannot be resolved`);
  if (name !== 'scratch' && !stageNames.has(name.toLowerCase())) requireOurs(instruction, name);
}

/** What an instruction takes from elsewhere: only stages and images of this platform, nothing of the builder's machine or network. */
function checkSources(
  instruction: Instruction,
  text: string,
  stageNames: ReadonlySet<string>,
): void {
  const [keyword = '', ...words] = text.replace(/^ONBUILD\s+/i, '').split(/\s+/);
  for (const flag of words) {
    if (!flag.startsWith('--')) break;
    const [, name, value = ''] = /^--(mount|from)=?(.*)$/.exec(flag) ?? [];
    if (name === 'mount') throw refusal(instruction, '--mount is not supported yet');
    if (name === 'from' && !/^\d+$/.test(value) && !stageNames.has(value.toLowerCase())) {
      requireOurs(instruction, value);
    }
  }
  const takesHereDocuments = /^(ADD|COPY|RUN)$/i.test(keyword);
  if (takesHereDocuments && words.some((word) => /^\d*<<-?[^<]+$/.test(word))) {
    throw refusal(instruction, 'here-documents are not supported yet');
  }
  if (/^ADD$/i.test(keyword) && words.some((word) => /:\/\/|\$|^["[]*git@/.test(word))) {
    throw refusal(instruction, 'a build has no network: put the file into the context');
  }
}

function requireOurs(instruction: Instruction, name: string): void {
  const reference = parseImageReference(name);
  if (reference === null) throw refusal(instruction, `"${name}" is not an image's name`);
  if (reference.registry !== null) {
    throw refusal(instruction, 'leave out the registry: images come from this platform’s own');
  }
}

/** `NAME`, `NAME=default`. A global ARG without a value stands for nothing. */
function declare(
  globals: Map<string, string>,
  word: string,
  args: Readonly<Record<string, string>>,
): void {
  const [name = '', ...rest] = word.split('=');
  const given = Object.hasOwn(args, name) ? args[name] : undefined;
  const value = given ?? expanded(unquoted(rest.join('=')), globals) ?? '';
  globals.set(name, value);
}

/** `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME:+word}`; null when something else stands there */
function expanded(word: string, values: ReadonlyMap<string, string>): string | null {
  const text = unquoted(word).replace(
    /\$(?:(\w+)|\{(\w+)(?:(:[-+])([^${}]*))?\})/g,
    (_, bare: string | undefined, name: string | undefined, how?: string, other = '') => {
      const value = values.get(bare ?? name ?? '') ?? '';
      if (how === ':-') return value === '' ? other : value;
      if (how === ':+') return value === '' ? '' : other;
      return value;
    },
  );
  return text.includes('$') || text === '' ? null : text;
}

function unquoted(word: string): string {
  return word.replace(/^(["'])(.*)\1$/s, '$2');
}

/** Behind the keyword, without flags. */
function wordsOf(text: string): string[] {
  const [, ...words] = text.split(/\s+/).filter(Boolean);
  return words.filter((word) => !word.startsWith('--'));
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
