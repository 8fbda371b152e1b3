// Imports flow apps → libs. See ARCHITECTURE.md.
const error = (name, from, to) => ({ name, severity: 'error', from, to });
const tests = '(\\.test|\\.fixture)\\.ts$';

export default {
  forbidden: [
    error(
      'libs-import-no-apps',
      { path: '^libs/', pathNot: tests },
      { path: '^(apps|infra|test)/' },
    ),
    error(
      'apps-import-no-other-app',
      { path: '^apps/([^/]+)/' },
      { path: '^apps/', pathNot: '^apps/$1/' },
    ),
    error(
      'only-the-api-opens-postgresql',
      { path: '^apps/', pathNot: '^apps/api/' },
      { path: '^libs/db/' },
    ),
    error(
      'apps-leave-infra-and-test-to-tests',
      { path: '^apps/', pathNot: tests },
      { path: '^(infra|test)/' },
    ),
    error(
      'infra-imports-no-apps',
      { path: '^infra/', pathNot: '^infra/tools/' },
      { path: '^apps/' },
    ),
    error(
      'contracts-import-nothing-of-ours',
      { path: '^libs/contracts/' },
      { path: '^(apps|libs|infra)/', pathNot: '^libs/contracts/' },
    ),
    error(
      'libs-are-entered-by-their-exports',
      { path: '^(apps|infra|test)/' },
      {
        path: '^libs/[^/]+/src/',
        pathNot: '^libs/[^/]+/src/(index|migrate)\\.ts$',
        dependencyTypesNot: ['npm'],
      },
    ),
    error(
      'only-db-touches-prisma',
      { pathNot: '^(libs/db|infra/tools)/' },
      { path: 'node_modules/@prisma/' },
    ),
    error(
      'only-queue-touches-bullmq',
      { pathNot: '^libs/queue/' },
      { path: 'node_modules/bullmq/' },
    ),
    error(
      'only-redis-touches-ioredis',
      { pathNot: '^libs/redis/' },
      { path: 'node_modules/ioredis/' },
    ),
    error(
      'only-metrics-touches-prom-client',
      { pathNot: '^libs/metrics/' },
      { path: 'node_modules/prom-client/' },
    ),
    error(
      'only-the-engine-driver-touches-grpc',
      { pathNot: '^apps/agent/src/containerd/' },
      { path: 'node_modules/(@grpc|protobufjs)/' },
    ),
    error('tests-are-imported-by-nobody', {}, { path: '\\.test\\.ts$' }),
    error('no-cycles', {}, { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } }),
    error('nothing-unresolved', {}, { couldNotResolve: true }),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.mjs', '.js'],
    },
    exclude: { path: '(generated|dist)/' },
  },
};
