import { Inject, Injectable } from '@nestjs/common';
import { SERVICES_URL } from '../platform.module.ts';

/** Under which names services are reached: `<label>.<base domain>`. */
@Injectable()
export class HostNames {
  constructor(@Inject(SERVICES_URL) private readonly base: URL) {}

  /** In lower case, without a port. */
  hostOf(label: string): string {
    return `${label}.${this.base.hostname}`;
  }

  /** Without a trailing slash. */
  urlOf(label: string): string {
    const { protocol, port } = this.base;
    return `${protocol}//${this.hostOf(label)}${port === '' ? '' : `:${port}`}`;
  }
}
