import { spawn } from 'node:child_process';

export interface ExecOptions {
  env?: Record<string, string>;
  cwd?: string;
  input?: string;
  timeoutMs?: number;
  /** by default an exit code other than 0 throws */
  allowFailure?: boolean;
}

export interface ExecResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command to its end. @throws Error with the command and the last of what it wrote */
export async function exec(
  command: string,
  args: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const result = await new Promise<ExecResult>((done, fail) => {
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...(options.env ? { env: options.env } : {}),
      ...(options.cwd ? { cwd: options.cwd } : {}),
      ...(options.timeoutMs ? { timeout: options.timeoutMs, killSignal: 'SIGKILL' as const } : {}),
    });
    const chunks = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      chunks.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      chunks.stderr += text;
    });
    child.stdin.on('error', () => {}); // a command that ends before reading its input
    child.on('error', fail);
    child.on('close', (code, signal) => done({ code: code ?? (signal ? 137 : 1), ...chunks }));
    child.stdin.end(options.input ?? '');
  });
  if (result.code !== 0 && !options.allowFailure) {
    const said = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-8).join('\n');
    const line = [command, ...args].map((part) => (part.includes('\n') ? '…' : part)).join(' ');
    throw new Error(`"${line}" ended with ${result.code}: ${said}`);
  }
  return result;
}
