import { Controller, Inject } from '@nestjs/common';
import { defineRoute, type Input, type Output, Route, RouteInput } from '../http/route.ts';
import { Me } from './me.schema.ts';
import { MeService } from './me.service.ts';

const getMe = defineRoute({
  method: 'GET',
  path: '/v1/me',
  operationId: 'getMe',
  summary: 'Who calls, and what is open to them',
  tag: 'Account',
  access: 'caller',
  responses: { 200: Me },
});

@Controller()
export class MeController {
  constructor(@Inject(MeService) private readonly me: MeService) {}

  @Route(getMe)
  get(@RouteInput() { caller }: Input<typeof getMe>): Promise<Output<typeof getMe>> {
    return this.me.of(caller);
  }
}
