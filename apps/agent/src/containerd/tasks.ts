import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runcOptions } from './containers.ts';
import { type ContainerdRpc, detailsOf, isPresent, unlessAbsent } from './rpc.ts';
import type { ContainerdSettings } from './settings.ts';
import type { Mount } from './snapshots.ts';

/** A run of a container, as long as containerd has it: until it is deleted, also when it ended. */
export interface Task {
  status: 'UNKNOWN' | 'CREATED' | 'RUNNING' | 'STOPPED' | 'PAUSED' | 'PAUSING';
  /** on the host */
  pid: number;
  /** once it is STOPPED: 128 and the signal's number when one ended it */
  exitCode: number;
  exitedAt: Date | null;
}

interface Process {
  id: string;
  status: Task['status'];
  pid: number;
  exit_status: number;
  exited_at: Timestamp | null;
}

interface Timestamp {
  seconds: number;
  nanos: number;
}

/** Where a task's output goes: FIFOs with a reader. */
export interface TaskOutput {
  stdout: string;
  stderr: string;
}

/** @see containerd, api/services/tasks/v1/tasks.proto; a container's id is its task's */
export class Tasks {
  readonly #rpc: ContainerdRpc;
  readonly #settings: ContainerdSettings;

  constructor(rpc: ContainerdRpc, settings: ContainerdSettings) {
    this.#rpc = rpc;
    this.#settings = settings;
  }

  async get(id: string): Promise<Task | null> {
    const answer = await unlessAbsent(
      this.#rpc.call<{ process: Process }>(
        'tasks.v1.Tasks/Get',
        ['GetTaskRequest', 'GetTaskResponse'],
        { container_id: id },
      ),
    );
    return answer === null ? null : taskOf(answer.process);
  }

  /** By their containers' ids. */
  async list(): Promise<Map<string, Task>> {
    const { tasks } = await this.#rpc.call<{ tasks: Process[] }>(
      'tasks.v1.Tasks/List',
      ['ListTasksRequest', 'ListTasksResponse'],
      {},
    );
    return new Map(tasks.map((process) => [process.id, taskOf(process)]));
  }

  /**
   * Everything up to the program's start. A containerd that was killed in the middle of it leaves a
   * task, or its folder, that `get` does not find, and that is in the way: that goes, for the next attempt.
   */
  async create(id: string, rootfs: readonly Mount[], output: TaskOutput): Promise<void> {
    try {
      await this.#rpc.call('tasks.v1.Tasks/Create', ['CreateTaskRequest', 'CreateTaskResponse'], {
        container_id: id,
        rootfs,
        ...output,
        options: runcOptions(this.#settings.runcRoot),
      });
    } catch (error) {
      const hasFolder = detailsOf(error).includes(
        `mkdir ${bundleOf(this.#settings, id)}: file exists`,
      );
      if (!hasFolder && !isPresent(error)) throw error;
      await this.delete(id);
      throw new Error(`a task of ${id} was in the way`, { cause: error });
    }
  }

  async start(id: string): Promise<void> {
    await this.#rpc.call('tasks.v1.Tasks/Start', ['StartRequest', 'StartResponse'], {
      container_id: id,
    });
  }

  /** To its first process. @returns false when that has ended already */
  async kill(id: string, signal: number): Promise<boolean> {
    const answer = await unlessAbsent(
      this.#rpc.call('tasks.v1.Tasks/Kill', ['KillRequest', 'Empty'], { container_id: id, signal }),
    );
    return answer !== null;
  }

  /**
   * Of one that has ended or not begun, or that `get` does not find since it was never whole. Nothing
   * when it is gone already.
   */
  async delete(id: string): Promise<void> {
    await unlessAbsent(
      this.#rpc.call('tasks.v1.Tasks/Delete', ['DeleteTaskRequest', 'DeleteTaskResponse'], {
        container_id: id,
      }),
    );
    await rm(shimSocketOf(this.#settings, id), { force: true }); // a killed shim leaves it
    await removeUnused(bundleOf(this.#settings, id));
  }
}

/** @see containerd, runtime/v2/bundle.go */
function bundleOf({ stateDir, namespace }: ContainerdSettings, id: string): string {
  return join(stateDir, 'io.containerd.runtime.v2.task', namespace, id);
}

/**
 * A bundle of which no shim made a container yet: the one kind that containerd, when it finds it at its
 * start, cannot clear. Not recursively: a container's root file system could be mounted there.
 */
async function removeUnused(bundle: string): Promise<void> {
  if (!existsSync(bundle) || existsSync(join(bundle, 'runtime'))) return;
  for (const entry of await readdir(bundle, { withFileTypes: true })) {
    const path = join(bundle, entry.name);
    await (entry.isDirectory() ? rmdir(path) : rm(path, { force: true }));
  }
  await rmdir(bundle);
}

/** @see containerd, pkg/shim `SocketAddress`: all instances on a machine have one folder for them */
function shimSocketOf({ socket, namespace }: ContainerdSettings, id: string): string {
  const name = createHash('sha256')
    .update(join(socket, namespace, id))
    .digest('hex');
  return join('/run/containerd/s', name);
}

function taskOf({ status, pid, exit_status, exited_at }: Process): Task {
  return { status, pid, exitCode: exit_status, exitedAt: dateOf(exited_at) };
}

/** null for Go's zero time, which containerd sends of what has not ended */
function dateOf(timestamp: Timestamp | null): Date | null {
  if (timestamp === null || timestamp.seconds <= 0) return null;
  return new Date(timestamp.seconds * 1000 + Math.floor(timestamp.nanos / 1e6));
}
