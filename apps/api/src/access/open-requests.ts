import type { Logger } from '@slipway/log';
import { Repeater } from '@slipway/process';
import type { FastifyReply } from 'fastify';
import { type Caller, mayStill } from './caller.ts';

/** A request may have begun with what was found half a second before (`Recent`): together less than one. */
const EVERY_MS = 400;

/** What knows who calls with which credential: a key or a session. */
interface Credentials {
  /** of those that are valid now; others, and what is no credential of this kind, are left out */
  callersOfIds(ids: readonly string[]): Promise<Caller[]>;
}

interface OpenRequest {
  reply: FastifyReply;
  caller: Caller;
  scope: { organizationId: string } | null;
}

/**
 * Requests that may go on for long: one is cut off within a second when its caller may no longer do what
 * they might when it began. While that cannot be asked (the database is away), they go on.
 */
export class OpenRequests {
  readonly #credentials: readonly Credentials[];
  readonly #log: Logger;
  readonly #open = new Set<OpenRequest>();
  readonly #repeater = new Repeater(async () => {
    await this.#look().catch((err) => this.#log.warn({ err }, 'open requests are not looked at'));
    return EVERY_MS;
  });

  constructor(credentials: readonly Credentials[], log: Logger) {
    this.#credentials = credentials;
    this.#log = log;
  }

  start(): void {
    this.#repeater.soon();
  }

  close(): Promise<void> {
    return this.#repeater.close();
  }

  /** @param scope in which it is; null: wherever the caller may act */
  add(reply: FastifyReply, caller: Caller, scope: OpenRequest['scope']): void {
    if (reply.raw.closed) return; // they left while we asked who they are
    const request = { reply, caller, scope };
    this.#open.add(request);
    reply.raw.once('close', () => this.#open.delete(request));
  }

  async #look(): Promise<void> {
    const open = [...this.#open];
    if (open.length === 0) return;
    const ids = [...new Set(open.map(({ caller }) => caller.credentialId))];
    const found = await Promise.all(this.#credentials.map((one) => one.callersOfIds(ids)));
    const byId = new Map(found.flat().map((caller) => [caller.credentialId, caller]));
    for (const { reply, caller, scope } of open) {
      const now = byId.get(caller.credentialId);
      if (now !== undefined && mayStill(now, caller, scope)) continue;
      const { credentialId } = caller;
      this.#log.info(
        { credentialId, url: reply.request.url },
        'cut off: its caller may do less now',
      );
      reply.raw.destroy();
    }
  }
}
