export * from './agent-calls.ts';
export * from './build.ts';
export * from './commands.ts';
export * from './container.ts';
export * from './errors.ts';
export * from './names.ts';
export * from './route.ts';
