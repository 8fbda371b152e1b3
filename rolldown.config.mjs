// One file an app: starts in 0.4 s instead of 1.3–1.7 s and takes 30 MB less. Without source maps, which
// cost each start as much again and 100 MB: nothing is minified, and the line before each of our files
// in a bundle (`//#region`) says which it is.
const bundle = (app, name, entry = name) => ({
  input: `apps/${app}/src/${entry}.ts`,
  platform: 'node',
  // the API's has decorators
  tsconfig: app === 'api' ? 'apps/api/tsconfig.json' : 'tsconfig.json',
  // what Nest and pg look for and do without
  external: [
    /^@nestjs\/(websockets|microservices|platform-express)/,
    /^@fastify\/(static|view)/,
    /^class-(validator|transformer)/,
    'pg-native',
  ],
  output: {
    file: `apps/${app}/dist/${name}.mjs`,
    format: 'esm',
    codeSplitting: false,
  },
});

export default [
  bundle('api', 'main'),
  bundle('api', 'openapi'),
  bundle('agent', 'main'),
  bundle('agent', 'logs', 'logs/main'),
  bundle('edge', 'main'),
];
