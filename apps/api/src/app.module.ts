import { type DynamicModule, Module } from '@nestjs/common';
import { Connections } from '@slipway/rpc';
import { AccessModule } from './access/access.module.ts';
import { SessionModule } from './access/session.module.ts';
import { AccountService } from './accounts/account.service.ts';
import { AccountStore } from './accounts/account.store.ts';
import { AuthController } from './accounts/auth.controller.ts';
import { SessionController } from './accounts/session.controller.ts';
import { AgentDoor } from './agents/agent-door.ts';
import { AgentStreams } from './agents/agent-streams.ts';
import { BuildDoor } from './agents/build-door.ts';
import { BuildOrderStore } from './agents/build-order.store.ts';
import { ContainerOrderStore } from './agents/container-order.store.ts';
import { ObservationStore } from './agents/observation.store.ts';
import { AuditController } from './audit/audit.controller.ts';
import { AuditStore } from './audit/audit.store.ts';
import { AuditSealer } from './audit/audit-sealer.ts';
import { AuditTrail } from './audit/audit-trail.ts';
import { ChainStore } from './audit/chain.store.ts';
import { BuildController } from './builds/build.controller.ts';
import { BuildLog } from './builds/build.log.ts';
import { BuildService } from './builds/build.service.ts';
import { BuildStore } from './builds/build.store.ts';
import { BuildLogArchive } from './builds/build-log-archive.ts';
import { ContextController } from './builds/context.controller.ts';
import { ContextService } from './builds/context.service.ts';
import { ContextStore } from './builds/context.store.ts';
import { ContainerController } from './containers/container.controller.ts';
import { ContainerLogs } from './containers/container.logs.ts';
import { ContainerService } from './containers/container.service.ts';
import { ContainerSignals } from './containers/container.signals.ts';
import { ContainerStore } from './containers/container.store.ts';
import { Restarts } from './containers/restarts.ts';
import { Dispatcher } from './dispatch/dispatcher.ts';
import { OutboxStore } from './dispatch/outbox.store.ts';
import { HealthController } from './health/health.controller.ts';
import { httpModule } from './http/http.module.ts';
import { ImageStore } from './images/image.store.ts';
import { ImageResolver } from './images/image-resolver.ts';
import { MeController } from './me/me.controller.ts';
import { MeService } from './me/me.service.ts';
import { MeStore } from './me/me.store.ts';
import { MetricsController } from './metrics/metrics.controller.ts';
import { PlatformStateStore } from './metrics/platform-state.store.ts';
import { AddressStore } from './networks/address.store.ts';
import { NodeStore } from './nodes/node.store.ts';
import { OpenApiController } from './openapi/openapi.controller.ts';
import { ApiKeyController } from './organizations/api-key.controller.ts';
import { ApiKeyStore } from './organizations/api-key.store.ts';
import { InvitationController } from './organizations/invitation.controller.ts';
import { InvitationService } from './organizations/invitation.service.ts';
import { InvitationStore } from './organizations/invitation.store.ts';
import { MemberController } from './organizations/member.controller.ts';
import { MemberStore } from './organizations/member.store.ts';
import { OrganizationController } from './organizations/organization.controller.ts';
import { OrganizationStore } from './organizations/organization.store.ts';
import { type Platform, platformModule } from './platform.module.ts';
import { ProjectController } from './projects/project.controller.ts';
import { ProjectStore } from './projects/project.store.ts';
import { QuotaController } from './quotas/quota.controller.ts';
import { QuotaStore } from './quotas/quota.store.ts';
import { RegistryTokens } from './registry/registry-token.ts';
import { HostNames } from './routing/host-names.ts';
import { RouteStore } from './routing/route.store.ts';
import { RouteFeed } from './routing/route-feed.ts';
import { SealedValues } from './secrets/sealed-values.ts';
import { DeployController } from './services/deploy.controller.ts';
import { DeployService } from './services/deploy.service.ts';
import { DeployStore } from './services/deploy.store.ts';
import { DeployMoveStore } from './services/deploy-move.store.ts';
import { DeployRunner } from './services/deploy-runner.ts';
import { RedeployStore } from './services/redeploy.store.ts';
import { RevisionController } from './services/revision.controller.ts';
import { RevisionStore } from './services/revision.store.ts';
import { ServiceController } from './services/service.controller.ts';
import { ServiceService } from './services/service.service.ts';
import { ServiceStore } from './services/service.store.ts';
import { MeterStore } from './usage/meter.store.ts';
import { ServedStore } from './usage/served.store.ts';
import { ServedMeter } from './usage/served-meter.ts';
import { StoredStore } from './usage/stored.store.ts';
import { StoredMeter } from './usage/stored-meter.ts';
import { UsageController } from './usage/usage.controller.ts';
import { UsageStore } from './usage/usage.store.ts';

@Module({
  imports: [AccessModule, SessionModule],
  controllers: [
    ApiKeyController,
    AuditController,
    AuthController,
    BuildController,
    ContainerController,
    ContextController,
    DeployController,
    HealthController,
    InvitationController,
    MeController,
    MemberController,
    MetricsController,
    OpenApiController,
    OrganizationController,
    ProjectController,
    QuotaController,
    RevisionController,
    ServiceController,
    SessionController,
    UsageController,
  ],
  providers: [
    ...[AccountStore, AccountService, MeStore, MeService],
    ...[AuditStore, AuditTrail, ChainStore, AuditSealer],
    ...[OrganizationStore, MemberStore, InvitationStore, InvitationService, ApiKeyStore],
    ...[ProjectStore, QuotaStore, NodeStore, ImageStore, ImageResolver, RegistryTokens],
    SealedValues,
    ...[ContextStore, ContextService, BuildStore, BuildService, BuildLog, BuildLogArchive],
    ...[ContainerStore, ContainerService, ContainerLogs, ContainerSignals, Restarts],
    ...[ServiceStore, ServiceService, RedeployStore, RevisionStore],
    ...[DeployStore, DeployService, DeployMoveStore, DeployRunner],
    ...[HostNames, RouteStore, RouteFeed],
    ...[OutboxStore, Dispatcher, AddressStore, PlatformStateStore],
    ...[AgentDoor, BuildDoor, ContainerOrderStore, BuildOrderStore, ObservationStore],
    ...[AgentStreams, Connections],
    ...[MeterStore, StoredStore, StoredMeter, ServedStore, ServedMeter, UsageStore],
  ],
})
class AppModule {}

/** Everything that serves REST and agents; also what the OpenAPI document is made of. */
export function appModule(platform: Platform, options: { checksAnswers: boolean }): DynamicModule {
  return { module: AppModule, imports: [platformModule(platform), httpModule(options)] };
}
