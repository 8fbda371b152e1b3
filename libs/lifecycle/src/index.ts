export * from './build.ts';
export * from './container.ts';
