import { Inject, Injectable } from '@nestjs/common';
import { AppError } from '@slipway/contracts';
import type { Asked } from '../access/asked.ts';
import { notFound } from '../access/not-found.ts';
import type { ProjectScope } from '../access/scope.store.ts';
import { mergePatch } from '../http/merge-patch.ts';
import { parsed } from '../http/validate.ts';
import { ImageResolver } from '../images/image-resolver.ts';
import { type ChangedTemplate, RedeployStore } from './redeploy.store.ts';
import type { RollBack } from './revision.schema.ts';
import { type NewService, type ServicePatch, ServiceTemplate } from './service.schema.ts';
import { type ServiceRow, ServiceStore } from './service.store.ts';

const LABEL_ATTEMPTS = 5;

/** What was asked for is true now: it was before, or a deploy brings it about. */
export interface Changed {
  row: ServiceRow;
  isChanged: boolean;
}

@Injectable()
export class ServiceService {
  constructor(
    @Inject(ServiceStore) private readonly services: ServiceStore,
    @Inject(RedeployStore) private readonly redeploys: RedeployStore,
    @Inject(ImageResolver) private readonly images: ImageResolver,
  ) {}

  async create(asked: Asked, { name, template }: NewService): Promise<ServiceRow> {
    const image = await this.images.resolve(asked, template.image, 'template.image');
    for (let attempt = 1; attempt <= LABEL_ATTEMPTS; attempt++) {
      const row = await this.services.create(asked.scope, { name, template, image }, asked);
      if (row !== null) return row;
      if ((await this.services.find(asked.scope, name)) !== null) break;
      // else the label was another's, by its random part
    }
    throw new AppError(
      'already-exists',
      `A service of this project is named "${name}": choose another name, or delete that one.`,
    );
  }

  /** @throws AppError `not-found` */
  async get(scope: ProjectScope, reference: string): Promise<ServiceRow> {
    const row = await this.services.find(scope, reference);
    if (row !== null) return row;
    throw notFound(`service "${reference}" in this project`);
  }

  list(scope: ProjectScope, page: { limit: number; after: string }): Promise<ServiceRow[]> {
    return this.services.list(scope, page);
  }

  /** @throws AppError `not-found`, `invalid-request` */
  async change(asked: Asked, reference: string, patch: ServicePatch): Promise<Changed> {
    const { id } = await this.get(asked.scope, reference);
    const named = patch.template?.image ?? null;
    const image =
      named === null ? {} : { image: await this.images.resolve(asked, named, 'template.image') };
    const merged = (current: ServiceTemplate): ChangedTemplate => {
      const template = mergePatch(current, patch.template ?? {});
      return { template: parsed(ServiceTemplate, template, 'template.'), ...image };
    };
    return this.#changed(asked, id, await this.redeploys.change(asked.scope, id, merged, asked));
  }

  /** @throws AppError `not-found`, `invalid-request`, `state-conflict` */
  async rollBack(asked: Asked, reference: string, { revision }: RollBack): Promise<Changed> {
    const { scope } = asked;
    const { id } = await this.get(scope, reference);
    const isChanged = await this.redeploys.rollBack(scope, id, revision ?? null, asked);
    return this.#changed(asked, id, isChanged);
  }

  /** @throws AppError `not-found` */
  async restart(asked: Asked, reference: string): Promise<Changed> {
    const { id } = await this.get(asked.scope, reference);
    return this.#changed(asked, id, await this.redeploys.restart(asked.scope, id, asked));
  }

  /** @param isChanged null: it was deleted meanwhile */
  async #changed({ scope }: Asked, id: string, isChanged: boolean | null): Promise<Changed> {
    return { row: await this.get(scope, id), isChanged: isChanged ?? false };
  }

  async delete(scope: ProjectScope, reference: string): Promise<ServiceRow> {
    const found = await this.get(scope, reference);
    return (await this.services.delete(scope, found.id)) ?? found;
  }
}
