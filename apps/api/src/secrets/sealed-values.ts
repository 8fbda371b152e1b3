import { createHmac } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { Secret } from '@slipway/log';
import { EncryptJWT, jwtDecrypt } from 'jose';
import { z } from 'zod';
import { SECRET_KEY } from '../platform.module.ts';

const ValuesSchema = z.record(z.string(), z.string());

/**
 * Values as they may lie in the database: only who has the platform's key reads them.
 * @see RFC 7516, with AES-256-GCM
 */
@Injectable()
export class SealedValues {
  readonly #key: Uint8Array;

  constructor(@Inject(SECRET_KEY) secretKey: Secret) {
    this.#key = createHmac('sha256', secretKey.reveal()).update('sealed values').digest();
  }

  /** @param owner identifier of what they are for: they cannot be opened as another's */
  seal(owner: string, values: Readonly<Record<string, string>>): Promise<string> {
    return new EncryptJWT({ values })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setSubject(owner)
      .encrypt(this.#key);
  }

  /** @throws Error when they are not the owner's, or were sealed with another key */
  async open(owner: string, sealed: string): Promise<Record<string, string>> {
    const { payload } = await jwtDecrypt(sealed, this.#key, {
      ...{ subject: owner, keyManagementAlgorithms: ['dir'] },
      contentEncryptionAlgorithms: ['A256GCM'],
    });
    return ValuesSchema.parse(payload.values);
  }
}
