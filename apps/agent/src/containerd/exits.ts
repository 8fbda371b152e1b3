import { setTimeout as delay } from 'node:timers/promises';
import { type ContainerdRpc, decode } from './rpc.ts';

const RETRY_MS = 100;

interface Envelope {
  event: { value: Uint8Array };
}

export interface ExitListener {
  /** the first process of a container ended */
  onExit(containerId: string): void;
  /** events may have been missed: after each (re)connection */
  onGap(): void;
}

/** Tells of exits until `signal` is aborted, over restarts of containerd. */
export async function watchExits(
  rpc: ContainerdRpc,
  { onExit, onGap }: ExitListener,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const stream = rpc.serverStream<Envelope>(
      'events.v1.Events/Subscribe',
      ['SubscribeRequest', 'Envelope'],
      { filters: ['topic=="/tasks/exit"'] },
    );
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    onGap();
    try {
      for await (const { event } of stream as AsyncIterable<Envelope>) {
        const exit = decode<{ container_id: string; id: string }>('TaskExit', event.value);
        if (exit.id === exit.container_id) onExit(exit.container_id);
      }
    } catch {
      // ended with its containerd, or cancelled
    }
    signal.removeEventListener('abort', cancel);
    await delay(RETRY_MS, undefined, { signal }).catch(() => {});
  }
}
