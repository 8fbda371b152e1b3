export * from './away.ts';
export * from './database.ts';
export { Prisma, PrismaClient } from './generated/client.ts';
export * from './ids.ts';
export { type Channel, Notifications } from './notifications.ts';
export * from './violations.ts';
