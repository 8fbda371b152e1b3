import { type DynamicModule, Module } from '@nestjs/common';
import { HealthController } from './health/health.controller.ts';
import { httpModule } from './http/http.module.ts';
import { MeController } from './me/me.controller.ts';
import { MeStore } from './me/me.store.ts';
import { OpenApiController } from './openapi/openapi.controller.ts';
import { type Platform, platformModule } from './platform.module.ts';
import { RegistryModule } from './registry/registry.module.ts';

@Module({
  imports: [RegistryModule],
  controllers: [HealthController, MeController, OpenApiController],
  providers: [MeStore],
})
class AppModule {}

/** Everything that serves; also what the OpenAPI document is made of. */
export function appModule(platform: Platform, options: { checksAnswers: boolean }): DynamicModule {
  return { module: AppModule, imports: [platformModule(platform), httpModule(options)] };
}
