import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/** How many scripts run at a time; the others wait. */
const SHELLS = 4;
const END = '\0';

interface Script {
  text: string;
  args: readonly string[];
  timeoutMs: number;
  done(said: string): void;
  fail(error: Error): void;
}

const waiting: Script[] = [];
const idle = new Set<Shell>();
let running = 0;

/**
 * Runs a POSIX shell's script, which ends at the first command that fails. For what is run often: a
 * fork of this process takes milliseconds in which it does nothing else, since its memory is large.
 * Small shells are kept to fork in its place.
 * @param args `$1` and on
 * @returns what it wrote, to either stream. @throws Error with that
 */
export function runScript(
  text: string,
  args: readonly string[],
  { timeoutMs }: { timeoutMs: number },
): Promise<string> {
  return new Promise((done, fail) => {
    waiting.push({ text, args, timeoutMs, done, fail });
    runWaiting();
  });
}

function runWaiting(): void {
  while (waiting.length > 0) {
    const [shell = running < SHELLS ? new Shell() : null] = idle;
    const script = shell === null ? undefined : waiting.shift();
    if (shell === null || script === undefined) return;
    idle.delete(shell);
    shell.run(script);
  }
}

/** A process that runs one script after the other, and ends with this one, or when one takes too long. */
class Shell {
  readonly #process = spawn('sh', [], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
  #script: Script | null = null;
  #timer: NodeJS.Timeout | undefined;
  #said = '';

  constructor() {
    running++;
    const { stdin, stdout } = this.#process;
    stdin.on('error', () => {}); // it has ended
    stdout.setEncoding('utf8').on('data', (text: string) => this.#hear(text));
    this.#process.on('error', () => {});
    this.#process.on('close', () => {
      running--;
      idle.delete(this);
      this.#over()?.fail(new Error(`the shell ended in the middle of it: ${this.#said}`));
      runWaiting();
    });
  }

  run(script: Script): void {
    this.#script = script;
    this.#said = '';
    this.#keepsAwake(true);
    this.#timer = setTimeout(() => this.#kill(), script.timeoutMs);
    const words = script.args.map(quoted).join(' ');
    const subshell = `exec </dev/null 2>&1; set -e -- ${words}; eval ${quoted(script.text)}`;
    this.#process.stdin.write(`said=$(${subshell}); printf '%s\\n%d\\0' "$said" $?\n`);
  }

  #hear(text: string): void {
    this.#said += text;
    if (!this.#said.endsWith(END)) return;
    const at = this.#said.lastIndexOf('\n');
    const code = Number(this.#said.slice(at + 1, -1));
    const said = this.#said.slice(0, at);
    const script = this.#over();
    if (code === 0) script?.done(said);
    else
      script?.fail(new Error(`"${script.text.trim()}" ended with ${code}: ${said.slice(-1_000)}`));
    idle.add(this);
    runWaiting();
  }

  #over(): Script | null {
    const script = this.#script;
    this.#script = null;
    clearTimeout(this.#timer);
    this.#keepsAwake(false);
    return script;
  }

  /** With all that its script runs. */
  #kill(): void {
    const { pid } = this.#process;
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL');
    } catch {
      // it has ended, and tells so soon
    }
  }

  /** Whether this process lasts as long as it does. */
  #keepsAwake(isBusy: boolean): void {
    const { stdin, stdout } = this.#process;
    for (const handle of [this.#process, stdin as Socket, stdout as Socket]) {
      if (isBusy) handle.ref();
      else handle.unref();
    }
  }
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
