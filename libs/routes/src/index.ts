export { RoutePublisher } from './route-publisher.ts';
export { RouteTable } from './route-table.ts';
