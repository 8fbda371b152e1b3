import type { Channel, Notifications } from '@slipway/db';
import type { Logger } from '@slipway/log';
import { persistently, Repeater } from '@slipway/process';

/** Work of the platform's own that is told when to be done, and also looks for itself. */
export class Loop {
  readonly #notifications: Notifications;
  readonly #channels: readonly Channel[];
  readonly #repeater: Repeater;
  #stopListening: (() => void)[] = [];

  /**
   * @param task.channels each notification there is a reason to do it
   * @param task.failure for the log, when `work` throws; it is done again then
   * @param task.work says in how many ms to do it again unasked; null: only when told
   */
  constructor(
    notifications: Notifications,
    log: Logger,
    task: { channels: readonly Channel[]; failure: string; work: () => Promise<number | null> },
  ) {
    const { channels, failure, work } = task;
    this.#notifications = notifications;
    this.#channels = channels;
    this.#repeater = new Repeater(
      persistently(work, (err, retryMs) => log.warn({ err, retryMs }, failure)),
    );
  }

  start(): void {
    this.#stopListening = this.#channels.map((channel) =>
      this.#notifications.on(channel, () => this.#repeater.soon()),
    );
    this.#repeater.soon();
  }

  /** Begins nothing new, and waits for what is under way. */
  close(): Promise<void> {
    for (const stop of this.#stopListening) stop();
    return this.#repeater.close();
  }
}
