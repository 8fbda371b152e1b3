export * from './build.ts';
export * from './container.ts';
export * from './deploy.ts';
