// One file an app: starts in 0.4 s instead of 1.3–1.7 s and takes 30 MB less.
const bundle = (app, entry) => ({
  input: `apps/${app}/src/${entry}.ts`,
  platform: 'node',
  tsconfig: `apps/${app}/tsconfig.json`,
  // what Nest and pg look for and do without
  external: [
    /^@nestjs\/(websockets|microservices|platform-express)/,
    /^@fastify\/(static|view)/,
    /^class-(validator|transformer)/,
    'pg-native',
  ],
  output: {
    file: `apps/${app}/dist/${entry}.mjs`,
    format: 'esm',
    codeSplitting: false,
    sourcemap: true,
  },
});

export default [bundle('api', 'main'), bundle('api', 'openapi')];
