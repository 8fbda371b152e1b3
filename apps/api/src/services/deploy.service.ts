import { Inject, Injectable } from '@nestjs/common';
import type { Notifications } from '@slipway/db';
import { type DeployState, isDeployOver } from '@slipway/lifecycle';
import { notFound } from '../access/not-found.ts';
import type { ProjectScope } from '../access/scope.store.ts';
import { NOTIFICATIONS } from '../platform.module.ts';
import { type DeployRow, DeployStore } from './deploy.store.ts';
import { ServiceService } from './service.service.ts';

/** Which deploy: `service` by identifier or name. */
interface Reference {
  service: string;
  deploy: string;
}

@Injectable()
export class DeployService {
  constructor(
    @Inject(DeployStore) private readonly deploys: DeployStore,
    @Inject(ServiceService) private readonly services: ServiceService,
    @Inject(NOTIFICATIONS) private readonly notifications: Notifications,
  ) {}

  /** @throws AppError `not-found` */
  async get(scope: ProjectScope, { service, deploy }: Reference): Promise<DeployRow> {
    const { id } = await this.services.get(scope, service);
    const row = await this.deploys.find(scope, id, deploy);
    if (row !== null) return row;
    throw notFound(`deploy "${deploy}" of the service "${service}"`);
  }

  async list(
    scope: ProjectScope,
    service: string,
    page: { limit: number; before: string | null },
  ): Promise<DeployRow[]> {
    const { id } = await this.services.get(scope, service);
    return this.deploys.list(scope, id, page);
  }

  /** Waits until it is in one of `states`, or when there are none until it is over. */
  async wait(
    scope: ProjectScope,
    reference: Reference,
    states: readonly string[],
    signal: AbortSignal,
  ): Promise<DeployRow> {
    let row = await this.get(scope, reference);
    const { id, serviceId } = row; // the service may be deleted meanwhile
    for await (const _ of this.notifications.changes('services', serviceId, signal)) {
      row = (await this.deploys.find(scope, serviceId, id)) ?? row;
      if (states.includes(row.state) || isDeployOver(row.state as DeployState)) break;
    }
    return row;
  }
}
