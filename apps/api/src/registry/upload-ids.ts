import { createHmac, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { newId } from '@slipway/db';
import type { Secret } from '@slipway/log';
import type { Repository } from '../images/image.store.ts';
import { SECRET_KEY } from '../platform.module.ts';

/** An upload's id says whose it is, sealed: nothing has to be looked up or kept, and any replica can tell. */
@Injectable()
export class UploadIds {
  readonly #key: Uint8Array;

  constructor(@Inject(SECRET_KEY) secretKey: Secret) {
    this.#key = createHmac('sha256', secretKey.reveal()).update('registry uploads').digest();
  }

  /** `upl_<ulid>_<seal>` */
  make(repository: Repository): string {
    const name = newId('upl');
    return `${name}_${this.#seal(repository, name)}`;
  }

  isOf(repository: Repository, id: string): boolean {
    const end = id.lastIndexOf('_');
    const seal = Buffer.from(id.slice(end + 1));
    const right = Buffer.from(this.#seal(repository, id.slice(0, Math.max(0, end))));
    return seal.length === right.length && timingSafeEqual(seal, right);
  }

  #seal(repository: Repository, name: string): string {
    const mac = createHmac('sha256', this.#key).update(`${repository.id} ${name}`);
    return mac.digest('hex').slice(0, 32);
  }
}
